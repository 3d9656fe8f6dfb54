//! Files of embedded databases that cannot be used.

use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};

use crate::StoreError;
use crate::error::opening;

/// A database in a file of its own, made by these statements.
async fn made(statements: &'static str) -> (tempfile::TempDir, PathBuf, SqliteConnectOptions) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.sqlite");
    let options = SqliteConnectOptions::new().filename(&file);
    let make = options.clone().create_if_missing(true);
    let mut made = make.connect().await.unwrap();
    made.execute(statements).await.unwrap();
    (folder, file, options)
}

#[tokio::test]
async fn a_file_that_nobody_may_write_is_named() {
    let (_folder, file, options) = made("CREATE TABLE t (x)").await;
    // As root writes into read-only files too, SQLite itself refuses.
    let mut reader = options.read_only(true).connect().await.unwrap();
    let refused = reader.execute("CREATE TABLE u (x)").await.unwrap_err();
    match opening(&file, refused) {
        StoreError::File { file: named, .. } => assert_eq!(named, file.display().to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_stored_data_that_cannot_be_read() {
    let (_folder, file, options) = made("CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
    let mut bytes = std::fs::read(&file).unwrap();
    let second = bytes.len() / 2;
    bytes[second..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let mut reader = options.connect().await.unwrap();
    let error = sqlx::query("SELECT x FROM t").fetch_all(&mut reader).await;
    let error = StoreError::from(error.unwrap_err());
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error:?}");
}
