//! Which engine, and where it is.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::Url;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::S3;
use crate::reach::identity;

/// Where a platform's tables live. It cannot be half-set.
#[derive(Clone, Debug)]
pub enum Driver {
    /// PostgreSQL 15 or newer.
    Postgres(Connection),
    /// SQLite in a folder: development and tests.
    Filesystem(PathBuf),
    /// SQLite in a private temporary folder that is gone at exit: development and tests.
    InMemory,
}

/// Where a service's blobs lie. It cannot be half-set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectDriver {
    /// A folder.
    SeedFs(PathBuf),
    /// A folder in the private one of [`Driver::InMemory`], which is gone at exit.
    Temporary,
    /// A bucket of an S3-compatible store.
    Rustfs(S3),
}

/// A connection to PostgreSQL. Its `Debug` form never shows the password. Two are equal where
/// they were written alike: then they can share a pool.
#[derive(Clone)]
pub struct Connection {
    written: String,
    options: Box<PgConnectOptions>,
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Connection {}

impl Connection {
    /// Reads a PostgreSQL URL, or the ADO style `Host=…;Port=…;Database=…;Username=…;Password=…;
    /// SslMode=…`.
    ///
    /// # Errors
    /// A text that is neither; the message does not repeat it, since it may hold a secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let options = match text.starts_with("postgres://") || text.starts_with("postgresql://") {
            true => url(text)?,
            false => ado(text)?,
        };
        Ok(Self {
            written: text.to_owned(),
            options: Box::new(options),
        })
    }

    /// The host that is connected to.
    #[must_use]
    pub fn host(&self) -> &str {
        self.options.get_host()
    }

    /// Whether that host is this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        loopback || host.eq_ignore_ascii_case("localhost") || host.starts_with('/')
    }

    /// Whether both lead to one database, by whichever ways. One that does not answer says nothing
    /// else, and is taken for the same.
    pub async fn is_same_database(&self, other: &Self) -> bool {
        if self.place() == other.place() {
            return true;
        }
        let (one, two) = (
            identity(&self.options).await,
            identity(&other.options).await,
        );
        one.zip(two).is_none_or(|(one, two)| one == two)
    }

    /// Where it leads, as a URL of somebody else would begin to say it.
    #[must_use]
    pub fn place(&self) -> String {
        let database = self.options.get_database().unwrap_or_default();
        format!("{}:{}/{database}", self.host(), self.options.get_port())
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        (*self.options).clone()
    }
}

const PORT: u16 = 5432;
/// How `pg_stat_activity` names our connections.
const APPLICATION: &str = "stella";

/// What a URL does not say is the default, as in the ADO style: sqlx would take it from the
/// `PG*` variables and the `.pgpass` of whoever starts a process, and so from another place in
/// another shell. Those that no URL can overrule (`PGOPTIONS`) are the configuration's to refuse.
fn url(text: &str) -> Result<PgConnectOptions, String> {
    // The parser's own words may repeat a part of the text. It would take what stands before a `/`
    // of a password for the host.
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let path = path.splitn(4, '/').nth(3).unwrap_or_default();
    let read = text.parse().ok().zip(Url::parse(text).ok());
    let (mut options, url): (PgConnectOptions, Url) = read.filter(|_| !path.contains('@')).ok_or(
        "not a postgres:// URL that can be read; within the role and the password write \
             / as %2F, ? as %3F, # as %23, @ as %40 and % as %25",
    )?;
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name).collect();
    let known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    if names.iter().any(|name| !known(name)) {
        return Err(format!("a parameter is none of {}", PARAMETERS.join(", ")));
    }
    let said = |name: &str| names.iter().any(|said| said == name);
    if url.host_str().is_none_or(str::is_empty) && !said("host") && !said("hostaddr") {
        return Err("the URL names no host".to_owned());
    }
    if url.username().is_empty() && !said("user") {
        return Err("the URL names no role".to_owned());
    }
    if let Some(socket) = options.get_socket().map(|path| path.display().to_string()) {
        options = options.host(&socket);
    }
    if url.port().is_none() && !said("port") {
        options = options.port(PORT);
    }
    if url.path().trim_start_matches('/').is_empty() && !said("dbname") {
        let role = options.get_username().to_owned();
        options = options.database(&role);
    }
    if url.password().is_none() && !said("password") {
        options = options.password("");
    }
    if !said("sslmode") && !said("ssl-mode") {
        options = options.ssl_mode(PgSslMode::Prefer);
    }
    match said("application_name") {
        true => Ok(options),
        false => Ok(options.application_name(APPLICATION)),
    }
}

