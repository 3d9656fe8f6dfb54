//! One database of one service.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgPool, Postgres, Sqlite,
    SqlitePool, Transaction,
};
use stella_context::{OpContext, SystemContext};

use crate::error::opening;
use crate::migrate::SERVING_ROLE;
use crate::reach::{PATIENCE, Reach};
use crate::unbroken::Unbroken;
use crate::{Connection, StoreError};

const POSTGRES_CONNECTIONS: u32 = 16;
const SQLITE_READERS: u32 = 4;

/// A service's database: one schema on PostgreSQL, one attached file on SQLite.
#[derive(Clone, Debug)]
pub enum Db {
    /// A pool of PostgreSQL connections in the serving role.
    Postgres(PgPool),
    /// One writer and several readers of a SQLite file.
    Sqlite {
        /// The single connection that writes.
        writer: SqlitePool,
        /// Connections that only read.
        readers: SqlitePool,
        /// Holds the folder for as long as the database is open.
        folder: Arc<DataFolder>,
    },
}

/// A transaction on whichever engine; dropped without [`Tx::commit`] it leaves nothing.
#[derive(Debug)]
pub enum Tx {
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
}

/// Expands one query body for both engines: `on!(tx, c => query(…).execute(c))`. Where the
/// engines truly differ: `on!(tx, postgres c => …, sqlite c => …)`.
#[macro_export]
macro_rules! on {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $body.await
            }
            $crate::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                $body.await
            }
        }
    };
    ($tx:expr, postgres $p:ident => $postgres:expr, sqlite $s:ident => $sqlite:expr $(,)?) => {
        match $tx {
            $crate::Tx::Postgres(tx) => {
                let $p = &mut **tx;
                $postgres.await
            }
            $crate::Tx::Sqlite(tx) => {
                let $s = &mut **tx;
                $sqlite.await
            }
        }
    };
}

/// Executes a statement on whichever engine and gives the number of rows it touched:
/// `execute!(tx, query(…).bind(…))`.
#[macro_export]
macro_rules! execute {
    ($tx:expr, $query:expr) => {
        match $tx {
            $crate::Tx::Postgres(tx) => $query
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            $crate::Tx::Sqlite(tx) => $query
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        }
    };
}

