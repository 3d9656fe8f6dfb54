//! The driver `seed-fs`: a folder. Temporary file, fsync, rename without overwriting, fsync of
//! the folder.

use std::fs::{self, File, FileTimes};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use stella_canonical::Digest;
use stella_context::Clock;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{self, Sender};

use super::error::io_at;
use super::{Listed, ObjectError, Opened, Stored, blob, is_old, spool};

/// How the name of a file begins that is not a blob yet.
const PART: &str = ".part-";

#[derive(Clone, Debug)]
pub(super) struct SeedFs {
    root: PathBuf,
}

impl SeedFs {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// The file of a key.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Where that is, for a person.
    pub(super) fn at(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        let path = self.path(key);
        blocking(move || write_once(&path, &bytes).map_err(|error| io_at(&path, error))).await
    }

    /// Spools into a folder of the store itself: what is spooled needs but a name to be a blob.
    pub(super) async fn put_from(
        &self,
        spools: &str,
        bytes: impl AsyncRead + Unpin + Send,
        limit: u64,
        named: impl FnOnce(&Digest) -> String,
    ) -> Result<Stored, ObjectError> {
        let folder = self.path(spools);
        let (part, file) = blocking(move || {
            let opened = make_durable_folder(&folder)
                .and_then(|()| part_in(&folder))
                .and_then(|part| Ok((part.as_file().try_clone()?, part)));
            let (file, part) = opened.map_err(|error| io_at(&folder, error))?;
            Ok((part, file))
        })
        .await?;
        let stored = spool::fill(file, part.path(), bytes, limit).await?;
        let path = self.path(&named(&stored.digest));
        blocking(move || {
            let kept = match is_there(&path) {
                Ok(true) => Ok(()),
                Ok(false) => keep(part, &path),
                Err(error) => Err(error),
            };
            kept.map_err(|error| io_at(&path, error))
        })
        .await?;
        Ok(stored)
    }

    pub(super) async fn open(&self, key: &str, digest: &Digest) -> Result<Opened, ObjectError> {
        let path = self.path(key);
        let opened = async {
            let file = tokio::fs::File::open(&path).await?;
            let size = file.metadata().await?.len();
            Ok((file, size))
        };
        let (file, size) = opened
            .await
            .map_err(|error: io::Error| match error.kind() {
                io::ErrorKind::NotFound => ObjectError::Missing(*digest),
                _ => io_at(&path, error),
            })?;
        let bytes = stream::try_unfold((file, path), |(mut file, path)| async move {
            let mut chunk = BytesMut::with_capacity(spool::CHUNK);
            match file.read_buf(&mut chunk).await {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((chunk.freeze(), (file, path)))),
                Err(error) => Err(io_at(&path, error)),
            }
        });
        let bytes = bytes.boxed();
        Ok(Opened { size, bytes })
    }

    pub(super) fn list(&self, bucket: &str) -> BoxStream<'static, Result<Listed, ObjectError>> {
        let (root, bucket) = (self.root.clone(), bucket.to_owned());
        // A walk waits for whoever reads it: nothing piles up.
        let (to, from) = mpsc::channel(64);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = walk(&root, &bucket, &to) {
                // Nobody may be listening any more.
                let _ = to.blocking_send(Err(error));
            }
        });
        let next = |mut from: mpsc::Receiver<_>| async { Some((from.recv().await?, from)) };
        stream::unfold(from, next).boxed()
    }

    pub(super) async fn remove(&self, listed: &Listed) -> Result<bool, ObjectError> {
        let (path, modified) = (self.path(&listed.key), listed.modified);
        blocking(move || {
            let removed = match written_at(&path) {
                Ok(now) if now == modified => fs::remove_file(&path).map(|()| true),
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            };
            match removed {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                other => other.map_err(|error| io_at(&path, error)),
            }
        })
        .await
    }

    pub(super) async fn ping(&self) -> Result<(), ObjectError> {
        let root = self.root.clone();
        blocking(move || {
            fs::create_dir_all(&root)
                // A file without content needs no room.
                .and_then(|()| part_in(&root)?.write_all(&[0; 4096]))
                .map_err(|error| io_at(&root, error))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ObjectError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(joined) => Err(io_at(Path::new("worker"), io::Error::other(joined))),
    }
}

fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_there(path)? {
        return Ok(());
    }
    let folder = folder_of(path)?;
    make_durable_folder(folder)?;
    let mut part = part_in(folder)?;
    part.write_all(bytes)?;
    keep(part, path)
}

/// Whether the blob is there already; an old one is made young again.
fn is_there(path: &Path) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    if is_old(written_at(path)?) {
        let now = SystemTime::try_from(Clock::System.now()).map_err(io::Error::other)?;
        let file = File::options().append(true).open(path)?;
        file.set_times(FileTimes::new().set_modified(now))?;
        file.sync_all()?;
    }
    Ok(true)
}

/// Makes a written file durable and gives it the blob's name.
fn keep(part: NamedTempFile, path: &Path) -> io::Result<()> {
    let folder = folder_of(path)?;
    make_durable_folder(folder)?;
    part.as_file().sync_all()?;
    match part.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        // Another writer of the same bytes was first; anything but a file is no blob.
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists && path.is_file() => Ok(()),
        Err(lost) => Err(lost.error),
    }
}

fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(PART).tempfile_in(folder)
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other("a blob has a folder"))
}

/// A new folder is durable only once its parent is.
fn make_durable_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_durable_folder(parent)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => File::open(parent)?.sync_all()?,
        }
    }
    Ok(())
}

fn written_at(path: &Path) -> io::Result<Timestamp> {
    timestamp(&fs::metadata(path)?)
}

fn timestamp(metadata: &fs::Metadata) -> io::Result<Timestamp> {
    let exact = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
    // No time that we tell is finer.
    Timestamp::from_microsecond(exact.as_microsecond()).map_err(io::Error::other)
}

/// Sends every file below a folder in the order of the keys; ends early where nobody listens.
fn walk(
    root: &Path,
    key: &str,
    to: &Sender<Result<Listed, ObjectError>>,
) -> Result<bool, ObjectError> {
    let folder = root.join(key);
    let failed = |error| io_at(&folder, error);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort_unstable();
    for name in names {
        let key = format!("{key}/{name}");
        let path = root.join(&key);
        let metadata = match fs::symlink_metadata(&path) {
            // Another process finished or removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata.map_err(failed)?,
        };
        if metadata.is_dir() {
            if !walk(root, &key, to)? {
                return Ok(false);
            }
            continue;
        }
        let blob = blob(&key);
        if blob.is_none() && !name.starts_with(PART) {
            continue;
        }
        let listed = Listed {
            key,
            blob,
            size: metadata.len(),
            modified: timestamp(&metadata).map_err(failed)?,
        };
        if to.blocking_send(Ok(listed)).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}
