//! The verbs that need the services themselves and not only their API.

mod config;
mod listen;
mod migrate;
mod openapi;
mod serve;
mod storage;
mod up;

use stella_api::Code;
use stella_cli::{Answer, ExitCode, Failure, ServerCommand, Session};
use stella_storage::{ObjectError, StoreError};

use crate::platform::NotWritable;

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
        ServerCommand::Config(command) => config::run(&command, session),
        ServerCommand::Openapi(_) => openapi::run(),
    }
}

/// A start that failed: the registry's code where the cause has one, and the whole chain.
fn failed(error: anyhow::Error) -> Failure {
    if let Some(unusable) = error.downcast_ref::<listen::Unusable>() {
        return unusable.told("serve-listen-hint");
    }
    let code = error.chain().find_map(code_of);
    let code = code.unwrap_or(Code::Internal);
    let exit = ExitCode::of_code(code);
    let failure = Failure::told(code.as_str(), exit, format!("{error:#}"));
    let labels = stella_locale::Labels::english();
    let hint = match code {
        // The registry's hint is that of a request: it sends to a trace id that no start has.
        Code::Internal => Some(labels.text("start-failed-hint")),
        code => labels.find(&format!("{}-hint", code.label_key()), &[]),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<Code> {
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return match error {
            StoreError::Locked { .. } => Some(Code::StorageDirectoryLocked),
            StoreError::Unavailable(_) => Some(Code::StorageConnectionUnreachable),
            StoreError::SchemaNewer { .. } => Some(Code::StorageSchemaNewer),
            StoreError::SchemaOlder { .. } => Some(Code::StorageSchemaOlder),
            StoreError::RoleUnsafe { .. } => Some(Code::StorageRoleUnsafe),
            StoreError::Folder { .. } => Some(Code::StorageDirectoryMissing),
            _ => None,
        };
    }
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
