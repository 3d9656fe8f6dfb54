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
use stella_context::SystemContext;
use stella_service::{Check, Described, FirstAnswers, KeyStoreError, Logs, Service};
use stella_signing::MasterKey;
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

const NAME: &str = "risk-engine";
const FIRST: &str = "/api/v1/score";

/// RiskEngine's domain.
#[derive(Debug)]
pub struct RiskEngine {
    db: Db,
    peers: Peers,
    library: Library,
    logs: Arc<Logs>,
}

impl RiskEngine {
    /// Opens the domain; findings and documents are read from the other services. The first start
    /// makes the key that signs the audit log.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the signing key.
    pub async fn open(
        system: &SystemContext,
        db: Db,
        peers: Peers,
        master: Arc<MasterKey>,
    ) -> Result<Arc<Self>, KeyStoreError> {
        let logs = Logs::open(system, db.clone(), MIGRATIONS.schema, master).await?;
        Ok(Arc::new(Self {
            db,
            peers,
            library: Library::default(),
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
pub fn service(risk_engine: Arc<RiskEngine>) -> Service {
    let first_answers = FirstAnswers::new(risk_engine.db.clone(), MIGRATIONS.schema);
    let logs = risk_engine.logs.clone();
    let checks = vec![
        Check::database(&risk_engine.db),
        Check::migrations(&risk_engine.db, MIGRATIONS),
        logs.check_keys(),
        logs.check(),
    ];
    let routes = http::routes().with_state(risk_engine);
    Service {
        name: NAME,
        routes: routes.audited(NAME, FIRST, &logs),
        checks,
        first_answers: Some(first_answers),
        workers: vec![logs.sealer()],
    }
}
