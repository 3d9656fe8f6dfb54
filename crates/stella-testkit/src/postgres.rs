//! One PostgreSQL cluster a test run, a template database a set of migrations, a clone a test.
//!
//! The cluster is started from the system's binaries by the first test that asks and shared by
//! all processes of the run, which find it through `target/test-postgres/cluster`.
//! `cargo xtask postgres stop` ends it. It keeps PostgreSQL's own durability settings, so that
//! what the tests see is what an operator runs.

mod server;

use std::error::Error;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The key of the advisory lock under which templates are prepared; any number unlike others'.
const TEMPLATE_LOCK: i64 = 0x7374_656c_6c61;

/// The running cluster of this test run, open to every local user without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The superuser's URL, on the database `postgres`.
    pub superuser_url: String,
    /// The host it listens at, always loopback.
    pub host: String,
    /// The TCP port it listens at.
    pub port: u16,
}

/// A database of one test. It goes with the cluster: to drop one makes PostgreSQL flush all
/// others to disk, which takes longer than the copy did (tried: 0.4 s or more against 0.07 s).
#[derive(Debug, Clone)]
pub struct TestDatabase {
    /// The URL of `stella_owner`, who owns the database and runs the migrations.
    pub owner_url: String,
    /// The URL of `stella_app`, a member of `stella_service`, who serves.
    pub app_url: String,
    /// The database's name.
    pub name: String,
}

impl Cluster {
    /// The URL of a role on a database of this cluster.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}:{}/{database}", self.host, self.port)
    }

    async fn superuser(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.superuser_url).await
    }
}

/// The cluster of this test run, started where none runs.
///
/// # Panics
/// Where PostgreSQL is missing or does not start: tests never pass for want of a database.
pub async fn cluster() -> Cluster {
    let state = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-postgres");
    match server::find_or_start(&state).await {
        Ok(cluster) => cluster,
        Err(error) => panic!("starting PostgreSQL for the tests: {error}"),
    }
}

/// Prepares the template database `name` once, whoever asks first; the others wait and reuse it.
/// `prepare` gets the owner's URL; `name` must change with what it does, as a digest of the
/// migrations does.
///
/// # Panics
/// Where the database cannot be made; a panic of `prepare` leaves it to be made again.
pub async fn template(cluster: &Cluster, name: &str, prepare: impl AsyncFnOnce(String)) {
    if let Err(error) = prepare_template(cluster, &template_name(name), prepare).await {
        panic!("preparing the template database {name}: {error}");
    }
}

/// A new database with everything that the template `name` holds.
///
/// # Panics
/// Where the template is missing or cannot be copied.
pub async fn clone(cluster: &Cluster, name: &str) -> TestDatabase {
    match clone_template(cluster, &template_name(name)).await {
        Ok(database) => database,
        Err(error) => panic!("cloning the template database {name}: {error}"),
    }
}

/// A database name of what a caller named: 63 bytes are PostgreSQL's limit.
fn template_name(name: &str) -> String {
    let plain = name.chars().filter(char::is_ascii_alphanumeric).take(40);
    format!(
        "template_{}",
        plain.collect::<String>().to_ascii_lowercase()
    )
}

async fn prepare_template(
    cluster: &Cluster,
    name: &str,
    prepare: impl AsyncFnOnce(String),
) -> Outcome<()> {
    let mut superuser = cluster.superuser().await?;
    let ready = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)";
    if sqlx::query_scalar(ready)
        .bind(name)
        .fetch_one(&mut superuser)
        .await?
    {
        return Ok(superuser.close().await?);
    }
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut superuser)
        .await?;
    if !sqlx::query_scalar(ready)
        .bind(name)
        .fetch_one(&mut superuser)
        .await?
    {
        put_aside(&mut superuser, name).await?;
        execute(
            &mut superuser,
            format!("CREATE DATABASE {name} OWNER stella_owner"),
        )
        .await?;
        prepare(cluster.url("stella_owner", name)).await;
        let mark = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true");
        execute(&mut superuser, mark).await?;
        // A database with connections cannot be copied.
        disconnect(&mut superuser, name).await?;
    }
    Ok(superuser.close().await?)
}

