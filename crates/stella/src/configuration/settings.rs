//! From raw keys to settings, or to all the problems at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use stella_api::Code;
use stella_cli::arguments::ConfigurationArgs;
use stella_cli::environment::Environment as Variables;
use stella_cli::{ExitCode, Failure};
use stella_storage::{Connection, Driver};

use super::Raw;

const DEFAULT_FILE: &str = "/etc/stella/stella.yaml";
const DEFAULT_LISTEN: &str = "127.0.0.1:7070";

/// Every key that there is.
const KEYS: &[&str] = &[
    "Storage:Driver",
    "Storage:DataDirectory",
    "Storage:AllowLocalhost",
    "Storage:ObjectStore:Driver",
    "ConnectionStrings:Default",
    "ConnectionStrings:Migrations",
    "Server:Listen",
    "Server:PublicUrl",
    "Security:MasterKeyFile",
];

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

    fn strict(self) -> bool {
        matches!(self, Self::Production | Self::Staging)
    }
}

/// One thing that is wrong with the configuration, as one line a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// Where, and what is accepted: `key=value` words.
    pub context: String,
    /// What to do.
    pub hint: String,
}

impl Problem {
    pub(super) fn new(code: Code, context: String, hint: String) -> Self {
        Self {
            code,
            context,
            hint,
        }
    }

    fn line(&self) -> String {
        format!("{} {} hint=\"{}\"", self.code, self.context, self.hint)
    }
}

/// What a serving process needs, complete.
#[derive(Debug)]
pub struct Settings {
    /// How strict the process is.
    pub environment: Environment,
    /// Where tables live.
    pub driver: Driver,
    /// The owner's connection, for migrations.
    pub migrations: Option<Connection>,
    /// The folder below which blobs lie (with `postgres`).
    pub objects: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The issuer of tokens and base of `htu`.
    pub public_url: String,
    /// The file with the key that encrypts keys at rest.
    pub master_key: PathBuf,
}

