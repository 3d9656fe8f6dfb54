//! The verbs of the command line against a running house, as a person types them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use stella_api::Page;
use stella_cli::contexts::{Context, Contexts};
use stella_cli::environment::Environment;
use stella_cli::{Answer, Failure, Io, ServerCommand, Session};
use stella_client::Credentials;
use stella_context::Clock;

use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::World;

/// Somebody of a tenant, with a key and a context of their own.
pub struct Person {
    home: tempfile::TempDir,
}

/// What one command left behind.
pub struct Ran {
    pub exit: u8,
    pub stdout: String,
    pub stderr: String,
}

impl Person {
    pub fn of(world: &World, tenant: &str) -> Self {
        Self::at(&world.url, world.credentials(tenant))
    }

    /// Of a server anywhere.
    pub fn at(server: &str, credentials: Credentials) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("stella");
        let key_file = config.join("keys/key.pem");
        credentials.key.store(&key_file).unwrap();
        let context = Context {
            server: server.to_owned(),
            tenant: credentials.tenant.clone().unwrap(),
            client: Some(credentials.client_id),
            key_file: Some(key_file),
        };
        Contexts::update(&config, |contexts| contexts.upsert("house", context)).unwrap();
        Self { home }
    }

    /// A file of theirs.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A process that does what they type.
    pub fn starts(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        command.env_clear().args(words);
        command.env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    pub async fn types(&self, words: &[&str]) -> Ran {
        self.types_on(None, words).await
    }

    /// The same on a terminal of so many columns.
    async fn types_on(&self, terminal: Option<u16>, words: &[&str]) -> Ran {
        let (mut io, stdout, stderr) = Io::captured("");
        io.terminal = terminal;
        let home = self.home.path().to_str().unwrap();
        io.environment = Environment::of([("XDG_CONFIG_HOME", home)]);
        let words = std::iter::once("stella").chain(words.iter().copied());
        let none = async |command: ServerCommand, _: &mut Session| -> Result<Answer, Failure> {
            panic!("not a server command: {command:?}")
        };
        let exit = stella_cli::run(words.map(Into::into), io, none).await;
        Ran {
            exit: exit.into(),
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }
}

impl Ran {
    /// The value on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

/// A low severity, far below that of [`crate::fixtures::VECTOR`].
const LOW: &str = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

#[tokio::test]
async fn the_highest_finding_is_shown_though_its_id_is_the_last() {
    let world = World::inmemory().await;
    let ingester = world.ingester("acme");
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    let low = |id: &str| {
        let mut low = advisory(id, &[], "alpha", "2.0.0");
        low["severity"][0]["score"] = LOW.into();
        low
    };
    for n in 0..5 {
        let id = format!("RUSTSEC-2026-000{n}");
        ingester.ingest("advisory", &bytes(&low(&id))).await;
    }
    let person = Person::of(&world, "acme");
    let by_id = person.types(&["findings", "list", "--no-score"]).await;
    let by_id = by_id.json();
    let items = by_id["items"].as_array().unwrap();
    let last = items.last().unwrap()["finding"].clone();
    let mut high = advisory(
        last["vulnerability"].as_str().unwrap(),
        &[],
        "alpha",
        "2.0.0",
    );
    high["modified"] = "2026-02-01T00:00:00Z".into();
    ingester.ingest("advisory", &bytes(&high)).await;

    // In an order that no score decides, what is not shown is not scored.
    let scores = async || {
        let page: Page<Value> = world.analyst("acme").get("/api/v1/score").await;
        page.items.len()
    };
    for (order, total) in [("id", Value::Null), ("component", 5.into())] {
        let words = ["findings", "list", "--limit", "1", "--sort", order];
        let first = person.types(&words).await.json();
        assert_eq!(
            first["items"][0]["finding"]["id"],
            items[0]["finding"]["id"]
        );
        assert!(first["items"][0]["score"].is_object(), "{first}");
        assert_eq!((&first["more"], &first["total"]), (&true.into(), &total));
        assert_eq!(scores().await, 1, "{order}");
    }

    let cut = person.types(&["findings", "list", "--limit", "1"]).await;
    assert_eq!(cut.exit, 0, "{}", cut.stderr);
    let cut = cut.json();
    assert_eq!(cut["items"][0]["finding"]["id"], last["id"]);
    assert_eq!(cut["items"].as_array().unwrap().len(), 1);
    assert_eq!((&cut["more"], &cut["total"]), (&true.into(), &5.into()));

    let unscored = person
        .types(&["findings", "list", "--no-score", "--limit", "1"])
        .await
        .json();
    assert_eq!(
        unscored["items"][0]["finding"]["id"],
        items[0]["finding"]["id"]
    );
    assert_eq!(
        (&unscored["more"], &unscored["total"]),
        (&true.into(), &Value::Null)
    );
    let words = ["findings", "list", "--limit", "2", "-o", "table"];
    let told = person.types(&words).await.stdout;
    assert!(told.contains("shown 2 of 5"), "{told}");
}

/// What people copy or compare is never cut, and no line is wider than the terminal.
#[tokio::test]
async fn the_sample_fits_the_terminal() {
    let world = World::inmemory().await;
    world.trust("acme", stella_cli::sample::PUBLISHER).await;
    let credentials = world.credentials("acme");
    let ingest = stella_cli::scopes::INGEST;
    let client = stella_client::Session::open(world.http(), credentials, ingest).unwrap();
    stella_cli::sample::ingest(&client, Clock::System)
        .await
        .unwrap();
    let person = Person::of(&world, "acme");
    for width in [80, 60, 40] {
        let words = ["findings", "list", "--color", "never"];
        let told = person.types_on(Some(width), &words).await.stdout;
        insta::assert_snapshot!(format!("sample_on_{width}_columns"), told);
    }
}

#[tokio::test]
async fn an_empty_store_leads_to_ingest_and_an_empty_answer_is_a_sentence() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let empty = person.types(&["evidence", "list"]).await;
    assert_eq!((empty.exit, empty.stdout.as_str()), (4, ""));
    assert!(empty.stderr.contains("error[NO_DATA]"), "{}", empty.stderr);
    assert!(
        empty.stderr.contains("stella evidence ingest DIR"),
        "{}",
        empty.stderr
    );

    let document = bytes(&sbom(&["alpha@1.0.0"]));
    world.ingester("acme").ingest("sbom", &document).await;
    let words = ["evidence", "list", "--kind", "vex", "-o", "table"];
    let none = person.types(&words).await;
    assert_eq!((none.exit, none.stderr.as_str()), (0, ""));
    assert!(
        none.stdout.starts_with("no document fits"),
        "{}",
        none.stdout
    );
}

#[tokio::test]
async fn an_id_in_an_empty_store_leads_to_ingest_and_in_another_names_nothing() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let verbs = [
        "score explain",
        "score show",
        "score evaluate",
        "findings show",
    ];
    let told = async |verb: &str| {
        let words: Vec<&str> = verb.split(' ').chain(["0123456789ab"]).collect();
        let ran = person.types(&words).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (4, ""), "{verb}");
        ran.stderr
    };
    for verb in verbs {
        let told = told(verb).await;
        assert!(told.contains("error[NO_DATA]"), "{verb}: {told}");
        assert!(
            told.contains("stella evidence ingest DIR"),
            "{verb}: {told}"
        );
    }
    let ingester = world.ingester("acme");
    let sbom = bytes(&sbom(&["alpha@1.0.0"]));
    ingester.ingest("sbom", &sbom).await;
    let advisory = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    ingester.ingest("advisory", &advisory).await;
    for verb in verbs {
        let told = told(verb).await;
        assert!(told.contains("error[NOT_FOUND]"), "{verb}: {told}");
    }
}

