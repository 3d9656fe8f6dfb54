//! Which engine, and where it is.

use std::path::PathBuf;

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

/// A connection to PostgreSQL. Its `Debug` form never shows the password.
#[derive(Clone)]
pub struct Connection {
    options: Box<sqlx::postgres::PgConnectOptions>,
}

impl Connection {
    /// Reads a PostgreSQL URL.
    ///
    /// # Errors
    /// A text that is no such URL; the message does not repeat it, since it may hold a secret.
    pub fn parse(url: &str) -> Result<Self, String> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err("not a postgres:// URL".to_owned());
        }
        url.parse()
            .map(|options| Self {
                options: Box::new(options),
            })
            .map_err(|error: sqlx::Error| error.to_string())
    }

    /// The host that is connected to.
    #[must_use]
    pub fn host(&self) -> &str {
        self.options.get_host()
    }

    pub(crate) fn options(&self) -> sqlx::postgres::PgConnectOptions {
        (*self.options).clone()
    }
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
