//! Content-addressed, write-once blobs: one interface over the drivers `seed-fs` and `rustfs`.
//!
//! Bytes that come from a stream are spooled to a bounded local file while they are hashed, for
//! their digest is their name; they are durable when a `put` returns. Bytes that go out are
//! hashed on their way, and the last of them is held back until the digest is known to be right.

mod checked;
mod error;
mod rustfs;
mod seed_fs;
mod spool;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use stella_api::TenantId;
use stella_canonical::Digest;
use stella_context::Clock;
use tokio::io::AsyncRead;

pub use error::ObjectError;
pub use rustfs::S3;
use rustfs::{Patience, Rustfs};
use seed_fs::SeedFs;

/// A channel of blobs; each service that stores blobs has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket(pub &'static str);

/// Blobs under `<bucket>/<tenant>/<aa>/<sha256>`. Tenants never share a path.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    SeedFs(SeedFs),
    Rustfs(Rustfs),
}

/// What was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The digest of the bytes, by which they are got again.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
}

/// A blob on its way out.
pub struct Opened {
    /// The number of bytes that the store holds.
    pub size: u64,
    /// The bytes. Where they are not those that the digest names the stream ends in
    /// [`ObjectError::Corrupt`], before the last of them: it is never whole and wrong.
    pub bytes: BoxStream<'static, Result<Bytes, ObjectError>>,
}

/// Something that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it lies, from the store's root.
    pub key: String,
    /// Whose blob it is and its name, or nothing where it is what an interrupted put left.
    pub blob: Option<(TenantId, Digest)>,
    /// Its number of bytes.
    pub size: u64,
    /// When it was written, or put again, by the store's clock.
    pub modified: Timestamp,
}

impl ObjectStore {
    /// A blob that is put again is younger than this afterwards. [`ObjectStore::GRACE`] is
    /// longer, so nothing that somebody just put is taken for an orphan.
    pub const RENEWED: Duration = Duration::from_secs(12 * 3600);
    /// The shortest age at which a blob that no row names may be removed: the row of a younger
    /// one may be on its way.
    pub const GRACE: Duration = Duration::from_secs(24 * 3600);

    /// The store below a folder.
    #[must_use]
    pub fn seed_fs(root: &Path) -> Self {
        let place = Place::SeedFs(SeedFs::new(root));
        Self { place }
    }

    /// The store in a bucket. Streams are spooled in a folder that must be there; nothing is
    /// connected before it is needed.
    ///
    /// # Errors
    /// The endpoint is no URL, or TLS cannot be set up.
    pub fn rustfs(s3: &S3, spools: &Path) -> Result<Self, ObjectError> {
        Self::patient(s3, spools, Patience::SERVING)
    }

    fn patient(s3: &S3, spools: &Path, patience: Patience) -> Result<Self, ObjectError> {
        let place = Place::Rustfs(Rustfs::new(s3, spools, patience)?);
        Ok(Self { place })
    }

    /// Stores bytes under their digest. When this returns they are durable; storing the same
    /// bytes again changes nothing.
    ///
    /// # Errors
    /// The store cannot be reached or written.
    pub async fn put(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        bytes: impl Into<Bytes>,
    ) -> Result<Digest, ObjectError> {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        let key = key(bucket, tenant, &digest);
        match &self.place {
            Place::SeedFs(folder) => folder.put(&key, bytes).await?,
            Place::Rustfs(s3) => s3.put(&key, bytes).await?,
        }
        Ok(digest)
    }

    /// As [`ObjectStore::put`], of bytes that come one after the other and need not fit into
    /// memory: they are spooled to a local file of at most `limit` bytes.
    ///
    /// # Errors
    /// The store cannot be reached or written, the bytes cannot be read, or are more.
    pub async fn put_from(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        bytes: impl AsyncRead + Unpin + Send,
        limit: u64,
    ) -> Result<Stored, ObjectError> {
        let named = |digest: &Digest| key(bucket, tenant, digest);
        match &self.place {
            Place::SeedFs(folder) => {
                let spools = format!("{}/{tenant}", bucket.0);
                folder.put_from(&spools, bytes, limit, named).await
            }
            Place::Rustfs(s3) => s3.put_from(bytes, limit, named).await,
        }
    }

    /// The blob of that digest as a stream.
    ///
    /// # Errors
    /// There is none, or the store cannot be reached; what happens later is told in the stream.
    pub async fn open(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Opened, ObjectError> {
        let key = key(bucket, tenant, digest);
        let (at, opened) = match &self.place {
            Place::SeedFs(folder) => (folder.at(&key), folder.open(&key, digest).await?),
            Place::Rustfs(s3) => (s3.at(&key), s3.open(&key, digest).await?),
        };
        let bytes = checked::checked(opened.bytes, *digest, at);
        Ok(Opened { bytes, ..opened })
    }

    /// The bytes of that digest: never others.
    ///
    /// # Errors
    /// There are none, what is there has another digest, or the store cannot be reached.
    pub async fn get(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Vec<u8>, ObjectError> {
        let opened = self.open(bucket, tenant, digest).await?;
        let mut chunks = opened.bytes;
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// As [`ObjectStore::get`], on a thread of a runtime that may block.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub fn get_blocking(
        &self,
        bucket: Bucket,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Vec<u8>, ObjectError> {
        let get = self.get(bucket, tenant, digest);
        tokio::runtime::Handle::current().block_on(get)
    }

    /// Everything in a bucket, tenant by tenant, in the order of the keys.
    #[must_use]
    pub fn list(&self, bucket: Bucket) -> BoxStream<'static, Result<Listed, ObjectError>> {
        match &self.place {
            Place::SeedFs(folder) => folder.list(bucket.0),
            Place::Rustfs(s3) => s3.list(bucket.0),
        }
    }

    /// Removes what is listed, unless it was put again meanwhile; tells whether it is gone.
    /// Only for what no row names.
    ///
    /// # Errors
    /// The store cannot be reached or written.
    pub async fn remove(&self, listed: &Listed) -> Result<bool, ObjectError> {
        match &self.place {
            Place::SeedFs(folder) => folder.remove(listed).await,
            Place::Rustfs(s3) => s3.remove(listed).await,
        }
    }

    /// Tells whether the store can be written.
    ///
    /// # Errors
    /// It cannot.
    pub async fn ping(&self) -> Result<(), ObjectError> {
        match &self.place {
            Place::SeedFs(folder) => folder.ping().await,
            Place::Rustfs(s3) => s3.ping().await,
        }
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} bytes)", self.size)
    }
}

fn key(bucket: Bucket, tenant: &TenantId, digest: &Digest) -> String {
    let hex = digest.hex();
    let (shard, _) = hex.split_at(2);
    format!("{}/{tenant}/{shard}/{hex}", bucket.0)
}

/// Whose blob lies under a key; nothing where none could.
fn blob(key: &str) -> Option<(TenantId, Digest)> {
    let mut parts = key.split('/');
    let (_, tenant, shard, hex) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (tenant, digest) = (tenant.parse().ok()?, Digest::from_hex(hex).ok()?);
    (parts.next().is_none() && hex.starts_with(shard) && shard.len() == 2)
        .then_some((tenant, digest))
}

/// Whether a blob that is put again was written too long ago to be left as it is.
fn is_old(modified: Timestamp) -> bool {
    let age = Clock::System.now().duration_since(modified);
    SignedDuration::try_from(ObjectStore::RENEWED).is_ok_and(|renewed| age > renewed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