/// More than one batch takes, of two kinds, with a document that the server refuses between them.
#[tokio::test]
async fn a_folder_is_taken_in_and_told_by_kind_whatever_is_wrong_with_one_file() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let count = stella_api::limits::CHUNK_LINES + 10;
    for n in 0..count {
        let document = advisory(&format!("RUSTSEC-2026-{n:04}"), &[], "alpha", "2.0.0");
        person.file(&format!("all/{n:04}.json"), &bytes(&document));
    }
    let parts = bytes(&sbom(&["alpha@1.0.0"]));
    person.file("all/sbom.json", &parts);
    let long = advisory("RUSTSEC-2026-9999", &[&"x".repeat(9_000)], "alpha", "2.0.0");
    let long = person.file("all/0005-long.json", &bytes(&long));
    let folder = long.parent().unwrap().to_str().unwrap();
    for outcome in ["stored", "identical"] {
        let ran = person.types(&["evidence", "ingest", folder]).await;
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
        let told = ran.json();
        let counts = (&told["documents"], &told["taken"], &told["refused"]);
        let expected = (count + 2, count + 1, 1);
        assert_eq!(
            counts,
            (&expected.0.into(), &expected.1.into(), &expected.2.into())
        );
        let of = serde_json::json!({
            "advisory": {outcome: count, "refused": 1}, "sbom": {outcome: 1},
        });
        assert_eq!(told["outcomes"], of);
        let refusal = &told["refusals"][0];
        assert_eq!(refusal["path"], long.to_str().unwrap());
        assert_eq!(refusal["errors"][0]["pointer"], "/aliases/0");
    }
    let words = ["findings", "list", "--no-score", "--limit", "1000"];
    let found = person.types(&words).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), count);
}

