//! Transactions: whole or not at all, of one tenant, and reads that cannot write.

use sqlx::{query, query_scalar};
use stella_context::OpContext;

use super::{of, on_every_driver};
use crate::{Db, StoreError, Tx, execute, on};

async fn add(tx: &mut Tx, tenant: &str, id: i64) -> Result<u64, StoreError> {
    let insert = "INSERT INTO probe.notes (tenant, id) VALUES ($1, $2)";
    Ok(execute!(tx, query(insert).bind(tenant).bind(id))?)
}

async fn kept(db: &Db, op: &OpContext, id: i64) {
    let mut tx = db.write(op).await.unwrap();
    add(&mut tx, op.tenant().as_str(), id).await.unwrap();
    tx.commit().await.unwrap();
}

/// The ids of a tenant's rows, as a store asks for them.
async fn ids(db: &Db, op: &OpContext) -> Vec<i64> {
    let mut tx = db.read(op).await.unwrap();
    let ids = on!(&mut tx, c => query_scalar(
        "SELECT id FROM probe.notes WHERE tenant = $1 ORDER BY id",
    ).bind(op.tenant().as_str()).fetch_all(c));
    tx.commit().await.unwrap();
    ids.unwrap()
}

on_every_driver! {
    async fn what_is_not_committed_leaves_nothing(db) {
        let acme = of("acme");
        let mut tx = db.write(&acme).await.unwrap();
        add(&mut tx, "acme", 1).await.unwrap();
        drop(tx);
        // The connection of before is used again, and carries nothing over.
        assert_eq!(ids(&db, &acme).await, [] as [i64; 0]);
        kept(&db, &acme, 2).await;
        assert_eq!(ids(&db, &acme).await, [2]);
    }

    async fn a_failed_statement_leaves_nothing_of_its_transaction(db) {
        let acme = of("acme");
        kept(&db, &acme, 1).await;
        let mut tx = db.write(&acme).await.unwrap();
        add(&mut tx, "acme", 2).await.unwrap();
        let refused = add(&mut tx, "acme", 1).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused:?}");
        drop(tx);
        assert_eq!(ids(&db, &acme).await, [1]);
    }

    async fn a_wrong_statement_is_no_conflict(db) {
        let mut tx = db.write(&of("acme")).await.unwrap();
        let refused: Result<u64, sqlx::Error> = execute!(&mut tx, query("INSERT INTO probe.nowhere VALUES (1)"));
        let refused = StoreError::from(refused.unwrap_err());
        assert!(matches!(refused, StoreError::Statement(_)), "{refused:?}");
    }

    async fn two_tenants_hold_the_same_key_apart(db) {
        let (acme, globex) = (of("acme"), of("globex"));
        kept(&db, &acme, 1).await;
        kept(&db, &globex, 1).await;
        kept(&db, &globex, 2).await;
        assert_eq!((ids(&db, &acme).await, ids(&db, &globex).await), (vec![1], vec![1, 2]));
    }

    /// A client may hang up at any moment, and with it goes whoever waits for the transaction.
    async fn who_goes_away_while_a_transaction_begins_leaves_no_connection_within_it(db) {
        let (acme, globex) = (of("acme"), of("globex"));
        for polls in 0..24 {
            for _ in 0..8 {
                let mut begin = Box::pin(db.read(&globex));
                for _ in 0..polls {
                    if futures_util::poll!(&mut begin).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            kept(&db, &acme, polls).await;
            let system = stella_context::SystemContext::new("test", stella_context::Clock::System);
            let mut tx = db.system(&system).await.unwrap();
            if matches!(tx, Tx::Postgres(_)) {
                assert_eq!(seen(&mut tx).await, [] as [String; 0]);
            }
        }
        assert_eq!(ids(&db, &acme).await, (0..24).collect::<Vec<i64>>());
    }

    async fn writers_at_once_all_get_their_turn(db) {
        let acme = of("acme");
        let all = (0..24).map(|id| kept(&db, &acme, id));
        futures_util::future::join_all(all).await;
        assert_eq!(ids(&db, &acme).await, (0..24).collect::<Vec<i64>>());
    }
}

/// All rows that a transaction sees: a query that forgot its `WHERE`.
async fn seen(tx: &mut Tx) -> Vec<String> {
    let tenants =
        on!(tx, c => query_scalar("SELECT tenant FROM probe.notes ORDER BY 1").fetch_all(c));
    tenants.unwrap()
}

#[tokio::test]
async fn the_opening_statement_binds_a_transaction_to_its_tenant() {
    let db = super::on_postgres().await;
    let (acme, globex) = (of("acme"), of("globex"));
    kept(&db, &acme, 1).await;
    kept(&db, &globex, 1).await;
    for op in [&acme, &globex] {
        let tenant = op.tenant().to_string();
        let mut tx = db.read(op).await.unwrap();
        assert_eq!(seen(&mut tx).await, [tenant.as_str()]);
        drop(tx);
        let mut tx = db.write(op).await.unwrap();
        assert_eq!(seen(&mut tx).await, [tenant.as_str()]);
    }
    let mut tx = db.write(&acme).await.unwrap();
    let refused = add(&mut tx, "globex", 2).await.unwrap_err();
    assert!(
        refused.to_string().contains("row-level security"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_transaction_of_the_installation_sees_no_tenants_rows() {
    let db = super::on_postgres().await;
    // As many as the pool can hold, so that one of them would carry a tenant over.
    let acme = of("acme");
    futures_util::future::join_all((0..32).map(|id| kept(&db, &acme, id))).await;
    let system = stella_context::SystemContext::new("test", stella_context::Clock::System);
    for _ in 0..32 {
        let mut tx = db.system(&system).await.unwrap();
        assert_eq!(seen(&mut tx).await, [] as [String; 0]);
    }
    let tenant = "acme".parse().unwrap();
    let mut tx = db.system_in(&system, &tenant).await.unwrap();
    assert_eq!(seen(&mut tx).await.len(), 32);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let folder = crate::DataFolder::temporary().unwrap();
    for db in [super::embedded(&folder).await, super::on_postgres().await] {
        let acme = of("acme");
        let mut tx = db.read(&acme).await.unwrap();
        let refused = add(&mut tx, "acme", 1).await.unwrap_err();
        // Of PostgreSQL nobody can tell it from a database that takes no writes at all.
        let told = matches!(refused, StoreError::Statement(_) | StoreError::ReadOnly);
        assert!(told, "{refused:?}");
        drop(tx);
        assert_eq!(ids(&db, &acme).await, [] as [i64; 0]);
    }
}

/// SQLite rolls back by itself where the disk is full, and sqlx does not hear of it: what comes
/// behind it begins all the same.
#[tokio::test]
async fn a_full_disk_is_gone_on_from_once_there_is_room() {
    let folder = crate::DataFolder::temporary().unwrap();
    let db = super::embedded(&folder).await;
    let acme = of("acme");
    kept(&db, &acme, 1).await;
    let mut tx = db.write(&acme).await.unwrap();
    let full = async |tx: &mut Tx| -> Result<(), StoreError> {
        on!(tx, postgres _c => std::future::ready(Ok::<_, sqlx::Error>(())), sqlite c => async {
            query("PRAGMA probe.max_page_count = 1").execute(&mut *c).await?;
            let many = "INSERT INTO probe.notes (tenant, id) SELECT $1, value + 10 FROM \
                (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n \
                WHERE value < 100000) SELECT value FROM n)";
            query(many).bind("acme").execute(&mut *c).await.map(drop)
        })?;
        Ok(())
    };
    let refused = full(&mut tx).await.unwrap_err();
    assert!(
        refused.is_away() && refused.to_string().contains("full"),
        "{refused}"
    );
    drop(tx);
    kept(&db, &acme, 2).await;
    assert_eq!(ids(&db, &acme).await, [1, 2]);
}
