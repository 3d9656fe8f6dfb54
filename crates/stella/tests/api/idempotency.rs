//! `Idempotency-Key`: the same request with the same key gets the first answer again.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_api::findings::Finding;
use stella_api::scope::Role;
use stella_api::score::ScoreResult;
use stella_api::{Page, Problem};
use stella_authority::NewClient;
use stella_client::{Call, ClientError, Reply, Session};
use stella_context::{Clock, SystemContext};
use stella_storage::{Connection, Db, on};

use crate::by_hand::{by_hand, edit};
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::process::{Installation, Running};
use crate::world::{Caller, World, on_every_driver};

/// Every write that takes a key, each after those whose things it names.
const WRITES: [&str; 13] = [
    "/api/v1/evidence/sbom",
    "/api/v1/evidence/advisory",
    "/api/v1/evidence/vex",
    "/api/v1/evidence/signal",
    "/api/v1/score/evaluate",
    "/api/v1/replay/manifests",
    "/api/v1/replay/runs",
    "/api/v1/evidence/verify",
    "/api/v1/evidence/rebuild",
    "/api/v1/authority/audit/verify",
    "/api/v1/evidence/audit/verify",
    "/api/v1/replay/audit/verify",
    "/api/v1/score/audit/verify",
];

/// What somebody asks who means it.
async fn asked(analyst: &Caller, path: &str) -> Call {
    let json = |body| Call::post_json(path, &body).unwrap();
    match path {
        "/api/v1/evidence/sbom" => fixtures::ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))),
        "/api/v1/evidence/advisory" => hole(),
        "/api/v1/evidence/vex" => {
            let vex = fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0");
            fixtures::ingest("vex", &bytes(&vex))
        }
        "/api/v1/evidence/signal" => {
            fixtures::ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"])))
        }
        _ if path.ends_with("/verify") || path.ends_with("/rebuild") => json(json!({})),
        "/api/v1/score/evaluate" => {
            let page: Page<Finding> = analyst.get("/api/v1/findings").await;
            json(json!({"findingId": page.items[0].id}))
        }
        _ => {
            let page: Page<ScoreResult> = analyst.get("/api/v1/score").await;
            json(json!({"scoreId": page.items[0].score_id}))
        }
    }
}

fn hole() -> Call {
    let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
    fixtures::ingest("advisory", &bytes(&hole))
}

fn with(call: &Call, key: &str) -> Call {
    let name = "idempotency-key".parse().unwrap();
    call.clone().with(name, key.parse().unwrap())
}

/// The same with a body of other bytes.
fn changed(call: &Call) -> Call {
    let body = [&call.body[..], b" "].concat();
    Call {
        body: body.into(),
        ..call.clone()
    }
}

/// What an answer says: all but what is of this one request.
fn said(reply: &Reply) -> (u16, Vec<Option<String>>, Vec<u8>) {
    let header = |name: &str| Some(reply.headers.get(name)?.to_str().unwrap().to_owned());
    let headers = ["content-type", "location", "etag"].map(header);
    (reply.status.as_u16(), headers.to_vec(), reply.body.to_vec())
}

