//! What the command line asks tokens for: enough, and nothing that it does not need.

use std::pin::Pin;

use serde_json::{Value, json};
use stella_api::Scope;
use stella_api::evidence::EvidenceKind;
use stella_cli::arguments::{ColorChoice, Options};
use stella_cli::{Io, scopes};
use stella_client::Client;
use stella_context::Clock;

use crate::cli::Person;
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::World;

type Done<'a> = Pin<Box<dyn Future<Output = Result<Value, String>> + 'a>>;

/// With the set something is done, and done the same again; without any one of its scopes it
/// fails or shows something else.
async fn exactly(world: &World, set: &[Scope], what: &str, act: impl Fn(Client) -> Done<'static>) {
    let with = async |scopes: &[Scope]| {
        let credentials = world.credentials("acme");
        let opened = stella_client::Session::open(world.http(), credentials, scopes);
        act(opened.unwrap()).await
    };
    let whole = with(set).await;
    assert!(whole.is_ok(), "{what}: {whole:?}");
    assert!(with(set).await == whole, "{what} gives another answer");
    for dropped in set {
        let rest: Vec<Scope> = set.iter().copied().filter(|one| one != dropped).collect();
        assert!(with(&rest).await != whole, "{what} does not need {dropped}");
    }
}

async fn get(client: &Client, path: &str) -> Result<Value, String> {
    client.get(path).await.map_err(|error| error.to_string())
}

async fn post(client: &Client, path: &str, body: &Value) -> Result<Value, String> {
    let answer = client.post(path, body).await;
    answer.map_err(|error| error.to_string())
}

async fn report(client: &Client) -> Result<Value, String> {
    let (io, ..) = Io::captured("");
    let mut session = stella_cli::Session {
        io,
        options: Options {
            output: None,
            out: None,
            context: None,
            clock: None,
            no_input: true,
            color: ColorChoice::Never,
        },
        clock: Clock::System,
        labels: stella_locale::Labels::english(),
    };
    let answer = stella_cli::newcomer_report(client, &mut session).await;
    let answer = answer.map_err(|failure| failure.to_string())?;
    let drawn = answer.render(
        stella_cli::Format::Json,
        stella_cli::style::Style::default(),
    );
    drawn
        .map(Value::from)
        .map_err(|failure| failure.to_string())
}

/// A house with one finding that documents of every kind speak to; its id and its score's.
async fn with_a_finding() -> (World, String, String) {
    let world = World::inmemory().await;
    let ingester = world.ingester("acme");
    let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
    for (kind, document) in [
        ("sbom", sbom(&["alpha@1.0.0"])),
        ("advisory", hole),
        ("vex", fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0")),
        ("signal", fixtures::kev(&["CVE-2026-1"])),
    ] {
        ingester.ingest(kind, &bytes(&document)).await;
    }
    let analyst = world.analyst("acme");
    let found: Value = analyst.get("/api/v1/findings").await;
    let finding = found["items"][0]["id"].as_str().unwrap().to_owned();
    let asked = json!({"findingId": finding});
    let score: Value = analyst.post("/api/v1/score/evaluate", &asked).await;
    let score = score["scoreId"].as_str().unwrap().to_owned();
    (world, finding, score)
}

#[tokio::test]
async fn every_set_is_enough_and_no_scope_of_it_is_too_many() {
    let (world, finding, score) = with_a_finding().await;
    exactly(&world, scopes::FINDINGS, "findings", |client| {
        Box::pin(async move { get(&client, "/api/v1/findings").await })
    })
    .await;
    exactly(&world, scopes::EVIDENCE, "evidence", |client| {
        Box::pin(async move { get(&client, "/api/v1/evidence/documents").await })
    })
    .await;
    let asked = json!({"findingId": finding});
    exactly(&world, scopes::EVALUATE, "evaluating", |client| {
        let asked = asked.clone();
        Box::pin(async move {
            let found = get(&client, "/api/v1/findings").await?;
            let scored = post(&client, "/api/v1/score/evaluate", &asked).await?;
            Ok(json!([found, scored]))
        })
    })
    .await;
    exactly(&world, scopes::SCORE, "scoring", |client| {
        let (asked, score) = (asked.clone(), score.clone());
        Box::pin(async move {
            post(&client, "/api/v1/score/evaluate", &asked).await?;
            get(&client, &format!("/api/v1/score/{score}")).await
        })
    })
    .await;
    let manifest = json!({"scoreId": score});
    let manifest: Value = world
        .analyst("acme")
        .post("/api/v1/replay/manifests", &manifest)
        .await;
    let token = json!({"token": manifest["token"]});
    exactly(&world, scopes::REPLAY, "replaying", |client| {
        let token = token.clone();
        Box::pin(async move { post(&client, "/api/v1/replay/runs", &token).await })
    })
    .await;
    exactly(&world, scopes::EXPLAIN, "the report of up", |client| {
        Box::pin(async move { report(&client).await })
    })
    .await;
}

#[tokio::test]
async fn taking_in_needs_a_scope_a_kind() {
    let world = World::inmemory().await;
    exactly(&world, scopes::INGEST, "the sample", |client| {
        Box::pin(async move {
            let taken = stella_cli::sample::ingest(&client, Clock::System).await;
            let taken = taken.map_err(|failure| failure.to_string())?;
            Ok(taken.documents.into())
        })
    })
    .await;
    assert_eq!(scopes::INGEST.len(), EvidenceKind::ALL.len());
}

#[tokio::test]
async fn every_verb_asks_for_the_set_that_it_needs() {
    let (world, finding, score) = with_a_finding().await;
    let person = Person::of(&world, "acme");
    let explained = person.types(&["score", "explain", &finding]).await;
    let token = explained.json()["replay"]["token"].clone();
    let token = token
        .as_str()
        .unwrap_or_else(|| panic!("{}", explained.stdout));
    let verbs: [&[&str]; 11] = [
        &["findings", "list"],
        &["findings", "list", "--no-score"],
        &["findings", "show", &finding],
        &["evidence", "list"],
        &["evidence", "list", "--kind", "signal"],
        &["score", "evaluate", &finding],
        &["score", "show", &finding],
        &["score", "show", &score],
        &["replay", "run", token],
        &["replay", "verify", token],
        &["replay", "verify", &score],
    ];
    for verb in verbs {
        let ran = person.types(verb).await;
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{verb:?}");
    }
}
