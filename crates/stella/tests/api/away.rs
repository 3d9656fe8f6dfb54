//! The database goes away, also in mid-request, and comes back: an honest 503, nothing lost,
//! nothing half-written, no restart.

use sqlx::{Connection as _, PgConnection};
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_client::{Call, ClientError, Reply};

use stella_testkit::postgres;

use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::World;

fn refused(reply: Reply) -> String {
    assert_eq!(reply.status.as_u16(), 503, "{reply:?}");
    assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    match reply.success() {
        Err(ClientError::Problem(problem)) => problem.code,
        other => panic!("no problem: {other:?}"),
    }
}

/// Waits until a statement of the database waits for a lock; each look is a round trip.
async fn somebody_waits(owner: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
        WHERE d.datname = current_database() AND NOT l.granted";
    loop {
        let count: i64 = sqlx::query_scalar(waiting)
            .fetch_one(&mut *owner)
            .await
            .unwrap();
        if count > 0 {
            return;
        }
    }
}

#[tokio::test]
async fn the_database_goes_away_in_mid_request_and_comes_back() {
    let (world, link) = World::postgres_over_a_link().await;
    let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
    let kept = ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    // Both have their tokens before anything breaks.
    analyst.send(Call::get("/api/v1/findings")).await;
    let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let key = ("idempotency-key".parse().unwrap(), "1".parse().unwrap());
    let keyed = fixtures::ingest("advisory", &document).with(key.0, key.1);

    // The writing transaction stands still within its statement when the link breaks.
    let mut owner = PgConnection::connect(world.owner_url.as_deref().unwrap())
        .await
        .unwrap();
    let mut lock = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE evidence.provenance IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let posted = ingester.send(keyed.clone());
    let cut = async {
        somebody_waits(&mut lock).await;
        link.cut();
    };
    let (reply, ()) = tokio::join!(posted, cut);
    assert_eq!(refused(reply), "UNAVAILABLE");
    lock.rollback().await.unwrap();

    // While it is away every read and write says so, and so does readiness.
    let path = format!("/api/v1/evidence/documents/{}", kept.id);
    let write = fixtures::ingest("advisory", &document);
    for reply in [
        analyst.send(Call::get(&path)).await,
        analyst.send(Call::get("/api/v1/findings")).await,
        ingester.send(write).await,
    ] {
        assert_eq!(refused(reply), "UNAVAILABLE");
    }
    let ready = world.http().send(Call::get("/readyz")).await.unwrap();
    assert_eq!(ready.status.as_u16(), 503);
    let alive = world.http().send(Call::get("/healthz")).await.unwrap();
    assert_eq!(alive.status.as_u16(), 200);

    let new = world
        .analyst("globex")
        .try_send(Call::get("/api/v1/findings"))
        .await;
    let Err(ClientError::Problem(told)) = new else {
        panic!("a token without a database: {new:?}")
    };
    assert_eq!((told.status, told.code.as_str()), (503, "UNAVAILABLE"));

    link.mend();
    let record: DocumentRecord = analyst.get(&path).await;
    assert_eq!(record.id, kept.id);
    // The key of the broken call is free: its process lives.
    let again = ingester.send(keyed).await.success().unwrap();
    let again: IngestAnswer = again.json().unwrap();
    assert_eq!(
        again.outcome,
        Outcome::Stored,
        "nothing of the broken call was kept"
    );
    let findings: serde_json::Value = analyst.get("/api/v1/findings").await;
    assert_eq!(findings["items"].as_array().unwrap().len(), 1);
    let ready = world.http().send(Call::get("/readyz")).await.unwrap();
    assert_eq!(ready.status.as_u16(), 200);
}

/// A standby that was not promoted yet, a primary that was demoted, a disk that ran full under a
/// provider's hands: reads are answered, a write is to be tried again, and readiness says why.
#[tokio::test]
async fn a_database_that_takes_no_writes_is_told_as_that() {
    let world = World::postgres().await;
    let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
    let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    let list = Call::get("/api/v1/evidence/documents");
    analyst.send(list.clone()).await;
    let database = world.owner_url.as_deref().unwrap().rsplit('/').next();
    let database = database.unwrap();
    let cluster = postgres::cluster().await;
    let superuser = cluster.url("postgres", database);
    let mut owner = PgConnection::connect(&superuser).await.unwrap();
    // Connections know it from their first moment on.
    let set = async |owner: &mut PgConnection, what: &str| {
        let set = format!("ALTER DATABASE {database} {what}");
        let set = sqlx::query(sqlx::AssertSqlSafe(set));
        set.execute(&mut *owner).await.unwrap();
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query(others).execute(&mut *owner).await.unwrap();
    };
    set(&mut owner, "SET default_transaction_read_only = on").await;
    let posted = ingester.send(fixtures::ingest("advisory", &document)).await;
    assert_eq!(refused(posted), "UNAVAILABLE");
    let ready = world.http().send(Call::get("/readyz")).await.unwrap();
    let told = String::from_utf8_lossy(&ready.body).into_owned();
    assert!(
        ready.status.as_u16() == 503 && told.contains("STORAGE_READ_ONLY"),
        "{told}"
    );
    let read = analyst.send(list).await;
    assert_eq!(read.status.as_u16(), 200);

    // A lock that somebody holds for longer than the operator lets anybody wait.
    set(&mut owner, "RESET default_transaction_read_only").await;
    set(&mut owner, "SET lock_timeout = '50ms'").await;
    let mut lock = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE evidence.provenance IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let posted = ingester.send(fixtures::ingest("advisory", &document)).await;
    assert_eq!(refused(posted), "UNAVAILABLE");
    lock.rollback().await.unwrap();

    ingester.ingest("advisory", &document).await;
    let ready = world.http().send(Call::get("/readyz")).await.unwrap();
    assert_eq!(ready.status.as_u16(), 200);
}
