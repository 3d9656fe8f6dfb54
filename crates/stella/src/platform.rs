//! Wiring: databases, object store and keys become services, and services one router.

use std::sync::Arc;

use anyhow::Context as _;
use stella_authority::Authority;
use stella_client::Peers;
use stella_context::{Clock, SystemContext};
use stella_evidence::Evidence;
use stella_replay::Replay;
use stella_risk_engine::RiskEngine;
use stella_service::{Described, House, HouseOptions, KeySource, Sentinel, Service};
use stella_signing::MasterKey;
use stella_storage::{Connection, DataFolder, Db, Migrations, ObjectStore};

/// The migrations of every service, in the order of their names.
pub const MIGRATIONS: [Migrations; 4] = [
    stella_authority::MIGRATIONS,
    stella_evidence::MIGRATIONS,
    stella_replay::MIGRATIONS,
    stella_risk_engine::MIGRATIONS,
];

/// The database of each service.
#[derive(Clone, Debug)]
pub struct Databases {
    /// Authority's.
    pub authority: Db,
    /// Evidence's.
    pub evidence: Db,
    /// Replay's.
    pub replay: Db,
    /// RiskEngine's.
    pub risk_engine: Db,
}

impl Databases {
    /// The files of a data folder, brought up to date.
    ///
    /// # Errors
    /// A file cannot be opened or migrated.
    pub async fn embedded(folder: &Arc<DataFolder>) -> Result<Self, stella_storage::StoreError> {
        Ok(Self {
            authority: stella_authority::MIGRATIONS.open_sqlite(folder).await?,
            evidence: stella_evidence::MIGRATIONS.open_sqlite(folder).await?,
            replay: stella_replay::MIGRATIONS.open_sqlite(folder).await?,
            risk_engine: stella_risk_engine::MIGRATIONS.open_sqlite(folder).await?,
        })
    }

    /// PostgreSQL in the serving role: one pool for the services and Authority's own.
    ///
    /// # Errors
    /// The database is away, the role could pass row-level security, or migrations are pending.
    pub async fn postgres(connection: &Connection) -> Result<Self, stella_storage::StoreError> {
        let (authority, shared) = (Db::postgres(connection), Db::postgres(connection));
        shared.refuse_unsafe_role().await?;
        for migrations in MIGRATIONS {
            migrations.check_postgres(&shared).await?;
        }
        let (evidence, replay) = (shared.clone(), shared.clone());
        Ok(Self {
            authority,
            evidence,
            replay,
            risk_engine: shared,
        })
    }
}

/// What a platform is set up with.
#[derive(Debug)]
pub struct Setup {
    /// The public URL: issuer of tokens and base of `htu`.
    pub public_url: String,
    /// The database of each service.
    pub databases: Databases,
    /// Where blobs lie.
    pub objects: ObjectStore,
    /// Opens keys at rest.
    pub master: MasterKey,
    /// The clock of recorded times.
    pub clock: Clock,
}

/// Running services, and what is needed of them beside their routes.
#[derive(Debug)]
pub struct Platform {
    /// The router and its description.
    pub house: House,
    /// Authority's domain, for the first tenant and client.
    pub authority: Arc<Authority>,
    /// Evidence's domain, for its reconciler.
    pub evidence: Arc<Evidence>,
}

impl Platform {
    /// Wires every service.
    ///
    /// # Errors
    /// A database is away, or a stored key cannot be opened.
    pub async fn open(setup: Setup) -> anyhow::Result<Self> {
        let system = SystemContext::new("start", setup.clock);
        let peers = Peers::default();
        let sentinel = Sentinel::new(&setup.public_url, KeySource::of_peers(peers.clone()));
        let Databases {
            authority,
            evidence,
            replay,
            risk_engine,
        } = setup.databases;
        let authority = Authority::open(&system, authority, &setup.master, sentinel.clone())
            .await
            .context("opening Authority")?;
        let evidence = Evidence::open(&system, evidence, setup.objects.clone())
            .await
            .context("opening Evidence")?;
        let risk_engine = RiskEngine::open(risk_engine, peers.clone());
        let replay = Replay::open(replay, setup.objects, peers.clone());
        let services: Vec<Service> = vec![
            stella_authority::service(authority.clone()),
            stella_evidence::service(evidence.clone()),
            stella_replay::service(replay),
            stella_risk_engine::service(risk_engine),
        ];
        let options = HouseOptions {
            sentinel,
            clock: setup.clock,
        };
        let house = House::build(services, &options, &peers);
        Ok(Self {
            house,
            authority,
            evidence,
        })
    }
}

/// What the OpenAPI document says of every service; no database is needed for it.
#[must_use]
pub fn described() -> Vec<Described> {
    vec![
        stella_authority::described(),
        stella_evidence::described(),
        stella_replay::described(),
        stella_risk_engine::described(),
    ]
}

/// The OpenAPI document as it is checked in: stable, and easy to compare.
///
/// # Errors
/// It has no JSON form.
pub fn openapi() -> anyhow::Result<String> {
    let document = serde_json::to_value(stella_service::describe(described()))?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