impl Db {
    /// Connects a pool to PostgreSQL; no connection is opened before it is needed.
    #[must_use]
    pub fn postgres(connection: &Connection) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(connection.options());
        Self::Postgres(pool)
    }

    /// Opens (or makes) the file of one schema in a data folder.
    ///
    /// # Errors
    /// A file that cannot be opened or is no database.
    pub async fn sqlite(
        folder: &Arc<DataFolder>,
        schema: &'static str,
    ) -> Result<Self, StoreError> {
        let file = folder.database(schema);
        let writer = attach(&file, schema, 1, false).await?;
        let readers = attach(&file, schema, SQLITE_READERS, true).await?;
        Ok(Self::Sqlite {
            writer,
            readers,
            folder: folder.clone(),
        })
    }

    /// Begins a transaction that reads data of the context's tenant. Both engines refuse to
    /// write in it: a store that confuses the two is found out by its first test.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(&self, op: &OpContext) -> Result<Tx, StoreError> {
        match self {
            Self::Postgres(pool) => postgres_in(pool, "BEGIN READ ONLY", op.tenant()).await,
            Self::Sqlite { readers, .. } => sqlite(readers, "BEGIN").await,
        }
    }

    /// The same, and every statement of it sees the database as the first did: for what compares
    /// rows that others write together.
    ///
    /// # Errors
    /// The database is away.
    pub async fn snapshot(&self, op: &OpContext) -> Result<Tx, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match self {
            Self::Postgres(pool) => postgres_in(pool, begin, op.tenant()).await,
            Self::Sqlite { .. } => self.read(op).await,
        }
    }

    /// Begins a transaction that writes data of the context's tenant.
    ///
    /// # Errors
    /// The database is away.
    pub async fn write(&self, op: &OpContext) -> Result<Tx, StoreError> {
        match self {
            Self::Postgres(pool) => postgres_in(pool, "BEGIN", op.tenant()).await,
            Self::Sqlite { writer, .. } => sqlite(writer, "BEGIN IMMEDIATE").await,
        }
    }

    /// Begins a transaction of the installation itself. Under row-level security it sees no
    /// tenant's rows.
    ///
    /// # Errors
    /// The database is away.
    pub async fn system(&self, _system: &SystemContext) -> Result<Tx, StoreError> {
        match self {
            Self::Postgres(pool) => postgres(pool, "BEGIN".to_owned()).await,
            Self::Sqlite { writer, .. } => sqlite(writer, "BEGIN IMMEDIATE").await,
        }
    }

    /// The same to read only: nobody waits for it, and it for no writer.
    ///
    /// # Errors
    /// The database is away.
    pub async fn system_read(&self, _system: &SystemContext) -> Result<Tx, StoreError> {
        match self {
            Self::Postgres(pool) => postgres(pool, "BEGIN READ ONLY".to_owned()).await,
            Self::Sqlite { readers, .. } => sqlite(readers, "BEGIN").await,
        }
    }

    /// Begins a transaction of the installation itself within one tenant.
    ///
    /// # Errors
    /// The database is away.
    pub async fn system_in(
        &self,
        _system: &SystemContext,
        tenant: &stella_api::TenantId,
    ) -> Result<Tx, StoreError> {
        match self {
            Self::Postgres(pool) => postgres_in(pool, "BEGIN", tenant).await,
            Self::Sqlite { writer, .. } => sqlite(writer, "BEGIN IMMEDIATE").await,
        }
    }

    /// Refuses a PostgreSQL role that may do more than serve, itself or as another role that it may
    /// become: pass row-level security, make itself such a role, take the data past the tables, or
    /// act on the server's machine. Refuses one, too, that has not the rights of `stella_service`.
    ///
    /// # Errors
    /// The role is one of these or a member of one; it is no member of the serving role; or the
    /// database is away.
    pub async fn refuse_unsafe_role(&self) -> Result<(), StoreError> {
        let Self::Postgres(pool) = self else {
            return Ok(());
        };
        // Of a superuser every role is true, so that its own row comes first.
        let judged = "SELECT current_user::text, rolname::text, what FROM pg_roles r, LATERAL (SELECT CASE \
             WHEN rolsuper THEN 'a superuser' \
             WHEN rolbypassrls THEN 'allowed to bypass row-level security' \
             WHEN rolcreaterole THEN 'allowed to make roles, and to become them (CREATEROLE)' \
             WHEN rolreplication THEN 'allowed to copy all databases (REPLICATION)' \
             WHEN rolname = 'pg_execute_server_program' \
             THEN 'allowed to run programs on the database''s machine' \
             WHEN rolname IN ('pg_read_server_files', 'pg_write_server_files') \
             THEN 'allowed to read or write files on the database''s machine' \
             WHEN rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', \
             'pg_create_subscription') THEN 'given rights on tables that are not its own' \
             WHEN EXISTS (SELECT FROM pg_namespace WHERE nspowner = r.oid) \
             OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid \
             AND relkind IN ('r', 'p') AND relpersistence <> 't') \
             THEN 'the owner of schemas or tables' END AS what) judged \
             WHERE what IS NOT NULL AND pg_has_role(current_user, r.oid, 'MEMBER') \
             ORDER BY rolname <> current_user, NOT rolsuper, rolname = 'pg_database_owner', rolname \
             LIMIT 1";
        let mut reach = Reach::new(&pool.connect_options());
        let found: Option<(String, String, String)> = loop {
            match sqlx::query_as(judged).fetch_optional(pool).await {
                Ok(found) => break found,
                Err(error) => reach.again(error).await?,
            }
        };
        let Some((role, through, what)) = found else {
            return refuse_outsider(pool).await;
        };
        let what = match role == through {
            true => what,
            false => format!("a member of {through}, which is {what}"),
        };
        Err(StoreError::RoleUnsafe { role, what })
    }

    /// Tells whether the database answers, and takes writes.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(pool) => {
                let read_only = "SELECT current_setting('transaction_read_only') = 'on'";
                if sqlx::query_scalar(read_only).fetch_one(pool).await? {
                    return Err(StoreError::ReadOnly);
                }
            }
            Self::Sqlite { readers, .. } => readers.execute("SELECT 1").await.map(drop)?,
        }
        Ok(())
    }
}

