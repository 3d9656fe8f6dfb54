//! The verbs that need the services themselves and not only their API.

mod config;
mod listen;
mod migrate;
mod openapi;
mod serve;
mod up;

use stella_cli::{Answer, ExitCode, Failure, ServerCommand, Session};
use stella_storage::StoreError;

/// Runs one of them.
///
/// # Errors
/// What the verb tells.
pub async fn run(command: ServerCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        ServerCommand::Up(arguments) => up::run(arguments, session).await,
        ServerCommand::Serve(arguments) => serve::run(arguments, session).await,
        ServerCommand::Migrate(arguments) => migrate::run(arguments, session).await,
        ServerCommand::Config(command) => config::run(&command, session),
        ServerCommand::Openapi(_) => openapi::run(),
    }
}

/// A start that failed: the registry's code where the cause has one, and the whole chain.
fn failed(error: anyhow::Error) -> Failure {
    if let Some(unusable) = error.downcast_ref::<listen::Unusable>() {
        return unusable.told("serve-listen-hint");
    }
    let code = error
        .chain()
        .find_map(|cause| match cause.downcast_ref::<StoreError>()? {
            StoreError::Locked { .. } => Some(stella_api::Code::StorageDirectoryLocked),
            StoreError::Unavailable(_) => Some(stella_api::Code::StorageConnectionUnreachable),
            StoreError::SchemaNewer { .. } => Some(stella_api::Code::StorageSchemaNewer),
            StoreError::SchemaOlder { .. } => Some(stella_api::Code::StorageSchemaOlder),
            StoreError::RoleUnsafe { .. } => Some(stella_api::Code::StorageRoleUnsafe),
            StoreError::Folder { .. } => Some(stella_api::Code::StorageDirectoryMissing),
            _ => None,
        });
    let code = code.unwrap_or(stella_api::Code::Internal);
    let exit = ExitCode::of_code(code);
    let failure = Failure::told(code.as_str(), exit, format!("{error:#}"));
    let labels = stella_locale::Labels::english();
    let hint = match code {
        // The registry's hint is that of a request: it sends to a trace id that no start has.
        stella_api::Code::Internal => Some(labels.text("start-failed-hint")),
        code => labels.find(&format!("{}-hint", code.label_key()), &[]),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
