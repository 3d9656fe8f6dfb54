//! The schema of RiskEngine on each storage driver.

use sqlx::PgPool;
use stella_canonical::Digest;
use stella_storage::{Connection, DataFolder, Db};
use stella_testkit::postgres;

use crate::MIGRATIONS;

/// Runs a test once on each driver, each time on a database of its own.
macro_rules! on_every_driver {
    ($($(#[$doc:meta])* async fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* mod $name {
            use super::*;

            async fn case($driver: Driver) $body

            #[tokio::test]
            async fn postgres() {
                case(Driver::Postgres).await;
            }

            #[tokio::test]
            async fn filesystem() {
                case(Driver::Filesystem).await;
            }

            #[tokio::test]
            async fn inmemory() {
                case(Driver::InMemory).await;
            }
        })*
    };
}
pub(super) use on_every_driver;

#[derive(Clone, Copy, Debug)]
pub(super) enum Driver {
    Postgres,
    Filesystem,
    InMemory,
}

impl Driver {
    /// A new database in the serving role, and on PostgreSQL its owner beside it.
    pub(super) async fn open(self) -> (Db, Option<PgPool>) {
        let folder = match self {
            Self::Postgres => return postgres().await,
            // Gone with the machine's temporary files: the database outlives this function.
            Self::Filesystem => DataFolder::open(&tempfile::tempdir().unwrap().keep()),
            Self::InMemory => DataFolder::temporary(),
        };
        let db = MIGRATIONS.open_sqlite(&folder.unwrap()).await;
        (db.unwrap(), None)
    }
}

async fn postgres() -> (Db, Option<PgPool>) {
    let cluster = postgres::cluster().await;
    let all = MIGRATIONS.postgres.iter().map(|one| one.sql.as_str());
    let name = format!(
        "risk{}",
        Digest::of(all.collect::<String>().as_bytes()).hex()
    );
    postgres::template(&cluster, &name, async |owner: String| {
        let owner = Connection::parse(&owner).unwrap();
        MIGRATIONS.run_postgres(&owner).await.unwrap();
    })
    .await;
    let database = postgres::clone(&cluster, &name).await;
    let app = Connection::parse(&database.app_url).unwrap();
    // One connection: what is set on it for a tenant stays set.
    let owner = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let owner = owner.connect(&database.owner_url).await.unwrap();
    (Db::postgres(&app), Some(owner))
}