impl Settings {
    /// Gathers the raw keys and resolves them.
    ///
    /// # Errors
    /// All the problems, one a line, exit 78.
    pub fn load(arguments: &ConfigurationArgs, variables: &Variables) -> Result<Self, Failure> {
        let gathered = gather(arguments, variables).map_err(|problem| vec![problem]);
        let environment = variables
            .get("STELLA_ENVIRONMENT")
            .and_then(|value| value.to_str());
        let resolved = gathered.and_then(|raw| resolve(&raw, Environment::of(environment)));
        resolved.map_err(|problems| told(&problems))
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

fn told(problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(Problem::line).collect();
    let code = problems
        .first()
        .map_or(Code::ConfigValueInvalid, |first| first.code);
    Failure::told(code.as_str(), ExitCode::of_code(code), lines.join("\n"))
}

/// Resolves raw keys: settings, or every problem.
///
/// # Errors
/// Every problem there is.
pub fn resolve(raw: &Raw, environment: Environment) -> Result<Settings, Vec<Problem>> {
    let mut resolver = Resolver {
        raw,
        environment,
        problems: unknown_keys(raw),
    };
    let driver = resolver.driver();
    let migrations = resolver.connection("ConnectionStrings:Migrations");
    let objects = resolver.objects(driver.as_ref());
    let listen = resolver.listen();
    let master_key = resolver.master_key();
    let public_url = raw
        .get("Server:PublicUrl")
        .map(|(value, _)| value.to_owned());
    match (
        driver,
        objects,
        listen,
        master_key,
        resolver.problems.is_empty(),
    ) {
        (Some(driver), Some(objects), Some(listen), Some(master_key), true) => Ok(Settings {
            environment,
            driver,
            migrations,
            objects,
            public_url: public_url.unwrap_or_else(|| format!("http://{listen}")),
            listen,
            master_key,
        }),
        _ => Err(resolver.problems),
    }
}

struct Resolver<'a> {
    raw: &'a Raw,
    environment: Environment,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn wrong<T>(&mut self, code: Code, key: &str, hint: &str) -> Option<T> {
        let context = format!("key={key} environment={:?}", self.environment);
        self.problems
            .push(Problem::new(code, context, hint.to_owned()));
        None
    }

    fn value(&self, key: &str) -> Option<String> {
        let (value, _) = self.raw.get(key)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn driver(&mut self) -> Option<Driver> {
        let key = "Storage:Driver";
        let strict = self.environment.strict();
        match self.value(key).as_deref() {
            None => self.wrong(
                Code::StorageDriverMissing,
                key,
                "set Storage:Driver=postgres and ConnectionStrings:Default",
            ),
            Some("postgres") => self.postgres(),
            Some("filesystem" | "inmemory") if strict => self.wrong(
                Code::StorageDriverNotForProduction,
                key,
                "set Storage:Driver=postgres, or STELLA_ENVIRONMENT=Development to try things",
            ),
            Some("inmemory") => Some(Driver::InMemory),
            Some("filesystem") => match self.value("Storage:DataDirectory") {
                Some(folder) => Some(Driver::Filesystem(PathBuf::from(folder))),
                None => self.wrong(
                    Code::StorageDirectoryMissing,
                    "Storage:DataDirectory",
                    "set Storage:DataDirectory to a folder",
                ),
            },
            Some(_) => self.wrong(
                Code::StorageDriverUnsupported,
                key,
                "accepted: postgres, filesystem, inmemory (in lower case)",
            ),
        }
    }

    fn postgres(&mut self) -> Option<Driver> {
        let key = "ConnectionStrings:Default";
        if self.value(key).is_none() {
            return self.wrong(
                Code::StorageConnectionMissing,
                key,
                "set ConnectionStrings:Default=postgres://ROLE:PASSWORD@HOST/DATABASE",
            );
        }
        let connection = self.connection(key)?;
        let local = matches!(connection.host(), "localhost" | "::1" | "[::1]")
            || connection.host().starts_with("127.");
        let allowed = self.value("Storage:AllowLocalhost").as_deref() == Some("true");
        if local && self.environment.strict() && !allowed {
            return self.wrong(
                Code::StorageLocalhostInProduction,
                key,
                "name the database's host, or set Storage:AllowLocalhost=true by hand",
            );
        }
        Some(Driver::Postgres(connection))
    }

    /// The value of a connection string never enters the message: it holds a secret.
    fn connection(&mut self, key: &str) -> Option<Connection> {
        let text = self.value(key)?;
        match Connection::parse(&text) {
            Ok(connection) => Some(connection),
            Err(reason) => {
                let hint = format!("{reason}; write postgres://ROLE:PASSWORD@HOST/DATABASE");
                self.wrong(Code::StorageConnectionInvalid, key, &hint)
            }
        }
    }

    fn objects(&mut self, driver: Option<&Driver>) -> Option<PathBuf> {
        if matches!(driver, Some(Driver::Filesystem(_) | Driver::InMemory)) {
            return Some(PathBuf::new());
        }
        let key = "Storage:ObjectStore:Driver";
        match self.value(key).as_deref() {
            Some("seed-fs") => {}
            Some("rustfs") => {
                return self.wrong(
                    Code::ObjectStoreDriverUnsupported,
                    key,
                    "rustfs is not in this version yet: accepted is seed-fs",
                );
            }
            Some(_) => {
                return self.wrong(Code::ObjectStoreDriverUnsupported, key, "accepted: seed-fs");
            }
            None => {
                return self.wrong(
                    Code::ObjectStoreDriverMissing,
                    key,
                    "set Storage:ObjectStore:Driver=seed-fs and Storage:DataDirectory",
                );
            }
        }
        let folder = self.value("Storage:DataDirectory").map(PathBuf::from);
        match folder {
            Some(folder) if folder.is_absolute() || !self.environment.strict() => {
                Some(folder.join("objects"))
            }
            _ => self.wrong(
                Code::StorageDirectoryMissing,
                "Storage:DataDirectory",
                "seed-fs needs Storage:DataDirectory, an absolute path",
            ),
        }
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let key = "Server:Listen";
        let text = self.value(key).unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => self.wrong(Code::ConfigValueInvalid, key, "write ADDRESS:PORT"),
        }
    }

    fn master_key(&mut self) -> Option<PathBuf> {
        let key = "Security:MasterKeyFile";
        match self.value(key) {
            Some(path) => Some(PathBuf::from(path)),
            None => self.wrong(
                Code::ConfigValueInvalid,
                key,
                "make one: head -c 32 /dev/urandom > FILE, and set Security:MasterKeyFile=FILE",
            ),
        }
    }
}

fn unknown_keys(raw: &Raw) -> Vec<Problem> {
    let known = |key: &str| KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    let unknown = raw.keys().filter(|key| !known(key));
    unknown
        .map(|key| {
            let accepted = format!("known keys: {}", KEYS.join(", "));
            Problem::new(Code::ConfigKeyUnknown, format!("key={key}"), accepted)
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::SourceOf;
    use super::*;

    fn codes(pairs: &[(&str, &str)], environment: Environment) -> Vec<Code> {
        let mut raw = Raw::default();
        for (key, value) in pairs {
            raw.set(key, value, SourceOf::CommandLine);
        }
        let problems = resolve(&raw, environment).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.code).collect()
    }

    const COMPLETE: &[(&str, &str)] = &[
        ("Storage:Driver", "postgres"),
        (
            "ConnectionStrings:Default",
            "postgres://stella:secret@db.example/stella",
        ),
        ("Storage:ObjectStore:Driver", "seed-fs"),
        ("Storage:DataDirectory", "/var/lib/stella"),
        ("Security:MasterKeyFile", "/etc/stella/master.key"),
    ];

    fn changed<'a>(key: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut pairs: Vec<_> = COMPLETE
            .iter()
            .copied()
            .filter(|(k, _)| *k != key)
            .collect();
        pairs.push((key, value));
        pairs
    }

    #[test]
    fn a_complete_configuration_is_taken_in_every_environment() {
        use Environment as E;
        for environment in [E::Production, E::Staging, E::Development, E::Testing] {
            assert_eq!(codes(COMPLETE, environment), []);
        }
    }

    #[test]
    fn nothing_is_assumed_and_everything_is_told_at_once() {
        assert_eq!(
            codes(&[], Environment::Production),
            [
                Code::StorageDriverMissing,
                Code::ObjectStoreDriverMissing,
                Code::ConfigValueInvalid,
            ]
        );
    }

    #[test]
    fn each_wrong_value_has_its_code() {
        let rows = [
            (
                changed("Storage:Driver", "Postgres"),
                Code::StorageDriverUnsupported,
            ),
            (
                changed("Storage:Driver", "inmemory"),
                Code::StorageDriverNotForProduction,
            ),
            (
                changed("ConnectionStrings:Default", ""),
                Code::StorageConnectionMissing,
            ),
            (
                changed("ConnectionStrings:Default", "nonsense"),
                Code::StorageConnectionInvalid,
            ),
            (
                changed("ConnectionStrings:Default", "postgres://a@localhost/b"),
                Code::StorageLocalhostInProduction,
            ),
            (
                changed("Storage:ObjectStore:Driver", "s3"),
                Code::ObjectStoreDriverUnsupported,
            ),
            (
                changed("Storage:DataDirectory", "here"),
                Code::StorageDirectoryMissing,
            ),
            (
                changed("Server:Listen", "anywhere"),
                Code::ConfigValueInvalid,
            ),
            (changed("Storage:Drivr", "postgres"), Code::ConfigKeyUnknown),
        ];
        for (pairs, code) in rows {
            let told = codes(&pairs, Environment::Production);
            assert!(told.contains(&code), "{pairs:?}: {told:?}");
        }
    }

    #[test]
    fn no_secret_is_told() {
        let mut raw = Raw::default();
        let url = "postgres://stella:hunter2@local host/x";
        raw.set("Storage:Driver", "postgres", SourceOf::CommandLine);
        raw.set("ConnectionStrings:Default", url, SourceOf::CommandLine);
        let problems = resolve(&raw, Environment::Production).unwrap_err();
        assert!(!told(&problems).text().contains("hunter2"));
    }
}
