//! The verbs that need the services themselves and not only their API.

mod config;
mod listen;
mod migrate;
mod openapi;
mod serve;
mod up;

use stella_api::Code;
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
    let cause = error.chain().find_map(|cause| cause.downcast_ref());
    let code = cause.and_then(code_of).unwrap_or(Code::Internal);
    let exit = ExitCode::of_code(code);
    let failure = Failure::told(code.as_str(), exit, format!("{error:#}"));
    let labels = stella_locale::Labels::english();
    let hint = match (code, cause) {
        // The registry's hint is that of a request: it sends to a trace id that no start has.
        (Code::Internal, _) => Some(labels.text("start-failed-hint")),
        (code, Some(StoreError::Locked { holder, .. })) => {
            let holder = [("holder", holder.as_str().into())];
            labels.find(&format!("{}-hint", code.label_key()), &holder)
        }
        (code, _) => labels.find(&format!("{}-hint", code.label_key()), &[]),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn code_of(cause: &StoreError) -> Option<Code> {
    match cause {
        StoreError::Locked { .. } => Some(Code::StorageDirectoryLocked),
        StoreError::Unavailable(_) => Some(Code::StorageConnectionUnreachable),
        StoreError::SchemaNewer { .. } => Some(Code::StorageSchemaNewer),
        StoreError::SchemaOlder { .. } => Some(Code::StorageSchemaOlder),
        StoreError::RoleUnsafe { .. } => Some(Code::StorageRoleUnsafe),
        StoreError::Folder { .. } => Some(Code::StorageDirectoryMissing),
        _ => None,
    }
}
