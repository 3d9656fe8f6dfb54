//! Documents, read from Evidence once and kept while there is room.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_assess::Shared;
use stella_canonical::Digest;
use stella_client::Client;
use stella_context::OpContext;

use crate::RiskError;

/// What the kept documents may weigh together, in raw bytes.
const ROOM: u64 = 256 * 1024 * 1024;
/// A guess of how many that is.
const DOCUMENTS: usize = 32 * 1024;

type Key = (TenantId, Digest);

#[derive(Clone, Debug)]
struct Kept {
    document: Arc<Shared>,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Kept> for ByBytes {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        kept.bytes
    }
}

/// The documents of every tenant that were read lately.
pub(crate) struct Library {
    kept: Cache<Key, Kept, ByBytes>,
}

impl Default for Library {
    fn default() -> Self {
        Self {
            kept: Cache::with_weighter(DOCUMENTS, ROOM, ByBytes),
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Library({} documents)", self.kept.len())
    }
}

impl Library {
    /// The document of a digest, as the operation may see it.
    pub(crate) async fn document(
        &self,
        op: &OpContext,
        client: &Client,
        kind: EvidenceKind,
        digest: Digest,
    ) -> Result<Arc<Shared>, RiskError> {
        if !op.permits(kind.read_scope()) {
            // What Evidence would not show may not come from here; Evidence says how it refuses.
            return Ok(fetched(client, digest).await?.document);
        }
        let key = (op.tenant().clone(), digest);
        let kept = self.kept.get_or_insert_async(&key, fetched(client, digest));
        Ok(kept.await?.document)
    }
}

async fn fetched(client: &Client, digest: Digest) -> Result<Kept, RiskError> {
    let path = format!("/api/v1/evidence/documents/{digest}/raw");
    let bytes = client.get_bytes(&path).await?;
    // An SBOM or a catalogue takes too long to read for a thread that serves others.
    tokio::task::spawn_blocking(move || read(digest, &bytes)).await?
}

fn read(digest: Digest, bytes: &[u8]) -> Result<Kept, RiskError> {
    let (document, actual) = (digest.to_string(), Digest::of(bytes));
    if actual != digest {
        let actual = actual.to_string();
        return Err(RiskError::DocumentCorrupt { document, actual });
    }
    let read = stella_formats::read(bytes).map_err(|error| RiskError::DocumentUnreadable {
        document,
        reason: error.to_string(),
    })?;
    Ok(Kept {
        document: Arc::new(read.into()),
        bytes: bytes.len() as u64,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_digest_are_never_read() {
        let digest = Digest::of(b"{}");
        let refused = read(digest, b"[]").unwrap_err();
        assert!(matches!(refused, RiskError::DocumentCorrupt { actual, .. }
            if actual == Digest::of(b"[]").to_string()));
    }
}
