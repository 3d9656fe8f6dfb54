//! Content-addressed, write-once blobs: the driver `seed-fs`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use stella_api::TenantId;
use stella_canonical::Digest;

/// A channel of blobs; each service that stores blobs has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket(pub &'static str);

/// Blobs in `<root>/<bucket>/<tenant>/<aa>/<sha256>`. Tenants never share a path.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    root: PathBuf,
}

/// What can go wrong with a blob.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The tenant has no blob of that digest.
    #[error("blob {0} is not in the store")]
    Missing(Digest),
    /// The stored bytes are not those that the digest names.
    #[error("blob {expected} at {path} has digest {actual}")]
    Corrupt {
        /// The digest that names the blob.
        expected: Digest,
        /// The digest of the bytes that are there.
        actual: Digest,
        /// The file.
        path: String,
    },
    /// The store cannot be read or written.
    #[error("object store at {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

impl ObjectStore {
    /// The store below a folder.
    #[must_use]
    pub fn seed_fs(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// Stores bytes under their digest. When this returns they are durable; storing the same
    /// bytes again changes nothing.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn put(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        bytes: Vec<u8>,
    ) -> Result<Digest, ObjectError> {
        let digest = Digest::of(&bytes);
        let path = self.path(bucket, tenant, &digest);
        blocking(move || write_once(&path, &bytes).map_err(|source| io_at(&path, source))).await?;
        Ok(digest)
    }

    /// The bytes of that digest: never others.
    ///
    /// # Errors
    /// There are none, or what is there has another digest.
    pub async fn get(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Vec<u8>, ObjectError> {
        let path = self.path(bucket, tenant, digest);
        let digest = *digest;
        blocking(move || read_checked(&path, digest)).await
    }

    /// As [`ObjectStore::get`], on a thread that may block.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub fn get_blocking(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Vec<u8>, ObjectError> {
        read_checked(&self.path(bucket, tenant, digest), *digest)
    }

    /// Tells whether the store can be written.
    ///
    /// # Errors
    /// It cannot.
    pub async fn ping(&self) -> Result<(), ObjectError> {
        let root = self.root.clone();
        blocking(move || {
            fs::create_dir_all(&root)
                .and_then(|()| tempfile::NamedTempFile::new_in(&root).map(drop))
                .map_err(|source| io_at(&root, source))
        })
        .await
    }

    fn path(&self, bucket: Bucket, tenant: &TenantId, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let (shard, _) = hex.split_at(2);
        self.root
            .join(bucket.0)
            .join(tenant.as_str())
            .join(shard)
            .join(&hex)
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

/// Temporary file, fsync, rename without overwriting, fsync of the folder.
fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.is_file() {
        return Ok(());
    }
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("a blob has a folder"))?;
    make_durable_folder(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".part-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        // Another writer of the same bytes was first; anything but a file is no blob.
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists && path.is_file() => Ok(()),
        Err(lost) => Err(lost.error),
    }
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

fn read_checked(path: &Path, expected: Digest) -> Result<Vec<u8>, ObjectError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ObjectError::Missing(expected));
        }
        Err(source) => return Err(io_at(path, source)),
    };
    let actual = Digest::of(&bytes);
    if actual == expected {
        Ok(bytes)
    } else {
        Err(ObjectError::Corrupt {
            expected,
            actual,
            path: path.display().to_string(),
        })
    }
}

fn io_at(path: &Path, source: io::Error) -> ObjectError {
    ObjectError::Io {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
