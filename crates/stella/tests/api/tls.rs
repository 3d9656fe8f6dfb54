//! The server's own TLS, as a process: what it serves, what it reads again, what it refuses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use stella_client::{Call, HttpClient};
use tokio_rustls::TlsConnector;

use crate::process::{Installation, Running};
use crate::slow::told_by;
use crate::up::text;

/// A certificate authority of somebody's own, and the files of a server.
pub struct Authority {
    home: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut of = CertificateParams::default();
        of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(of, KeyPair::generate().unwrap()).unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { home, issuer }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Puts a new certificate and its key where the server looks for them.
    pub fn issue(&self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let of = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let issued = of.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(self.file("key.pem"), private).unwrap();
        std::fs::write(self.file("server.pem"), issued.pem()).unwrap();
        issued.der().clone()
    }

    fn settings(&self, installation: Installation) -> Installation {
        let name = |key, file| format!("Server:Tls:{key}={}", self.file(file).display());
        installation
            .with(&name("CertificateFile", "server.pem"))
            .with(&name("PrivateKeyFile", "key.pem"))
    }

    /// What the server shows to somebody who trusts this authority and nobody else, and the
    /// protocol that both chose.
    async fn shown(&self, running: &Running) -> (CertificateDer<'static>, Vec<u8>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let address = running.url.trim_start_matches("https://");
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let (_, shown) = stream.get_ref();
        let certificate = shown.peer_certificates().unwrap()[0].clone().into_owned();
        (certificate, shown.alpn_protocol().unwrap().to_vec())
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let authority = Authority::new();
    let first = authority.issue();
    let installation = authority.settings(Installation::filesystem().await);
    let running = installation.start(None);
    assert_eq!(authority.shown(&running).await, (first, b"h2".to_vec()));

    let second = authority.issue();
    running.signal("HUP");
    running.said("the certificate was read again");
    assert_eq!(authority.shown(&running).await.0, second);

    // Half of a renewal: the key is another certificate's.
    let before = std::fs::read(authority.file("server.pem")).unwrap();
    authority.issue();
    std::fs::write(authority.file("server.pem"), &before).unwrap();
    running.signal("HUP");
    running.said("the new certificate is not served");
    assert_eq!(authority.shown(&running).await.0, second);
}

/// Who connects and shakes no hand holds a connection no longer than anybody else.
#[tokio::test]
async fn a_handshake_that_never_comes_is_not_waited_for() {
    let authority = Authority::new();
    authority.issue();
    let installation = Installation::filesystem().await;
    let installation = installation.with("Server:RequestHeadSeconds=1");
    let running = authority.settings(installation).start(None);
    for says in [&b""[..], &[0x16, 0x03]] {
        assert_eq!(told_by(&running, says), "");
    }
}

/// Refused where it counts, and told in a log elsewhere.
#[tokio::test]
async fn a_private_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new();
    authority.issue();
    let key = authority.file("key.pem");
    let mode = |mode| {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = format!("chmod 600 {}", key.display());
    let installation = authority.settings(Installation::postgres().await);
    let installation = installation.with("Storage:AllowLocalhost=true");
    mode(0o640);
    let running = installation.start(None);
    assert!(running.told.contains(&told), "{}", running.told);
    drop(running);
    let strict = installation.with_variable("STELLA_ENVIRONMENT", "Production");
    for open in [0o640, 0o604, 0o620] {
        mode(open);
        let refused = strict.run(&["serve"]);
        let says = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(78), "{says}");
        let place = "CONFIG_VALUE_INVALID key=Server:Tls:PrivateKeyFile file=";
        assert!(says.contains(place) && says.contains(&told), "{says}");
    }
    mode(0o600);
    let running = strict.start(None);
    assert!(!running.told.contains("chmod"), "{}", running.told);

    // Of a renewal the same is demanded: what was served before goes on.
    let before = authority.shown(&running).await.0;
    let second = authority.issue();
    mode(0o644);
    running.signal("HUP");
    let line = running.said("the new certificate is not served");
    assert!(line.contains("ERROR") && line.contains(&told), "{line}");
    assert_eq!(authority.shown(&running).await.0, before);
    mode(0o600);
    running.signal("HUP");
    running.said("the certificate was read again");
    assert_eq!(authority.shown(&running).await.0, second);
}

#[tokio::test]
async fn the_command_line_trusts_whom_the_system_trusts() {
    let authority = Authority::new();
    authority.issue();
    let running = authority
        .settings(Installation::filesystem().await)
        .start(None);
    let person = running.person("acme");
    let whoami = |trusted: &Path| {
        let mut command = person.starts(&["whoami", "-o", "json"]);
        command.env("SSL_CERT_FILE", trusted).output().unwrap()
    };
    let told = whoami(&authority.file("ca.pem"));
    assert!(told.status.success(), "{}", text(&told.stderr));
    assert!(
        text(&told.stdout).contains("acme"),
        "{}",
        text(&told.stdout)
    );

    let metrics = HttpClient::new(&running.admin).unwrap();
    let metrics = metrics.send(Call::get("/metrics")).await.unwrap();
    let metrics = text(&metrics.body);
    assert!(metrics.contains(r#"url_scheme="https""#), "{metrics}");
    assert!(!metrics.contains(r#"url_scheme="http""#), "{metrics}");

    let other = Authority::new();
    let refused = whoami(&other.file("ca.pem"));
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    let error = "\"SERVER_CERTIFICATE_UNTRUSTED\"";
    assert!(told.contains(error), "{told}");
    assert!(
        told.contains("nobody who is trusted here signed it"),
        "{told}"
    );
    assert!(told.contains("SSL_CERT_FILE=FILE"), "{told}");
}

#[tokio::test]
async fn files_that_cannot_be_served_stop_the_start() {
    let authority = Authority::new();
    authority.issue();
    let installation = authority.settings(Installation::filesystem().await);
    let refused = |key: &str| {
        let ended = installation.run(&["serve"]);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(78), "{told}");
        assert!(told.contains("CONFIG_VALUE_INVALID"), "{told}");
        assert!(told.contains(&format!("key=Server:Tls:{key}")), "{told}");
    };
    std::fs::write(authority.file("key.pem"), "no key").unwrap();
    refused("PrivateKeyFile");
    let other = KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(authority.file("key.pem"), other).unwrap();
    refused("PrivateKeyFile");
    std::fs::write(authority.file("server.pem"), "").unwrap();
    refused("CertificateFile");
    std::fs::remove_file(authority.file("server.pem")).unwrap();
    refused("CertificateFile");
}
