//! Which blobs are needed: manifests, snapshots, and the nodes that snapshots lead to.

use std::collections::BTreeSet;

use stella_api::TenantId;
use stella_api::replay::Snapshot;
use stella_canonical::Digest;
use stella_canonical::trie::{self, TrieError};
use stella_context::SystemContext;
use stella_storage::{Db, ObjectError, ObjectStore};

use crate::error::digest_of;
use crate::{BUCKET, ReplayError, store};

/// The digests of a tenant's blobs: what else is in the bucket, nothing needs.
///
/// # Errors
/// The database or the object store is away; or a blob that leads to others is gone or changed,
/// so that nobody can say what is needed.
pub async fn named(
    system: &SystemContext,
    db: &Db,
    objects: &ObjectStore,
    tenant: &TenantId,
) -> Result<BTreeSet<Digest>, ReplayError> {
    let (manifests, snapshots) = store::named(system, db, tenant).await?;
    let mut named = BTreeSet::new();
    for manifest in manifests {
        named.insert(digest_of(&manifest)?);
    }
    let mut roots = Vec::new();
    for snapshot in snapshots {
        let digest = digest_of(&snapshot)?;
        let bytes = objects.get(BUCKET, tenant, &digest).await?;
        let snapshot: Snapshot = serde_json::from_slice(&bytes)
            .map_err(|error| ReplayError::unreadable("snapshot", error))?;
        for provider in snapshot.providers.values() {
            roots.push(digest_of(&provider.root)?);
        }
        named.insert(digest);
    }
    let (objects, tenant) = (objects.clone(), tenant.clone());
    let gathered = tokio::task::spawn_blocking(move || {
        let mut load = |digest: &Digest| objects.get_blocking(BUCKET, &tenant, digest);
        for root in roots {
            trie::nodes(&root, &mut load, &mut named).map_err(failed)?;
        }
        Ok(named)
    });
    gathered.await?
}

fn failed(error: TrieError<ObjectError>) -> ReplayError {
    match error {
        TrieError::Load { source, .. } => source.into(),
        other => ReplayError::unreadable("snapshot node", other),
    }
}
