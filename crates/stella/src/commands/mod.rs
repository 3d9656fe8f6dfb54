//! The verbs that need the services themselves and not only their API.

mod client;
mod config;
mod connections;
mod key;
mod listen;
mod migrate;
mod openapi;
mod serve;
mod storage;
mod tenant;
mod tls;
mod up;

use std::error::Error;
use std::path::Path;

use stella_api::Code;
use stella_authority::AuthorityError;
use stella_cli::connection::load_key;
use stella_cli::kind::CONFIG_NOT_WRITTEN;
use stella_cli::{Answer, ExitCode, Failure, ServerCommand, Session};
use stella_evidence::EvidenceError;
use stella_replay::ReplayError;
use stella_service::KeyStoreError;
use stella_signing::{KeyError, MasterKey, SigningKey};
use stella_storage::{ObjectError, StoreError};
use stella_telemetry::Telemetry;

pub use listen::Connections;
pub use tls::{TlsError, TlsFiles};

use crate::configuration::{Environment, Problem, Problems, Settings};
use crate::platform::{Databases, NotWritable, Platform, Setup, Storage};

/// Runs one of them.
///
/// # Errors
/// What the verb tells.
pub async fn run(command: ServerCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        ServerCommand::Up(arguments) => up::run(arguments, session).await,
        ServerCommand::Serve(arguments) => serve::run(arguments, session).await,
        ServerCommand::Migrate(arguments) => migrate::run(arguments, session).await,
        ServerCommand::Storage(command) => storage::run(command, session).await,
        ServerCommand::Tenant(command) => tenant::run(command, session).await,
        ServerCommand::Client(command) => client::run(command, session).await,
        ServerCommand::Key(command) => key::run(command, session).await,
        ServerCommand::Config(command) => config::run(&command, session),
        ServerCommand::Openapi(_) => openapi::run(),
    }
}

/// Opens the platform; that the master key is not the one of the stored keys is a setting that is
/// wrong.
async fn open(setup: Setup, key_file: &Path) -> anyhow::Result<Platform> {
    let opened = Platform::open(setup).await;
    opened.map_err(|error| wrong_master_key(key_file, error))
}

/// The databases of an installation, once nothing is wrong with any connection.
async fn databases(settings: &Settings, storage: &mut Storage) -> anyhow::Result<Databases> {
    let problems = connections::problems(settings).await;
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    Ok(storage.open(&settings.drivers()).await?)
}

fn wrong_master_key(key_file: &Path, error: anyhow::Error) -> anyhow::Error {
    match error.chain().find_map(of_keys) {
        Some(KeyStoreError::Key(reason @ KeyError::Sealed { .. })) => {
            Problem::master_key(key_file, reason).into()
        }
        _ => error,
    }
}

/// The master key, and the one before it while it is being replaced.
fn master_key(settings: &Settings) -> Result<MasterKey, Problems> {
    let environment = settings.environment;
    let key = read_master_key(&settings.master_key, environment);
    let previous = settings
        .previous_master_key
        .as_ref()
        .map(|file| read_master_key(file, environment).map_err(Problem::of_previous));
    match (key, previous.transpose()) {
        (Ok(key), Ok(None)) => Ok(key),
        (Ok(key), Ok(Some(previous))) => Ok(key.after(previous)),
        (key, previous) => {
            let problems = [key.err(), previous.err()];
            Err(Problems(problems.into_iter().flatten().collect()))
        }
    }
}

fn read_master_key(file: &Path, environment: Environment) -> Result<MasterKey, Problem> {
    let key = MasterKey::load(file).map_err(|error| Problem::master_key(file, &error))?;
    demand_private(file, environment, Problem::master_key_open)?;
    Ok(key)
}

/// Others may not read the file of a key where anything counts; while developing it is told.
fn demand_private(
    file: &Path,
    environment: Environment,
    open: fn(&Path) -> Problem,
) -> Result<(), Problem> {
    if stella_signing::open_to_others(file).unwrap_or_default() {
        let problem = open(file);
        if environment.strict() {
            return Err(problem);
        }
        tracing::warn!("{problem}");
    }
    Ok(())
}

