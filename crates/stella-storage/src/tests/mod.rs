//! What a store may rely on, on every driver.

mod files;
mod migrations;
mod times;
mod transactions;

use std::sync::Arc;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};
use stella_context::{Actor, Clock, OpContext, TraceId};
use stella_testkit::postgres::{self, TestDatabase};

use crate::{Connection, DataFolder, Db, Migrations};

/// Runs a test once on each driver, each time on a database of its own.
macro_rules! on_every_driver {
    ($($(#[$doc:meta])* async fn $name:ident($db:ident) $body:block)*) => {
        $($(#[$doc])* mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn case($db: crate::Db) $body

            #[tokio::test]
            async fn postgres() {
                case(crate::tests::on_postgres().await).await;
            }

            #[tokio::test]
            async fn filesystem() {
                let root = tempfile::tempdir().unwrap();
                let folder = crate::DataFolder::open(root.path()).unwrap();
                case(crate::tests::embedded(&folder).await).await;
            }

            #[tokio::test]
            async fn inmemory() {
                let folder = crate::DataFolder::temporary().unwrap();
                case(crate::tests::embedded(&folder).await).await;
            }
        })*
    };
}
pub(crate) use on_every_driver;

const POSTGRES: &str = "\
    CREATE TABLE probe.notes (tenant text NOT NULL, id bigint NOT NULL, at timestamptz, \
        PRIMARY KEY (tenant, id)); \
    ALTER TABLE probe.notes ENABLE ROW LEVEL SECURITY; \
    ALTER TABLE probe.notes FORCE ROW LEVEL SECURITY; \
    CREATE POLICY tenant ON probe.notes USING (tenant = current_setting('stella.tenant', true)); \
    GRANT USAGE ON SCHEMA probe TO stella_service; \
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA probe TO stella_service; \
    ALTER DEFAULT PRIVILEGES IN SCHEMA probe GRANT SELECT, INSERT ON TABLES TO stella_service;";
const SQLITE: &str = "\
    CREATE TABLE probe.notes (tenant TEXT NOT NULL, id INTEGER NOT NULL, at INTEGER, \
        PRIMARY KEY (tenant, id)) STRICT;";
const LATER: &str = "CREATE TABLE probe.later (id bigint);";

fn migrator(texts: &[(&'static str, &str)]) -> &'static Migrator {
    let migration = |(index, (name, text)): (usize, &(&'static str, &str))| {
        let version = i64::try_from(index).unwrap() + 1;
        let text = AssertSqlSafe((*text).to_owned()).into_sql_str();
        Migration::new(version, (*name).into(), MigrationType::Simple, text, false)
    };
    let all = texts.iter().enumerate().map(migration).collect();
    // Services have theirs in statics; these are as few as the tests.
    Box::leak(Box::new(Migrator::with_migrations(all)))
}

/// The schema `probe` as a binary knows it: the newer one has a migration more.
pub(crate) fn probe(newer: bool) -> Migrations {
    known(newer.then_some("later"))
}

/// The schema `probe` with a second migration of this name, if any.
pub(crate) fn known(later: Option<&'static str>) -> Migrations {
    let later = later.map(|name| (name, LATER));
    let texts = |first| {
        [("probe", first)]
            .into_iter()
            .chain(later)
            .collect::<Vec<_>>()
    };
    Migrations {
        schema: "probe",
        postgres: migrator(&texts(POSTGRES)),
        sqlite: migrator(&texts(SQLITE)),
    }
}

/// A database of its own without any schema.
pub(crate) async fn bare() -> TestDatabase {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "storagebare", async |_| {}).await;
    postgres::clone(&cluster, "storagebare").await
}

pub(crate) async fn on_postgres() -> Db {
    let database = bare().await;
    let owner = Connection::parse(&database.owner_url).unwrap();
    probe(false).run_postgres(&owner).await.unwrap();
    Db::postgres(&Connection::parse(&database.app_url).unwrap())
}

pub(crate) async fn embedded(folder: &Arc<DataFolder>) -> Db {
    probe(false).open_sqlite(folder).await.unwrap()
}

/// An operation of a tenant.
pub(crate) fn of(tenant: &str) -> OpContext {
    let actor = Actor {
        client_id: "test".to_owned(),
        subject: "test".to_owned(),
        roles: vec![],
    };
    let scopes = std::collections::BTreeSet::new();
    let (tenant, trace) = (tenant.parse().unwrap(), TraceId::generate());
    OpContext::verified(tenant, actor, scopes, trace, Clock::System)
}
