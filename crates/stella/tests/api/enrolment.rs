//! From an installation that nobody may use to a client that works with it, all by the verbs.

use std::process::{Command, Output};

use serde_json::Value;

use crate::process::Installation;
use crate::up::text;

fn done(ran: &Output) -> Value {
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

async fn enrolled(installation: Installation) {
    let key = installation.file("ci.pem");
    let key = key.to_str().unwrap();
    let client = [
        "client",
        "create",
        "ci",
        "--tenant",
        "initech",
        "--key-file",
        key,
        "--role",
        "analyst",
    ];
    let refused = installation.run(&client);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains("stella tenant create initech"), "{told}");
    assert!(!installation.file("ci.pem").exists());

    // What is there stays as it is: the key too.
    for _ in 0..2 {
        assert_eq!(
            done(&installation.run(&["tenant", "create", "initech"]))["tenant"],
            "initech"
        );
        done(&installation.run(&["tenant", "trust", "initech", "Example Vendor"]));
    }
    let first = done(&installation.run(&client));
    assert_eq!(done(&installation.run(&client)), first);
    let told = text(
        &installation
            .run(&["tenant", "trust", "nobody", "Example Vendor"])
            .stderr,
    );
    assert!(told.contains("stella tenant create nobody"), "{told}");

    let running = installation.start(None);
    let stella = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        command
            .env_clear()
            .env("XDG_CONFIG_HOME", installation.file("config"));
        command.args(words).output().unwrap()
    };
    let context = [
        "context",
        "set",
        "work",
        "--tenant",
        "initech",
        "--client",
        "ci",
        "--key-file",
        key,
    ];
    done(&stella(
        &[&context[..], &["--server", &running.url]].concat(),
    ));
    let me = done(&stella(&["whoami"]));
    assert_eq!(
        (&me["tenant"], &me["clientId"]),
        (&"initech".into(), &"ci".into()),
        "{me}"
    );
    // Its roles are what it was given, and no other tenant is its own.
    let other = [
        "context",
        "set",
        "other",
        "--tenant",
        "acme",
        "--client",
        "ci",
        "--key-file",
        key,
    ];
    done(&stella(&[&other[..], &["--server", &running.url]].concat()));
    assert_eq!(
        stella(&["whoami", "--context", "other"]).status.code(),
        Some(3)
    );
    let document = installation.file("sbom.json");
    std::fs::write(
        &document,
        crate::fixtures::bytes(&crate::fixtures::sbom(&["alpha@1.0.0"])),
    )
    .unwrap();
    let ingest = stella(&["evidence", "ingest", document.to_str().unwrap()]);
    assert_eq!(ingest.status.code(), Some(3), "{}", text(&ingest.stderr));
}

#[tokio::test]
async fn a_client_is_enrolled_on_postgresql() {
    enrolled(Installation::postgres().await).await;
}

#[tokio::test]
async fn a_client_is_enrolled_on_embedded_storage() {
    enrolled(Installation::filesystem().await).await;
}
