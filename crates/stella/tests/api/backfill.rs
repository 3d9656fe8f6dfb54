//! What was kept before there was a log is logged by the migration that makes it, of every tenant.

use std::sync::Arc;

use serde_json::json;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use stella::platform::MIGRATIONS;
use stella_api::changes::ChangePage;
use stella_api::rebuild::{RebuildAnswer, RebuildRequest};
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_canonical::Digest;
use stella_storage::{Connection, DataFolder, Migrations};
use stella_testkit::postgres;

use crate::fixtures::advisory;
use crate::world::World;

/// Evidence's migrations before the log.
fn before() -> Migrations {
    let older = |of: &Migrator| -> &'static Migrator {
        let older = of.iter().filter(|one| one.version < 6).cloned().collect();
        Box::leak(Box::new(Migrator::with_migrations(older)))
    };
    let all = stella_evidence::MIGRATIONS;
    Migrations {
        postgres: older(all.postgres),
        sqlite: older(all.sqlite),
        ..all
    }
}

const TENANTS: [&str; 2] = ["acme", "globex"];

const PUBLISHER: &str = "it's \"quoted\" \u{e4}";

/// One of two documents of a tenant.
fn document(tenant: &str, which: &str, second: u8) -> String {
    let mut hole = advisory("A-1", &[], "alpha", "2.0.0");
    hole["modified"] = format!("1970-01-01T00:00:0{second}Z").into();
    hole["summary"] = format!("{tenant} {which}").into();
    hole.to_string()
}

/// Two documents of a tenant as an older binary left them; the one that came later is named first.
fn rows(tenant: &str, bytes: impl Fn(&str) -> String, time: impl Fn(u8) -> String) -> String {
    let row = |(which, second): (&str, u8)| {
        let text = document(tenant, which, second);
        let (digest, size) = (Digest::of(text.as_bytes()), text.len());
        let (literal, at) = (bytes(&text), time(second));
        let received = format!("1970-01-01T00:00:0{second}Z");
        let record = json!({
            "id": digest, "tenant": tenant, "kind": "advisory",
            "source": {"publisher": PUBLISHER, "stream": "local"},
            "upstream": {"id": "A-1", "fetchedAt": received, "contentDigest": digest},
            "content": {"format": "osv", "mediaType": "application/json", "size": size},
            "identifiers": ["A-1"], "references": [], "outcome": "stored",
            "location": "database", "receivedAt": received, "receivedBy": "c",
        });
        let [record, publisher] =
            [&record.to_string(), PUBLISHER].map(|one| one.replace('\'', "''"));
        format!(
            "INSERT INTO evidence.raw_documents (tenant, digest, kind, size, bytes, received_at) \
             VALUES ('{tenant}', '{digest}', 'advisory', {size}, {literal}, {at}); \
             INSERT INTO evidence.provenance (tenant, digest, publisher, stream, kind, upstream_id, \
             revision_at, fetched_at, received_at, record) VALUES ('{tenant}', '{digest}', \
             '{publisher}', 'local', 'advisory', 'A-1', {at}, {at}, {at}, '{record}');"
        )
    };
    [("later", 2), ("earlier", 1)].map(row).join(" ")
}

async fn all_is_logged(world: World) {
    assert_eq!(world.seal().await, 4);
    for tenant in TENANTS {
        let analyst = world.analyst(tenant);
        let page: ChangePage = analyst.get("/api/v1/evidence/changes").await;
        let told: Vec<String> = page
            .changes
            .iter()
            .map(|change| change.document.clone())
            .collect();
        let documents = [("earlier", 1), ("later", 2)].map(|(which, second)| {
            Digest::of(document(tenant, which, second).as_bytes()).to_string()
        });
        assert_eq!(told, documents);
        let first = &page.changes[0];
        assert_eq!(first.observed.publisher, PUBLISHER);
        assert_eq!(
            (first.observed.event.as_str(), first.recorded_at.as_str()),
            ("advisory.observation.updated@1", "1970-01-01T00:00:01Z")
        );
        // Nothing was derived from them here.
        let rebuilt: RebuildAnswer = world
            .operator(tenant)
            .post("/api/v1/evidence/rebuild", &RebuildRequest::default())
            .await;
        assert_eq!((rebuilt.compared, rebuilt.mended), (2, 2));
        let verified: VerifyAnswer = analyst
            .post("/api/v1/evidence/verify", &VerifyRequest::default())
            .await;
        assert_eq!(
            (verified.violations, verified.checked.values().sum::<u64>()),
            (vec![], 2)
        );
    }
}

#[tokio::test]
async fn postgres() {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "beforethelog", async |_| {}).await;
    let database = postgres::clone(&cluster, "beforethelog").await;
    let owner = Connection::parse(&database.owner_url).unwrap();
    before().run_postgres(&owner).await.unwrap();
    let mut raw = PgConnection::connect(&database.owner_url).await.unwrap();
    for tenant in TENANTS {
        let set = format!("SELECT set_config('stella.tenant', '{tenant}', false)");
        raw.execute(AssertSqlSafe(set)).await.unwrap();
        let rows = rows(
            tenant,
            |text| format!("convert_to('{text}', 'UTF8')"),
            |at| format!("to_timestamp({at})"),
        );
        raw.execute(sqlx::raw_sql(AssertSqlSafe(rows)))
            .await
            .unwrap();
    }
    for migrations in MIGRATIONS {
        migrations.run_postgres(&owner).await.unwrap();
    }
    // What the migration let its owner see for a while is forced again.
    let seen: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM evidence.provenance p, evidence.raw_documents r \
         WHERE p.tenant = 'acme' AND r.tenant = 'acme'",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    assert_eq!(seen, 0, "the connection is globex's");
    all_is_logged(World::postgres_of(&database).await).await;
}

#[tokio::test]
async fn filesystem() {
    let folder: Arc<DataFolder> = DataFolder::open(&tempfile::tempdir().unwrap().keep()).unwrap();
    let db = before().open_sqlite(&folder).await.unwrap();
    let stella_storage::Db::Sqlite { writer, .. } = &db else {
        panic!("a SQLite database")
    };
    for tenant in TENANTS {
        let rows = rows(
            tenant,
            |text| format!("CAST('{text}' AS BLOB)"),
            |at| format!("{at}000000"),
        );
        sqlx::raw_sql(AssertSqlSafe(rows))
            .execute(writer)
            .await
            .unwrap();
    }
    writer.close().await;
    drop(db);
    all_is_logged(World::embedded(folder).await).await;
}
