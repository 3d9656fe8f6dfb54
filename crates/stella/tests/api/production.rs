//! The production how-to, as it is written: its blocks are run, in its order, on a real
//! PostgreSQL and S3 server, with a backup taken while a server runs and a restore from nothing.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use stella_testkit::{S3Server, postgres};

use crate::fixtures::{advisory, bytes, sbom};
use crate::tls::Authority;
use crate::up::text;
use crate::world::s3_of;

/// The shell blocks of the page by their label, those of one label joined.
fn blocks() -> BTreeMap<String, String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/production.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = BTreeMap::<String, String>::new();
    for part in page.split("\n```sh ").skip(1) {
        let (label, rest) = part.split_once('\n').unwrap();
        let (block, _) = rest.split_once("\n```").unwrap();
        *blocks.entry(label.to_owned()).or_default() += &format!("{block}\n");
    }
    blocks
}

/// The settings block with values of this machine, and what only a machine of tests needs.
struct Operator {
    settings: Vec<(&'static str, String)>,
}

impl Operator {
    fn environment(&self, command: &mut Command) {
        let stella = Path::new(env!("CARGO_BIN_EXE_stella")).parent().unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", stella.display());
        command.env_clear().env("PATH", path);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
    }

    fn runs(&self, script: &str) -> Output {
        let mut bash = Command::new("bash");
        self.environment(&mut bash);
        bash.args(["-euo", "pipefail", "-s"]);
        let piped = bash.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(script.as_bytes()).unwrap();
        drop(stdin);
        let ran = child.wait_with_output().unwrap();
        let (told, wrong) = (text(&ran.stdout), text(&ran.stderr));
        assert!(ran.status.success(), "{script}\n{told}\n{wrong}");
        ran
    }

    fn stella(&self, words: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        self.environment(&mut command);
        let ran = command.args(words).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {}", text(&ran.stderr));
        serde_json::from_slice(&ran.stdout).unwrap()
    }

    fn serves(&self, configuration: &Path) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        self.environment(&mut command);
        command.arg("serve").arg("--config").arg(configuration);
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut said = lines.by_ref().map(Result::unwrap);
        assert!(
            said.any(|line| line.contains("listening")),
            "the server ended"
        );
        // Whoever logs must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Serving(server)
    }
}

/// A server that ends, as by a fault, with this value.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_how_to_works_as_it_is_written() {
    let blocks = blocks();
    let labels: Vec<&str> = blocks.keys().map(String::as_str).collect();
    assert_eq!(labels, ["backup", "install", "restore", "settings", "use"]);

    let cluster = postgres::cluster().await;
    let bucket = S3Server::start();
    let s3 = s3_of(&bucket);
    let authority = Authority::new();
    authority.issue();
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str| home.path().join(name).display().to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = port.local_addr().unwrap().to_string();
    drop(port);
    let name = format!("production_{}", std::process::id());
    let operator = Operator {
        settings: vec![
            ("NAME", name.clone()),
            ("PGHOST", cluster.host.clone()),
            ("PGPORT", cluster.port.to_string()),
            ("PGUSER", "postgres".to_owned()),
            ("PGDATABASE", "postgres".to_owned()),
            ("OWNER_PASSWORD", "owner-password".to_owned()),
            ("APP_PASSWORD", "app-password".to_owned()),
            ("BACKUP_PASSWORD", "backup-password".to_owned()),
            ("S3_ENDPOINT", s3.endpoint),
            ("S3_BUCKET", s3.bucket),
            ("S3_REGION", s3.region),
            ("S3_KEY_ID", s3.access_key_id),
            ("S3_KEY", s3.secret_access_key),
            ("ETC", place("etc")),
            ("DATA", place("data")),
            ("BACKUP", place("backup")),
            ("URL", format!("https://{listen}")),
            ("LISTEN", listen),
            // Of this machine: its database is here, and its certificates are nobody else's.
            ("STELLA_Storage__AllowLocalhost", "true".to_owned()),
            (
                "SSL_CERT_FILE",
                authority.file("ca.pem").display().to_string(),
            ),
            ("XDG_CONFIG_HOME", place("config")),
        ],
    };
    // The page names each setting that its blocks need.
    for (setting, _) in &operator.settings[..18] {
        assert!(
            blocks["settings"].contains(&format!("{setting}=")),
            "{setting}"
        );
    }

    operator.runs(&blocks["install"]);
    let etc = home.path().join("etc");
    std::fs::copy(authority.file("server.pem"), etc.join("server.pem")).unwrap();
    std::fs::copy(authority.file("key.pem"), etc.join("server.key")).unwrap();
    let server = operator.serves(&etc.join("stella.yaml"));
    operator.runs(&blocks["use"]);

    let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
    let mut large = advisory("RUSTSEC-2026-0002", &[], "beta", "2.0.0");
    large["details"] = "y".repeat(300 * 1024).into();
    let evidence = home.path().join("evidence");
    std::fs::create_dir(&evidence).unwrap();
    for (file, document) in [("a", hole), ("b", large), ("c", sbom(&["alpha@1.0.0"]))] {
        std::fs::write(evidence.join(format!("{file}.json")), bytes(&document)).unwrap();
    }
    operator.stella(&["evidence", "ingest", evidence.to_str().unwrap()]);
    let found = operator.stella(&["findings", "list"]);
    let finding = found["items"][0]["finding"]["id"].as_str().unwrap();
    let explained = operator.stella(&["score", "explain", finding]);
    let token = explained["replay"]["token"].as_str().unwrap();

    operator.runs(&blocks["backup"]);
    drop(server);
    // All is lost.
    let mut superuser = PgConnection::connect(&cluster.superuser_url).await.unwrap();
    let gone = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(gone).execute(&mut superuser).await.unwrap();
    for service in ["evidence", "replay"] {
        std::fs::remove_dir_all(bucket.objects().join(service)).unwrap();
    }
    operator.runs(&blocks["restore"]);
    let _server = operator.serves(&etc.join("stella.yaml"));
    assert_eq!(
        operator.stella(&["replay", "verify", token])["outcome"],
        "match"
    );
    assert_eq!(operator.stella(&["findings", "list"]), found);
    operator.stella(&["evidence", "verify"]);
}