/// What has a template's name and is not marked is left from a preparation that failed. It gets
/// another name: whoever drops it waits until PostgreSQL has flushed all that the other tests wrote,
/// and with it wait all who need a template.
async fn put_aside(superuser: &mut PgConnection, name: &str) -> Outcome<()> {
    let left = "SELECT 'failed_' || pg_current_xact_id() FROM pg_database WHERE datname = $1";
    let left: Option<String> = sqlx::query_scalar(left)
        .bind(name)
        .fetch_optional(&mut *superuser)
        .await?;
    if let Some(aside) = left {
        let close = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
        execute(superuser, close).await?;
        disconnect(superuser, name).await?;
        execute(
            superuser,
            format!("ALTER DATABASE {name} RENAME TO {aside}"),
        )
        .await?;
    }
    Ok(())
}

async fn disconnect(superuser: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let all = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
    let query = sqlx::query(all).bind(name);
    query.execute(superuser).await.map(drop)
}

async fn clone_template(cluster: &Cluster, template: &str) -> Outcome<TestDatabase> {
    let mut superuser = cluster.superuser().await?;
    let next = "SELECT 'test_' || nextval('test_database')";
    let name: String = sqlx::query_scalar(next).fetch_one(&mut superuser).await?;
    let create = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER stella_owner");
    // By the log (the default), not by files: a copy of files flushes everything twice.
    execute(&mut superuser, create).await?;
    superuser.close().await?;
    Ok(TestDatabase {
        owner_url: cluster.url("stella_owner", &name),
        app_url: cluster.url("stella_app", &name),
        name,
    })
}

/// Runs a statement that takes no parameters, such as those on databases. Every name in one is
/// made of letters, digits and underscores by this file.
async fn execute(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn notes(owner_url: String) {
        let mut owner = PgConnection::connect(&owner_url).await.unwrap();
        let tables =
            "CREATE TABLE note (text text); GRANT SELECT, INSERT ON note TO stella_service;
                      INSERT INTO note VALUES ('from the template')";
        sqlx::raw_sql(tables).execute(&mut owner).await.unwrap();
    }

    async fn count(url: &str) -> i64 {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let count = sqlx::query_scalar("SELECT count(*) FROM note");
        count.fetch_one(&mut connection).await.unwrap()
    }

    #[tokio::test]
    async fn two_clones_of_a_template_do_not_see_each_other() {
        let cluster = cluster().await;
        template(&cluster, "notes", notes).await;
        let (one, two) = tokio::join!(clone(&cluster, "notes"), clone(&cluster, "notes"));
        assert_ne!(one.name, two.name);
        let mut app = PgConnection::connect(&one.app_url).await.unwrap();
        sqlx::query("INSERT INTO note VALUES ('mine')")
            .execute(&mut app)
            .await
            .unwrap();
        assert_eq!(count(&one.owner_url).await, 2);
        assert_eq!(count(&two.app_url).await, 1);
    }

    #[tokio::test]
    async fn all_who_ask_find_the_same_cluster() {
        let (one, two) = tokio::join!(cluster(), cluster());
        assert_eq!(one, two);
        let mut superuser = one.superuser().await.unwrap();
        let fsync: String = sqlx::query_scalar("SHOW fsync")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(fsync, "on");
    }

    #[tokio::test]
    async fn a_template_is_prepared_once_and_again_after_a_failure() {
        let cluster = cluster().await;
        let mut superuser = cluster.superuser().await.unwrap();
        let forget = "ALTER DATABASE template_retried IS_TEMPLATE false";
        // Missing on the first run of a cluster.
        let _ = execute(&mut superuser, forget.to_owned()).await;
        let failing = tokio::spawn({
            let cluster = cluster.clone();
            async move { template(&cluster, "retried", async |_| panic!("on purpose")).await }
        });
        assert!(failing.await.unwrap_err().is_panic());
        template(&cluster, "retried", notes).await;
        template(&cluster, "retried", async |_| panic!("prepared already")).await;
        assert_eq!(count(&clone(&cluster, "retried").await.app_url).await, 1);
    }
}
