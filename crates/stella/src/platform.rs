//! Wiring: databases, object store and keys become services, and services one router.

mod objects;

use std::sync::Arc;

use anyhow::Context as _;
use stella_authority::Authority;
use stella_client::Peers;
use stella_context::{Clock, SystemContext};
use stella_evidence::Evidence;
use stella_replay::Replay;
use stella_risk_engine::RiskEngine;
use stella_service::{
    Described, House, HouseOptions, KeySource, Logs, RateLimits, RequestLimits, Sentinel, Service,
    TrustedProxies,
};
use stella_signing::MasterKey;
use stella_storage::{Connection, DataFolder, Db, Driver, Migrations, StoreError};
use stella_telemetry::Metrics;

pub use objects::{NotWritable, ObjectDrivers, ObjectStores};

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

/// The driver of each service.
#[derive(Clone, Debug)]
pub struct Drivers {
    /// Authority's.
    pub authority: Driver,
    /// Evidence's.
    pub evidence: Driver,
    /// Replay's.
    pub replay: Driver,
    /// RiskEngine's.
    pub risk_engine: Driver,
}

impl Drivers {
    /// One driver for all.
    #[must_use]
    pub fn all(driver: &Driver) -> Self {
        Self {
            authority: driver.clone(),
            evidence: driver.clone(),
            replay: driver.clone(),
            risk_engine: driver.clone(),
        }
    }
}

impl Databases {
    /// The files of a data folder, brought up to date.
    ///
    /// # Errors
    /// A file cannot be opened or migrated.
    pub async fn embedded(folder: &Arc<DataFolder>) -> Result<Self, StoreError> {
        let mut storage = Storage {
            temporary: Some(folder.clone()),
            ..Storage::default()
        };
        storage.open(&Drivers::all(&Driver::InMemory)).await
    }

    /// Those that hold signing keys, with the schema of the keys.
    #[must_use]
    pub fn with_keys(&self) -> [(&'static str, &Db, &'static str); 4] {
        [
            (
                "authority",
                &self.authority,
                stella_authority::MIGRATIONS.schema,
            ),
            (
                "evidence",
                &self.evidence,
                stella_evidence::MIGRATIONS.schema,
            ),
            ("replay", &self.replay, stella_replay::MIGRATIONS.schema),
            (
                "risk-engine",
                &self.risk_engine,
                stella_risk_engine::MIGRATIONS.schema,
            ),
        ]
    }

    /// PostgreSQL in the serving role.
    ///
    /// # Errors
    /// The database is away, the role could pass row-level security, or migrations are pending.
    pub async fn postgres(connection: &Connection) -> Result<Self, StoreError> {
        let driver = Driver::Postgres(connection.clone());
        Storage::default().open(&Drivers::all(&driver)).await
    }
}

/// What is open: a pool for each distinct connection, and the data folders.
#[derive(Debug, Default)]
pub struct Storage {
    pools: Vec<(Connection, Db)>,
    filesystem: Option<Arc<DataFolder>>,
    temporary: Option<Arc<DataFolder>>,
}

impl Storage {
    /// Opens the database of each service. Authority has a pool of its own, which no other
    /// service's load can drain.
    ///
    /// # Errors
    /// A database is away, its role could pass row-level security, migrations are pending, or a
    /// folder or file cannot be opened.
    pub async fn open(&mut self, drivers: &Drivers) -> Result<Databases, StoreError> {
        let authority = self
            .one(&stella_authority::MIGRATIONS, &drivers.authority)
            .await?;
        self.pools.clear();
        Ok(Databases {
            authority,
            evidence: self
                .one(&stella_evidence::MIGRATIONS, &drivers.evidence)
                .await?,
            replay: self
                .one(&stella_replay::MIGRATIONS, &drivers.replay)
                .await?,
            risk_engine: self
                .one(&stella_risk_engine::MIGRATIONS, &drivers.risk_engine)
                .await?,
        })
    }

