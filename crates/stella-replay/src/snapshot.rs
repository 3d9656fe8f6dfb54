//! Snapshots: the evidence of a tenant at one time, by the root of a trie a kind.

use std::collections::BTreeMap;

use stella_api::Page;
use stella_api::evidence::{DocumentRecord, EvidenceKind};
use stella_api::replay::{Snapshot, SnapshotProvider, SnapshotRecord};
use stella_canonical::{Digest, canonical, trie};
use stella_context::OpContext;

use crate::error::digest_of;
use crate::{BUCKET, Replay, ReplayError, store};

const SCHEMA: &str = "stella.snapshot/v1";

impl Replay {
    /// Freezes what Evidence holds now and gives the snapshot's id. Nodes that an earlier
    /// snapshot wrote are not written again.
    pub(crate) async fn freeze(&self, op: &OpContext) -> Result<String, ReplayError> {
        let mut providers = BTreeMap::new();
        for (kind, digests) in self.evidence(op).await? {
            let trie = trie::build(digests);
            for (_, node) in trie.nodes {
                self.objects.put(BUCKET, op.tenant(), node).await?;
            }
            let provider = SnapshotProvider {
                count: trie.count,
                root: trie.root.to_string(),
            };
            providers.insert(kind.as_str().to_owned(), provider);
        }
        let snapshot = Snapshot {
            schema: SCHEMA.to_owned(),
            providers,
        };
        let id = self
            .objects
            .put(BUCKET, op.tenant(), canonical(&snapshot)?)
            .await?;
        Ok(id.to_string())
    }

    /// Every document's digest by kind; a kind without documents is an empty set.
    async fn evidence(
        &self,
        op: &OpContext,
    ) -> Result<BTreeMap<EvidenceKind, Vec<Digest>>, ReplayError> {
        let client = self.peers.acting_for(op);
        let mut found: BTreeMap<EvidenceKind, Vec<Digest>> = EvidenceKind::ALL
            .iter()
            .map(|kind| (*kind, Vec::new()))
            .collect();
        let mut path = "/api/v1/evidence/documents?pageSize=500".to_owned();
        loop {
            let page: Page<DocumentRecord> = client.get(&path).await?;
            for record in page.items {
                let digest = digest_of(&record.id)?;
                found.entry(record.kind).or_default().push(digest);
            }
            match page.next_page_token {
                Some(token) => {
                    path = format!("/api/v1/evidence/documents?pageSize=500&pageToken={token}");
                }
                None => return Ok(found),
            }
        }
    }

    /// A snapshot by its id.
    pub(crate) async fn snapshot(
        &self,
        op: &OpContext,
        id: &str,
    ) -> Result<SnapshotRecord, ReplayError> {
        let unknown = || ReplayError::Unknown(format!("snapshot {id}"));
        let digest: Digest = id.parse().map_err(|_| unknown())?;
        let created = store::snapshot_time(op, &self.db, id)
            .await?
            .ok_or_else(unknown)?;
        let bytes = self.objects.get(BUCKET, op.tenant(), &digest).await?;
        let snapshot = serde_json::from_slice(&bytes)
            .map_err(|error| ReplayError::unreadable(format!("snapshot {id}"), error))?;
        Ok(SnapshotRecord {
            id: id.to_owned(),
            snapshot,
            created_at: created.0.to_string(),
        })
    }
}
