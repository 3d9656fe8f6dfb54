//! Authority: tenants, clients and keys, and the short-lived, sender-constrained tokens that
//! every other service checks by itself.

mod client;
mod error;
mod http;
mod keys;
mod meters;
mod store;
mod tenant;
mod token;

use std::sync::Arc;

use stella_context::SystemContext;
use stella_service::{Check, Described, FirstAnswers, KeyStore, Logs, OnceOnly, Sentinel, Service};
use stella_signing::MasterKey;
use stella_storage::{Db, Migrations};
use stella_telemetry::Metrics;

pub use client::{Client, ClientKey, Held, NewClient};
pub use error::AuthorityError;
pub use store::tenants;
pub use token::TOKENS_END_WITHIN;

/// The migrations of the schema `authority`.
pub const MIGRATIONS: Migrations = Migrations {
    schema: "authority",
    postgres: &POSTGRES,
    sqlite: &SQLITE,
};
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

const NAME: &str = "authority";
const FIRST: &str = "/api/v1/authority";

/// Authority's domain: what the routes call, and what `stella up` calls before it listens.
#[derive(Debug)]
pub struct Authority {
    db: Db,
    keys: KeyStore,
    sentinel: Sentinel,
    assertions: OnceOnly,
    logs: Arc<Logs>,
    meters: meters::Meters,
}

impl Authority {
    /// Opens the domain; the first start makes the signing key.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the signing key.
    pub async fn open(
        system: &SystemContext,
        db: Db,
        master: Arc<MasterKey>,
        sentinel: Sentinel,
        metrics: &Metrics,
    ) -> Result<Arc<Self>, AuthorityError> {
        let logs = Logs::open(system, db.clone(), MIGRATIONS.schema, master.clone()).await?;
        let keys = KeyStore::new(db.clone(), MIGRATIONS.schema, keys::PURPOSE, master);
        keys.active(system).await?;
        Ok(Arc::new(Self {
            db,
            keys,
            sentinel,
            assertions: OnceOnly::default(),
            logs: Arc::new(logs),
            meters: meters::Meters::new(metrics),
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
pub fn service(authority: Arc<Authority>) -> Service {
    let logs = authority.logs.clone();
    let checks = vec![
        Check::database(&authority.db),
        Check::migrations(&authority.db, MIGRATIONS),
        logs.check_keys(),
        logs.check(),
    ];
    let first_answers = FirstAnswers::new(authority.db.clone(), MIGRATIONS.schema);
    let routes = http::routes().with_state(authority);
    Service {
        name: NAME,
        routes: routes.audited(NAME, FIRST, &logs),
        checks,
        first_answers: Some(first_answers),
        workers: vec![logs.sealer()],
    }
}
