//! Migrations: forward only, safe to run twice, frozen once landed.

use std::sync::Arc;

use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::{Acquire as _, PgPool, SqlitePool};

use crate::{Connection, DataFolder, Db, StoreError};

/// The group role that migrations grant to; every serving role is a member of it.
const SERVING_ROLE: &str = "stella_service";

/// The migrations of one service's schema, for both engines.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The schema: the PostgreSQL schema and the name of the attached SQLite file.
    pub schema: &'static str,
    /// `sqlx::migrate!("migrations/postgres")`.
    pub postgres: &'static Migrator,
    /// `sqlx::migrate!("migrations/sqlite")`.
    pub sqlite: &'static Migrator,
}

impl Migrations {
    /// Brings the schema in PostgreSQL up to date, as its owner. Processes that start together
    /// wait for one another on an advisory lock; a second run changes nothing.
    ///
    /// # Errors
    /// The database is away, the schema is newer than this binary, or a statement failed.
    pub async fn run_postgres(&self, owner: &Connection) -> Result<(), StoreError> {
        let pool = PgPool::connect_with(owner.options()).await?;
        let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_roles WHERE rolname = $1")
            .bind(SERVING_ROLE)
            .fetch_optional(&pool)
            .await?;
        if found.is_none() {
            return Err(StoreError::RoleMissing(SERVING_ROLE));
        }
        let done = self.migrator(self.postgres).run(&pool).await;
        pool.close().await;
        done.map_err(|source| self.failed(source))
    }

    /// Opens the schema's SQLite file in a data folder and brings it up to date.
    ///
    /// # Errors
    /// The file cannot be opened, is newer than this binary, or a statement failed.
    pub async fn open_sqlite(&self, folder: &Arc<DataFolder>) -> Result<Db, StoreError> {
        let db = Db::sqlite(folder, self.schema).await?;
        if let Db::Sqlite { writer, .. } = &db {
            self.run_sqlite(writer).await?;
        }
        Ok(db)
    }

    /// Refuses a PostgreSQL schema that is not exactly what this binary needs.
    ///
    /// # Errors
    /// Migrations are pending, or the database is away.
    pub async fn check_postgres(&self, db: &Db) -> Result<(), StoreError> {
        let Db::Postgres(pool) = db else {
            return Ok(());
        };
        let mut connection = pool.acquire().await?;
        let connection = connection.acquire().await?;
        let table = self.table();
        let applied = connection
            .list_applied_migrations(&table)
            .await
            .unwrap_or_default();
        let known = self.postgres.iter().map(|migration| migration.version);
        let pending: Vec<i64> = known
            .filter(|version| applied.iter().all(|done| done.version != *version))
            .collect();
        if pending.is_empty() {
            Ok(())
        } else {
            Err(StoreError::SchemaOlder {
                schema: self.schema,
                pending,
            })
        }
    }

    async fn run_sqlite(&self, writer: &SqlitePool) -> Result<(), StoreError> {
        let migrator = self.migrator(self.sqlite);
        migrator
            .run(writer)
            .await
            .map_err(|source| self.failed(source))
    }

    fn migrator(&self, of: &'static Migrator) -> Migrator {
        let mut migrator = Migrator::with_migrations(of.iter().cloned().collect());
        migrator.dangerous_set_table_name(self.table());
        if std::ptr::eq(of, self.postgres) {
            migrator.create_schema(self.schema);
        }
        migrator
    }

    fn table(&self) -> String {
        format!("{}._migrations", self.schema)
    }

    fn failed(&self, source: sqlx::migrate::MigrateError) -> StoreError {
        StoreError::Migration {
            schema: self.schema,
            source,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_attached_under_its_schemas_name() {
        let folder = DataFolder::temporary().unwrap();
        let db = Db::sqlite(&folder, "probe").await.unwrap();
        let Db::Sqlite {
            writer, readers, ..
        } = &db
        else {
            panic!("SQLite")
        };
        sqlx::raw_sql("CREATE TABLE probe.t (x INTEGER) STRICT; INSERT INTO probe.t VALUES (7)")
            .execute(writer)
            .await
            .unwrap();
        let x: i64 = sqlx::query_scalar("SELECT x FROM probe.t")
            .fetch_one(readers)
            .await
            .unwrap();
        assert_eq!(x, 7);
        assert!(
            folder
                .root()
                .join("db/probe.sqlite")
                .metadata()
                .unwrap()
                .len()
                > 0
        );
    }
}
