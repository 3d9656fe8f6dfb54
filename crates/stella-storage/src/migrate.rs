//! Migrations: forward only, safe to run twice, frozen once landed.
//!
//! The file name of a migration ends in `_tolerates_N` where a binary whose newest migration is N
//! may go on beside it: what such a binary reads and writes is still there. sqlx keeps the name
//! with the version, so that an older binary can read what a newer one says of it.

use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool, query_as};

use crate::reach::{PATIENCE, Reach};
use crate::{Connection, DataFolder, Db, StoreError};

/// The group role that migrations grant to; every serving role is a member of it.
pub(crate) const SERVING_ROLE: &str = "stella_service";

/// Whether the role that asks may not so much as look into a schema, or at which migrations it has.
const CLOSED: &str = "SELECT current_user || CASE \
    WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN ' misses USAGE' \
    ELSE ' misses SELECT on _migrations' END \
    FROM pg_namespace n LEFT JOIN pg_class c ON relnamespace = n.oid AND relname = '_migrations' \
    WHERE nspname = $1 AND NOT (has_schema_privilege(n.oid, 'USAGE') \
    AND COALESCE(has_table_privilege(c.oid, 'SELECT'), true))";

/// What keeps a role from migrating a schema. To make one `IF NOT EXISTS` needs the right, too, where
/// it is there. That nobody can, in a database that takes no writes, its first statement is told.
const UNFIT: &str = "SELECT current_user::text, what FROM (SELECT CASE \
    WHEN NOT has_database_privilege(current_database(), 'CREATE') \
    THEN 'may not create schemas in database ' || current_database() \
    WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = $1 \
    AND NOT pg_has_role(current_user, nspowner, 'USAGE')) \
    THEN 'does not own schema ' || $1 END AS what) judged WHERE what IS NOT NULL";

