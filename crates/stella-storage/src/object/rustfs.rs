//! The driver `rustfs`: any S3-compatible endpoint, with SigV4 and path-style addresses.

mod outbound;

use std::io::SeekFrom;
use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use jiff::Timestamp;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload,
    RetryConfig,
};
use stella_canonical::Digest;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _};

use super::error::io_at;
use super::{Listed, ObjectError, Opened, Stored, blob, is_old, spool};
use outbound::{Outbound, told};

/// What is larger is uploaded in parts of this size, one in memory at a time.
const PART: u64 = 8 * 1024 * 1024;
/// S3 takes no more parts.
const PARTS_MAX: u64 = 10_000;
/// Written to find out whether the bucket can be.
const PROBE: &str = ".probe";

/// Where an S3-compatible store is and how it is entered. Its `Debug` form never shows the key.
#[derive(Clone, PartialEq, Eq)]
pub struct S3 {
    /// Such as `https://s3.example`.
    pub endpoint: String,
    /// The bucket, which must be there.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

/// How long a store may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until it is connected.
    pub(super) connect: Duration,
    /// Without anything coming.
    pub(super) silence: Duration,
    /// After the first try, until the last one begins.
    pub(super) retries: Duration,
}

impl Patience {
    pub(super) const SERVING: Self = Self {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(30),
        retries: Duration::from_secs(10),
    };
}

#[derive(Clone, Debug)]
pub(super) struct Rustfs {
    client: Arc<AmazonS3>,
    url: String,
    spools: PathBuf,
}

/// Bytes that can be read again from any place: a request that is cut is sent again.
enum Source {
    Memory(Bytes),
    Spool(tokio::fs::File, u64),
}

