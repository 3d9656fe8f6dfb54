use std::path::Path;

use super::{Given, given};
use crate::contexts::{Context, Contexts};

fn at(home: &Path) -> Given {
    given("").environment([("XDG_CONFIG_HOME", home.to_str().unwrap())])
}

fn with_two(home: &Path) {
    let context = |server: &str, client: Option<&str>| Context {
        server: server.into(),
        tenant: "acme".into(),
        client: client.map(str::to_owned),
        key_file: client.map(|client| format!("keys/{client}.pem").into()),
    };
    Contexts::update(&home.join("stella"), |contexts| {
        contexts.upsert("local", context("http://127.0.0.1:7070", Some("cli")))?;
        contexts.upsert("prod", context("https://stella.example", None))
    })
    .unwrap();
}

#[tokio::test]
async fn the_list_for_people_and_for_scripts() {
    let home = tempfile::tempdir().unwrap();
    with_two(home.path());
    let ran = at(home.path()).terminal(80).environment([
        ("XDG_CONFIG_HOME", home.path().to_str().unwrap()),
        ("NO_COLOR", "1"),
    ]);
    let ran = ran.run("context list").await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("context_list_table", ran.stdout);
    insta::assert_snapshot!(
        "context_list_json",
        at(home.path()).run("context list").await.stdout
    );
    insta::assert_snapshot!(
        "context_list_ndjson",
        at(home.path()).run("context list -o ndjson").await.stdout
    );
    insta::assert_snapshot!(
        "context_list_yaml",
        at(home.path()).run("context list -o yaml").await.stdout
    );
}

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let ran = at(home.path()).run("context list -o table").await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (
            0,
            "no contexts yet; `stella up` makes one, and `stella context set`\n"
        )
    );
    let ran = at(home.path()).run("context list").await;
    assert_eq!(ran.stdout, "{\n  \"items\": []\n}\n");
}

#[tokio::test]
async fn another_one_is_chosen() {
    let home = tempfile::tempdir().unwrap();
    with_two(home.path());
    let ran = at(home.path()).run("context use prod -o table").await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (0, "now using prod (https://stella.example)\n")
    );
    assert_eq!(
        Contexts::load(&home.path().join("stella"))
            .unwrap()
            .choose(None)
            .unwrap()
            .0,
        "prod"
    );
}

#[tokio::test]
async fn one_that_is_not_there_is_told() {
    let home = tempfile::tempdir().unwrap();
    let ran = at(home.path()).run("context use nowhere").await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (4, ""));
    assert_eq!(
        ran.stderr,
        "error[CONTEXT_NOT_FOUND]: there is no context \"nowhere\"\nhint: stella context list\n"
    );
}

#[tokio::test]
async fn a_broken_configuration_is_told_to_scripts() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("stella")).unwrap();
    std::fs::write(home.path().join("stella/config.yaml"), "contexts: [1]\n").unwrap();
    let ran = at(home.path()).run("context list -o json").await;
    assert_eq!(ran.exit, 78);
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        (&told["code"], &told["exit"], &told["line"]),
        (&"CONFIG_INVALID".into(), &78.into(), &1.into())
    );
}

#[tokio::test]
async fn without_a_home_there_is_no_configuration() {
    let ran = given("").run("context list").await;
    assert_eq!(ran.exit, 78);
    assert!(ran.stderr.starts_with("error[NO_HOME]"), "{}", ran.stderr);
}
