//! Editing what is stored, as somebody with all rights would.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::world::World;

/// Runs a statement as somebody with all rights on the database would.
pub async fn by_hand(world: &World, schema: &str, tables: &[&str], statement: &str) {
    match &world.owner_url {
        Some(url) => by_hand_at(url, schema, tables, statement).await,
        None => by_hand_in(world.folder.as_ref().unwrap().root(), schema, statement).await,
    }
}

/// The same as the owner of a PostgreSQL database, on rows of acme.
pub async fn by_hand_at(url: &str, schema: &str, tables: &[&str], statement: &str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    owner
        .execute("SELECT set_config('stella.tenant', 'acme', false)")
        .await
        .unwrap();
    for table in tables {
        // All that refuse a change; what is added goes on to wait for its place in a log.
        let off = format!(
            "ALTER TABLE {schema}.{table} DISABLE TRIGGER USER; \
             DO $$ BEGIN ALTER TABLE {schema}.{table} ENABLE TRIGGER await_seal; \
             EXCEPTION WHEN undefined_object THEN NULL; END $$"
        );
        owner.execute(AssertSqlSafe(off)).await.unwrap();
    }
    let done = owner
        .execute(AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
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
        "SELECT name FROM {schema}.sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'"
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

/// Makes a `!` of one byte of acme's document.
pub async fn edit(world: &World, document: &str, at: usize) {
    let statement = match world.owner_url {
        Some(_) => format!(
            "UPDATE evidence.raw_documents SET bytes = set_byte(bytes, {at}, 33) \
             WHERE tenant = 'acme' AND digest = '{document}'"
        ),
        None => format!("{} AND tenant = 'acme'", edit_in_sqlite(document, at)),
    };
    by_hand(world, "evidence", &["raw_documents"], &statement).await;
}

/// The statement that does so in a SQLite file.
pub fn edit_in_sqlite(document: &str, at: usize) -> String {
    format!(
        "UPDATE evidence.raw_documents SET bytes = \
         CAST(substr(bytes, 1, {at}) || x'21' || substr(bytes, {}) AS BLOB) \
         WHERE digest = '{document}'",
        at + 2
    )
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
