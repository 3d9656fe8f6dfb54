//! The process dies between two steps of an ingest (ADR 0003): what was durable is there after
//! the next start and what follows from it is made up for; the rest never was.

use std::os::unix::process::ExitStatusExt as _;

use sqlx::Executor as _;
use stella_api::Page;
use stella_api::evidence::{DocumentRecord, Outcome};
use stella_api::findings::Finding;
use stella_api::health::Readiness;
use stella_client::Call;

use crate::fixtures::{self, advisory, bytes, sbom};
use crate::process::Installation;
use crate::world::Caller;

/// The signal that a process gives itself.
const SIGABRT: i32 = 6;
/// What a process says that had something to make up for.
const DERIVED: &str = "derived what was kept before";

async fn raw(caller: &Caller, document: &str) -> Vec<u8> {
    let path = format!("/api/v1/evidence/documents/{document}/raw");
    let reply = caller.send(Call::get(&path)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    reply.body.to_vec()
}

async fn findings(caller: &Caller) -> Vec<Finding> {
    let page: Page<Finding> = caller.get("/api/v1/findings").await;
    page.items
}

/// How many documents readiness says are still to be derived from.
async fn due(caller: &Caller) -> u64 {
    let ready: Readiness = caller.get("/readyz").await;
    assert!(ready.ready, "{ready:?}");
    let check = ready
        .checks
        .into_iter()
        .find(|check| check.name == "derivations");
    check.unwrap().backlog.map_or(0, |left| left.count)
}

/// Kept and not derived from: the next process does that once it listens.
async fn between_keeping_and_deriving(installation: Installation) {
    let components = bytes(&sbom(&["alpha@1.0.0"]));
    let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let first = installation.start(None);
    first.ingester("acme").ingest("sbom", &components).await;
    // A second tenant holds the same SBOM: what is made up for is the first one's alone.
    first.ingester("globex").ingest("sbom", &components).await;
    drop(first);

    let dying = installation.start(Some("evidence-kept"));
    let ingester = dying.ingester("acme");
    let end = dying
        .dies_of(&ingester, fixtures::ingest("advisory", &hole))
        .await;
    assert_eq!(end.signal(), Some(SIGABRT));

    let again = installation.start(None);
    again.said(DERIVED);
    let analyst = again.analyst("acme");
    let found = findings(&analyst).await;
    assert_eq!(found.len(), 1);
    assert_eq!(raw(&analyst, &found[0].matched.document).await, hole);
    let posted = again.ingester("acme").ingest("advisory", &hole).await;
    assert_eq!(posted.outcome, Outcome::Identical);
    assert_eq!(findings(&analyst).await, found);
    let globex = again.analyst("globex");
    let documents: Page<DocumentRecord> = globex.get("/api/v1/evidence/documents").await;
    assert_eq!(documents.items.len(), 1);
    drop(again);

    // Nothing is due any more.
    let last = installation.start(None);
    let analyst = last.analyst("acme");
    assert_eq!(due(&analyst).await, 0);
    assert_eq!(findings(&analyst).await, found);
}

/// The blob of a large document is durable and its row is not: the document never came.
async fn between_blob_and_row(installation: Installation) {
    let mut hole = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
    hole["details"] = "y".repeat(300 * 1024).into();
    let hole = bytes(&hole);
    let dying = installation.start(Some("evidence-blob-put"));
    let ingester = dying.ingester("acme");
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    let end = dying
        .dies_of(&ingester, fixtures::ingest("advisory", &hole))
        .await;
    assert_eq!(end.signal(), Some(SIGABRT));
    assert_eq!(
        installation.blobs("evidence").len(),
        1,
        "the blob came before the row"
    );

    let again = installation.start(None);
    let (ingester, analyst) = (again.ingester("acme"), again.analyst("acme"));
    let document = stella_canonical::Digest::of(&hole);
    for path in [format!("{document}"), format!("{document}/raw")] {
        let path = format!("/api/v1/evidence/documents/{path}");
        assert_eq!(analyst.code(Call::get(&path)).await, "NOT_FOUND");
    }
    let posted = ingester.ingest("advisory", &hole).await;
    assert_eq!(
        (posted.outcome, posted.id),
        (Outcome::Stored, document.to_string())
    );
    assert_eq!(raw(&analyst, &document.to_string()).await, hole);
    assert_eq!(findings(&analyst).await.len(), 1);
    assert_eq!(installation.blobs("evidence").len(), 1);
}

/// A chunk is written and not committed: nothing of it has come. Committed and not derived from:
/// all of it has.
async fn within_a_chunk(installation: Installation) {
    let holes = (0..20).map(|n| {
        bytes(&advisory(
            &format!("RUSTSEC-2026-{n:04}"),
            &[],
            "alpha",
            "2.0.0",
        ))
    });
    let text: String = holes.map(|hole| fixtures::line(&hole)).collect();
    let call = || fixtures::batch("advisory", text.clone());
    let first = installation.start(None);
    let components = bytes(&sbom(&["alpha@1.0.0"]));
    first.ingester("acme").ingest("sbom", &components).await;
    drop(first);
    let documents = async |caller: &Caller| -> usize {
        let path = "/api/v1/evidence/documents?kind=advisory";
        let page: Page<DocumentRecord> = caller.get(path).await;
        page.items.len()
    };
    for (point, there) in [("evidence-written", 0), ("evidence-kept", 20)] {
        let dying = installation.start(Some(point));
        let ingester = dying.ingester("acme");
        let end = dying.dies_of(&ingester, call()).await;
        assert_eq!(end.signal(), Some(SIGABRT), "{point}");
        let again = installation.start(None);
        let analyst = again.analyst("acme");
        match there {
            0 => assert_eq!(due(&analyst).await, 0, "{point}"),
            _ => drop(again.said(DERIVED)),
        }
        assert_eq!(documents(&analyst).await, there, "{point}");
    }
    let last = installation.start(None);
    let reply = last.ingester("acme").send(call()).await;
    let told = String::from_utf8(reply.body.to_vec()).unwrap();
    assert_eq!(told.matches("\"outcome\":\"identical\"").count(), 20);
    assert_eq!(findings(&last.analyst("acme")).await.len(), 20);
}

mod within_a_chunk_all_or_nothing_has_come {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        within_a_chunk(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        within_a_chunk(Installation::filesystem().await).await;
    }
}

/// Whoever takes an SBOM in meanwhile finds the advisory all the same.
#[tokio::test]
async fn what_is_kept_and_not_derived_from_is_there_for_others() {
    let installation = Installation::postgres().await;
    let standing = installation.start(None);
    let dying = installation.start(Some("evidence-kept"));
    let ingester = dying.ingester("acme");
    let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let call = fixtures::ingest("advisory", &hole);
    dying.dies_of(&ingester, call).await;
    let components = bytes(&sbom(&["alpha@1.0.0"]));
    standing.ingester("acme").ingest("sbom", &components).await;
    assert_eq!(findings(&standing.analyst("acme")).await.len(), 1);
}

/// However long the backlog takes: it listens, answers, and says what waits.
#[tokio::test]
async fn a_backlog_keeps_no_port_shut() {
    let installation = Installation::postgres().await;
    let dying = installation.start(Some("evidence-kept"));
    let ingester = dying.ingester("acme");
    let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let call = fixtures::ingest("advisory", &hole);
    dying.dies_of(&ingester, call).await;

    // Whoever derives waits for this lock, and nobody else does.
    let mut owner = installation.owner().await;
    let lock = "BEGIN; LOCK TABLE evidence.heads IN EXCLUSIVE MODE";
    owner.execute(lock).await.unwrap();
    let again = installation.start(None);
    assert_eq!(due(&again.analyst("acme")).await, 1);
    owner.execute("ROLLBACK").await.unwrap();
    again.said(DERIVED);
    assert_eq!(due(&again.analyst("acme")).await, 0);
}

mod between_keeping_and_deriving_nothing_is_lost {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        between_keeping_and_deriving(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        between_keeping_and_deriving(Installation::filesystem().await).await;
    }
}

mod between_blob_and_row_nothing_has_come {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        between_blob_and_row(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        between_blob_and_row(Installation::filesystem().await).await;
    }
}