    /// The private folder that is gone at exit.
    fn temporary(&mut self) -> Result<Arc<DataFolder>, StoreError> {
        let folder = match &self.temporary {
            Some(folder) => folder,
            None => self.temporary.insert(DataFolder::temporary()?),
        };
        Ok(folder.clone())
    }

    async fn one(&mut self, migrations: &Migrations, driver: &Driver) -> Result<Db, StoreError> {
        match driver {
            Driver::Postgres(connection) => {
                let db = self.pool(connection).await?;
                migrations.check_postgres(&db).await?;
                Ok(db)
            }
            Driver::Filesystem(root) => {
                let folder = match &self.filesystem {
                    Some(folder) => folder,
                    None => self.filesystem.insert(DataFolder::open(root)?),
                };
                migrations.open_sqlite(folder).await
            }
            Driver::InMemory => migrations.open_sqlite(&self.temporary()?).await,
        }
    }

    async fn pool(&mut self, connection: &Connection) -> Result<Db, StoreError> {
        let open = self.pools.iter().find(|(known, _)| known == connection);
        if let Some((_, db)) = open {
            return Ok(db.clone());
        }
        let db = Db::postgres(connection);
        db.refuse_unsafe_role().await?;
        self.pools.push((connection.clone(), db.clone()));
        Ok(db)
    }
}

/// What a platform is set up with.
#[derive(Debug)]
pub struct Setup {
    /// The public URL: issuer of tokens and base of `htu`.
    pub public_url: String,
    /// The database of each service.
    pub databases: Databases,
    /// The object store of each service that has blobs.
    pub objects: ObjectStores,
    /// Opens keys at rest.
    pub master: Arc<MasterKey>,
    /// The clock of recorded times.
    pub clock: Clock,
    /// How often callers may ask.
    pub limits: RateLimits,
    /// What one request may take.
    pub requests: RequestLimits,
    /// Whom to believe in whom they stand for.
    pub proxies: TrustedProxies,
    /// Where services count.
    pub metrics: Metrics,
}

/// Running services, and what is needed of them beside their routes.
#[derive(Debug)]
pub struct Platform {
    /// The router and its description.
    pub house: House,
    /// Authority's domain, for the first tenant and client.
    pub authority: Arc<Authority>,
    /// Evidence's domain, whose rounds tests do themselves.
    pub evidence: Arc<Evidence>,
    /// The logs of every service, which tests seal themselves.
    pub logs: [Arc<Logs>; 4],
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
        let authority = Authority::open(
            &system,
            authority,
            setup.master.clone(),
            sentinel.clone(),
            &setup.metrics,
        )
        .await
        .context("opening Authority")?;
        let evidence = Evidence::open(
            &system,
            evidence,
            setup.objects.evidence,
            setup.master.clone(),
            &setup.metrics,
        )
        .await
        .context("opening Evidence")?;
        let risk_engine =
            RiskEngine::open(&system, risk_engine, peers.clone(), setup.master.clone())
                .await
                .context("opening RiskEngine")?;
        let replay = Replay::open(
            &system,
            replay,
            setup.objects.replay,
            peers.clone(),
            setup.master,
        )
        .await
        .context("opening Replay")?;
        let logs = [
            authority.logs().clone(),
            evidence.logs().clone(),
            replay.logs().clone(),
            risk_engine.logs().clone(),
        ];
        logs.iter().for_each(|logs| logs.meter(&setup.metrics));
        let services: Vec<Service> = vec![
            stella_authority::service(authority.clone()),
            stella_evidence::service(evidence.clone()),
            stella_replay::service(replay),
            stella_risk_engine::service(risk_engine),
        ];
        let options = HouseOptions {
            sentinel,
            clock: setup.clock,
            limits: setup.limits,
            requests: setup.requests,
            proxies: setup.proxies,
            metrics: setup.metrics,
        };
        let house = House::build(services, &options, &peers);
        Ok(Self {
            house,
            authority,
            evidence,
            logs,
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
