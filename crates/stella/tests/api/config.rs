//! `stella config`, as somebody types it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::up::text;

const URL: &str = "postgres://stella:hunter2@db.example/stella";

fn config(words: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stella"))
        .arg("config")
        .args(words)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_complete_configuration_is_shown_with_its_sources_and_no_secret() {
    let environment = [
        ("Storage__Driver", "postgres"),
        ("STELLA_ConnectionStrings__Default", URL),
        ("Storage__ObjectStore__Driver", "seed-fs"),
        ("Storage__DataDirectory", "/var/lib/stella"),
        ("Security__MasterKeyFile", "/etc/stella/master.key"),
    ];
    let done = config(&["check", "-o", "json"], &environment);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["environment"], "Production");
    let replay = &told["services"][2];
    assert_eq!(
        (&replay["service"], &replay["driver"]),
        (&"replay".into(), &"postgres".into())
    );
    assert_eq!(
        replay["connectionSource"],
        "$STELLA_ConnectionStrings__Default"
    );
    assert_eq!(replay["objectStore"], "seed-fs");
    let table = text(&config(&["check", "-o", "table"], &environment).stdout);
    assert!(
        table.contains("risk-engine") && !table.contains("hunter2"),
        "{table}"
    );

    let story = [
        "explain",
        "connectionstrings:default",
        "--set",
        "ConnectionStrings:Default=x",
        "-o",
        "table",
    ];
    let story = text(&config(&story, &environment).stdout);
    assert!(
        story.contains("--set") && story.contains("$STELLA_ConnectionStrings__Default"),
        "{story}"
    );
    assert!(!story.contains("hunter2"), "{story}");
}

#[test]
fn every_problem_of_every_service_is_a_line() {
    let done = config(
        &["check", "--set", "Storage:Drivr=postgres"],
        &[("STELLA_ENVIRONMENT", "nonsense")],
    );
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(78), "{told}");
    assert!(told.contains("did you mean Storage:Driver?"), "{told}");
    for service in ["authority", "evidence", "replay", "risk-engine"] {
        let line = format!(
            "STORAGE_DRIVER_MISSING service={service} key=Storage:Driver environment=Production accepted=postgres"
        );
        assert!(told.lines().any(|one| one.starts_with(&line)), "{told}");
    }
    // The same as objects, for who reads JSON.
    let done = config(
        &["check", "-o", "json"],
        &[("STELLA_ENVIRONMENT", "nonsense")],
    );
    let told: serde_json::Value = serde_json::from_slice(&done.stderr).unwrap();
    let first = &told["problems"][0];
    assert_eq!(
        (
            &first["code"],
            &first["service"],
            &first["key"],
            &first["accepted"]
        ),
        (
            &"STORAGE_DRIVER_MISSING".into(),
            &"authority".into(),
            &"Storage:Driver".into(),
            &"postgres".into()
        ),
        "{told}"
    );
    assert!(
        first["hint"]
            .as_str()
            .unwrap()
            .contains("set Storage:Driver=postgres"),
        "{told}"
    );

    let unknown = config(&["explain", "Server:Lissten"], &[]);
    assert_eq!(unknown.status.code(), Some(78));
    assert!(text(&unknown.stderr).contains("did you mean Server:Listen?"));
    let nothing = text(&config(&["explain", "Nope:X"], &[]).stderr);
    assert!(
        !nothing.contains("did you mean") && nothing.contains("keys begin with"),
        "{nothing}"
    );
}