/// As published databases are packed, and as somebody hostile would.
#[tokio::test]
async fn archives_are_taken_in_by_their_content_and_hostile_ones_refused_whole() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    for n in 0..3 {
        person.file(&format!("feed/{n}.json"), &fixtures::hole(n));
    }
    person.file("feed/README.md", b"no evidence");
    let feed = person.file("feed/.hidden.json", b"{}");
    let feed = feed.parent().unwrap();
    let all = feed.parent().unwrap().join("all");
    std::fs::create_dir(&all).unwrap();
    let pack = |words: &[&str]| {
        let ran = Command::new(words[0])
            .args(&words[1..])
            .current_dir(feed)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    pack(&["tar", "-czf", "../all/feed.tgz", "."]);
    pack(&["tar", "-cf", "../all/feed.tar", "0.json", "1.json"]);
    pack(&[
        "python3",
        "-m",
        "zipfile",
        "-c",
        "../all/feed.zip",
        "0.json",
        "1.json",
        "2.json",
    ]);
    let all = all.to_str().unwrap();
    let ran = person.types(&["evidence", "ingest", all]).await;
    let told = ran.json();
    assert_eq!(
        (ran.exit, &told["documents"], &told["taken"]),
        (0, &8.into(), &8.into()),
        "{told}"
    );
    assert_eq!(told["outcomes"]["advisory"]["stored"], 3, "{told}");
    assert_eq!(
        told["skipped"],
        serde_json::json!({"hidden": 1, "other-name": 1}),
        "{told}"
    );

    // A name by which it would write elsewhere, behind a harmless document.
    pack(&["tar", "-cPf", "../all/bad.tar", "0.json", "../feed/1.json"]);
    let bad = format!("{all}/bad.tar");
    let ran = person.types(&["evidence", "ingest", &bad]).await;
    let told = ran.json();
    assert_eq!(
        (ran.exit, &told["taken"], &told["refused"]),
        (2, &0.into(), &1.into()),
        "{told}"
    );
    assert_eq!(told["refusals"][0]["path"], bad, "{told}");
    assert!(told.to_string().contains("../feed/1.json"), "{told}");
}

#[tokio::test]
async fn a_document_over_the_limit_is_told_by_file_size_and_limit() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let large = person.file("large.json", b"");
    let file = std::fs::File::options().write(true).open(&large).unwrap();
    file.set_len(68_000_000).unwrap();
    let large = large.to_str().unwrap();
    let ran = person.types(&["evidence", "ingest", large]).await;
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    let refusal = &ran.json()["refusals"][0];
    assert_eq!(refusal["path"], large);
    assert_eq!(refusal["errors"][0]["code"], "ERR_AOC_010");
    let detail = refusal["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("68000000") && detail.contains("67108864"),
        "{detail}"
    );
}
