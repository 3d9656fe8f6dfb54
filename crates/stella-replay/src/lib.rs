//! Replay: any answer that mattered can be given again from stored inputs, and must come out
//! the same bytes.

mod error;
mod http;
mod manifest;
mod named;
mod signature;
mod snapshot;
mod store;
mod verdict;

use std::sync::Arc;

use stella_client::Peers;
use stella_context::SystemContext;
use stella_service::{Check, Described, FirstAnswers, KeyStore, Logs, Service};
use stella_signing::MasterKey;
use stella_storage::{Bucket, Db, Migrations, ObjectStore};

pub use error::ReplayError;
pub use named::named;

/// The migrations of the schema `replay`.
pub const MIGRATIONS: Migrations = Migrations {
    schema: "replay",
    postgres: &POSTGRES,
    sqlite: &SQLITE,
};
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The bucket of manifests, snapshots and their nodes.
pub const BUCKET: Bucket = Bucket("replay");

const NAME: &str = "replay";
const FIRST: &str = "/api/v1/replay";

/// Replay's domain.
#[derive(Debug)]
pub struct Replay {
    db: Db,
    objects: ObjectStore,
    peers: Peers,
    keys: KeyStore,
    logs: Arc<Logs>,
}

impl Replay {
    /// Opens the domain; scores and documents are read from the other services. The first start
    /// makes the key that signs manifests.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the signing key.
    pub async fn open(
        system: &SystemContext,
        db: Db,
        objects: ObjectStore,
        peers: Peers,
        master: Arc<MasterKey>,
    ) -> Result<Arc<Self>, ReplayError> {
        let logs = Logs::open(system, db.clone(), MIGRATIONS.schema, master.clone()).await?;
        let keys = KeyStore::new(db.clone(), MIGRATIONS.schema, signature::PURPOSE, master);
        keys.active(system).await?;
        Ok(Arc::new(Self {
            db,
            objects,
            peers,
            keys,
            logs: Arc::new(logs),
        }))
    }

    /// The logs of its schema.
    #[must_use]
    pub fn logs(&self) -> &Arc<Logs> {
        &self.logs
    }
}

/// What the OpenAPI document says of the service; no database is needed for it.
#[must_use]
pub fn described() -> Described {
    http::routes().described().audited(NAME, FIRST)
}

/// The service.
#[must_use]
pub fn service(replay: Arc<Replay>) -> Service {
    let first_answers = FirstAnswers::new(replay.db.clone(), MIGRATIONS.schema);
    let logs = replay.logs.clone();
    let checks = vec![
        Check::database(&replay.db),
        Check::object_store(&replay.objects),
        Check::migrations(&replay.db, MIGRATIONS),
        logs.check_keys(),
        logs.check(),
    ];
    let routes = http::routes().with_state(replay);
    Service {
        name: NAME,
        routes: routes.audited(NAME, FIRST, &logs),
        checks,
        first_answers: Some(first_answers),
        workers: vec![logs.sealer()],
    }
}
