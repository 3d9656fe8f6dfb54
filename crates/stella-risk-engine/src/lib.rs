//! RiskEngine: scores findings from the raw documents that speak to them, keeps every score as
//! it was given, and says in sentences why it is what it is.

mod error;
mod evaluate;
mod explain;
mod http;
mod library;
mod score;
mod store;
mod stored;

use std::sync::Arc;

use stella_client::Peers;
use stella_service::{Check, Described, FirstAnswers, Service};
use stella_storage::{Db, Migrations};

pub use error::RiskError;

use library::Library;

/// The migrations of the schema `riskengine`.
pub const MIGRATIONS: Migrations = Migrations {
    schema: "riskengine",
    postgres: &POSTGRES,
    sqlite: &SQLITE,
};
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// RiskEngine's domain.
#[derive(Debug)]
pub struct RiskEngine {
    db: Db,
    peers: Peers,
    library: Library,
}

impl RiskEngine {
    /// Opens the domain; findings and documents are read from the other services.
    #[must_use]
    pub fn open(db: Db, peers: Peers) -> Arc<Self> {
        Arc::new(Self {
            db,
            peers,
            library: Library::default(),
        })
    }
}

/// What the OpenAPI document says of the service; no database is needed for it.
#[must_use]
pub fn described() -> Described {
    http::routes().described()
}

/// The service.
#[must_use]
pub fn service(risk_engine: Arc<RiskEngine>) -> Service {
    let first_answers = FirstAnswers::new(risk_engine.db.clone(), MIGRATIONS.schema);
    let checks = vec![Check::database(&risk_engine.db)];
    Service {
        name: "risk-engine",
        routes: http::routes().with_state(risk_engine),
        checks,
        first_answers: Some(first_answers),
        workers: Vec::new(),
    }
}
