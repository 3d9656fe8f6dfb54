//! The log while processes write, seal and are killed: whatever was answered stands in it once.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use stella_api::changes::{Change, ChangePage};
use stella_api::health::Readiness;
use stella_api::verify::{VerifyAnswer, VerifyRequest};

use crate::fixtures::{self, advisory, bytes};
use crate::process::{Installation, Running};
use crate::world::Caller;

const SIGABRT: i32 = 6;
const POINTS: [&str; 3] = ["log-numbered", "log-written", "log-sealed"];

fn hole(name: &str) -> Vec<u8> {
    bytes(&advisory(name, &[], "alpha", "2.0.0"))
}

/// Everything that has its place, once nothing waits any more.
pub async fn whole(caller: &Caller) -> Vec<Change> {
    loop {
        let ready: Readiness = caller.get("/readyz").await;
        let sealer = ready
            .checks
            .iter()
            .find(|check| check.name == "sealer" && check.service == "evidence");
        if sealer.unwrap().backlog.is_none() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/evidence/changes?limit=500&after={after}");
        let page: ChangePage = caller.get(&path).await;
        if page.next == after {
            return all;
        }
        after = page.next;
        all.extend(page.changes);
    }
}

/// Posts until the process is gone; the documents that were answered.
async fn until_it_dies(dying: Running, tenant: &str, point: &str) -> Vec<String> {
    let ingester = dying.ingester(tenant);
    let mut answered = Vec::new();
    for n in 0.. {
        let document = hole(&format!("{point}-{n}"));
        match ingester
            .try_send(fixtures::ingest("advisory", &document))
            .await
        {
            Ok(reply) => {
                assert!(reply.status.is_success(), "{reply:?}");
                answered.push(stella_canonical::Digest::of(&document).to_string());
            }
            Err(_) => break,
        }
    }
    assert_eq!(dying.end().signal(), Some(SIGABRT), "{point}");
    answered
}

/// All of a tenant that was answered has a place, and each place one entry; it verifies.
async fn holds(running: &Running, tenant: &str, answered: &[String]) {
    let analyst = running.analyst(tenant);
    let all = whole(&analyst).await;
    let positions: Vec<u64> = all.iter().map(|change| change.position).collect();
    assert_eq!(positions, (1..=all.len() as u64).collect::<Vec<_>>());
    let documents: BTreeSet<&String> = all.iter().map(|change| &change.document).collect();
    assert_eq!(documents.len(), all.len(), "one came twice");
    let missed: Vec<_> = answered
        .iter()
        .filter(|one| !documents.contains(one))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
    let verified: VerifyAnswer = analyst
        .post("/api/v1/evidence/verify", &VerifyRequest::default())
        .await;
    assert_eq!(verified.violations, [], "{verified:?}");
    assert_eq!(verified.checked.values().sum::<u64>(), all.len() as u64);
}

/// One process after the other dies where it seals.
async fn one_after_the_other(installation: Installation) {
    let mut answered = Vec::new();
    for point in POINTS {
        let dying = installation.start(Some(point));
        answered.extend(until_it_dies(dying, "acme", point).await);
    }
    let last = installation.start(None);
    last.ingester("globex")
        .ingest("advisory", &hole("globex-1"))
        .await;
    holds(&last, "acme", &answered).await;
    holds(&last, "globex", &[]).await;
}

mod whoever_dies_while_sealing_leaves_a_whole_log {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        one_after_the_other(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        one_after_the_other(Installation::filesystem().await).await;
    }
}

/// Two processes seal, writers go on at the one, and the other dies again and again.
#[tokio::test]
async fn another_process_seals_on_while_one_dies_again_and_again() {
    let installation = Installation::postgres().await;
    let standing = installation.start(None);
    let writing = async |tenant: &'static str| {
        let ingester = standing.ingester(tenant);
        let mut answered = Vec::new();
        for n in 0..60 {
            let document = hole(&format!("{tenant}-standing-{n}"));
            answered.push(ingester.ingest("advisory", &document).await.id);
        }
        answered
    };
    let dying = async {
        let mut answered = Vec::new();
        for point in POINTS {
            let dying = installation.start(Some(point));
            answered.extend(until_it_dies(dying, "acme", point).await);
        }
        answered
    };
    let (mut acme, globex, died) = tokio::join!(writing("acme"), writing("globex"), dying);
    acme.extend(died);
    holds(&standing, "acme", &acme).await;
    holds(&standing, "globex", &globex).await;
}
