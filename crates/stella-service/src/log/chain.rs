//! How an entry is hashed: each holds the hash of the one before, and all are leaves of a tree.

use serde::Serialize;
use stella_api::TenantId;
use stella_canonical::merkle::{self, Frontier};
use stella_canonical::{CanonicalError, Digest, canonical};

use super::Sealed;

/// Where a log ends: what the next entry is chained to.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    tenant: TenantId,
    log: String,
    tree: Frontier,
    last: Option<Digest>,
}

/// What is hashed of an entry, as canonical JSON: nothing of it, nor its place, can change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Leaf<'a> {
    tenant: &'a TenantId,
    log: &'a str,
    position: u64,
    prev_hash: Option<Digest>,
    recorded_at: String,
    subject: &'a str,
    entry: &'a serde_json::Value,
}

impl Chain {
    /// A log without entries.
    pub(super) fn new(tenant: &TenantId, log: &str) -> Self {
        Self::at(tenant, log, Frontier::default(), None)
    }

    /// A log that has grown so far.
    pub(super) fn at(tenant: &TenantId, log: &str, tree: Frontier, last: Option<Digest>) -> Self {
        let (tenant, log) = (tenant.clone(), log.to_owned());
        Self {
            tenant,
            log,
            tree,
            last,
        }
    }

    pub(super) fn tree(&self) -> &Frontier {
        &self.tree
    }

    pub(super) fn last(&self) -> Option<Digest> {
        self.last
    }

    /// The hash of an entry that follows here.
    pub(super) fn hash(&self, entry: &Sealed) -> Result<Digest, CanonicalError> {
        let leaf = Leaf {
            tenant: &self.tenant,
            log: &self.log,
            position: entry.position,
            prev_hash: self.last,
            recorded_at: entry.recorded_at.to_string(),
            subject: &entry.subject,
            entry: &entry.entry,
        };
        Ok(merkle::leaf(&canonical(&leaf)?))
    }

    /// Goes on by an entry of this hash.
    pub(super) fn follow(&mut self, hash: Digest) {
        self.tree.append(hash);
        self.last = Some(hash);
    }
}
