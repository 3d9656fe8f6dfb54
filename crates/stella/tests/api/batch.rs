//! Many documents in one body.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_api::findings::Finding;
use stella_api::{LineAnswer, LineResult, Page, Problem, Scope};
use stella_canonical::Digest;
use stella_client::{Call, ClientError};

use crate::by_hand::by_hand;
use crate::fixtures::{self, advisory, bytes, encoded_line, line, sbom};
use crate::wire::Wire;
use crate::world::{Caller, World, on_every_driver};

const AT_ONCE: &str = "prefer: respond-stream\r\n";

type Line = LineAnswer<IngestAnswer>;

async fn lines(caller: &Caller, call: Call) -> Vec<Line> {
    caller.send(call).await.lines().unwrap()
}

fn taken(line: &Line) -> &IngestAnswer {
    match &line.result {
        LineResult::Answer(answer) => answer,
        other => panic!("line {}: {other:?}", line.line),
    }
}

fn problem(line: &Line) -> &Problem {
    match &line.result {
        LineResult::Problem(problem) => problem,
        other => panic!("line {}: {other:?}", line.line),
    }
}

fn outcomes(lines: &[Line]) -> Vec<Outcome> {
    lines.iter().map(|line| taken(line).outcome).collect()
}

fn numbered(n: usize) -> Vec<u8> {
    bytes(&advisory(
        &format!("RUSTSEC-2026-{n:04}"),
        &[],
        "alpha",
        "2.0.0",
    ))
}

async fn raw(caller: &Caller, id: &str) -> Vec<u8> {
    let call = Call::get(&format!("/api/v1/evidence/documents/{id}/raw"));
    caller.send(call).await.success().unwrap().body.to_vec()
}

/// Everything that is stored of a tenant, but for when it came and to whom.
async fn stored(world: &World, tenant: &str) -> (Vec<Value>, Vec<Value>) {
    let analyst = world.analyst(tenant);
    let mut records: Vec<Value> = analyst.all("/api/v1/evidence/documents").await;
    for record in &mut records {
        for of_the_call in ["tenant", "receivedAt", "receivedBy"] {
            record.as_object_mut().unwrap().remove(of_the_call);
        }
    }
    let reply = analyst
        .send(Call::get("/api/v1/findings?pageSize=500"))
        .await;
    let findings: Value = serde_json::from_slice(&reply.body).unwrap();
    let findings = findings["items"].as_array().cloned().unwrap_or_default();
    (records, findings)
}

/// Documents of every kind: revisions, conflicts, the same twice, and what findings come from.
fn everything() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for n in 0..4 {
        let id = format!("RUSTSEC-2026-{n:04}");
        all.push((
            "advisory",
            bytes(&advisory(&id, &["CVE-2026-1"], "alpha", "2.0.0")),
        ));
        let mut newer = advisory(&id, &[], if n % 2 == 0 { "alpha" } else { "beta" }, "3.0.0");
        newer["modified"] = "2026-05-01T00:00:00Z".into();
        all.push(("advisory", bytes(&newer)));
        newer["summary"] = "of the same time".into();
        all.push(("advisory", bytes(&newer)));
        all.push(("advisory", all[0].1.clone()));
        let mut parts = sbom(&["alpha@2.5.0", "beta@1.0.0", "alpha@1.0.0"]);
        parts["serialNumber"] = format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e000{n}").into();
        all.push(("sbom", bytes(&parts)));
    }
    all.push(("signal", bytes(&fixtures::kev(&["CVE-2026-1"]))));
    all.push((
        "vex",
        bytes(&fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0")),
    ));
    all
}

