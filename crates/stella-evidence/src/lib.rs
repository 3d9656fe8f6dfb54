//! Evidence: takes in what others publish and keeps it exactly so, under the Aggregation-Only
//! Contract. Findings are derived from it, beside it, and can always be derived again.

mod backlog;
mod batch;
mod change;
mod derive;
mod derived;
mod document;
mod envelope;
mod error;
mod finding;
mod growth;
mod guard;
mod http;
mod ingest;
mod intake;
mod meters;
mod moment;
mod notice;
mod past;
mod rebuild;
mod store;
mod verify;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use stella_api::TenantId;
use stella_canonical::Digest;
use stella_context::SystemContext;
use stella_service::{Check, Described, FirstAnswers, Logs, Service};
use stella_signing::MasterKey;
use stella_storage::{Bucket, Db, Migrations, ObjectStore, StoreError};
use stella_telemetry::Metrics;

pub use batch::fuzz as fuzz_line;
pub use envelope::fuzz as fuzz_envelope;
pub use error::EvidenceError;

/// The migrations of the schema `evidence`.
pub const MIGRATIONS: Migrations = Migrations {
    schema: "evidence",
    postgres: &POSTGRES,
    sqlite: &SQLITE,
};
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The bucket of documents that are too large for the database.
pub const BUCKET: Bucket = Bucket("evidence");

const NAME: &str = "evidence";
const FIRST: &str = "/api/v1/evidence";

/// Evidence's domain.
#[derive(Debug)]
pub struct Evidence {
    db: Db,
    objects: ObjectStore,
    logs: Arc<Logs>,
    failed: Mutex<backlog::Failed>,
    intake: intake::Intake,
    growth: growth::Growth,
    meters: meters::Meters,
}

impl Evidence {
    /// Opens the domain. What an earlier process kept and did not get to derive is its worker's:
    /// however much that is, nobody waits for it.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the key that signs the log.
    pub async fn open(
        system: &SystemContext,
        db: Db,
        objects: ObjectStore,
        master: Arc<MasterKey>,
        metrics: &Metrics,
    ) -> Result<Arc<Self>, EvidenceError> {
        let logs = Logs::open(system, db.clone(), MIGRATIONS.schema, master).await?;
        Ok(Arc::new(Self {
            db,
            objects,
            logs: Arc::new(logs),
            failed: Mutex::default(),
            intake: intake::Intake::default(),
            growth: growth::Growth::default(),
            meters: meters::Meters::new(metrics),
        }))
    }

    /// The logs of its schema.
    #[must_use]
    pub fn logs(&self) -> &Arc<Logs> {
        &self.logs
    }
}

/// The digests of a tenant's blobs: what else is in the bucket, nothing needs.
///
/// # Errors
/// The database is away.
pub async fn named(
    system: &SystemContext,
    db: &Db,
    tenant: &TenantId,
) -> Result<BTreeSet<Digest>, StoreError> {
    let mut tx = db.system_in(system, tenant).await?;
    let digests = store::in_object_store(&mut tx, tenant).await?;
    tx.commit().await?;
    Ok(digests)
}

/// What the OpenAPI document says of the service; no database is needed for it.
#[must_use]
pub fn described() -> Described {
    http::routes().described().audited(NAME, FIRST)
}

/// The service.
#[must_use]
pub fn service(evidence: Arc<Evidence>) -> Service {
    let first_answers = FirstAnswers::new(evidence.db.clone(), MIGRATIONS.schema);
    let checks = vec![
        Check::database(&evidence.db),
        Check::object_store(&evidence.objects),
        Check::migrations(&evidence.db, MIGRATIONS),
        evidence.logs.check_keys(),
        backlog::check(&evidence),
        evidence.logs.check(),
    ];
    let logs = evidence.logs.clone();
    let workers = vec![evidence.logs.sealer(), derive::worker(&evidence)];
    let routes = http::routes().with_state(evidence);
    Service {
        name: NAME,
        routes: routes.audited(NAME, FIRST, &logs),
        checks,
        first_answers: Some(first_answers),
        workers,
    }
}