impl Tx {
    /// Goes on within another tenant, as work of the installation itself may.
    ///
    /// # Errors
    /// The database went away.
    pub async fn go_on_in(
        &mut self,
        _system: &SystemContext,
        tenant: &stella_api::TenantId,
    ) -> Result<(), StoreError> {
        if let Tx::Postgres(tx) = self {
            let set = sqlx::query("SELECT set_config('stella.tenant', $1, true)");
            set.bind(tenant.as_str()).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Plans each statement from here on by how large tables are now. PostgreSQL keeps a plan from a
    /// statement's fifth run on, and one that was made beside a few rows may go through all of a
    /// hundred thousand until the next `ANALYZE`: for statements over many rows, which planning
    /// costs next to nothing.
    ///
    /// # Errors
    /// The database went away.
    pub async fn plan_anew(&mut self) -> Result<(), StoreError> {
        if let Tx::Postgres(tx) = self {
            tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                .await?;
        }
        Ok(())
    }

    /// Has PostgreSQL plan each statement of this connection once more, and keep that plan.
    ///
    /// # Errors
    /// The database went away.
    pub async fn forget_plans(&mut self) -> Result<(), StoreError> {
        if let Tx::Postgres(tx) = self {
            tx.execute("DISCARD PLANS").await?;
        }
        Ok(())
    }

    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// The database refused or went away; then nothing was written.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Tx::Postgres(tx) => tx.commit().await?,
            Tx::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

async fn refuse_outsider(pool: &PgPool) -> Result<(), StoreError> {
    let found: Option<(String, bool)> = sqlx::query_as(
        "SELECT current_user::text, pg_has_role(current_user, oid, 'USAGE') \
         FROM pg_roles WHERE rolname = $1",
    )
    .bind(SERVING_ROLE)
    .fetch_optional(pool)
    .await?;
    match found {
        None => Err(StoreError::RoleMissing(SERVING_ROLE)),
        Some((role, false)) => Err(StoreError::RoleOutside {
            role,
            of: SERVING_ROLE,
        }),
        Some((_, true)) => Ok(()),
    }
}

/// The tenant is set in the opening statement: one round trip less. A tenant id can hold no
/// quote, so it stands in the text.
async fn postgres_in(
    pool: &PgPool,
    begin: &'static str,
    tenant: &stella_api::TenantId,
) -> Result<Tx, StoreError> {
    postgres(
        pool,
        format!("{begin}; SET LOCAL stella.tenant = '{tenant}'"),
    )
    .await
}

/// Whoever asks may go away at any moment, and sqlx rolls back only what it knows to have begun: a
/// connection whose `BEGIN` was sent and not yet answered would go back to the pool within the
/// transaction of that tenant. So the begin always goes on to its end.
async fn postgres(pool: &PgPool, opening: String) -> Result<Tx, StoreError> {
    let pool = pool.clone();
    let begin = async move { pool.begin_with(AssertSqlSafe(opening)).await };
    Ok(Tx::Postgres(Unbroken::new(begin).await?))
}

async fn sqlite(pool: &SqlitePool, opening: &'static str) -> Result<Tx, StoreError> {
    let pool = pool.clone();
    let begin = async move { pool.begin_with(opening).await };
    Ok(Tx::Sqlite(Unbroken::new(begin).await?))
}

/// With `sqlite::memory:` an attached file would silently be in memory too, hence `.filename`.
async fn attach(
    file: &Path,
    schema: &'static str,
    size: u32,
    query_only: bool,
) -> Result<SqlitePool, StoreError> {
    let quoted = file.to_string_lossy().replace('\'', "''");
    let attach = format!(
        "ATTACH DATABASE '{quoted}' AS {schema}; \
         PRAGMA {schema}.journal_mode = WAL; \
         PRAGMA {schema}.synchronous = FULL; \
         PRAGMA foreign_keys = ON; \
         PRAGMA recursive_triggers = ON; \
         PRAGMA query_only = {query_only};"
    );
    let options = SqliteConnectOptions::new()
        .filename(":memory:")
        // An attached file is opened with the flags of the main one.
        .create_if_missing(true)
        .busy_timeout(PATIENCE)
        .pragma("trusted_schema", "OFF");
    // A pool would hide the error of its first connection behind a time-out.
    let mut first = options.connect().await?;
    let attached = first.execute(AssertSqlSafe(attach.clone())).await;
    attached.map_err(|error| opening(file, error))?;
    first.close().await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        // A full disk, among others, has SQLite roll back by itself: sqlx goes on to count a
        // transaction there, and nothing could begin on that connection again.
        .before_acquire(|connection, _| {
            let within = connection.is_in_transaction();
            Box::pin(async move { Ok(!within) })
        })
        .after_connect(move |connection, _| {
            let attach = attach.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(attach)).await.map(drop) })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

/// A folder of SQLite files and objects, held by one process at a time.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl DataFolder {
    /// Takes a folder, making it where it is not there.
    ///
    /// # Errors
    /// Another process holds it, or it cannot be made.
    pub fn open(root: &Path) -> Result<Arc<Self>, StoreError> {
        Self::lock(root.to_path_buf(), None)
    }

    /// Takes a private temporary folder that is gone with this value.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn temporary() -> Result<Arc<Self>, StoreError> {
        let folder =
            tempfile::tempdir().map_err(|source| failed(Path::new("temporary"), source))?;
        Self::lock(folder.path().to_path_buf(), Some(folder))
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn database(&self, schema: &str) -> PathBuf {
        self.root.join("db").join(format!("{schema}.sqlite"))
    }

    fn lock(root: PathBuf, temporary: Option<tempfile::TempDir>) -> Result<Arc<Self>, StoreError> {
        std::fs::create_dir_all(root.join("db")).map_err(|source| failed(&root, source))?;
        let path = root.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| failed(&path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(&path, source)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)
                    .map_err(|source| failed(&path, source))?;
                let folder = root.display().to_string();
                return Err(StoreError::Locked {
                    folder,
                    holder: holder.trim().to_owned(),
                });
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|source| failed(&path, source))?;
        Ok(Arc::new(Self {
            root,
            _lock: file,
            _temporary: temporary,
        }))
    }
}

fn failed(folder: &Path, source: std::io::Error) -> StoreError {
    StoreError::Folder {
        folder: folder.display().to_string(),
        source,
    }
}