/// Sends documents in the order given, in batches whose sizes are given, as far as they are of
/// one kind; a size of zero is a single POST.
async fn in_batches(caller: &Caller, all: &[(&'static str, Vec<u8>)], sizes: &[usize]) {
    let (mut left, mut sizes) = (all, sizes.iter().cycle());
    while let Some((kind, document)) = left.first() {
        let size = *sizes.next().unwrap();
        if size == 0 {
            caller.ingest(kind, document).await;
            left = &left[1..];
            continue;
        }
        let alike = left
            .iter()
            .take(size)
            .take_while(|(of, _)| of == kind)
            .count();
        let (now, rest) = left.split_at(alike);
        left = rest;
        let text = now.iter().map(|(_, document)| line(document)).collect();
        let told = lines(caller, fixtures::batch(kind, text)).await;
        assert_eq!(outcomes(&told).len(), alike);
    }
}

on_every_driver! {
    async fn lines_are_answered_in_order_and_a_bad_one_touches_no_other(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let (first, last) = (numbered(1), numbered(2));
        let spaced = String::from_utf8(numbered(3)).unwrap().replacen(':', " :\t", 2).into_bytes();
        let broken = serde_json::to_vec_pretty(&advisory("RUSTSEC-2026-0004", &[], "alpha", "2.0.0")).unwrap();
        let mut large = advisory("RUSTSEC-2026-0005", &[], "alpha", "2.0.0");
        large["details"] = "x".repeat(300 * 1024).into();
        let large = bytes(&large);
        let foreign = bytes(&sbom(&["alpha@1.0.0"]));
        let mut envelope = fixtures::envelope(&last);
        envelope["source"]["severity"] = 9.into();
        let derived = format!("{}\n", json!({"envelope": envelope, "raw": {}}));
        let text = [
            line(&first), "{\"envelope\": \n".to_owned(), " \r\n".to_owned(), line(&foreign),
            line(&spaced), encoded_line(&broken), derived, line(&large), "[]\n".to_owned(),
            line(&first), line(&last).trim_end().to_owned(),
        ];
        let told = lines(&ingester, fixtures::batch("advisory", text.concat())).await;
        let numbers: Vec<u64> = told.iter().map(|line| line.line).collect();
        assert_eq!(numbers, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]);
        for (at, document) in [(0, &first), (3, &spaced), (4, &broken), (6, &large), (9, &last)] {
            let answer = taken(&told[at]);
            assert_eq!((answer.outcome, &answer.id), (Outcome::Stored, &Digest::of(document).to_string()));
            assert_eq!(&raw(&analyst, &answer.id).await, document);
        }
        assert_eq!(taken(&told[8]).outcome, Outcome::Identical);
        let place = |at: usize| {
            let problem = problem(&told[at]);
            (problem.code.as_str(), problem.errors[0].pointer.as_str())
        };
        assert_eq!(place(1), ("BODY_MALFORMED", ""));
        assert!(problem(&told[1]).detail.ends_with("(line 2 column 12)"), "{}", problem(&told[1]).detail);
        assert_eq!(place(2), ("ERR_AOC_009", ""));
        assert_eq!(place(5), ("ERR_AOC_001", "/envelope/source/severity"));
        assert_eq!(place(7), ("REQUEST_INVALID", ""));
        assert_eq!(stored(&world, "acme").await.0.len(), 5);
        let documents = Call::get("/api/v1/evidence/documents");
        assert_eq!(world.analyst("globex").code(documents).await, "NO_DATA");

        let typed = Call::post("/api/v1/evidence/advisory/batch", "application/json", "{}");
        let Err(ClientError::Problem(typed)) = ingester.send(typed).await.success() else {
            panic!("it is of another type");
        };
        assert_eq!(typed.code, "MEDIA_TYPE_UNSUPPORTED");
        assert!(typed.hint.unwrap().contains("application/x-ndjson"));
        assert_eq!(lines(&ingester, fixtures::batch("advisory", String::new())).await, []);
    }

    async fn revisions_in_one_chunk_follow_each_other(world) {
        let ingester = world.ingester("acme");
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.5.0"]))).await;
        let revision = |modified: &str, fixed: &str| {
            let mut document = advisory("RUSTSEC-2026-0001", &[], "alpha", fixed);
            document["modified"] = modified.into();
            line(&bytes(&document))
        };
        let text = [
            line(&numbered(2)), revision("2026-03-01T00:00:00Z", "3.0.0"),
            revision("2026-01-01T00:00:00Z", "2.0.0"), revision("2026-01-01T00:00:00Z", "2.1.0"),
            line(&numbered(0)),
        ];
        let told = lines(&ingester, fixtures::batch("advisory", text.concat())).await;
        use Outcome::{Conflict, Stored, Superseding};
        assert_eq!(outcomes(&told), [Stored, Stored, Superseding, Conflict, Stored]);
        assert_eq!(taken(&told[3]).notices[0].code, "ERR_AOC_003");
        let path = format!("/api/v1/evidence/documents/{}", taken(&told[3]).id);
        let record: DocumentRecord = world.analyst("acme").get(&path).await;
        assert_eq!(record.supersedes.as_ref(), Some(&taken(&told[2]).id));
        let page: Page<Finding> = world.analyst("acme").get("/api/v1/findings?vulnerability=RUSTSEC-2026-0001").await;
        let fixed: Vec<_> = page.items.into_iter().flat_map(|finding| finding.fixed_versions).collect();
        assert_eq!(fixed, ["3.0.0"]);
    }

    /// A record that cannot be read back is one line's problem.
    async fn what_was_done_to_a_stored_document_touches_no_other(world) {
        let ingester = world.ingester("acme");
        let id = ingester.ingest("advisory", &numbered(2)).await.id;
        let statement = format!("UPDATE evidence.provenance SET record = '{{}}' WHERE tenant = 'acme' AND digest = '{id}'");
        by_hand(&world, "evidence", &["provenance"], &statement).await;
        let text = [1, 2, 3].map(|n| line(&numbered(n))).concat();
        let told = lines(&ingester, fixtures::batch("advisory", text)).await;
        assert_eq!(problem(&told[1]).code, "EVIDENCE_CORRUPT");
        for at in [0, 2] {
            assert_eq!(taken(&told[at]).outcome, Outcome::Stored);
            raw(&world.analyst("acme"), &taken(&told[at]).id).await;
        }
    }

    async fn any_split_stores_the_same(world) {
        let all = everything();
        in_batches(&world.ingester("acme"), &all, &[0]).await;
        in_batches(&world.ingester("globex"), &all, &[3, 1, 0, 500, 2]).await;
        let (records, findings) = stored(&world, "acme").await;
        assert_eq!((records.len(), findings.len()), (4 * 4 + 2, 4 * (2 * 2 + 2)));
        assert_eq!(stored(&world, "globex").await, (records, findings));
    }

    /// In opposite orders, beside what findings come from and a second stream of the same bytes.
    async fn batches_of_the_same_documents_at_once_store_each_once(world) {
        let (ingester, other) = (world.ingester("acme"), world.ingester("acme"));
        let documents: Vec<Vec<u8>> = (0..150).map(numbered).collect();
        let text = |documents: &mut dyn Iterator<Item = &Vec<u8>>| documents.map(|one| line(one)).collect::<String>();
        let sboms: String = (0..4).map(|n| {
            let mut parts = sbom(&["alpha@1.0.0"]);
            parts["serialNumber"] = format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e000{n}").into();
            line(&bytes(&parts))
        }).collect();
        let streamed = text(&mut documents.iter()).replace("\"stream\":\"test\"", "\"stream\":\"second\"");
        let (forward, backward, second, parts) = tokio::join!(
            lines(&ingester, fixtures::batch("advisory", text(&mut documents.iter()))),
            lines(&other, fixtures::batch("advisory", text(&mut documents.iter().rev()))),
            lines(&ingester, fixtures::batch("advisory", streamed)),
            lines(&other, fixtures::batch("sbom", sboms)),
        );
        let mut times: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
        for line in forward.iter().chain(&backward) {
            let answer = taken(line);
            times.entry(answer.id.clone()).or_default().push(answer.outcome);
        }
        assert_eq!(times.len(), documents.len());
        for outcomes in times.values_mut() {
            outcomes.sort_by_key(|outcome| *outcome == Outcome::Identical);
            assert_eq!(outcomes, &[Outcome::Stored, Outcome::Identical]);
        }
        assert!(outcomes(&second).iter().all(|outcome| *outcome != Outcome::Identical));
        assert_eq!(outcomes(&parts).len(), 4);
        let (records, _) = stored(&world, "acme").await;
        assert_eq!(records.len(), 2 * documents.len() + 4);
        let mut found = 0;
        for record in records.iter().filter(|record| record["kind"] == "sbom") {
            let path = format!("/api/v1/findings?pageSize=500&sbom={}", record["id"].as_str().unwrap());
            let page: Page<Finding> = world.analyst("acme").get(&path).await;
            found += page.items.len();
        }
        assert_eq!(found, 4 * documents.len());
    }

    /// Two thousand lines are four chunks and more answers than buffers hold: whoever reads none
    /// before all is sent waits for nothing.
    async fn a_sender_that_reads_last_waits_for_nothing(world) {
        let mut wire = Wire::open(&world, "advisory", Scope::AdvisoryIngest, "").await;
        let told = tokio::task::spawn_blocking(move || {
            for n in 0..2_000 {
                wire.send(&line(&numbered(n)));
            }
            wire.end();
            let told: Vec<Line> = std::iter::from_fn(|| wire.line()).collect();
            assert!(!wire.head.contains("preference-applied"), "{}", wire.head);
            told
        }).await.unwrap();
        assert_eq!(told.len(), 2_000);
        for (at, told) in told.iter().enumerate() {
            assert_eq!((told.line, taken(told).outcome), (at as u64 + 1, Outcome::Stored));
            assert_eq!(taken(told).upstream.id, format!("RUSTSEC-2026-{at:04}"));
        }
        assert_eq!(stored(&world, "acme").await.0.len(), 2_000);
    }

    async fn a_sender_that_wants_to_is_answered_while_it_sends(world) {
        let mut wire = Wire::open(&world, "advisory", Scope::AdvisoryIngest, AT_ONCE).await;
        tokio::task::spawn_blocking(move || {
            for n in 0..2 {
                wire.send(&[line(&numbered(2 * n)), line(&numbered(2 * n + 1))].concat());
                for at in 1..=2 {
                    let told = wire.line().unwrap();
                    assert_eq!((told.line, taken(&told).outcome), (2 * n as u64 + at, Outcome::Stored));
                }
            }
            assert!(wire.head.to_ascii_lowercase().contains("\r\npreference-applied: respond-stream\r\n"), "{}", wire.head);
            wire.end();
            assert_eq!(wire.line(), None);
        }).await.unwrap();
    }

    async fn what_was_answered_before_a_cut_stays_and_sending_again_is_the_resume(world) {
        let mut wire = Wire::open(&world, "advisory", Scope::AdvisoryIngest, AT_ONCE).await;
        tokio::task::spawn_blocking(move || {
            wire.send(&(0..500).map(|n| line(&numbered(n))).collect::<String>());
            for at in 1..=500 {
                assert_eq!(wire.line().unwrap().line, at);
            }
            let next = line(&numbered(500));
            wire.send(&next[..next.len() / 2]);
            // The connection ends here.
        }).await.unwrap();
        let text = (0..510).map(|n| line(&numbered(n))).collect();
        let told = outcomes(&lines(&world.ingester("acme"), fixtures::batch("advisory", text)).await);
        assert_eq!(told[..500], [Outcome::Identical; 500]);
        assert_eq!(told[500..], [Outcome::Stored; 10]);
    }
}

#[tokio::test]
async fn a_line_beyond_the_limit_ends_the_answer() {
    let world = World::inmemory().await;
    let ingester = world.ingester("acme");
    let long = "x".repeat(stella_api::limits::MAX_LINE as usize + 1);
    let text = format!("{}{long}\n{}", line(&numbered(1)), line(&numbered(2)));
    let told = lines(&ingester, fixtures::batch("advisory", text)).await;
    assert_eq!(taken(&told[0]).outcome, Outcome::Stored);
    let LineResult::Ended(ended) = &told[1].result else {
        panic!("{:?}", told[1]);
    };
    assert_eq!(
        (told.len(), told[1].line, ended.code.as_str()),
        (2, 2, "BODY_TOO_LARGE")
    );
    assert!(
        ended.errors[0]
            .detail
            .contains(&stella_api::limits::MAX_LINE.to_string())
    );

    let large = vec![b' '; stella_api::MAX_BODY as usize + 1];
    let told = lines(&ingester, fixtures::batch("advisory", encoded_line(&large))).await;
    assert_eq!(problem(&told[0]).code, "ERR_AOC_010");
}

/// The documents cut into batches and single POSTs at other places each time.
#[tokio::test]
async fn whatever_the_split_the_same_is_stored() {
    let all = everything();
    let world = World::inmemory().await;
    in_batches(&world.ingester("acme"), &all, &[0]).await;
    let expected = stored(&world, "acme").await;
    let mut chance = 7_u64;
    for _ in 0..8 {
        let mut next = || {
            // Knuth's MMIX: the same splits in every run.
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) as usize % 6
        };
        let sizes: Vec<usize> = (0..all.len()).map(|_| next()).collect();
        let world = World::inmemory().await;
        in_batches(&world.ingester("acme"), &all, &sizes).await;
        assert_eq!(stored(&world, "acme").await, expected, "{sizes:?}");
    }
}
