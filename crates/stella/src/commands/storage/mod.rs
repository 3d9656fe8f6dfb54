//! `stella storage`: looks after the blobs of an installation, in its stores and not over HTTP.

mod sweep;
mod verify;

use stella_cli::arguments::StorageCommand;
use stella_cli::{Answer, Failure, Session};
use stella_storage::{Bucket, ObjectStore};

use crate::platform::ObjectStores;

pub(super) async fn run(command: StorageCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        StorageCommand::Sweep(arguments) => sweep::run(arguments, session).await,
        StorageCommand::Verify(arguments) => verify::run(arguments, session).await,
    }
}

/// Every bucket, with the store that holds it.
fn buckets(stores: &ObjectStores) -> [(Bucket, &ObjectStore); 2] {
    [
        (stella_evidence::BUCKET, &stores.evidence),
        (stella_replay::BUCKET, &stores.replay),
    ]
}
