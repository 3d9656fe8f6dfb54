//! The server's own TLS: a certificate and its key from two files, read again when they change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use super::demand_private;
use crate::configuration::{Environment, Problem, Problems};

/// How often the files are looked at; a renewal need not be announced.
const LOOK: Duration = Duration::from_secs(10);

/// Where a certificate chain and its private key are, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why files give no certificate that can be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates cannot be read.
    #[error("{0}")]
    Certificate(String),
    /// The key cannot be read, or is another certificate's.
    #[error("{0}")]
    Key(String),
}

impl TlsFiles {
    /// The certificate with its key, or all that is wrong with the two files.
    fn read(&self) -> Result<CertifiedKey, Vec<TlsError>> {
        match (self.chain(), self.private()) {
            (Ok(chain), Ok(private)) => CertifiedKey::from_der(chain, private, &default_provider())
                .map_err(|error| vec![TlsError::Key(error.to_string())]),
            (chain, private) => Err([chain.err(), private.err()].into_iter().flatten().collect()),
        }
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificate = |error: &dyn ToString| TlsError::Certificate(error.to_string());
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| certificate(&error))?;
        if chain.is_empty() {
            return Err(certificate(&"there is no certificate in it"));
        }
        Ok(chain)
    }

    fn private(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::Key(error.to_string()))
    }
}

/// The certificate that is served now.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    environment: Environment,
    now: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Some(now.clone())
    }
}

impl Certificate {
    pub(super) fn load(files: TlsFiles, environment: Environment) -> Result<Arc<Self>, Problems> {
        let read = files.read().map_err(|errors| {
            Problems(
                errors
                    .iter()
                    .map(|error| Problem::tls(&files, error))
                    .collect(),
            )
        })?;
        demand_private(&files.key, environment, Problem::tls_key_open)
            .map_err(|problem| Problems(vec![problem]))?;
        let now = RwLock::new(Arc::new(read));
        Ok(Arc::new(Self {
            files,
            environment,
            now,
        }))
    }

    /// TLS 1.2 and 1.3.
    pub(super) fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again each ten seconds, and at SIGHUP at once, for ever. Files that cannot
    /// be served are told to the log, and the certificate that was there stays.
    pub(super) fn follow(self: Arc<Self>) -> std::io::Result<impl Future<Output = ()>> {
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(async move {
            let mut timer = tokio::time::interval(LOOK);
            // The start told it.
            let mut known = self.open_key();
            loop {
                let asked = tokio::select! {
                    _ = timer.tick() => false,
                    _ = hangup.recv() => true,
                };
                let (read, wrong) = self.look();
                // What is wrong is told once, and again to whoever asks: it is looked at often.
                let news = wrong
                    .as_ref()
                    .filter(|wrong| asked || known.as_ref() != Some(wrong));
                let file = self.files.certificate.display();
                match (&read, news) {
                    (None, Some(error)) => {
                        tracing::error!(%file, error, "the new certificate is not served");
                    }
                    (Some(_), Some(problem)) => tracing::warn!("{problem}"),
                    (_, None) => {}
                }
                known = wrong;
                if let Some(read) = read {
                    self.serve(read, asked);
                }
            }
        })
    }

    /// What the files hold now, where it may be served, and what is wrong with them.
    fn look(&self) -> (Option<CertifiedKey>, Option<String>) {
        match (self.files.read(), self.open_key()) {
            (Err(errors), _) => {
                let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
                (None, Some(told.join("; ")))
            }
            (Ok(_), Some(open)) if self.environment.strict() => (None, Some(open)),
            (Ok(read), open) => (Some(read), open),
        }
    }

    /// That others than its owner can read the key, where they can.
    fn open_key(&self) -> Option<String> {
        let open = stella_signing::open_to_others(&self.files.key).unwrap_or_default();
        open.then(|| Problem::tls_key_open(&self.files.key).to_string())
    }

    fn serve(&self, read: CertifiedKey, asked: bool) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let new = now.cert != read.cert;
        if new {
            *now = Arc::new(read);
        }
        drop(now);
        if new || asked {
            let file = self.files.certificate.display();
            tracing::info!(%file, new, "the certificate was read again");
        }
    }
}
