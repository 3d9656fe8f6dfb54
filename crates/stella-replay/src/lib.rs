//! Replay: any answer that mattered can be given again from stored inputs, and must come out
//! the same bytes.

mod error;
mod http;
mod manifest;
mod named;
mod snapshot;
mod store;
mod token;
mod verdict;

use std::sync::Arc;

use stella_client::Peers;
use stella_service::{Check, Described, Service};
use stella_storage::{Bucket, Db, Migrations, ObjectStore};

pub use error::ReplayError;
pub use named::named;
pub use token::{Token, TokenError, fuzz};

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

/// Replay's domain.
#[derive(Debug)]
pub struct Replay {
    db: Db,
    objects: ObjectStore,
    peers: Peers,
}

impl Replay {
    /// Opens the domain; scores and documents are read from the other services.
    #[must_use]
    pub fn open(db: Db, objects: ObjectStore, peers: Peers) -> Arc<Self> {
        Arc::new(Self { db, objects, peers })
    }
}

/// What the OpenAPI document says of the service; no database is needed for it.
#[must_use]
pub fn described() -> Described {
    http::routes().described()
}

/// The service.
#[must_use]
pub fn service(replay: Arc<Replay>) -> Service {
    let checks = vec![
        Check::database(&replay.db),
        Check::object_store(&replay.objects),
    ];
    Service {
        name: "replay",
        routes: http::routes().with_state(replay),
        checks,
    }
}