/// The private key of a client: the one that is there, read as every verb reads it, or a new one.
fn client_key(path: &Path) -> Result<SigningKey, Failure> {
    if !path.exists() {
        let key = SigningKey::generate().map_err(|error| failed(error.into()))?;
        match key.store(path) {
            Ok(()) => return Ok(key),
            // Another process was first: its key is the one.
            Err(_) if path.exists() => {}
            Err(KeyError::File { path, source }) => {
                let values = [("path", path.as_str()), ("reason", &source.to_string())];
                return Err(Failure::of(&CONFIG_NOT_WRITTEN, &values));
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
    load_key(path)
}

/// Exports what is left. A collector that hangs holds up no other task.
async fn end(telemetry: Telemetry) {
    // There is nothing to be done about what is not sent.
    let _ = tokio::task::spawn_blocking(move || telemetry.stop()).await;
}

/// A start that failed: the registry's code where the cause has one, and the whole chain.
fn failed(error: anyhow::Error) -> Failure {
    if let Some(unusable) = error.downcast_ref::<listen::Unusable>() {
        return unusable.told();
    }
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Problem::told(std::slice::from_ref(problem));
    }
    if let Some(Problems(problems)) = error.downcast_ref() {
        return Problem::told(problems);
    }
    if let Some(told) = error.downcast_ref::<Failure>() {
        return told.clone();
    }
    let cause = error.chain().find_map(of_store);
    let code = match cause {
        Some(cause) => code_of(cause),
        None => error.chain().find_map(code_of_objects),
    };
    let code = code.unwrap_or(Code::Internal);
    let exit = ExitCode::of_code(code);
    let failure = Failure::told(code.as_str(), exit, chain(&error));
    match remedy(code, cause) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What to do about a start that failed.
fn remedy(code: Code, cause: Option<&StoreError>) -> Option<String> {
    let labels = stella_locale::Labels::english();
    match (code, cause) {
        // The registry's hint is that of a request: it sends to a trace id that no start has.
        (Code::Internal, _) => Some(labels.text("start-failed-hint")),
        (code, Some(StoreError::Locked { holder, .. })) => {
            let holder = [("holder", holder.as_str().into())];
            labels.find(&format!("{}-hint", code.label_key()), &holder)
        }
        (code, _) => labels.find(&format!("{}-hint", code.label_key()), &[]),
    }
}

/// What failed and why. Some errors hold the text of their cause in their own: it is said once.
fn chain(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| {
        let cause = cause.to_string();
        match (told.is_empty(), told.ends_with(&cause)) {
            (true, _) => cause,
            (_, true) => told,
            _ => format!("{told}: {cause}"),
        }
    })
}

fn code_of(cause: &StoreError) -> Option<Code> {
    match cause {
        StoreError::Locked { .. } => Some(Code::StorageDirectoryLocked),
        refused if refused.is_refused() => Some(Code::StorageConnectionInvalid),
        away if away.is_away() => Some(Code::StorageConnectionUnreachable),
        StoreError::SchemaNewer { .. } => Some(Code::StorageSchemaNewer),
        StoreError::SchemaOlder { .. } => Some(Code::StorageSchemaOlder),
        StoreError::RoleUnsafe { .. } | StoreError::RoleMissing(_) => Some(Code::StorageRoleUnsafe),
        StoreError::Unreadable { .. } => Some(Code::RecordCorrupt),
        StoreError::Folder { .. } => Some(Code::StorageDirectoryMissing),
        StoreError::File { .. } => Some(Code::StorageFileUnusable),
        _ => None,
    }
}

fn code_of_objects(cause: &(dyn Error + 'static)) -> Option<Code> {
    if cause.is::<NotWritable>() {
        return Some(Code::ObjectStoreNotWritable);
    }
    match cause.downcast_ref::<ObjectError>()? {
        ObjectError::Unreachable { .. } => Some(Code::ObjectStoreUnreachable),
        ObjectError::Refused { .. } => Some(Code::ObjectStoreRefused),
        ObjectError::Full { .. } => Some(Code::ObjectStoreFull),
        ObjectError::Corrupt { .. } => Some(Code::ObjectCorrupt),
        ObjectError::Missing(_) => Some(Code::ObjectMissing),
        _ => None,
    }
}

/// The failure of a database, which the errors of services stand for without being its cause.
fn of_store<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    let authority = match cause.downcast_ref() {
        Some(AuthorityError::Store(error)) => Some(error),
        _ => None,
    };
    let evidence = match cause.downcast_ref() {
        Some(EvidenceError::Store(error)) => Some(error),
        _ => None,
    };
    let keys = match of_keys(cause) {
        Some(KeyStoreError::Store(error)) => Some(error),
        _ => None,
    };
    let found = authority.or(evidence).or(keys);
    found.or_else(|| cause.downcast_ref())
}

/// The failure of a service's stored keys.
fn of_keys<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a KeyStoreError> {
    let authority = match cause.downcast_ref() {
        Some(AuthorityError::Keys(error)) => Some(error),
        _ => None,
    };
    let evidence = match cause.downcast_ref() {
        Some(EvidenceError::Keys(error)) => Some(error),
        _ => None,
    };
    let replay = match cause.downcast_ref() {
        Some(ReplayError::Keys(error)) => Some(error),
        _ => None,
    };
    let found = authority.or(evidence).or(replay);
    found.or_else(|| cause.downcast_ref())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(error: impl Into<anyhow::Error>) -> (String, ExitCode, String) {
        let failure = failed(error.into().context("opening a service"));
        let hint = failure.hint.clone().unwrap_or_default();
        (failure.code.to_string(), failure.exit, hint)
    }

    #[test]
    fn a_missing_role_is_told_with_the_statements_that_make_it() {
        let (code, exit, hint) = told(StoreError::RoleMissing("stella_service"));
        assert_eq!(
            (code.as_str(), exit),
            ("STORAGE_ROLE_UNSAFE", ExitCode::Configuration)
        );
        assert!(
            hint.contains("CREATE ROLE stella_service NOLOGIN;"),
            "{hint}"
        );
        assert!(hint.contains("IN ROLE stella_service;"), "{hint}");
    }

    #[test]
    fn a_start_that_nobody_foresaw_says_its_cause_once_and_sends_nobody_to_a_trace() {
        let source = std::io::Error::other("no such luck");
        let folder = StoreError::Folder {
            folder: "/data".into(),
            source,
        };
        let failure = failed(anyhow::Error::from(folder).context("opening"));
        assert_eq!(failure.message, "opening: data folder /data: no such luck");
        let (code, exit, hint) = told(anyhow::anyhow!("no such luck"));
        assert_eq!((code.as_str(), exit), ("INTERNAL", ExitCode::Unexpected));
        assert!(
            hint.contains("stella --version") && !hint.contains("trace"),
            "{hint}"
        );
    }

    #[test]
    fn what_was_told_already_is_told_as_it_was() {
        let (code, exit, _) = told(Problem::told(&[Problem::clock()]));
        let expected = ("CONFIG_VALUE_INVALID", ExitCode::Configuration);
        assert_eq!((code.as_str(), exit), expected);
    }

    #[test]
    fn a_database_that_fails_within_a_service_keeps_its_code() {
        let away = || StoreError::from(sqlx::Error::PoolTimedOut);
        for error in [
            anyhow::Error::from(AuthorityError::Store(away())),
            EvidenceError::Store(away()).into(),
            away().into(),
        ] {
            assert_eq!(told(error).0, "STORAGE_CONNECTION_UNREACHABLE");
        }
        let row = StoreError::unreadable("the signing key", "its kid is another key's");
        let (code, exit, _) = told(AuthorityError::Store(row));
        assert_eq!(
            (code.as_str(), exit),
            ("RECORD_CORRUPT", ExitCode::VerificationFailed)
        );
    }
}
