//! Bad input: told with its place, to programs and by the command line, and nothing is stored.

use serde_json::Value;
use stella_api::Problem;
use stella_client::{Call, ClientError};

use serde_json::json;
use stella_api::ReplayToken;

use crate::cli::Person;
use crate::fixtures::{self, advisory, bytes};
use crate::world::{Caller, World, on_every_driver};

/// The code of a problem, the first place that it names, and what is wrong there.
async fn told(caller: &Caller, call: Call) -> (String, String, String) {
    let problem: Problem = match caller.send(call).await.success() {
        Err(ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    };
    let first = problem.errors.into_iter().next();
    let first = first.unwrap_or_else(|| panic!("{} names no place", problem.code));
    (problem.code, first.pointer, first.detail)
}

/// Every parameter of every query, with the path that takes it.
fn parameters(world: &World) -> Vec<(String, String)> {
    let operations = world.contract.operations().into_iter();
    let of = |(_, path, operation): (String, String, Value)| {
        let path = path.replace("{id}", &format!("sha256:{}", "0".repeat(64)));
        let all = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let query = all.into_iter().filter(|one| one["in"] == "query");
        query
            .map(|one| (path.clone(), one["name"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    operations.flat_map(of).collect()
}

on_every_driver! {
    async fn a_parameter_that_nothing_is_named_is_refused_with_its_place(world) {
        let (analyst, auditor) = (world.analyst("acme"), world.auditor("acme"));
        let all = parameters(&world);
        assert!(all.len() >= 14, "{all:?}");
        for (path, name) in &all {
            let caller = if path.ends_with("/audit") { &auditor } else { &analyst };
            for (value, reason) in [("%ff", "UTF-8"), ("a%c3", "UTF-8"), ("%00", "U+0000"), (&"x".repeat(9_000), "9000 bytes")] {
                let place = format!("query:{name}");
                let (code, pointer, detail) = told(caller, Call::get(&format!("{path}?{name}={value}"))).await;
                assert_eq!((code.as_str(), pointer), ("REQUEST_INVALID", place), "{path}");
                assert!(detail.contains(reason), "{path} {name}: {detail}");
            }
        }
        let long = format!("/api/v1/findings?vulnerability={}", "x".repeat(513));
        assert!(told(&analyst, Call::get(&long)).await.2.ends_with("512 are the limit"));
        // What just fits is asked for: there is nothing yet.
        for (name, start, length) in [("vulnerability", "", 512), ("purl", "pkg:cargo/", 1024)] {
            let rest = "x".repeat(length - start.len());
            let fits = format!("/api/v1/findings?{name}={start}{rest}");
            assert_eq!(analyst.code(Call::get(&fits)).await, "NO_DATA");
        }
        let (_, place, detail) = told(&analyst, Call::get("/api/v1/findings?pageSize=many")).await;
        assert_eq!((place.as_str(), detail.as_str()), ("query:pageSize", "expected 1 to 500, not `many`"));
        let list = "/api/v1/evidence/documents";
        let (code, place, _) = told(&analyst, Call::get(&format!("{list}?pageToken=x"))).await;
        assert_eq!((code.as_str(), place.as_str()), ("PAGE_TOKEN_INVALID", "query:pageToken"));
        let cut = Call::post("/api/v1/replay/runs", "application/json", "{\n  \"token\": \"x\",\n");
        let (code, place, detail) = told(&analyst, cut).await;
        assert_eq!((code.as_str(), place.as_str()), ("BODY_MALFORMED", ""));
        assert!(detail.ends_with("(line 2 column 16)"), "{detail}");
        let (_, place, _) = told(&analyst, Call::get("/api/v1/findings/%ff")).await;
        assert_eq!(place, "path:id");
    }
}

/// What is written so that less is done, and means nothing here, is not passed over.
#[tokio::test]
async fn a_parameter_that_a_route_does_not_know_is_refused_and_nothing_is_done() {
    let world = World::inmemory().await;
    let callers = [
        world.analyst("acme"),
        world.ingester("acme"),
        world.auditor("acme"),
        world.operator("acme"),
    ];
    let mut refused = 0;
    for (method, path, operation) in world.contract.operations() {
        if operation["security"].is_null() {
            continue;
        }
        let path = path.replace("{id}", "x");
        let call = Call {
            method: method.to_ascii_uppercase().parse().unwrap(),
            ..Call::get(&format!("{path}?dryRun=true&%00=1"))
        };
        for caller in &callers {
            let reply = caller.send(call.clone()).await;
            if reply.status.as_u16() == 403 {
                continue;
            }
            let Err(ClientError::Problem(told)) = reply.success() else {
                panic!("{path} passes it over")
            };
            let places: Vec<&str> = told.errors.iter().map(|one| &*one.pointer).collect();
            assert_eq!(places, ["query:dryRun", "query:"], "{path}");
            assert_eq!(told.code, "REQUEST_INVALID", "{path}");
            refused += 1;
            break;
        }
    }
    assert!(refused >= 30, "{refused}");
    let [analyst, ingester, ..] = &callers;
    let advisory = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let mut call = fixtures::ingest("advisory", &advisory);
    call.path += "?dryRun=true";
    let (_, place, detail) = told(ingester, call).await;
    assert_eq!(place, "query:dryRun");
    assert_eq!(detail, "the route takes no parameters of a query");
    let list = "/api/v1/evidence/documents";
    assert_eq!(analyst.code(Call::get(list)).await, "NO_DATA");
    let (_, _, detail) = told(analyst, Call::get(&format!("{list}?x"))).await;
    assert!(detail.contains("pageToken"), "{detail}");
}

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
        row("line break", b"{\n \"id\": 1,\n", malformed, (2, 10), ""),
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

on_every_driver! {
    async fn texts_name_places_that_there_are_and_times_that_people_read(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let told = async |caller: &Caller, call: Call| match caller.send(call).await.success() {
            Err(ClientError::Problem(problem)) => (problem.code, problem.detail),
            other => panic!("no problem: {other:?}"),
        };
        let old = ReplayToken { manifest: [7; 32], expires: 1 }.to_string();
        let call = Call::post_json("/api/v1/replay/runs", &json!({ "token": old })).unwrap();
        let expired = ("REPLAY_TOKEN_EXPIRED".to_owned(), "the token expired at 1970-01-01T00:00:01Z".to_owned());
        assert_eq!(told(&analyst, call).await, expired);

        let hole = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
        let all = fixtures::ingest("advisory", &bytes(&json!([hole])));
        let (code, detail) = told(&ingester, all).await;
        assert!(code == "ERR_AOC_002" && detail.starts_with("an array of osv documents"), "{detail}");
        let mut none = fixtures::ingest("advisory", &bytes(&hole));
        none.headers.remove("stella-provenance");
        let (code, detail) = told(&ingester, none).await;
        assert!(code == "ERR_AOC_004" && detail.starts_with("Stella-Provenance: exactly one"), "{detail}");
        let mut envelope = fixtures::envelope(&bytes(&hole));
        envelope["extra"] = 1.into();
        let (_, detail) = told(&ingester, fixtures::with_envelope("advisory", &bytes(&hole), &envelope)).await;
        assert!(detail.starts_with("Stella-Provenance:/extra: "), "{detail}");
    }
}
