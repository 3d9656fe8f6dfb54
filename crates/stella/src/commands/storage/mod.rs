//! `stella storage`: looks after the blobs of an installation, in its stores and not over HTTP.

mod copy;
mod needs;
mod progress;
mod sweep;
mod verify;

use futures_util::{Stream, TryStreamExt as _};
use stella_cli::arguments::StorageCommand;
use stella_cli::{Answer, Failure, Session};
use stella_storage::{Bucket, Listed, ObjectError, ObjectStore};

use crate::platform::ObjectStores;

pub(super) async fn run(command: StorageCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        StorageCommand::Backup(arguments) => copy::backup(arguments, session).await,
        StorageCommand::Restore(arguments) => copy::restore(arguments, session).await,
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

/// What is listed, but what an interrupted put left.
fn blobs(
    store: &ObjectStore,
    bucket: Bucket,
) -> impl Stream<Item = Result<Listed, ObjectError>> + use<> {
    store
        .list(bucket)
        .try_filter(|one| std::future::ready(one.blob.is_some()))
}