impl Rustfs {
    pub(super) fn new(s3: &S3, spools: &Folder, patience: Patience) -> Result<Self, ObjectError> {
        let endpoint = s3.endpoint.trim_end_matches('/');
        let url = format!("{endpoint}/{}", s3.bucket);
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        };
        let builder = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_allow_http(true)
            .with_bucket_name(&s3.bucket)
            .with_region(&s3.region)
            .with_access_key_id(&s3.access_key_id)
            .with_secret_access_key(&s3.secret_access_key)
            .with_retry(RetryConfig {
                backoff,
                // The time alone counts.
                max_retries: 1000,
                retry_timeout: patience.retries,
            })
            .with_http_connector(Outbound::new(patience));
        let client = builder.build().map_err(|error| told(&url, error))?;
        Ok(Self {
            client: Arc::new(client),
            url,
            spools: spools.to_path_buf(),
        })
    }

    /// Where a key is, for a person.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}/{key}", self.url)
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.write_once(key, Source::Memory(bytes)).await
    }

    /// The spool has no name: nothing is left of it, whatever ends the process.
    pub(super) async fn put_from(
        &self,
        bytes: impl AsyncRead + Unpin + Send,
        limit: u64,
        named: impl FnOnce(&Digest) -> String,
    ) -> Result<Stored, ObjectError> {
        let opened = tempfile::tempfile_in(&self.spools)
            .and_then(|file| Ok((file.try_clone()?, tokio::fs::File::from_std(file))));
        let (file, spool) = opened.map_err(|error| io_at(&self.spools, error))?;
        let stored = spool::fill(file, &self.spools, bytes, limit).await?;
        let source = Source::Spool(spool, stored.size);
        self.write_once(&named(&stored.digest), source).await?;
        Ok(stored)
    }

    pub(super) async fn open(&self, key: &str, digest: &Digest) -> Result<Opened, ObjectError> {
        let got = self.client.get(&Path::from(key)).await;
        let got = got.map_err(|error| match error {
            Error::NotFound { .. } => ObjectError::Missing(*digest),
            error => told(&self.at(key), error),
        })?;
        let (size, at) = (got.meta.size, self.at(key));
        let bytes = got.into_stream().map_err(move |error| told(&at, error));
        let bytes = bytes.boxed();
        Ok(Opened { size, bytes })
    }

    pub(super) fn list(&self, bucket: &str) -> BoxStream<'static, Result<Listed, ObjectError>> {
        let (prefix, at) = (Path::from(bucket), self.at(bucket));
        let all = self.client.list(Some(&prefix));
        let all = all.map_err(move |error| told(&at, error));
        all.try_filter_map(async |meta| Ok(listed(&meta))).boxed()
    }

    pub(super) async fn remove(&self, listed: &Listed) -> Result<bool, ObjectError> {
        let path = Path::from(listed.key.as_str());
        match self.head(&path).await? {
            None => Ok(true),
            Some(meta) if modified(&meta) != listed.modified => Ok(false),
            Some(_) => match self.client.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(true),
                Err(error) => Err(told(&self.at(&listed.key), error)),
            },
        }
    }

    /// Writes one object that is always the same: to ask for rights would tell less.
    pub(super) async fn ping(&self) -> Result<(), ObjectError> {
        match self.client.put(&Path::from(PROBE), PutPayload::new()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(told(&self.url, error)),
        }
    }

    async fn head(&self, path: &Path) -> Result<Option<ObjectMeta>, ObjectError> {
        match self.client.head(path).await {
            Ok(meta) => Ok(Some(meta)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(told(&self.at(path.as_ref()), error)),
        }
    }

    /// Nothing is sent where the blob is there. One that is old is written again, which makes it
    /// young; its bytes are the same.
    async fn write_once(&self, key: &str, mut source: Source) -> Result<(), ObjectError> {
        let path = Path::from(key);
        let there = self.head(&path).await?;
        let mode = match there {
            Some(meta) if !is_old(modified(&meta)) => return Ok(()),
            Some(_) => PutMode::Overwrite,
            None => PutMode::Create,
        };
        let size = source.size();
        if size > PART {
            return self.in_parts(&path, source, size).await;
        }
        let payload = PutPayload::from_bytes(self.read(&mut source, 0, size).await?);
        match self.client.put_opts(&path, payload, mode.into()).await {
            Ok(_) => Ok(()),
            // Another writer is first, but what it began may have failed.
            Err(error @ Error::AlreadyExists { .. }) => match self.head(&path).await? {
                Some(_) => Ok(()),
                None => Err(told(&self.at(key), error)),
            },
            Err(error) => Err(told(&self.at(key), error)),
        }
    }

    async fn in_parts(
        &self,
        path: &Path,
        mut source: Source,
        size: u64,
    ) -> Result<(), ObjectError> {
        let failed = |error| told(&self.at(path.as_ref()), error);
        let mut upload = self.client.put_multipart(path).await.map_err(failed)?;
        let part = PART.max(size.div_ceil(PARTS_MAX));
        let uploaded = async {
            let mut from = 0;
            while from < size {
                let bytes = self.read(&mut source, from, part.min(size - from)).await?;
                from += bytes.len() as u64;
                let payload = PutPayload::from_bytes(bytes);
                upload.put_part(payload).await.map_err(failed)?;
            }
            upload.complete().await.map_err(failed)
        };
        let uploaded = uploaded.await;
        if uploaded.is_err() {
            // What ends a process leaves parts too: the bucket's rule for them removes both.
            let _ = upload.abort().await;
        }
        uploaded.map(drop)
    }

    async fn read(
        &self,
        source: &mut Source,
        from: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        match source {
            Source::Memory(bytes) => {
                let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
                Ok(bytes.slice(at(from)..at(from + length)))
            }
            Source::Spool(file, _) => {
                let mut bytes = Vec::new();
                let read = async {
                    file.seek(SeekFrom::Start(from)).await?;
                    file.take(length).read_to_end(&mut bytes).await
                };
                read.await.map_err(|error| io_at(&self.spools, error))?;
                Ok(bytes.into())
            }
        }
    }
}

impl Source {
    fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spool(_, size) => *size,
        }
    }
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3({}/{})", self.endpoint, self.bucket)
    }
}

/// Nothing for what is no blob: the bucket may hold more than ours.
fn listed(meta: &ObjectMeta) -> Option<Listed> {
    let key = meta.location.to_string();
    Some(Listed {
        blob: Some(blob(&key)?),
        key,
        size: meta.size,
        modified: modified(meta),
    })
}

/// In whole seconds: a list tells it more exactly than a HEAD. What no clock says is older than
/// anything.
fn modified(meta: &ObjectMeta) -> Timestamp {
    Timestamp::from_second(meta.last_modified.timestamp()).unwrap_or(Timestamp::MIN)
}
