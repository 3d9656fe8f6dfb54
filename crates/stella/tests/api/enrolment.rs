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

/// The audit records of the client's in a schema's log, as they stand there.
fn acts(listed: &Value) -> Vec<(&str, Value)> {
    let of = |one: &'_ Value| one["details"].clone();
    let items = listed["items"].as_array().unwrap().iter();
    items
        .filter(|one| one["target"] == "ci")
        .map(|one| (one["action"].as_str().unwrap(), of(one)))
        .collect()
}

/// Keys and roles are taken away while servers serve: no token is given any more, what was taken
/// does not come back, and all of it is recorded.
async fn taken_away(installation: Installation) {
    let file = |name: &str| installation.file(name).to_str().unwrap().to_owned();
    let (first, second) = (file("first.pem"), file("second.pem"));
    let create = |key: &str| {
        let words = [
            "client", "create", "ci", "--tenant", "acme", "--role", "analyst",
        ];
        installation.run(&[&words[..], &["--key-file", key]].concat())
    };
    let first_key = done(&create(&first))["keyId"].as_str().unwrap().to_owned();
    let add = ["client", "key", "add", "ci", "--key-file", &second];
    let second_key = done(&installation.run(&add))["keyId"]
        .as_str()
        .unwrap()
        .to_owned();
    let held = || done(&installation.run(&["client", "show", "ci"]));
    assert_eq!(held()["keys"].as_array().unwrap().len(), 2);

    let code = |ran: Output, exit: i32, code: &str| {
        let told = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(exit), "{told}");
        assert!(told.contains(code), "{told}");
    };
    code(
        installation.run(&["client", "show", "nobody"]),
        4,
        "stella client list",
    );
    code(
        installation.run(&["client", "revoke", "nobody"]),
        4,
        "stella client list",
    );
    let none = ["client", "key", "revoke", "ci", "-nonsense"];
    code(installation.run(&none), 4, "stella client show ci");

    // Another team's choice of the same name joins nobody to that client, and leaves no key behind.
    let third = file("third.pem");
    done(&installation.run(&["tenant", "create", "globex"]));
    let other = [
        "client", "create", "ci", "--tenant", "globex", "--role", "ingester",
    ];
    let other = |key: &str| installation.run(&[&other[..], &["--key-file", key]].concat());
    code(other(&third), 2, "stella client set-roles");
    assert!(!std::path::Path::new(&third).exists());
    assert_eq!(held()["roles"].as_array().unwrap().len(), 1);

    // Who stands at a command line of his own with either key.
    let whoami = |running: &crate::process::Running, key: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        let config = installation.file("config");
        command.env_clear().env("XDG_CONFIG_HOME", &config);
        let words = [
            "context", "set", "work", "--tenant", "acme", "--client", "ci",
        ];
        command
            .args(words)
            .args(["--server", &running.url, "--key-file", key]);
        done(&command.output().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        command.env_clear().env("XDG_CONFIG_HOME", &config);
        command.arg("whoami").output().unwrap().status.code()
    };
    // A server on PostgreSQL serves on meanwhile; embedded storage is one process's.
    let serving = installation.on_postgres();
    let mut running = Some(installation.start(None));
    assert_eq!(whoami(running.as_ref().unwrap(), &first), Some(0));
    if !serving {
        running = None;
    }
    let revoke = ["client", "key", "revoke", "ci", &first_key];
    let told = done(&installation.run(&revoke));
    assert_eq!(told["revokedKeys"], serde_json::json!([first_key]));
    assert_eq!(told["tokensEndWithinSeconds"], 150);
    assert_eq!(
        done(&installation.run(&revoke))["revokedKeys"],
        serde_json::json!([])
    );
    let again = ["client", "key", "add", "ci", "--key-file", &first];
    code(
        installation.run(&again),
        1,
        "client key add ci --key-file FILE",
    );
    code(create(&first), 1, "was revoked");
    // Somebody who may write rows puts it back.
    let x = stella_cli::connection::load_key(first.as_ref()).unwrap();
    let back = format!(
        "INSERT INTO authority.client_keys (client_id, kid, x, created_at) \
         SELECT client_id, '{first_key}', '{}', created_at FROM authority.client_keys \
         WHERE client_id = 'ci'",
        x.public().x
    );
    installation.by_hand("authority", &back).await;

    let now = running.take().unwrap_or_else(|| installation.start(None));
    assert_eq!(whoami(&now, &first), Some(3));
    assert_eq!(whoami(&now, &second), Some(0));
    let roles = |words: &[&str]| {
        let set = ["client", "set-roles", "ci", "--tenant", "acme"];
        installation.run(&[&set[..], words].concat())
    };
    code(roles(&[]), 2, "--role");
    drop(now);
    done(&roles(&["--role", "auditor"]));
    let kept = held();
    assert_eq!(
        kept["roles"],
        serde_json::json!([{"tenant": "acme", "role": "auditor"}])
    );
    let revoked = |one: &Value| one["revokedAt"].is_string();
    let keys: Vec<(&str, bool)> = kept["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["keyId"].as_str().unwrap(), revoked(one)))
        .collect();
    assert_eq!(
        keys,
        [(second_key.as_str(), false), (first_key.as_str(), true)]
    );

    let told = done(&installation.run(&["client", "revoke", "ci"]));
    assert_eq!(told["revokedKeys"], serde_json::json!([second_key]));
    done(&roles(&["--none"]));
    let listed = done(&installation.run(&["client", "list"]));
    let items = listed["items"].as_array().unwrap().iter();
    let mine = items
        .filter(|one| one["client"] == "ci")
        .collect::<Vec<_>>();
    assert_eq!(mine[0]["roles"], serde_json::json!([]));
    let last = installation.start(None);
    assert_eq!(whoami(&last, &second), Some(3));

    let person = last.person("acme");
    let records = loop {
        let listed = person
            .types(&["audit", "list", "--service", "authority", "-o", "json"])
            .await;
        let records: Value = serde_json::from_str(&listed.stdout).unwrap();
        // The sealer gives a record its place after the commit.
        if acts(&records)
            .iter()
            .filter(|(action, _)| action.ends_with("removed"))
            .count()
            == 2
        {
            break records;
        }
    };
    let records = acts(&records);
    for kid in [&first_key, &second_key] {
        let one = (
            "authority.client.key-revoked",
            serde_json::json!({"kid": kid}),
        );
        assert_eq!(
            records.iter().filter(|other| **other == one).count(),
            1,
            "{records:?}"
        );
    }
    for role in ["analyst", "auditor"] {
        let one = (
            "authority.client.role-removed",
            serde_json::json!({"role": role}),
        );
        assert!(records.contains(&one), "{records:?}");
    }
}

#[tokio::test]
async fn what_a_client_has_is_taken_away_on_postgresql() {
    taken_away(Installation::postgres().await).await;
}

#[tokio::test]
async fn what_a_client_has_is_taken_away_on_embedded_storage() {
    taken_away(Installation::filesystem().await).await;
}

#[tokio::test]
async fn a_client_is_enrolled_on_postgresql() {
    enrolled(Installation::postgres().await).await;
}

#[tokio::test]
async fn a_client_is_enrolled_on_embedded_storage() {
    enrolled(Installation::filesystem().await).await;
}
