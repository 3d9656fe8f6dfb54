//! From raw keys to settings, or to all the problems at once.

mod objects;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use stella_api::{Code, MAX_BODY};
use stella_cli::environment::Environment as Variables;
use stella_client::is_server_url;
use stella_locale::Labels;
use stella_service::{Quota, RateLimits, RequestLimits, TrustedProxies};
use stella_storage::{Connection, Driver, S3};

use super::raw::{Said, SourceOf};
use crate::commands::{Connections, TlsFiles};

use super::{Key, Problem, Raw, ServiceName, ServiceStorage, Settings, secrets};

/// How strict a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Also where `STELLA_ENVIRONMENT` is unset or unknown.
    Production,
    /// As strict as Production.
    Staging,
    /// Embedded storage may be asked for.
    Development,
    /// Embedded storage may be asked for.
    Testing,
}

impl Environment {
    /// What `STELLA_ENVIRONMENT` names.
    #[must_use]
    pub fn named(variables: &Variables) -> Self {
        let name = variables.get("STELLA_ENVIRONMENT");
        Self::of(name.and_then(|name| name.to_str()))
    }

    /// Reads `STELLA_ENVIRONMENT`.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some("Staging") => Self::Staging,
            Some("Development") => Self::Development,
            Some("Testing") => Self::Testing,
            _ => Self::Production,
        }
    }

    /// Whether embedded storage is refused.
    #[must_use]
    pub fn strict(self) -> bool {
        matches!(self, Self::Production | Self::Staging)
    }
}

/// The least has room for the longest line of a batch and the chunk before it.
const BODIES: RangeInclusive<u64> = 128 * 1024 * 1024..=1024 * 1024 * 1024 * 1024;

/// Resolves raw keys: settings, or every problem.
///
/// # Errors
/// Every problem there is.
pub fn resolve(raw: &Raw, environment: Environment) -> Result<Settings, Vec<Problem>> {
    let mut resolver = Resolver {
        raw,
        environment,
        problems: unknown_keys(raw).chain(clashes(raw)).collect(),
        s3: None,
    };
    let services = ServiceName::ALL.map(|service| resolver.service(service));
    let migrations = resolver.migrations();
    let data = resolver.value("Storage:DataDirectory").map(Said::path);
    resolver.localhost();
    let listen = resolver.address("Server:Listen");
    let admin_listen = resolver.address("Server:AdminListen");
    resolver.apart(listen, admin_listen);
    let tls = resolver.tls();
    let public_url = resolver.public_url(tls.is_some());
    let proxies = resolver.proxies();
    let limits = resolver.limits();
    let connections = resolver.connections();
    let requests = resolver.requests();
    let stop_seconds = resolver.count("Server:StopSeconds");
    let master_key = resolver.master_key();
    let sound = resolver.problems.is_empty();
    match (
        services,
        listen,
        admin_listen,
        limits,
        connections,
        requests,
        stop_seconds,
        master_key,
        sound,
    ) {
        (
            [
                Some(authority),
                Some(evidence),
                Some(replay),
                Some(risk_engine),
            ],
            Some(listen),
            Some(admin_listen),
            Some(limits),
            Some(connections),
            Some(requests),
            Some(stop_seconds),
            Some(master_key),
            true,
        ) => Ok(Settings {
            environment,
            services: [authority, evidence, replay, risk_engine],
            migrations,
            data,
            public_url: public_url.unwrap_or_else(|| {
                let scheme = tls.as_ref().map_or("http", |_| "https");
                format!("{scheme}://{listen}")
            }),
            tls,
            listen,
            admin_listen,
            proxies: proxies.unwrap_or_default(),
            limits,
            connections,
            requests,
            stop_within: Duration::from_secs(stop_seconds.get().into()),
            master_key,
            previous_master_key: resolver
                .value("Security:PreviousMasterKeyFile")
                .map(Said::path),
            export: None,
            secrets: secrets::all(raw, None),
        }),
        _ => Err(resolver.problems),
    }
}

struct Resolver<'a> {
    raw: &'a Raw,
    environment: Environment,
    problems: Vec<Problem>,
    /// What the settings of `rustfs` are, once somebody asked: they are every service's, so what
    /// is wrong with them is told once.
    s3: Option<Option<S3>>,
}

impl<'a> Resolver<'a> {
    /// Notes a problem with the label of its hint.
    fn wrong<T>(
        &mut self,
        service: Option<ServiceName>,
        code: Code,
        key: &str,
        hint: &str,
    ) -> Option<T> {
        self.note(service, code, key, Labels::english().text(hint))
    }

    /// Notes a problem; where a source set the key, it is named.
    fn note<T>(
        &mut self,
        service: Option<ServiceName>,
        code: Code,
        key: &str,
        hint: String,
    ) -> Option<T> {
        let mut problem = Problem::new(code, hint);
        if let Some(service) = service {
            problem = problem.with("service", service.id);
        }
        problem = problem.with("key", key);
        if let Some(said) = self.raw.story(key).last() {
            problem = problem.with("source", &said.source);
        }
        problem = problem.with("environment", format!("{:?}", self.environment));
        if let Some(accepted) = self.accepted(key) {
            problem = problem.with("accepted", accepted);
        }
        self.problems.push(problem);
        None
    }

