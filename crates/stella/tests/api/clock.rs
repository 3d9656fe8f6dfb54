//! The machine's clock jumps by an hour, back and forth, between writes, around seals and with
//! tokens in hand. A process cannot be told what time it is: the house of a test runs on the
//! test's own thread, and there the clock is set. PostgreSQL's own clock stays right.

use jiff::SignedDuration;
use stella_api::Scope;
use stella_api::changes::ChangePage;
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_client::{Call, ClientError};
use stella_context::{Clock, set_off_by};
use stella_signing::{SigningKey, dpop_proof};

use crate::authority::token;
use crate::fixtures::{self, advisory, bytes, line, sbom};
use crate::world::{World, on_every_driver};

/// By how many hours the clock is off, one after the other.
const HOURS: [i64; 6] = [0, 1, -1, 0, -1, 1];

fn off_by(hours: i64) {
    set_off_by(SignedDuration::from_hours(hours));
}

fn hole(name: &str) -> Vec<u8> {
    bytes(&advisory(name, &[], "alpha", "2.0.0"))
}

fn keyed(step: usize) -> Call {
    let call = fixtures::ingest("advisory", &hole(&format!("RUSTSEC-2026-{step}000")));
    let name = "idempotency-key".parse().unwrap();
    call.with(name, format!("key-{step}").parse().unwrap())
}

/// The place in a problem, and what it says of it.
async fn told(world: &World, token: &str, dpop: &SigningKey, proof_at: i64) -> (String, String) {
    let path = "/api/v1/authority/whoami";
    let url = format!("{}{path}", world.url);
    let id = format!("{proof_at}{}", Clock::System.now());
    let proof = dpop_proof(dpop, "GET", &url, proof_at, &id, Some(token)).unwrap();
    let call = Call::get(path)
        .with(
            "authorization".parse().unwrap(),
            format!("DPoP {token}").parse().unwrap(),
        )
        .with("dpop".parse().unwrap(), proof.parse().unwrap());
    match world.http().send(call).await.unwrap().success() {
        Ok(_) => (String::new(), String::new()),
        Err(ClientError::Problem(problem)) => (problem.code, problem.detail),
        Err(other) => panic!("{other:?}"),
    }
}

on_every_driver! {
    async fn a_clock_that_jumps_loses_nothing_and_order_by_position_stays(world) {
        // One session through all of it: its tokens come to be of the future and of the past.
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut posted = vec![ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await.id];
        for (step, hours) in HOURS.into_iter().enumerate() {
            off_by(hours);
            let single: IngestAnswer = ingester.send(keyed(step)).await.json().unwrap();
            assert_eq!(single.outcome, Outcome::Stored);
            posted.push(single.id);
            // Every other jump finds entries that wait for the sealer.
            if step % 2 == 0 {
                world.seal().await;
            }
            let batch: Vec<_> = (1..4).map(|n| hole(&format!("RUSTSEC-2026-{step}00{n}"))).collect();
            let lines = batch.iter().map(|one| line(one)).collect();
            ingester.send(fixtures::batch("advisory", lines)).await.success().unwrap();
            posted.extend(batch.iter().map(|one| stella_canonical::Digest::of(one).to_string()));
        }
        for hours in HOURS {
            off_by(hours);
            world.seal().await;
            let page: ChangePage = analyst.get("/api/v1/evidence/changes?limit=500").await;
            let told: Vec<_> = page.changes.iter().map(|change| &change.document).collect();
            assert_eq!(told, posted.iter().collect::<Vec<_>>(), "off by {hours}");
            let positions = page.changes.iter().map(|change| change.position);
            assert!(positions.eq(1..=posted.len() as u64));
            let verified: VerifyAnswer =
                analyst.post("/api/v1/evidence/verify", &VerifyRequest::default()).await;
            assert_eq!(verified.violations, [], "off by {hours}");
            assert_eq!(verified.checked.values().sum::<u64>(), posted.len() as u64);
            // First answers, of the past and of the future: what was stored is not `identical`.
            for step in 0..HOURS.len() {
                let again: IngestAnswer = ingester.send(keyed(step)).await.json().unwrap();
                assert_eq!(again.outcome, Outcome::Stored, "off by {hours}");
            }
        }
        let findings: stella_api::Page<stella_api::findings::Finding> =
            analyst.get("/api/v1/findings?pageSize=500").await;
        assert_eq!(findings.items.len(), posted.len() - 1);
        off_by(24 + 2);
        let again: IngestAnswer = ingester.send(keyed(1)).await.json().unwrap();
        assert_eq!(again.outcome, Outcome::Identical, "its day is over");
    }

    /// What a document follows is what came before it, whatever the clock said then.
    async fn a_revision_follows_the_one_that_came_before(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut before = None;
        for (n, hours) in [1, 0, -1, 1].into_iter().enumerate() {
            off_by(hours);
            let revision = advisory("RUSTSEC-2026-0001", &[&format!("CVE-2026-{n}")], "alpha", "2.0.0");
            let id = ingester.ingest("advisory", &bytes(&revision)).await.id;
            let record: DocumentRecord = analyst.get(&format!("/api/v1/evidence/documents/{id}")).await;
            assert_eq!(record.supersedes, before, "revision {n}");
            before = Some(id);
        }
    }

    async fn a_token_of_another_time_is_refused_with_the_reason(world) {
        let dpop = || SigningKey::generate().unwrap();
        let (early, late) = (dpop(), dpop());
        off_by(1);
        let of_the_future = token(&world, "acme", Scope::RiskRead, &early).await;
        off_by(-1);
        let of_the_past = token(&world, "acme", Scope::RiskRead, &late).await;
        off_by(0);
        let now = Clock::System.now().as_second();
        let (code, reason) = told(&world, &of_the_future, &early, now).await;
        assert!(code == "TOKEN_INVALID" && reason.contains("check the clocks"), "{code} {reason}");
        let (code, reason) = told(&world, &of_the_past, &late, now).await;
        assert!(code == "TOKEN_INVALID" && reason.contains("expired"), "{code} {reason}");
        let key = dpop();
        let of_now = token(&world, "acme", Scope::RiskRead, &key).await;
        for off in [-3600, 3600] {
            let (code, reason) = told(&world, &of_now, &key, now + off).await;
            assert!(code == "DPOP_INVALID" && reason.contains("check the clocks"), "{code} {reason}");
        }
        assert_eq!(told(&world, &of_now, &key, now).await.0, "");
        // The hour has come, and gone.
        off_by(1);
        let now = Clock::System.now().as_second();
        assert_eq!(told(&world, &of_the_future, &early, now).await.0, "");
    }
}
