//! Which blobs the rows of a service lead to.

use std::collections::BTreeSet;

use stella_api::TenantId;
use stella_canonical::Digest;
use stella_context::SystemContext;
use stella_replay::ReplayError;
use stella_storage::{Bucket, ObjectStore};

use crate::platform::Databases;

/// What the rows of a service say of its bucket.
pub(super) struct Needs<'a> {
    pub(super) bucket: Bucket,
    pub(super) store: &'a ObjectStore,
    pub(super) databases: &'a Databases,
    pub(super) system: &'a SystemContext,
}

impl Needs<'_> {
    /// The digests that the rows of a tenant lead to.
    pub(super) async fn named(&self, tenant: &TenantId) -> anyhow::Result<BTreeSet<Digest>> {
        if self.bucket == stella_evidence::BUCKET {
            let db = &self.databases.evidence;
            return Ok(stella_evidence::named(self.system, db, tenant).await?);
        }
        let db = &self.databases.replay;
        let named = stella_replay::named(self.system, db, self.store, tenant).await;
        named.map_err(|error| match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::Object(error) => error.into(),
            other => other.into(),
        })
    }
}
