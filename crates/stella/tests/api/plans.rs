//! How SQLite goes about what grows: by the figures of Evidence's migration 0008.

use sqlx::{Row as _, SqlitePool};
use stella_storage::Db;

use crate::world::World;

async fn plan(pool: &SqlitePool, statement: &'static str) -> String {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(pool).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
    steps.join("\n")
}

#[tokio::test]
async fn sqlite_looks_up_what_it_would_otherwise_go_through() {
    let world = World::filesystem().await;
    let Db::Sqlite {
        readers, writer, ..
    } = &world.databases.evidence
    else {
        panic!("no SQLite")
    };
    let unknown = "SELECT name FROM evidence.sqlite_master WHERE type = 'index' \
        AND tbl_name IN (SELECT tbl FROM evidence.sqlite_stat1) \
        AND name NOT IN (SELECT idx FROM evidence.sqlite_stat1)";
    let unknown: Vec<String> = sqlx::query_scalar(unknown).fetch_all(writer).await.unwrap();
    assert_eq!(unknown, [""; 0], "an index without figures");

    let rows = [
        (
            "SELECT h.kind FROM evidence.names n \
             JOIN evidence.heads h ON h.tenant = n.tenant AND h.digest = n.digest \
             WHERE n.tenant = 'acme' AND n.identifier = 'CVE-2026-1' AND h.kind IN ('advisory', 'vex')",
            "heads_of_document (tenant=? AND digest=?)",
        ),
        (
            "SELECT p.digest FROM evidence.components c \
             JOIN evidence.packages k ON k.tenant = c.tenant AND k.ecosystem = c.ecosystem \
               AND k.package = c.package \
             JOIN evidence.provenance p ON p.tenant = k.tenant AND p.digest = k.digest \
             WHERE c.tenant = 'acme' AND c.sbom = 'sha256:1'",
            "provenance_1 (tenant=? AND digest=?)",
        ),
        (
            "SELECT digest FROM evidence.names WHERE tenant = 'acme' AND lower(identifier) = 'x'",
            "names_in_any_case",
        ),
        (
            "SELECT digest FROM evidence.heads WHERE tenant = 'acme' AND kind = 'signal' \
             ORDER BY digest, publisher, upstream_id",
            "heads_1 (tenant=? AND kind=?)",
        ),
    ];
    // Both have the figures: the one that migrated, and those that came after it.
    for pool in [writer, readers] {
        for (statement, expected) in rows {
            let plan = plan(pool, statement).await;
            assert!(plan.contains(expected), "{statement}\n{plan}");
        }
    }
}
