//! Migrations: forward only, safe to run twice, frozen once landed.

use std::sync::Arc;

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
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
    /// Migrations are pending, the schema is newer than this binary, or the database is away.
    pub async fn check_postgres(&self, db: &Db) -> Result<(), StoreError> {
        let Db::Postgres(pool) = db else {
            return Ok(());
        };
        let applied = self.applied(pool).await?;
        let known: Vec<i64> = self.postgres.iter().map(|one| one.version).collect();
        let without = |these: &[i64], those: &[i64]| -> Vec<i64> {
            let these = these.iter().filter(|version| !those.contains(version));
            these.copied().collect()
        };
        let schema = self.schema;
        let (unknown, pending) = (without(&applied, &known), without(&known, &applied));
        match (unknown.is_empty(), pending.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => Err(StoreError::SchemaNewer { schema, unknown }),
            (true, false) => Err(StoreError::SchemaOlder { schema, pending }),
        }
    }

    /// The versions that are applied: none where the schema is not there yet. A database that
    /// cannot be asked says nothing of its schema.
    async fn applied(&self, pool: &PgPool) -> Result<Vec<i64>, StoreError> {
        let mut connection = pool.acquire().await?;
        let connection = connection.acquire().await?;
        let table = self.table();
        match connection.list_applied_migrations(&table).await {
            Ok(applied) => Ok(applied.into_iter().map(|done| done.version).collect()),
            Err(MigrateError::Execute(error)) if is_undefined(&error) => Ok(Vec::new()),
            Err(source) => Err(self.failed(source)),
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

    fn failed(&self, source: MigrateError) -> StoreError {
        let schema = self.schema;
        match source {
            MigrateError::VersionMissing(version) => StoreError::SchemaNewer {
                schema,
                unknown: vec![version],
            },
            // A database that is away is told as such, here too.
            MigrateError::Execute(error) => match StoreError::from(error) {
                StoreError::Statement(error) => StoreError::Migration {
                    schema,
                    source: MigrateError::Execute(error),
                },
                away => away,
            },
            source => StoreError::Migration { schema, source },
        }
    }
}

/// SQLSTATE of a schema or a table that is not there.
fn is_undefined(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|told| told.code());
    code.is_some_and(|code| matches!(&*code, "3F000" | "42P01"))
}