/// What a role misses that migrations grant, or a table of their protection: whoever takes it away by
/// hand is told at a start, and not by the first request that needs it.
const UNPROTECTED: &str = "SELECT what FROM (SELECT relname, CASE \
    WHEN NOT has_table_privilege(c.oid, 'SELECT') \
    THEN current_user || ' misses SELECT on ' || relname \
    WHEN relname <> '_migrations' AND NOT has_table_privilege(c.oid, 'INSERT') \
    THEN current_user || ' misses INSERT on ' || relname \
    WHEN relname IN ('log_heads', 'idempotency_keys') AND NOT has_table_privilege(c.oid, 'UPDATE') \
    THEN current_user || ' misses UPDATE on ' || relname \
    WHEN relname IN ('unsealed', 'idempotency_keys') AND NOT has_table_privilege(c.oid, 'DELETE') \
    THEN current_user || ' misses DELETE on ' || relname \
    WHEN NOT (relrowsecurity AND relforcerowsecurity) AND EXISTS (SELECT FROM pg_policy \
    WHERE polrelid = c.oid) \
    THEN 'row-level security is not forced on ' || relname \
    WHEN relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) \
    THEN 'no policy shows a tenant its rows of ' || relname END AS what \
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
    WHERE nspname = $1 AND relkind IN ('r', 'p')) judged \
    WHERE what IS NOT NULL ORDER BY relname LIMIT 1";

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
        let options = PgPoolOptions::new().acquire_timeout(PATIENCE);
        let mut reach = Reach::new(&owner.options());
        let pool = loop {
            match options.clone().connect_with(owner.options()).await {
                Ok(pool) => break pool,
                Err(error) => reach.again(error).await?,
            }
        };
        let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_roles WHERE rolname = $1")
            .bind(SERVING_ROLE)
            .fetch_optional(&pool)
            .await?;
        if found.is_none() {
            return Err(StoreError::RoleMissing(SERVING_ROLE));
        }
        let unfit = query_as(UNFIT).bind(self.schema);
        if let Some((role, what)) = unfit.fetch_optional(&pool).await? {
            return Err(StoreError::OwnerUnfit { role, what });
        }
        let applied = self.told(query_as(self.applied()).fetch_all(&pool).await)?;
        self.pending(self.postgres, &applied)?;
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

    /// Refuses a PostgreSQL schema that this binary cannot serve.
    ///
    /// # Errors
    /// Migrations are pending, one that is applied does not tolerate this binary, or the database
    /// is away.
    pub async fn check_postgres(&self, db: &Db) -> Result<(), StoreError> {
        let Db::Postgres(pool) = db else {
            return Ok(());
        };
        self.refuse(pool, CLOSED).await?;
        let applied = self.told(query_as(self.applied()).fetch_all(pool).await)?;
        let pending = self.pending(self.postgres, &applied)?;
        match pending.is_empty() {
            true => self.refuse(pool, UNPROTECTED).await,
            false => Err(StoreError::SchemaOlder {
                schema: self.schema,
                pending,
            }),
        }
    }

    /// Refuses a schema that a statement finds something wrong with.
    async fn refuse(&self, pool: &PgPool, wrong: &'static str) -> Result<(), StoreError> {
        let found: Option<String> = sqlx::query_scalar(wrong)
            .bind(self.schema)
            .fetch_optional(pool)
            .await?;
        let schema = self.schema;
        found.map_or(Ok(()), |what| {
            Err(StoreError::RightMissing { schema, what })
        })
    }

    /// The versions that are still to be applied.
    fn pending(&self, of: &Migrator, applied: &[Applied]) -> Result<Vec<i64>, StoreError> {
        let known: Vec<i64> = of.iter().map(|one| one.version).collect();
        let newest = known.iter().max().copied().unwrap_or_default();
        let stops = |one: &&Applied| {
            !known.contains(&one.version) && one.tolerates().is_none_or(|oldest| newest < oldest)
        };
        let unknown: Vec<i64> = applied
            .iter()
            .filter(stops)
            .map(|one| one.version)
            .collect();
        if !unknown.is_empty() {
            let schema = self.schema;
            return Err(StoreError::SchemaNewer { schema, unknown });
        }
        let there = |version: &i64| applied.iter().any(|one| one.version == *version);
        Ok(known
            .into_iter()
            .filter(|version| !there(version))
            .collect())
    }

    fn applied(&self) -> AssertSqlSafe<String> {
        let table = self.table();
        AssertSqlSafe(format!(
            "SELECT version, description FROM {table} ORDER BY version"
        ))
    }

    /// What is applied: nothing where the schema is not there yet. A database that cannot be
    /// asked says nothing of its schema.
    fn told(&self, read: Result<Vec<Applied>, sqlx::Error>) -> Result<Vec<Applied>, StoreError> {
        match read {
            Ok(applied) => Ok(applied),
            Err(error) if is_undefined(&error) => Ok(Vec::new()),
            Err(error) => Err(self.failed(MigrateError::Execute(error))),
        }
    }

    async fn run_sqlite(&self, writer: &SqlitePool) -> Result<(), StoreError> {
        let applied = self.told(query_as(self.applied()).fetch_all(writer).await)?;
        self.pending(self.sqlite, &applied)?;
        self.migrator(self.sqlite)
            .run(writer)
            .await
            .map_err(|source| self.failed(source))
    }

    fn migrator(&self, of: &'static Migrator) -> Migrator {
        let mut migrator = Migrator::with_migrations(of.iter().cloned().collect());
        migrator.dangerous_set_table_name(self.table());
        // Those of newer binaries, which were asked before.
        migrator.set_ignore_missing(true);
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

/// A migration as its schema remembers it.
#[derive(sqlx::FromRow)]
struct Applied {
    version: i64,
    description: String,
}

impl Applied {
    /// The newest migration that a binary must know to go on beside this one.
    fn tolerates(&self) -> Option<i64> {
        let (_, oldest) = self.description.rsplit_once("tolerates ")?;
        oldest.parse().ok()
    }
}

/// A schema or a table that is not there, by PostgreSQL's SQLSTATE or SQLite's words, which has
/// no code of its own for it.
fn is_undefined(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|told| {
        let code = told.code().unwrap_or_default();
        matches!(&*code, "3F000" | "42P01") || told.message().starts_with("no such table")
    })
}
