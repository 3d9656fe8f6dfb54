//! What a serving process needs, complete.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use stella_cli::Failure;
use stella_cli::arguments::ConfigurationArgs;
use stella_cli::environment::Environment as Variables;
use stella_service::{RateLimits, RequestLimits, TrustedProxies};
use stella_storage::{Connection, Driver, ObjectDriver};
use stella_telemetry::Export;

use crate::commands::{Connections, TlsFiles};
use crate::platform::{Drivers, ObjectDrivers};

use super::{Environment, Problem, Raw, ServiceName, SourceOf, resolve, secrets};

const DEFAULT_FILE: &str = "/etc/stella/stella.yaml";

/// Everything that a serving process is told.
pub struct Settings {
    /// How strict the process is.
    pub environment: Environment,
    /// Where each service keeps what it keeps, in the order of [`ServiceName::ALL`].
    pub services: [ServiceStorage; 4],
    /// The owner's connection, for migrations.
    pub migrations: Option<Connection>,
    /// The folder of embedded tables and of blobs.
    pub data: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The server's own TLS, where it has any.
    pub tls: Option<TlsFiles>,
    /// Where metrics and health are told in detail.
    pub admin_listen: SocketAddr,
    /// Whom to believe in whom they stand for.
    pub proxies: TrustedProxies,
    /// How many may be connected, and how slow they may be.
    pub connections: Connections,
    /// How often callers may ask.
    pub limits: RateLimits,
    /// What one request may take.
    pub requests: RequestLimits,
    /// How long a stop waits for the requests that are being answered.
    pub stop_within: Duration,
    /// The issuer of tokens and base of `htu`.
    pub public_url: String,
    /// The file with the key that encrypts keys at rest.
    pub master_key: PathBuf,
    /// The one before it, while it is being replaced.
    pub previous_master_key: Option<PathBuf>,
    /// Where telemetry is exported to.
    pub export: Option<Export>,
    /// What no record may hold.
    pub secrets: Vec<String>,
}

/// Secrets are not shown.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({:?}, {:?})", self.environment, self.services)
    }
}

/// Where one service keeps what it keeps, and which keys said so.
#[derive(Clone, Debug)]
pub struct ServiceStorage {
    /// The service.
    pub service: ServiceName,
    /// Where its tables live.
    pub driver: Driver,
    /// The key that chose the driver.
    pub driver_key: String,
    /// The key of its connection string, with `postgres`.
    pub connection_key: Option<String>,
    /// Which source set that key.
    pub connection_source: Option<SourceOf>,
    /// Where its blobs lie, for a service that stores blobs.
    pub objects: Option<Objects>,
}

/// Where a service's blobs lie.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The object store.
    pub driver: ObjectDriver,
    /// The key that chose it.
    pub driver_key: String,
}

/// What all sources say, not judged yet.
#[derive(Debug)]
pub struct Gathered {
    /// The keys.
    pub raw: Raw,
    /// How strictly they are judged.
    pub environment: Environment,
    export: Result<Option<Export>, Vec<Problem>>,
    /// Variables that would reach connections to PostgreSQL past the connection strings.
    stray: Vec<&'static str>,
}

/// Those that no connection string overrules: sqlx reads them with each.
const STRAY: [&str; 4] = ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

impl Gathered {
    /// Reads the file, the environment and the command line.
    ///
    /// # Errors
    /// The file or an argument cannot be read; exit 78.
    pub fn from(arguments: &ConfigurationArgs, variables: &Variables) -> Result<Self, Failure> {
        let raw = gather(arguments, variables).map_err(|problem| Problem::told(&[problem]))?;
        Ok(Self {
            raw,
            environment: Environment::named(variables),
            export: super::export(variables),
            stray: STRAY
                .into_iter()
                .filter(|name| variables.get(name).is_some())
                .collect(),
        })
    }

    /// Judges them.
    ///
    /// # Errors
    /// All the problems, one a line, exit 78.
    pub fn resolved(&self) -> Result<Settings, Failure> {
        let settings = resolve(&self.raw, self.environment);
        let on_postgres = settings.as_ref().is_ok_and(Settings::on_postgres);
        let stray = self.stray.iter().filter(|_| on_postgres);
        let stray: Vec<Problem> = stray.map(|name| Problem::stray_variable(name)).collect();
        match (settings, self.export.clone()) {
            (Ok(settings), Ok(export)) if stray.is_empty() => Ok(Settings {
                secrets: secrets::all(&self.raw, export.as_ref()),
                export,
                ..settings
            }),
            (settings, export) => {
                let problems = [settings.err(), export.err(), Some(stray)];
                let problems: Vec<Problem> = problems.into_iter().flatten().flatten().collect();
                Err(Problem::told(&problems))
            }
        }
    }
}

impl Settings {
    /// The owner's connection, where any service is on PostgreSQL: nothing else is migrated by it.
    #[must_use]
    pub fn owner(&self) -> Option<&Connection> {
        self.migrations.as_ref().filter(|_| self.on_postgres())
    }

    fn on_postgres(&self) -> bool {
        let mut drivers = self.services.iter().map(|one| &one.driver);
        drivers.any(|driver| matches!(driver, Driver::Postgres(_)))
    }

    /// The driver of each service.
    #[must_use]
    pub fn drivers(&self) -> Drivers {
        let drivers = self.services.each_ref().map(|one| one.driver.clone());
        let [authority, evidence, replay, risk_engine] = drivers;
        Drivers {
            authority,
            evidence,
            replay,
            risk_engine,
        }
    }

    /// Where the blobs of each service that has any lie.
    #[must_use]
    pub fn object_drivers(&self) -> Option<ObjectDrivers> {
        let of = |one: &ServiceStorage| Some(one.objects.as_ref()?.driver.clone());
        let [_, evidence, replay, _] = self.services.each_ref().map(of);
        Some(ObjectDrivers {
            evidence: evidence?,
            replay: replay?,
        })
    }

    /// Gathers the raw keys and resolves them.
    ///
    /// # Errors
    /// All the problems, one a line, exit 78.
    pub fn load(arguments: &ConfigurationArgs, variables: &Variables) -> Result<Self, Failure> {
        Gathered::from(arguments, variables)?.resolved()
    }
}

fn gather(arguments: &ConfigurationArgs, variables: &Variables) -> Result<Raw, Problem> {
    let mut raw = Raw::default();
    let default = PathBuf::from(DEFAULT_FILE);
    match &arguments.config {
        Some(path) => raw.take_file(path)?,
        None if default.exists() => raw.take_file(&default)?,
        None => {}
    }
    raw.take_environment(variables.iter());
    raw.take_command_line(&arguments.set)?;
    Ok(raw)
}
