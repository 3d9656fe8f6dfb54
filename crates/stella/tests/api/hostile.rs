//! What nobody means well with, at every door: each is refused by its code, in bounded memory and
//! time, and nothing of it is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stella_api::evidence::{EvidenceKind, IngestAnswer};
use stella_api::{LineAnswer, LineResult, MAX_BODY, Scope};
use stella_client::Call;

use crate::cli::Person;
use crate::coverage::demanded;
use crate::fixtures::{self, advisory, bytes, encoded_line, sbom};
use crate::wire::Wire;
use crate::world::{Caller, World, on_every_driver};

const LEVELS: usize = 100_000;
const GIGABYTE: usize = 1 << 30;

/// The cases of JSONTestSuite that nobody may take.
fn no_json() -> Vec<(String, Vec<u8>)> {
    let Some(canon) = stella_testdata::dir("canon") else {
        return Vec::new();
    };
    let mut cases: Vec<(String, Vec<u8>)> = fs::read_dir(canon.join("jsontestsuite/test_parsing"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .filter(|(name, _)| name.starts_with("n_"))
        .collect();
    cases.sort();
    assert_eq!(cases.len(), 188);
    cases
}

/// The list of naughty strings.
fn naughty() -> Vec<String> {
    let Some(fuzz) = stella_testdata::dir("fuzz") else {
        return Vec::new();
    };
    serde_json::from_slice(&fs::read(fuzz.join("blns/blns.json")).unwrap()).unwrap()
}

async fn lines(caller: &Caller, call: Call) -> Vec<LineAnswer<IngestAnswer>> {
    let reply = caller.send(call).await.success().unwrap();
    let lines = reply.body.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

async fn nothing_is_stored(world: &World) {
    let list = Call::get("/api/v1/evidence/documents");
    assert_eq!(world.analyst("acme").code(list).await, "NO_DATA");
}

/// Where a body of JSON is taken that is no evidence.
fn doors(world: &World) -> Vec<(String, String, Vec<Scope>)> {
    let takes =
        |operation: &Value| operation["requestBody"]["content"]["application/json"].is_object();
    let all = world.contract.operations().into_iter();
    let all = all
        .filter(|(_, path, operation)| takes(operation) && !path.starts_with("/api/v1/evidence/"));
    all.map(|(method, path, operation)| (method, path, demanded(&operation).unwrap()))
        .collect()
}

#[tokio::test]
async fn what_is_no_json_is_refused_at_every_door() {
    let world = World::inmemory().await;
    let doors = doors(&world);
    assert!(doors.len() >= 3, "{doors:?}");
    for (method, path, scopes) in doors {
        let mut scopes = scopes[..1].to_vec();
        scopes.extend(scopes[0].paired_with());
        let caller = world.caller("acme", &scopes);
        for (name, text) in no_json() {
            let mut call = Call::post(&path.replace("{id}", "x"), "application/json", text);
            call.method = method.parse().unwrap();
            assert_eq!(
                caller.code(call).await,
                "BODY_MALFORMED",
                "{method} {path} {name}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_json_is_no_evidence() {
    let world = World::inmemory().await;
    let ingester = world.ingester("acme");
    let cases = no_json();
    let mut codes = BTreeMap::new();
    for (name, text) in &cases {
        let mut told = BTreeSet::new();
        for kind in EvidenceKind::ALL {
            told.insert(ingester.code(fixtures::ingest(kind.as_str(), text)).await);
        }
        let [code] = &Vec::from_iter(told)[..] else {
            panic!("{name} is told in two ways")
        };
        *codes.entry(code.clone()).or_insert(0) += 1;
    }
    let batch: String = cases.iter().map(|(_, text)| encoded_line(text)).collect();
    let mut in_lines = BTreeMap::new();
    for line in lines(&ingester, fixtures::batch("sbom", batch)).await {
        let LineResult::Problem(problem) = line.result else {
            panic!("{line:?}")
        };
        *in_lines.entry(problem.code).or_insert(0) += 1;
    }
    assert_eq!(codes, in_lines);
    let expected = [("ERR_AOC_002", 1), ("ERR_AOC_009", 185), ("ERR_AOC_010", 2)];
    let expected = expected.map(|(code, count)| (code.to_owned(), count));
    if !cases.is_empty() {
        assert_eq!(codes, BTreeMap::from(expected));
    }
    nothing_is_stored(&world).await;
}

/// A text as a parameter's value.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

on_every_driver! {
    async fn naughty_strings_are_kept_as_they_are_or_refused(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let texts = naughty();
        for text in &texts {
            for path in ["findings?vulnerability=", "findings/a"] {
                let call = Call::get(&format!("/api/v1/{path}{}", encoded(text)));
                let code = analyst.code(call).await;
                let known = ["NO_DATA", "NOT_FOUND", "REQUEST_INVALID"];
                assert!(known.contains(&code.as_str()), "{path} {text:?}: {code}");
            }
        }
        // Some are longer than a name may be.
        let names: Vec<&String> = texts.iter().filter(|text| (1..=512).contains(&text.len())).take(500).collect();
        let mut parts = sbom(&[]);
        parts["components"] = names.iter().enumerate().map(|(n, name)| json!({
            "type": "library", "bom-ref": format!("{n} {name}"), "name": name, "version": "1.0.0",
            "purl": "pkg:cargo/alpha@1.0.0",
        })).collect();
        let mut hole = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
        hole["aliases"] = json!(names);
        hole["summary"] = json!(texts.concat());
        for (kind, document) in [("sbom", bytes(&parts)), ("advisory", bytes(&hole))] {
            let id = ingester.ingest(kind, &document).await.id;
            let raw = Call::get(&format!("/api/v1/evidence/documents/{id}/raw"));
            assert_eq!(analyst.send(raw).await.body, document);
        }
        let found: Value = analyst.get("/api/v1/findings?pageSize=500").await;
        let mut shown: Vec<&str> = found["items"].as_array().unwrap().iter().map(|item| item["component"]["name"].as_str().unwrap()).collect();
        let mut sent: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        shown.sort_unstable();
        sent.sort_unstable();
        assert_eq!(shown, sent);
        let person = Person::of(&world, "acme");
        for words in [&["findings", "list", "--no-score", "-o", "table"][..], &["evidence", "list", "-o", "table"]] {
            let told = person.types(words).await;
            assert_eq!(told.exit, 0, "{}", told.stderr);
            let control = told.stdout.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "a terminal would obey it");
        }
    }
}

/// Documents of a hundred thousand levels, or that mean to be as large as that.
fn deep() -> Vec<(&'static str, String, &'static str)> {
    let (open, close) = ("[".repeat(LEVELS), "]".repeat(LEVELS));
    let nested = |before: &str, each: &str, after: &str| {
        let ends = each.matches('[').count() + each.matches('{').count();
        let end: String = each
            .chars()
            .rev()
            .filter(|c| "[{".contains(*c))
            .map(|c| if c == '[' { ']' } else { '}' })
            .collect();
        assert_eq!(end.len(), ends);
        format!(
            "{before}{}{}{after}",
            each.repeat(LEVELS),
            end.repeat(LEVELS)
        )
    };
    let bomb: String = (1..10)
        .map(|n| {
            format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{}", n - 1); 9].join(", ")
            )
        })
        .collect();
    let blocks: String = (0..2_000)
        .map(|n| format!("{}- \n", " ".repeat(n)))
        .collect();
    let osv = "id: PYSEC-1\nmodified: 2024-01-01T00:00:00Z\n";
    vec![
        ("advisory", format!("{open}{close}"), "ERR_AOC_010"),
        ("advisory", open.clone(), "ERR_AOC_010"),
        ("vex", nested("", r#"{"a":"#, ""), "ERR_AOC_010"),
        (
            "sbom",
            nested(
                r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":["#,
                r#"{"name":"a","components":["#,
                "]}",
            ),
            "ERR_AOC_010",
        ),
        (
            "advisory",
            nested(
                r#"{"document":{},"product_tree":{"branches":["#,
                r#"{"branches":["#,
                "]}}",
            ),
            "ERR_AOC_010",
        ),
        (
            "advisory",
            format!("{osv}x: {open}{close}\n"),
            "ERR_AOC_010",
        ),
        ("advisory", format!("{osv}x:\n{blocks}"), "ERR_AOC_010"),
        (
            "advisory",
            format!("{osv}a0: &a0 lol\n{bomb}"),
            "ERR_AOC_009",
        ),
        ("advisory", format!("{osv}a: &a [*a]\n"), "ERR_AOC_009"),
    ]
}

on_every_driver! {
    async fn what_is_deep_without_end_is_refused(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        for (kind, text, code) in deep() {
            let shown: String = text.chars().take(80).collect();
            assert_eq!(ingester.code(fixtures::ingest(kind, text.as_bytes())).await, code, "{shown}");
            let told = lines(&ingester, fixtures::batch(kind, encoded_line(text.as_bytes()))).await;
            assert!(matches!(&told[0].result, LineResult::Problem(problem) if problem.code == code), "{told:?}");
        }
        let open = "[".repeat(LEVELS);
        let raw = format!("{{\"envelope\": {open}{}, \"raw\": {{}}}}", open.replace('[', "]"));
        let told = lines(&ingester, fixtures::batch("sbom", raw)).await;
        assert!(matches!(&told[0].result, LineResult::Problem(problem) if problem.code == "ERR_AOC_004"), "{told:?}");
        let asked = Call::post("/api/v1/score/evaluate", "application/json", format!("{{\"findingId\": {open}"));
        assert_eq!(analyst.code(asked).await, "BODY_MALFORMED");
        nothing_is_stored(&world).await;
    }
}

#[tokio::test]
async fn what_is_deep_without_end_is_refused_at_the_command_line() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    for (n, (_, text, code)) in deep().into_iter().enumerate() {
        let file = person.file(&format!("{n}.txt"), text.as_bytes());
        let ran = person
            .types(&["evidence", "ingest", file.to_str().unwrap()])
            .await;
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
        assert_eq!(ran.json()["refusals"][0]["errors"][0]["code"], code);
    }
}

#[tokio::test]
async fn hostile_archives_are_refused_whole_and_those_without_an_end_as_too_large() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let Some(fuzz) = stella_testdata::dir("fuzz") else {
        return;
    };
    let folder = fuzz.join("evil-archives");
    let manifest = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let hostile = manifest
        .lines()
        // That a file is in no manifest is for whoever reads manifests.
        .filter(|line| line.split('\t').nth(3) == Some("reject") && !line.starts_with("t23-"));
    for line in hostile {
        let name = line.split('\t').next().unwrap();
        let file = folder.join(name);
        let ran = person
            .types(&["evidence", "ingest", file.to_str().unwrap()])
            .await;
        // Those that hold too much are named so.
        let code = if name.starts_with('b') || name == "z06-bomb.zip" {
            "ERR_AOC_010"
        } else {
            "ERR_AOC_009"
        };
        assert_eq!(ran.exit, 2, "{name}: {}", ran.stderr);
        assert_eq!(
            ran.json()["refusals"][0]["errors"][0]["code"],
            code,
            "{name}"
        );
    }
    nothing_is_stored(&world).await;
}

/// The most memory that this process ever had, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// Forgets what there was before.
fn forget_peak() -> usize {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

/// A part of a body, a mebibyte.
fn part() -> String {
    "x".repeat(1 << 20)
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_refused_before_it_is_there() {
    let world = World::inmemory().await;
    let json = "content-type: application/json\r\n";
    let before = forget_peak();
    for (path, scope) in [
        ("/api/v1/evidence/sbom", Scope::SbomIngest),
        ("/api/v1/score/evaluate", Scope::RiskEvaluate),
    ] {
        let declared = format!("{json}content-length: {GIGABYTE}\r\n");
        let wire = Wire::post(&world, path, scope, &declared).await;
        // Not a byte of it was sent.
        let told = tokio::task::spawn_blocking(|| wire.refusal())
            .await
            .unwrap();
        assert!(
            told.starts_with("HTTP/1.1 413") && told.contains("BODY_TOO_LARGE"),
            "{told}"
        );

        let chunked = format!("{json}transfer-encoding: chunked\r\n");
        let mut wire = Wire::post(&world, path, scope, &chunked).await;
        let send = move || {
            let part = part();
            for _ in 0..=MAX_BODY as usize / part.len() {
                wire.send(&part);
            }
            wire.refusal()
        };
        let told = tokio::task::spawn_blocking(send).await.unwrap();
        assert!(
            told.starts_with("HTTP/1.1 413") && told.contains("BODY_TOO_LARGE"),
            "{told}"
        );
    }
    let more = peak() - before;
    assert!(more < 4 * MAX_BODY as usize, "{more} bytes more");
    nothing_is_stored(&world).await;
}

/// Runs a verb with less memory than a gigabyte, and gives it so much.
fn with_little_memory(person: &Person, words: &[&str], stdin: usize) -> (Option<i32>, String) {
    let typed = person.starts(words);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 900000 && exec \"$@\"", "sh"]);
    command.arg(typed.get_program()).args(typed.get_args());
    command.env_clear();
    command.envs(
        typed
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let (part, mut left) = (part(), stdin);
    // It may stop reading.
    while left > 0 && input.write_all(part.as_bytes()).is_ok() {
        left -= part.len();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
}

#[tokio::test]
async fn a_gigabyte_at_the_command_line_is_refused_in_bounded_memory() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let file = person.file("large.json", b"{");
    let large = fs::File::options().write(true).open(&file).unwrap();
    large.set_len(GIGABYTE as u64).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let tried = tokio::task::spawn_blocking(move || {
        let file = with_little_memory(&person, &["evidence", "ingest", &file], 0);
        let stdin = with_little_memory(&person, &["evidence", "ingest", "-"], GIGABYTE);
        [file, stdin]
    });
    for (exit, told) in tried.await.unwrap() {
        assert!(
            exit == Some(2) && told.contains("ERR_AOC_010"),
            "{exit:?} {told}"
        );
    }
    nothing_is_stored(&world).await;
}

/// Half a minute: `bench/fuzz.sh` runs it.
#[tokio::test]
#[ignore = "long; bench/fuzz.sh runs it"]
async fn a_gigabyte_of_lines_is_answered_in_bounded_memory() {
    let world = World::inmemory().await;
    let before = forget_peak();
    // A line of a gigabyte, and a gigabyte of lines.
    for (part, code, answers) in [
        (part(), "BODY_TOO_LARGE", 1),
        (part() + "\n", "REQUEST_INVALID", GIGABYTE >> 20),
    ] {
        let mut wire = Wire::open(&world, "sbom", Scope::SbomIngest, "").await;
        let send = move || {
            for _ in 0..GIGABYTE >> 20 {
                wire.send(&part);
            }
            wire.end();
            std::iter::from_fn(|| wire.line()).collect::<Vec<_>>()
        };
        let told = tokio::task::spawn_blocking(send).await.unwrap();
        assert_eq!(told.len(), answers);
        for line in told {
            let (LineResult::Problem(problem) | LineResult::Ended(problem)) = line.result else {
                panic!("{line:?}")
            };
            assert_eq!(problem.code, code);
        }
    }
    let more = peak() - before;
    assert!(more < 6 * MAX_BODY as usize, "{more} bytes more");
    nothing_is_stored(&world).await;
}

/// As long.
#[tokio::test]
#[ignore = "long; bench/fuzz.sh runs it"]
async fn a_document_of_a_gigabyte_in_an_archive_is_refused_in_bounded_memory() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let mut archive = stella_bundle::Archive::new(Vec::new());
    archive.file("a.json", b"{}").unwrap();
    let mut head = archive.finish().unwrap()[..512].to_vec();
    // Its size, in octal, and the sum of the header's bytes with spaces for itself.
    head[124..135].copy_from_slice(format!("{GIGABYTE:011o}").as_bytes());
    head[148..156].fill(b' ');
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let file = person.file("large.tar", &head);
    let large = fs::File::options().write(true).open(&file).unwrap();
    large.set_len((512 + GIGABYTE + 1024) as u64).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let tried = move || with_little_memory(&person, &["evidence", "ingest", &file], 0);
    let (exit, told) = tokio::task::spawn_blocking(tried).await.unwrap();
    assert!(
        exit == Some(2) && told.contains("ERR_AOC_010"),
        "{exit:?} {told}"
    );
    nothing_is_stored(&world).await;
}