/// Those of a URL's query that sqlx knows: it would pass over others, such as a misspelt `sslmode`.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// `Name=value` pairs set apart by semicolons, names without regard to case or spaces; the names
/// are those of Npgsql.
fn ado(text: &str) -> Result<PgConnectOptions, String> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(PORT)
        .password("")
        .ssl_mode(PgSslMode::Prefer)
        .application_name(APPLICATION);
    let mut said = BTreeSet::new();
    for pair in text.split(';').filter(|pair| !pair.trim().is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err("neither a postgres:// URL nor Name=value pairs".to_owned());
        };
        let value = value.trim();
        let name: String = name.split_whitespace().collect();
        let field = match name.to_ascii_lowercase().as_str() {
            "host" | "server" => "Host",
            "port" => "Port",
            "database" => "Database",
            "username" | "userid" | "user" => "Username",
            "password" => "Password",
            "sslmode" => "SslMode",
            _ => {
                return Err(format!(
                    "{name} is none of Host, Port, Database, Username, Password, SslMode"
                ));
            }
        };
        if value.is_empty() {
            return Err(format!("{field} is empty"));
        }
        if !said.insert(field) {
            return Err(format!("{field} is said twice"));
        }
        options = match field {
            "Host" => options.host(value),
            "Port" => options.port(value.parse().map_err(|_| "Port is no port number")?),
            "Database" => options.database(value),
            "Username" => options.username(value),
            "Password" => options.password(value),
            _ => options.ssl_mode(ssl_mode(value)?),
        };
    }
    let needed = ["Host", "Database", "Username"];
    match needed.into_iter().find(|field| !said.contains(field)) {
        None => Ok(options),
        Some(field) => Err(format!("{field} is missing")),
    }
}

fn ssl_mode(value: &str) -> Result<PgSslMode, String> {
    let plain: String = value.chars().filter(char::is_ascii_alphabetic).collect();
    Ok(match plain.to_ascii_lowercase().as_str() {
        "disable" => PgSslMode::Disable,
        "allow" => PgSslMode::Allow,
        "prefer" => PgSslMode::Prefer,
        "require" => PgSslMode::Require,
        "verifyca" => PgSslMode::VerifyCa,
        "verifyfull" => PgSslMode::VerifyFull,
        _ => {
            return Err(
                "SslMode is none of Disable, Allow, Prefer, Require, VerifyCA, VerifyFull"
                    .to_owned(),
            );
        }
    })
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.options.get_host())
    }
}

impl Driver {
    /// The driver's name as configuration writes it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Driver::Postgres(_) => "postgres",
            Driver::Filesystem(_) => "filesystem",
            Driver::InMemory => "inmemory",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_ado_style_means_what_the_url_means() {
        let url = Connection::parse("postgres://stella:p%3Bw@db.example:5433/stella").unwrap();
        let ado =
            "Server=db.example; Port=5433;Database=stella;User Id=stella;SSL Mode=Verify-Full;";
        let ado = Connection::parse(ado).unwrap();
        let parts = |of: &Connection| {
            let options = of.options();
            let database = options.get_database().map(str::to_owned);
            (
                of.host().to_owned(),
                options.get_port(),
                options.get_username().to_owned(),
                database,
            )
        };
        assert_eq!(parts(&url), parts(&ado));
        assert!(matches!(
            ado.options().get_ssl_mode(),
            PgSslMode::VerifyFull
        ));
        assert_ne!(url, ado);
        assert_eq!(url, url.clone());
    }

    #[test]
    fn what_a_url_does_not_say_is_the_default() {
        let options = Connection::parse("postgres://stella@db.example").unwrap();
        let options = options.options();
        assert_eq!(options.get_port(), 5432);
        assert_eq!(options.get_database(), Some("stella"));
        assert_eq!(options.get_application_name(), Some("stella"));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Prefer));
        let socket = "postgres:///stella?host=/run/postgresql&user=stella&application_name=x";
        let connection = Connection::parse(socket).unwrap();
        assert!(connection.is_local() && connection.host() == "/run/postgresql");
        let options = connection.options();
        assert_eq!(options.get_application_name(), Some("x"));
        for (text, reason) in [
            ("postgres:///stella", "no host"),
            ("postgres://db.example/stella", "no role"),
            ("postgres://u@db/x?sslmod=verify-full", "none of"),
        ] {
            let told = Connection::parse(text).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for text in [
            "hunter2",
            "Host=db;Database=x",
            "Host=;Database=x;Username=u",
            "Host=db;Database=x;Username=u;Password=hunter2;Password=hunter3",
            "Host=db;Username=u",
            "Database=x;Username=u",
            "Host=db;Database=x;Username=u;Port=hunter2",
            "Host=db;Database=x;Username=u;SslMode=hunter2",
            "Host=db;Databse=hunter2",
            "postgres://u:hunter2@db:port/x",
            "postgres://u:hunter2@local host/x",
            "postgres://u:hunter2/x@db/x",
            "postgres://u:12/hunter2@db/x",
            "postgres://u:hunter2?x@db/x",
            "postgres://u:hunter2#x@db/x",
        ] {
            let told = Connection::parse(text).unwrap_err();
            assert!(!told.contains("hunter2"), "{text}: {told}");
            assert_eq!(told.contains("%2F"), text.contains("://"), "{text}: {told}");
        }
        let shown = format!(
            "{:?}",
            Connection::parse("postgres://u:hunter2@db/x").unwrap()
        );
        assert_eq!(shown, "Connection(db)");
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        let local = |host: &str| {
            Connection::parse(&format!("Host={host};Database=x;Username=u"))
                .unwrap()
                .is_local()
        };
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "[::1]",
            "/var/run/postgresql",
        ] {
            assert!(local(host), "{host}");
        }
        assert!(!local("db.example") && !local("10.0.0.7"));
    }
}
