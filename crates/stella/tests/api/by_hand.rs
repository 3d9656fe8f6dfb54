//! Editing what is stored, as somebody with all rights would.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::world::World;

/// Runs a statement as somebody with all rights on the database would.
pub async fn by_hand(world: &World, schema: &str, tables: &[&str], statement: &str) {
    if let Some(url) = &world.owner_url {
        let mut owner = PgConnection::connect(url).await.unwrap();
        owner
            .execute("SELECT set_config('stella.tenant', 'acme', false)")
            .await
            .unwrap();
        for table in tables {
            let off = format!("ALTER TABLE {schema}.{table} DISABLE TRIGGER USER");
            owner.execute(AssertSqlSafe(off)).await.unwrap();
        }
        let done = owner
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        return;
    }
    by_hand_in(world.folder.as_ref().unwrap().root(), schema, statement).await;
}

/// The same in a data folder.
pub async fn by_hand_in(root: &Path, schema: &str, statement: &str) {
    let file = root.join("db").join(format!("{schema}.sqlite"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(":memory:");
    let mut raw = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let attach = format!("ATTACH DATABASE '{}' AS {schema}", file.display());
    raw.execute(AssertSqlSafe(attach)).await.unwrap();
    let triggers: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT name FROM {schema}.sqlite_master WHERE type = 'trigger'"
    )))
    .fetch_all(&mut raw)
    .await
    .unwrap();
    for trigger in triggers {
        raw.execute(AssertSqlSafe(format!("DROP TRIGGER {schema}.{trigger}")))
            .await
            .unwrap();
    }
    let done = raw
        .execute(AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

/// Every file below a folder of blobs.
pub fn blobs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(blobs(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}
