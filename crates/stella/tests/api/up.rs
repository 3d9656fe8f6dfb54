//! The binary as somebody new runs it.

use std::path::Path;
use std::process::{Command, Output};

fn stella(home: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stella"))
        .args(words)
        .env_clear()
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_sample_is_scored_explained_and_the_same_again() {
    let home = tempfile::tempdir().unwrap();
    let first = stella(home.path(), &["up", "--sample", "--once"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let told = text(&first.stdout);
    for part in [
        "RUSTSEC-2023-0061",
        "KEV",
        "Critical",
        "rt1.",
        "stella replay verify",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let second = stella(home.path(), &["up", "--sample", "--once"]);
    assert_eq!(
        text(&second.stdout),
        told,
        "a second run makes nothing twice"
    );
    let json = stella(home.path(), &["up", "--sample", "--once", "-o", "json"]);
    serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap();
}

#[test]
fn without_a_server_the_hint_is_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config/stella");
    std::fs::create_dir_all(&config).unwrap();
    let none = stella(home.path(), &["findings", "list"]);
    assert_eq!(none.status.code(), Some(78), "{}", text(&none.stderr));
    assert!(stella(home.path(), &["up", "--once"]).status.success());
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let key = config.join("keys/local-cli.pem");
    let context = format!(
        "current: local\ncontexts:\n  local:\n    server: http://127.0.0.1:{port}\n    \
         tenant: local\n    client: cli\n    keyFile: {}\n",
        key.display()
    );
    std::fs::write(config.join("config.yaml"), context).unwrap();
    let gone = stella(home.path(), &["findings", "list"]);
    let told = text(&gone.stderr);
    assert_eq!(gone.status.code(), Some(10), "{told}");
    assert!(
        told.contains("SERVER_UNREACHABLE") && told.contains("stella up"),
        "{told}"
    );
}