    /// What a key takes in this environment.
    fn accepted(&self, key: &str) -> Option<String> {
        let known = Key::find(key)?;
        if self.environment.strict() && key.ends_with("Storage:Driver") {
            return Some("postgres".to_owned());
        }
        (!known.secret).then(|| known.accepts.text())
    }

    fn value(&self, key: &str) -> Option<&'a Said> {
        self.raw.get(key)
    }

    /// A service's own key where it is set, else the platform's.
    fn own_or(&self, own: String, platform: &str) -> (String, Option<&'a str>) {
        match self.value(&own) {
            Some(said) => (own, Some(said.value.trim())),
            None => {
                let value = self.value(platform).map(|said| said.value.trim());
                (platform.to_owned(), value)
            }
        }
    }

    fn service(&mut self, service: ServiceName) -> Option<ServiceStorage> {
        let own = format!("{}:Storage:Driver", service.section);
        let (driver_key, driver) = self.own_or(own, "Storage:Driver");
        let mut connection_key = None;
        let driver = match driver {
            None => self.wrong(
                Some(service),
                Code::StorageDriverMissing,
                &driver_key,
                "hint-config-driver-missing",
            ),
            Some("postgres") => {
                let own = format!("ConnectionStrings:{}", service.section);
                let (key, text) = self.own_or(own, "ConnectionStrings:Default");
                let driver = self.postgres(service, &key, text);
                connection_key = Some(key);
                driver
            }
            Some("filesystem" | "inmemory") if self.environment.strict() => self.wrong(
                Some(service),
                Code::StorageDriverNotForProduction,
                &driver_key,
                "hint-config-driver-embedded",
            ),
            Some("inmemory") => Some(Driver::InMemory),
            Some("filesystem") => match self.value("Storage:DataDirectory") {
                Some(said) => Some(Driver::Filesystem(said.path())),
                None => self.wrong(
                    Some(service),
                    Code::StorageDirectoryMissing,
                    "Storage:DataDirectory",
                    "hint-config-folder-missing",
                ),
            },
            Some(_) => self.wrong(
                Some(service),
                Code::StorageDriverUnsupported,
                &driver_key,
                "hint-config-one-of",
            ),
        };
        let objects = match service.blobs {
            true => Some(self.objects(service, driver.as_ref())?),
            false => None,
        };
        let said = connection_key.as_deref().and_then(|key| self.value(key));
        Some(ServiceStorage {
            service,
            driver: driver?,
            driver_key,
            connection_source: said.map(|said| said.source.clone()),
            connection_key,
            objects,
        })
    }

    fn postgres(&mut self, service: ServiceName, key: &str, text: Option<&str>) -> Option<Driver> {
        let Some(text) = text else {
            return self.wrong(
                Some(service),
                Code::StorageConnectionMissing,
                key,
                "hint-config-connection-missing",
            );
        };
        let connection = self.connection(Some(service), key, text)?;
        let allowed = self.value("Storage:AllowLocalhost");
        let allowed = allowed.is_some_and(|said| said.value.trim() == "true");
        if connection.is_local() && self.environment.strict() && !allowed {
            return self.wrong(
                Some(service),
                Code::StorageLocalhostInProduction,
                key,
                "hint-config-localhost",
            );
        }
        Some(Driver::Postgres(connection))
    }

    /// The value of a connection string never enters the message: it holds a secret.
    fn connection(
        &mut self,
        service: Option<ServiceName>,
        key: &str,
        text: &str,
    ) -> Option<Connection> {
        match Connection::parse(text) {
            Ok(connection) => Some(connection),
            Err(reason) => {
                let values = [("reason", reason.into())];
                let hint = Labels::english().format("hint-config-connection", &values);
                self.note(service, Code::StorageConnectionInvalid, key, hint)
            }
        }
    }

    fn migrations(&mut self) -> Option<Connection> {
        let key = "ConnectionStrings:Migrations";
        let text = self.value(key)?.value.trim();
        self.connection(None, key, text)
    }

    fn localhost(&mut self) {
        let key = "Storage:AllowLocalhost";
        let Some(said) = self.value(key) else { return };
        if !["true", "false"].contains(&said.value.trim()) {
            let _: Option<()> =
                self.wrong(None, Code::ConfigValueInvalid, key, "hint-config-one-of");
        }
    }

    fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let default = Key::find(key).and_then(|known| known.default);
        let said = self.value(key).map(|said| said.value.trim());
        match said.or(default).unwrap_or_default().parse() {
            Ok(address) => Some(address),
            Err(_) => self.wrong(None, Code::ConfigValueInvalid, key, "hint-config-listen"),
        }
    }

    /// What the admin address answers must not be reached where everybody asks.
    fn apart(&mut self, listen: Option<SocketAddr>, admin: Option<SocketAddr>) {
        let (Some(listen), Some(admin)) = (listen, admin) else {
            return;
        };
        let everywhere = [listen, admin].iter().any(|one| one.ip().is_unspecified());
        let port = listen.port() == admin.port() && listen.port() != 0;
        if port && (everywhere || listen.ip() == admin.ip()) {
            let key = "Server:AdminListen";
            let _: Option<()> = self.wrong(
                None,
                Code::ConfigValueInvalid,
                key,
                "hint-config-admin-listen",
            );
        }
    }

    fn limits(&mut self) -> Option<RateLimits> {
        let client = self.quota("Client");
        let tenant = self.quota("Tenant");
        Some(RateLimits {
            client: client?,
            tenant: tenant?,
        })
    }

    fn quota(&mut self, whose: &str) -> Option<Quota> {
        let requests = self.count(&format!("Server:RateLimit:{whose}:Requests"));
        let seconds = self.count(&format!("Server:RateLimit:{whose}:Seconds"));
        Some(Quota {
            requests: requests?,
            seconds: seconds?,
        })
    }

    fn connections(&mut self) -> Option<Connections> {
        let most = self.count("Server:MaxConnections");
        let head = self.count("Server:RequestHeadSeconds");
        Some(Connections {
            most: usize::try_from(most?.get()).ok()?,
            head: Duration::from_secs(head?.get().into()),
        })
    }

    fn requests(&mut self) -> Option<RequestLimits> {
        let body = self.between("Server:MaxBodyBytes", 64 * 1024..=MAX_BODY);
        let seconds = self.between("Server:RequestSeconds", 1..=3600);
        let bodies = self.between("Server:BodiesBytes", BODIES);
        Some(RequestLimits {
            body: body?,
            bodies: bodies?,
            time: Duration::from_secs(seconds?),
        })
    }

    fn between(&mut self, key: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let default = Key::find(key).and_then(|known| known.default);
        let said = self.value(key).map(|said| said.value.trim());
        match said.or(default).unwrap_or_default().parse() {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => self.wrong(None, Code::ConfigValueInvalid, key, "hint-config-between"),
        }
    }

    fn count(&mut self, key: &str) -> Option<NonZeroU32> {
        let default = Key::find(key).and_then(|known| known.default);
        let said = self.value(key).map(|said| said.value.trim());
        match said.or(default).unwrap_or_default().parse() {
            Ok(count) => Some(count),
            Err(_) => self.wrong(None, Code::ConfigValueInvalid, key, "hint-config-count"),
        }
    }

    /// Both files, or no TLS.
    fn tls(&mut self) -> Option<TlsFiles> {
        let (certificate, key) = ("Server:Tls:CertificateFile", "Server:Tls:PrivateKeyFile");
        match (self.value(certificate), self.value(key)) {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: certificate.path(),
                key: key.path(),
            }),
            (Some(_), None) => self.wrong(None, Code::ConfigValueInvalid, key, "hint-config-tls"),
            (None, Some(_)) => self.wrong(
                None,
                Code::ConfigValueInvalid,
                certificate,
                "hint-config-tls",
            ),
            (None, None) => None,
        }
    }

    fn proxies(&mut self) -> Option<TrustedProxies> {
        let key = "Server:TrustedProxies";
        match self.value(key)?.value.trim().parse() {
            Ok(proxies) => Some(proxies),
            Err(text) => {
                let values = [("text", text.into())];
                let hint = Labels::english().format("hint-config-proxies", &values);
                self.note(None, Code::ConfigValueInvalid, key, hint)
            }
        }
    }

    fn public_url(&mut self, tls: bool) -> Option<String> {
        let key = "Server:PublicUrl";
        let said = self.value(key)?;
        match said.value.trim().trim_end_matches('/') {
            url if tls && url.starts_with("http://") => self.wrong(
                None,
                Code::ConfigValueInvalid,
                key,
                "hint-config-public-url-tls",
            ),
            url if is_server_url(url) => Some(url.to_owned()),
            _ => self.wrong(
                None,
                Code::ConfigValueInvalid,
                key,
                "hint-config-public-url",
            ),
        }
    }

    fn master_key(&mut self) -> Option<PathBuf> {
        let key = "Security:MasterKeyFile";
        match self.value(key) {
            Some(said) => Some(said.path()),
            None => self.wrong(
                None,
                Code::ConfigValueInvalid,
                key,
                "hint-config-master-key",
            ),
        }
    }
}

fn unknown_keys(raw: &Raw) -> impl Iterator<Item = Problem> {
    let unknown = raw.all().filter(|said| Key::find(&said.written).is_none());
    unknown.map(|said| Problem::unknown_key(&said.written).with("source", &said.source))
}

fn clashes(raw: &Raw) -> impl Iterator<Item = Problem> {
    raw.clashes().map(|(one, other)| {
        let spelled = match &one.source {
            SourceOf::Environment(_) => [one.source.to_string(), other.source.to_string()],
            _ => [one.written.clone(), other.written.clone()],
        };
        let [first, second] = spelled.each_ref().map(|text| text.as_str().into());
        let hint = [("one", first), ("other", second)];
        let hint = Labels::english().format("hint-config-twice", &hint);
        Problem::new(Code::ConfigValueInvalid, hint)
            .with("key", &one.written)
            .with("source", &one.source)
    })
}
