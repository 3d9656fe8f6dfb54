//! `stella storage backup` and `storage restore`: every blob into a folder, and back.
//!
//! Blobs are write-once and named by their digest, so that a copy is whole where every name is
//! there, and a second run copies what is new.

use std::io;
use std::path::Path;
use std::pin::pin;

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use stella_api::Code;
use stella_cli::arguments::StorageCopyArgs;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_storage::{Bucket, Listed, ObjectDriver, ObjectError, ObjectStore};
use tokio_util::io::StreamReader;

use super::super::failed;
use super::progress;
use super::{blobs, buckets};
use crate::configuration::Settings;
use crate::platform::{ObjectStores, Storage};

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied {
    blobs: u64,
    bytes: u64,
    /// How many were there before.
    present: u64,
    /// Where those lie that are not what their names say; they were not copied.
    corrupt: Vec<String>,
}

pub(super) async fn backup(
    arguments: StorageCopyArgs,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let own = stores(&arguments, session)?;
    let folder = folder(&arguments.folder)?;
    // A copy of nothing is one as well, and a restore knows it by these.
    for (bucket, _) in buckets(&own) {
        let of_bucket = arguments.folder.join(bucket.0);
        let made = std::fs::create_dir_all(&of_bucket);
        made.map_err(|error| {
            let mut told = Failure::write(&error, Some(&of_bucket));
            told.exit = ExitCode::InvalidInput;
            told.hint(session.labels.text("storage-copy-hint"))
        })?;
    }
    copy(&own, &folder, session).await
}

pub(super) async fn restore(
    arguments: StorageCopyArgs,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let own = stores(&arguments, session)?;
    let holds = |(bucket, _): &(Bucket, _)| arguments.folder.join(bucket.0).is_dir();
    if !buckets(&own).iter().all(holds) {
        let path = arguments.folder.display().to_string();
        let values = [("path", path.as_str().into())];
        let text = session.labels.format("storage-no-copy", &values);
        let code = Code::NotFound;
        return Err(Failure::told(code.as_str(), ExitCode::of_code(code), text));
    }
    let folder = folder(&arguments.folder)?;
    copy(&folder, &own, session).await
}

/// The stores of the installation, none of which is its own copy.
fn stores(arguments: &StorageCopyArgs, session: &Session) -> Result<ObjectStores, Failure> {
    let settings = Settings::load(&arguments.configuration, &session.io.environment)?;
    let drivers = settings.object_drivers().context("Storage:ObjectStore");
    let drivers = drivers.map_err(failed)?;
    let copy = arguments.folder.canonicalize().ok();
    let is_copy = |driver: &ObjectDriver| match driver {
        ObjectDriver::SeedFs(root) => copy.is_some() && root.canonicalize().ok() == copy,
        _ => false,
    };
    if [&drivers.evidence, &drivers.replay]
        .into_iter()
        .any(is_copy)
    {
        let path = arguments.folder.display().to_string();
        let values = [("path", path.as_str().into())];
        let text = session.labels.format("storage-copy-own", &values);
        let code = Code::Conflict;
        return Err(Failure::told(code.as_str(), ExitCode::InvalidInput, text)
            .hint(session.labels.text("storage-copy-hint")));
    }
    let stores = Storage::default().object_stores(&drivers, settings.data.as_deref());
    stores.map_err(failed)
}

fn folder(path: &Path) -> Result<ObjectStores, Failure> {
    let path = std::path::absolute(path).context("the folder of the copy");
    path.map(|path| ObjectStores::all(&ObjectStore::seed_fs(&path)))
        .map_err(failed)
}

async fn copy(
    from: &ObjectStores,
    to: &ObjectStores,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let copied = copy_all(from, to, session).await.map_err(failed)?;
    let values = [
        ("count", copied.blobs.into()),
        ("size", copied.bytes.to_string().into()),
        ("present", copied.present.into()),
    ];
    let mut answer = Answer::new(&copied)?;
    if !copied.corrupt.is_empty() {
        let place = Column::new(session.labels.text("column-place"));
        let mut table = Table::new([place]);
        for one in &copied.corrupt {
            table.row([Cell::new(one)]);
        }
        let count = [("count", copied.corrupt.len().into())];
        answer = answer
            .table(table)
            .line(session.labels.format("storage-not-copied", &count))
            .exit(ExitCode::VerificationFailed);
    }
    Ok(answer.line(session.labels.format("storage-copied", &values)))
}

async fn copy_all(
    from: &ObjectStores,
    to: &ObjectStores,
    session: &mut Session,
) -> anyhow::Result<Copied> {
    let progress = progress::over(from, session).await?;
    let (mut done, mut copied) = (0, Copied::default());
    for ((bucket, source), (_, target)) in buckets(from).into_iter().zip(buckets(to)) {
        let mut listed = pin!(blobs(source, bucket));
        while let Some(one) = listed.try_next().await? {
            copy_one(source, target, bucket, &one, &mut copied).await?;
            done += one.size;
            progress.at(done);
        }
    }
    Ok(copied)
}

/// Copies what is listed; what is not what its name says is told and left out. What lies at the
/// target is read to its end: one that is not what its name says is replaced.
async fn copy_one(
    source: &ObjectStore,
    target: &ObjectStore,
    bucket: Bucket,
    listed: &Listed,
    copied: &mut Copied,
) -> Result<(), ObjectError> {
    let Some((tenant, digest)) = &listed.blob else {
        return Ok(());
    };
    let there = async {
        let opened = target.open(bucket, tenant, digest).await?;
        opened.bytes.try_for_each(async |_| Ok(())).await
    };
    match there.await {
        Ok(()) => {
            copied.present += 1;
            return Ok(());
        }
        Err(ObjectError::Missing(_)) => {}
        Err(ObjectError::Corrupt { .. }) => {
            // Only where there is a sound one to put in its place.
            let sound = source.open(bucket, tenant, digest).await?;
            if sound.bytes.try_for_each(async |_| Ok(())).await.is_err() {
                copied.corrupt.push(listed.key.clone());
                return Ok(());
            }
            let same = |one: &Listed| std::future::ready(one.blob == listed.blob);
            let mut rotten = pin!(blobs(target, bucket).try_filter(same));
            if let Some(rotten) = rotten.try_next().await? {
                target.remove(&rotten).await?;
            }
        }
        Err(error) => return Err(error),
    }
    // A stream that is not what its name says fails at its end: then nothing is stored.
    let mut corrupt = false;
    let opened = source.open(bucket, tenant, digest).await?;
    let bytes = opened.bytes.map_err(|error| {
        corrupt |= matches!(error, ObjectError::Corrupt { .. });
        io::Error::other(error)
    });
    let stored = target.put_from(bucket, tenant, StreamReader::new(bytes), opened.size);
    match stored.await {
        Ok(stored) => {
            copied.blobs += 1;
            copied.bytes += stored.size;
        }
        Err(_) if corrupt => copied.corrupt.push(listed.key.clone()),
        Err(error) => return Err(error),
    }
    Ok(())
}
