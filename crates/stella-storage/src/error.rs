//! What can go wrong with a database.

/// A failed statement, by what it means to the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row of that key exists.
    #[error("a row of that key exists: {0}")]
    Conflict(String),
    /// The database is away, too slow, stopping or no longer lets us in; the same call may succeed
    /// later.
    #[error("database unavailable: {}", said(.0))]
    Unavailable(#[source] sqlx::Error),
    /// The statement or its answer is wrong: a defect of ours, or of the stored data.
    #[error("statement failed: {}", said(.0))]
    Statement(#[source] sqlx::Error),
    /// Stored data that cannot be read back.
    #[error("stored {what} cannot be read: {reason}")]
    Unreadable {
        /// What it is, by its name.
        what: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// What is stored is encrypted with another key than those of this process.
    #[error("the master key does not open {0}")]
    Sealed(String),
    /// Another process holds the data folder.
    #[error("data folder {folder} is in use by process {holder}")]
    Locked {
        /// The folder.
        folder: String,
        /// The process id, as the lock file tells.
        holder: String,
    },
    /// The schema is older than this binary needs.
    #[error("schema {schema} has pending migrations: {pending:?}")]
    SchemaOlder {
        /// The schema.
        schema: &'static str,
        /// The versions that are not applied.
        pending: Vec<i64>,
    },
    /// The schema was migrated by a newer binary.
    #[error("schema {schema} has migrations that this binary does not know: {unknown:?}")]
    SchemaNewer {
        /// The schema.
        schema: &'static str,
        /// The versions that are applied and not known here.
        unknown: Vec<i64>,
    },
    /// The serving role could pass row-level security.
    #[error(
        "role {role} is {what}: a serving role must not be; connect as a member of stella_service"
    )]
    RoleUnsafe {
        /// The role.
        role: String,
        /// What is wrong with it.
        what: String,
    },
    /// The serving role has not the rights that migrations grant.
    #[error(
        "role {role} does not inherit the rights of {of}; a superuser runs: GRANT {of} TO {role}"
    )]
    RoleOutside {
        /// The role.
        role: String,
        /// The group role that has them.
        of: &'static str,
    },
    /// The serving role misses a right that migrations grant, or tables miss their protection.
    #[error("schema {schema} is not as `stella migrate` left it: {what}")]
    RightMissing {
        /// The schema.
        schema: &'static str,
        /// What is missing, and where.
        what: String,
    },
    /// The role that is to migrate cannot.
    #[error("role {role} {what}: migrations run as the owner, who may create schemas")]
    OwnerUnfit {
        /// The role.
        role: String,
        /// What it may not.
        what: String,
    },
    /// The database answers, and takes no writes: a standby, or one that was set read-only.
    #[error("the database takes no writes: it is a standby or was set read-only")]
    ReadOnly,
    /// The group role of serving roles is not there, so nothing could be granted to it.
    #[error("role {0} does not exist; a superuser creates it: CREATE ROLE {0} NOLOGIN")]
    RoleMissing(&'static str),
    /// A migration failed, or the schema was migrated by another binary.
    #[error("migrating schema {schema}: {source}")]
    Migration {
        /// The schema.
        schema: &'static str,
        /// What failed.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The file of an embedded database cannot be opened to read and write.
    #[error("database file {file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What failed.
        reason: String,
    },
    /// The data folder cannot be prepared.
    #[error("data folder {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// Stored data that cannot be read back.
    #[must_use]
    pub fn unreadable(what: impl ToString, reason: impl ToString) -> Self {
        Self::Unreadable {
            what: what.to_string(),
            reason: reason.to_string(),
        }
    }

    /// Whether the same call may succeed later, and no other may now.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::ReadOnly)
    }

    /// Whether the database answers and lets this user not in: while nobody changes the connection
    /// string or the server, no other call succeeds.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        if matches!(
            self,
            Self::RoleOutside { .. }
                | Self::RightMissing { .. }
                | Self::OwnerUnfit { .. }
                | Self::Unavailable(sqlx::Error::Tls(_))
        ) {
            return true;
        }
        let (Self::Unavailable(error) | Self::Statement(error)) = self else {
            return false;
        };
        let told = error.as_database_error().and_then(|told| told.code());
        told.is_some_and(|code| refused(&code) || code == "42501")
    }
}

/// sqlx adds the line of PostgreSQL's own source that an error was raised at.
fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(told) => told.message().to_owned(),
        None => error.to_string(),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(database) if database.is_unique_violation() => {
                Self::Conflict(database.message().to_owned())
            }
            E::Database(ref database) if database.code().as_deref() == Some("25006") => {
                Self::ReadOnly
            }
            E::Database(ref database)
                if database
                    .code()
                    .is_some_and(|code| transient(&code) || refused(&code)) =>
            {
                Self::Unavailable(error)
            }
            E::Database(ref database) if corrupt(database.code().as_deref()) => {
                Self::unreadable("database", database.message())
            }
            // `Protocol`: whoever listens in place of a server that is away answers no PostgreSQL.
            E::Io(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::Tls(_)
            | E::Protocol(_) => Self::Unavailable(error),
            // The statement found the row, and what stands there is nothing that we write.
            E::ColumnDecode { index, source } => {
                Self::unreadable(format!("column {}", index.trim_matches('"')), source)
            }
            other => Self::Statement(other),
        }
    }
}

/// The failure of opening the file of an embedded database, which names it.
pub(crate) fn opening(file: &std::path::Path, error: sqlx::Error) -> StoreError {
    let file = file.display();
    let (code, reason) = match error.as_database_error() {
        Some(told) => (told.code(), told.message().to_owned()),
        None => return error.into(),
    };
    if corrupt(code.as_deref()) {
        return StoreError::unreadable(format!("database file {file}"), reason);
    }
    match code.as_deref().and_then(primary) {
        // No right, read-only, the system's fault, and not openable.
        Some(3 | 8 | 10 | 14 | 23) => StoreError::File {
            file: file.to_string(),
            reason,
        },
        _ => error.into(),
    }
}

/// The primary code of SQLite, which an extended one holds in its lowest byte.
fn primary(code: &str) -> Option<u32> {
    code.parse().ok().map(|code: u32| code & 0xff)
}

/// SQLite's 11 and 26 (malformed, no database) and PostgreSQL's damaged data and indexes.
fn corrupt(code: Option<&str>) -> bool {
    code.is_some_and(|code| match code.len() {
        5 => matches!(code, "XX001" | "XX002"),
        _ => matches!(primary(code), Some(11 | 26)),
    })
}

/// What another try may not meet. SQLSTATE classes 08 (connection), 40 (serialisation), 53
/// (resources), 55 (a lock that was waited for, a database in maintenance), 57 (shut down, or a
/// statement that took too long) and 58 (the system's faults); SQLite's busy, locked, no memory,
/// the system's fault, full and not openable.
fn transient(code: &str) -> bool {
    match code.len() {
        5 => ["08", "40", "53", "55", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class)),
        _ => matches!(primary(code), Some(5 | 6 | 7 | 10 | 13 | 14)),
    }
}

/// SQLSTATE class 28 (who asks is not believed) and 3D000 (no such database).
fn refused(code: &str) -> bool {
    code.len() == 5 && (code.starts_with("28") || code == "3D000")
}