fn problem(reply: Reply) -> Problem {
    match reply.success() {
        Err(ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

/// A second client of acme.
async fn colleague(world: &World, role: Role) -> Caller {
    let mut credentials = world.credentials("acme");
    credentials.client_id = "acme-second".to_owned();
    let client = NewClient {
        id: &credentials.client_id,
        tenant: &"acme".parse().unwrap(),
        roles: Role::ALL,
        key: credentials.key.public(),
    };
    let system = SystemContext::new("test", Clock::System);
    let authority = &world.platform.authority;
    authority.ensure_client(&system, &client).await.unwrap();
    let client = Session::open(world.http(), credentials, role.scopes()).unwrap();
    Caller::new(client, world.contract.clone())
}

/// Moves all keys of acme in a schema into the past.
fn aged(postgres: bool, seconds: i64) -> String {
    let earlier = match postgres {
        true => format!("reserved_at - interval '{seconds} seconds'"),
        false => format!("reserved_at - {seconds} * 1000000"),
    };
    format!("UPDATE evidence.idempotency_keys SET reserved_at = {earlier} WHERE tenant = 'acme'")
}

async fn age(world: &World, seconds: i64) {
    let statement = aged(world.owner_url.is_some(), seconds);
    by_hand(world, "evidence", &[], &statement).await;
}

/// The keys that Evidence holds of acme.
async fn keys(world: &World) -> Vec<String> {
    let db = match &world.owner_url {
        Some(url) => Db::postgres(&Connection::parse(url).unwrap()),
        None => {
            let folder = world.folder.as_ref().unwrap();
            stella_evidence::MIGRATIONS
                .open_sqlite(folder)
                .await
                .unwrap()
        }
    };
    let system = SystemContext::new("test", Clock::System);
    let tenant = "acme".parse().unwrap();
    let mut tx = db.system_in(&system, &tenant).await.unwrap();
    let statement = "SELECT key FROM evidence.idempotency_keys ORDER BY key";
    on!(&mut tx, c => sqlx::query_scalar(statement).fetch_all(c)).unwrap()
}

/// The POSTs of the document that demand a scope and are no bulk.
fn documented(world: &World) -> BTreeSet<String> {
    let of_person = |operation: &serde_json::Value| {
        let bulk = &operation["requestBody"]["content"]["application/x-ndjson"];
        operation.get("security").is_some() && bulk.is_null()
    };
    let writes = world.contract.operations().into_iter();
    let writes = writes.filter(|(method, _, operation)| method != "GET" && of_person(operation));
    let writes = writes.map(|(method, path, operation)| {
        let parameters = operation["parameters"].as_array().cloned();
        let takes_key = |one: &serde_json::Value| one["name"] == "Idempotency-Key";
        assert!(
            parameters.unwrap_or_default().iter().any(takes_key),
            "{method} {path} takes no key"
        );
        path
    });
    writes.collect()
}

on_every_driver! {
    async fn every_write_answers_the_same_request_with_the_same_key_as_it_did_first(world) {
        let said_here: BTreeSet<String> = WRITES.map(str::to_owned).into();
        assert_eq!(documented(&world), said_here, "say in `asked` how to ask");
        for path in WRITES {
            let makes_nothing = ["/replay/runs", "/verify", "/rebuild"];
            let changes = !makes_nothing.iter().any(|end| path.ends_with(end));
            let role = match path {
                _ if path.ends_with("/audit/verify") => Role::Auditor,
                _ if path.ends_with("/rebuild") => Role::Operator,
                _ if changes && path.starts_with("/api/v1/evidence") => Role::Ingester,
                _ => Role::Analyst,
            };
            let caller = world.caller("acme", role.scopes());
            let call = asked(&world.analyst("acme"), path).await;
            let first = caller.send(with(&call, "1")).await;
            let expected = if changes { 201 } else { 200 };
            assert_eq!(first.status.as_u16(), expected, "{path}");
            let again = caller.send(with(&call, "1")).await;
            assert_eq!(said(&again), said(&first), "{path}");
            // Without the key, or with another, it is done again: what is there is told.
            for call in [call.clone(), with(&call, "2")] {
                assert_eq!(caller.send(call).await.status.as_u16(), 200, "{path}");
            }
            let other = with(&changed(&call), "1");
            assert_eq!(caller.code(other.clone()).await, "IDEMPOTENCY_CONFLICT", "{path}");
            // The key is this client's, in this tenant, on this route.
            for stranger in [colleague(&world, role).await, world.caller("globex", role.scopes())] {
                let answered = String::from_utf8(stranger.send(other.clone()).await.body.to_vec()).unwrap();
                assert!(!answered.contains("IDEMPOTENCY"), "{path}: {answered}");
            }
        }
    }

    /// The trace in the body tells one making of an answer from another.
    async fn a_refusal_is_given_again_and_a_fault_is_not(world) {
        let caller = world.ingester("acme");
        let refused = Call::post("/api/v1/evidence/advisory", "application/json", b"{}".to_vec());
        let first = caller.send(with(&refused, "1")).await;
        let again = caller.send(with(&refused, "1")).await;
        assert_eq!((said(&again), first.status.as_u16()), (said(&first), 422));

        // The advisory that the score rests on was edited.
        let document = caller.send(hole()).await.json::<IngestAnswer>().unwrap().id;
        caller.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let caller = world.analyst("acme");
        let found: serde_json::Value = caller.get("/api/v1/findings").await;
        edit(&world, &document, 0).await;
        let asked = serde_json::json!({"findingId": found["items"][0]["id"]});
        let call = Call::post_json("/api/v1/score/evaluate", &asked).unwrap();
        let first = caller.send(with(&call, "2")).await;
        let again = caller.send(with(&call, "2")).await;
        assert_eq!(first.status.as_u16(), 500);
        assert_ne!(said(&again), said(&first));
    }

    async fn a_key_that_is_none_is_refused_by_its_header(world) {
        let caller = world.ingester("acme");
        for key in ["", "a b", &"a".repeat(256), "\u{e4}"] {
            let told = problem(caller.send(with(&hole(), key)).await);
            let place = told.errors[0].pointer.as_str();
            assert_eq!((told.status, told.code.as_str(), place), (400, "REQUEST_INVALID", "header:Idempotency-Key"));
        }
        let longest = with(&hole(), &"~".repeat(255));
        assert_eq!(caller.send(longest).await.status.as_u16(), 201);
    }

    /// Evidence's envelope is a header, and as much a part of the request as its body.
    async fn the_same_bytes_of_another_source_are_another_request(world) {
        let caller = world.ingester("acme");
        assert_eq!(caller.send(with(&hole(), "1")).await.status.as_u16(), 201);
        let body = hole().body.to_vec();
        let mut envelope = fixtures::envelope(&body);
        envelope["source"]["stream"] = "another".into();
        let other = fixtures::with_envelope("advisory", &body, &envelope);
        assert_eq!(caller.code(with(&other, "1")).await, "IDEMPOTENCY_CONFLICT");
    }

    async fn after_a_day_a_key_is_free_again_and_old_ones_are_swept(world) {
        let caller = world.ingester("acme");
        for key in ["1", "2", "3"] {
            caller.send(with(&hole(), key)).await;
        }
        age(&world, 24 * 3600 - 60).await;
        assert_eq!(caller.code(with(&changed(&hole()), "1")).await, "IDEMPOTENCY_CONFLICT");
        age(&world, 120).await;
        // Of other bytes: only the envelope's digest is wrong now.
        assert_eq!(caller.code(with(&changed(&hole()), "1")).await, "ERR_AOC_005");
        assert_eq!(keys(&world).await, ["1"]);
    }

    async fn of_requests_that_come_at_once_with_a_key_one_is_answered_first(world) {
        let caller = world.ingester("acme");
        caller.send(fixtures::ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))).await;
        let replies = join_all((0..8).map(|_| caller.send(with(&hole(), "1")))).await;
        let last = caller.send(with(&hole(), "1")).await;
        assert_eq!(last.status.as_u16(), 201);
        for reply in replies {
            if reply.status.as_u16() == 409 {
                let wait = reply.headers["retry-after"].to_str().unwrap().parse::<u32>();
                assert!((1..=90).contains(&wait.unwrap()));
                assert_eq!(problem(reply).code, "IDEMPOTENCY_IN_PROGRESS");
            } else {
                assert_eq!(said(&reply), said(&last));
            }
        }
        let documents: Page<DocumentRecord> = world.analyst("acme").get("/api/v1/evidence/documents?kind=advisory").await;
        assert_eq!(documents.items.len(), 1);
    }
}

/// What was answered by one process is answered so by another, and after a start.
async fn another_process(first: &Running, second: &Running) {
    let answered = first.ingester("acme").send(with(&hole(), "1")).await;
    assert_eq!(answered.status.as_u16(), 201);
    let ingester = second.ingester("acme");
    let again = ingester.send(with(&hole(), "1")).await;
    assert_eq!(said(&again), said(&answered));
    let other = with(&changed(&hole()), "1");
    assert_eq!(ingester.code(other).await, "IDEMPOTENCY_CONFLICT");
}

#[tokio::test]
async fn two_processes_answer_a_key_as_one() {
    let installation = Installation::postgres().await;
    let (first, second) = (installation.start(None), installation.start(None));
    another_process(&first, &second).await;
}

/// The process dies with the document kept and its answer not: the key is held until nobody can
/// be at it any more, then the request is done again and finds what it did.
async fn dies_between_data_and_answer(installation: Installation) {
    let dying = installation.start(Some("evidence-kept"));
    let ingester = dying.ingester("acme");
    dying.dies_of(&ingester, with(&hole(), "1")).await;

    let again = installation.start(None);
    let ingester = again.ingester("acme");
    let reply = ingester.send(with(&hole(), "1")).await;
    assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    assert_eq!(problem(reply).code, "IDEMPOTENCY_IN_PROGRESS");
    let other = with(&changed(&hole()), "1");
    assert_eq!(ingester.code(other).await, "IDEMPOTENCY_CONFLICT");

    installation
        .by_hand("evidence", &aged(installation.on_postgres(), 120))
        .await;
    let reply = ingester.send(with(&hole(), "1")).await;
    let answer: IngestAnswer = reply.clone().json().unwrap();
    assert_eq!(answer.outcome, Outcome::Identical);
    let documents: Page<DocumentRecord> = again
        .analyst("acme")
        .get("/api/v1/evidence/documents")
        .await;
    assert_eq!(documents.items.len(), 1);
    drop(again);

    let last = installation.start(None);
    let answered = last.ingester("acme").send(with(&hole(), "1")).await;
    assert_eq!(said(&answered), said(&reply));
}

mod a_process_that_dies_between_data_and_answer_has_no_second_effect {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        dies_between_data_and_answer(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        dies_between_data_and_answer(Installation::filesystem().await).await;
    }
}
