//! The object stores of the services that have blobs.

use std::path::Path;

use anyhow::Context as _;
use stella_storage::{ObjectDriver, ObjectError, ObjectStore};

use super::Storage;

/// Where the blobs of each service that has any are to lie.
#[derive(Clone, Debug)]
pub struct ObjectDrivers {
    /// Evidence's.
    pub evidence: ObjectDriver,
    /// Replay's.
    pub replay: ObjectDriver,
}

/// The object store of each service that has blobs.
#[derive(Clone, Debug)]
pub struct ObjectStores {
    /// Evidence's.
    pub evidence: ObjectStore,
    /// Replay's.
    pub replay: ObjectStore,
}

impl ObjectStores {
    /// One store for all; their buckets are their own.
    #[must_use]
    pub fn all(store: &ObjectStore) -> Self {
        Self {
            evidence: store.clone(),
            replay: store.clone(),
        }
    }

    /// Writes to each: one that cannot be written is told before anything is served, and one
    /// that does not answer is asked again for a while.
    ///
    /// # Errors
    /// A store is away or cannot be written.
    pub async fn probe(&self) -> anyhow::Result<()> {
        for store in [&self.evidence, &self.replay] {
            match store.ping().await {
                Err(away @ ObjectError::Unreachable { .. }) => return Err(away.into()),
                Err(error) => return Err(NotWritable(error).into()),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

/// An object store that answers and does not let itself be written.
#[derive(Debug, thiserror::Error)]
#[error("the object store cannot be written: {0}")]
pub struct NotWritable(ObjectError);

impl Storage {
    /// Opens the object store of each service that has blobs. Streams on their way to a bucket
    /// are spooled in the data folder where there is one.
    ///
    /// # Errors
    /// A folder cannot be made, or TLS not be set up.
    pub fn object_stores(
        &mut self,
        drivers: &ObjectDrivers,
        data: Option<&Path>,
    ) -> anyhow::Result<ObjectStores> {
        let spools = data.map_or_else(std::env::temp_dir, Path::to_path_buf);
        Ok(ObjectStores {
            evidence: self.object_store(&drivers.evidence, &spools)?,
            replay: self.object_store(&drivers.replay, &spools)?,
        })
    }

    fn object_store(
        &mut self,
        driver: &ObjectDriver,
        spools: &Path,
    ) -> anyhow::Result<ObjectStore> {
        Ok(match driver {
            ObjectDriver::SeedFs(root) => ObjectStore::seed_fs(root),
            ObjectDriver::Temporary => {
                ObjectStore::seed_fs(&self.temporary()?.root().join("objects"))
            }
            ObjectDriver::Rustfs(s3) => {
                std::fs::create_dir_all(spools).context("Storage:DataDirectory")?;
                ObjectStore::rustfs(s3, spools)?
            }
        })
    }
}
