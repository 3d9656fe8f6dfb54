//! Bad input as the command line tells it: with its place, and nothing of it is stored.

use crate::cli::Person;
use crate::fixtures::{advisory, bytes};
use crate::world::World;

/// A bad document, and where it is told to break.
struct Bad {
    name: &'static str,
    content: Vec<u8>,
    code: &'static str,
    line: u64,
    column: u64,
    pointer: String,
}

fn bad() -> Vec<Bad> {
    let row = |name, content: &[u8], code, (line, column), pointer: &str| Bad {
        name,
        content: content.to_vec(),
        code,
        line,
        column,
        pointer: pointer.to_owned(),
    };
    let good = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let cut = &good[..good.len() - 10];
    let end = cut.len() as u64;
    let deep = format!("{{\n\"id\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    let deepest = "/id".to_owned() + &"/0".repeat(127);
    let mut typed = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
    typed["affected"][0]["ranges"] = 7.into();
    let typed = bytes(&typed);
    let ranges = typed
        .windows(9)
        .position(|part| part == b"\"ranges\":")
        .unwrap() as u64
        + 10;
    let (malformed, several) = ("ERR_AOC_009", "ERR_AOC_002");
    vec![
        row("comma", b"{\n \"id\": 1\n \"b\": 2}", malformed, (3, 2), ""),
        row("truncated", cut, malformed, (1, end), "/summary"),
        row("deep", deep.as_bytes(), "ERR_AOC_010", (2, 134), &deepest),
        row(
            "twice",
            b"{\n \"id\": 1,\n \"id\": 2}",
            malformed,
            (3, 5),
            "/id",
        ),
        row(
            "latin-1",
            b"{\n \"id\": \"A-\xe9\"}",
            malformed,
            (2, 11),
            "",
        ),
        row("utf-16", b"\xff\xfe{\x00}\x00", malformed, (1, 1), ""),
        row(
            "typed",
            &typed,
            malformed,
            (1, ranges),
            "/affected/0/ranges",
        ),
        row(
            "several",
            &[&good[..], b"\n", &good].concat(),
            several,
            (2, 1),
            "",
        ),
    ]
}

#[tokio::test]
async fn each_bad_document_names_its_place_and_is_not_stored() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    for bad in bad() {
        let name = bad.name;
        let file = person.file(&format!("{name}.json"), &bad.content);
        let file = file.to_str().unwrap();
        let ran = person.types(&["evidence", "ingest", file]).await;
        assert_eq!(ran.exit, 2, "{name}: {}", ran.stderr);
        let value = ran.json();
        let refusal = &value["refusals"][0];
        let error = &refusal["errors"][0];
        assert_eq!(refusal["path"], file, "{name}");
        assert_eq!(error["code"], bad.code, "{name}");
        let place = (&refusal["line"], &refusal["column"], &error["pointer"]);
        let (line, column, pointer) = (
            bad.line.into(),
            bad.column.into(),
            bad.pointer.as_str().into(),
        );
        assert_eq!(place, (&line, &column, &pointer), "{name}");
        let told = person
            .types(&["evidence", "ingest", file, "-o", "table"])
            .await;
        let place = format!("{}:{} {}", bad.line, bad.column, bad.pointer);
        for part in [file, bad.code, place.trim_end()] {
            assert!(
                told.stdout.contains(part),
                "{name}: {part} is not in\n{}",
                told.stdout
            );
        }
    }
    let none = person.types(&["evidence", "list"]).await;
    assert!(none.stderr.contains("NO_DATA"), "{}", none.stderr);
}

/// What only the server judges keeps its place on the way to the command line.
#[tokio::test]
async fn a_token_with_a_wrong_character_is_told_by_the_server() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let token = format!("rt1.{}", "A".repeat(54));
    for verb in ["verify", "run"] {
        let ran = person.types(&["replay", verb, &token]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
        assert!(
            ran.stderr.contains("error[REPLAY_TOKEN_INVALID]"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("checksum"), "{}", ran.stderr);
    }
}
