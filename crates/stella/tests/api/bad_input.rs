//! Bad input as the command line tells it: with its place, and nothing of it is stored.

use serde_json::json;
use stella_api::ReplayToken;
use stella_client::{Call, ClientError};

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

/// The command line tells it without a server, in the words of the server.
#[tokio::test]
async fn a_wrong_token_is_told_alike_by_server_and_command_line() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let analyst = world.analyst("acme");
    let token = ReplayToken {
        manifest: [7; 32],
        expires: 0,
    };
    let whole = token.to_string();
    let wrong = [
        (whole[..40].to_owned(), "cut short"),
        (format!("{whole}A"), "55 characters"),
        (whole.replacen("BwcH", "BwcX", 1), "check bytes"),
        (format!("{}B", &whole[..57]), "last character is mistyped"),
        (whole.replacen("BwcH", "Bw H", 1), "base64url"),
    ];
    for (token, reason) in wrong {
        let call = Call::post_json("/api/v1/replay/runs", &json!({ "token": token })).unwrap();
        let Err(ClientError::Problem(problem)) = analyst.send(call).await.success() else {
            panic!("{token} is taken");
        };
        assert_eq!(problem.code, "REPLAY_TOKEN_INVALID");
        assert!(
            problem.detail.contains(reason),
            "{token}: {}",
            problem.detail
        );
        for verb in ["verify", "run"] {
            let ran = person.types(&["replay", verb, &token]).await;
            assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
            let told = format!("error[REPLAY_TOKEN_INVALID]: {}\n", problem.detail);
            assert!(ran.stderr.starts_with(&told), "{told}{}", ran.stderr);
        }
    }
    let foreign = whole.replace("rt1.", "rt2.");
    let call = Call::post_json("/api/v1/replay/runs", &json!({ "token": foreign })).unwrap();
    assert_eq!(analyst.code(call).await, "REPLAY_TOKEN_INVALID");
}
