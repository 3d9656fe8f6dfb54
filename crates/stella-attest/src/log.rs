//! How an entry of a log is hashed, and where a log ends: each entry holds the hash of the one before, and all are leaves of a tree.

use serde::Serialize;
use stella_api::TenantId;
use stella_canonical::merkle::{self, Frontier};
use stella_canonical::{CanonicalError, Digest, canonical};

use stella_api::dsse::Envelope;
use stella_api::log::Checkpoint;

use crate::{PublicKey, Statement, verify};

/// The predicate's type: its predicate is a [`Checkpoint`].
pub const CHECKPOINT: &str = "https://stella-ops.org/log-checkpoint/v1";

/// An entry that has its position.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// From 1, without a gap.
    pub position: u64,
    /// The recorded time, RFC 3339 in UTC.
    pub recorded_at: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// What it says.
    pub entry: &'a serde_json::Value,
}

/// Where a log ends: what the next entry is chained to.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
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
    recorded_at: &'a str,
    subject: &'a str,
    entry: &'a serde_json::Value,
}

impl Chain {
    /// A log without entries.
    #[must_use]
    pub fn new(tenant: &TenantId, log: &str) -> Self {
        Self::at(tenant, log, Frontier::default(), None)
    }

    /// A log that has grown so far.
    #[must_use]
    pub fn at(tenant: &TenantId, log: &str, tree: Frontier, last: Option<Digest>) -> Self {
        let (tenant, log) = (tenant.clone(), log.to_owned());
        Self {
            tenant,
            log,
            tree,
            last,
        }
    }

    /// Whose log it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The tree over all entries so far.
    #[must_use]
    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// The hash of the last entry.
    #[must_use]
    pub fn last(&self) -> Option<Digest> {
        self.last
    }

    /// The hash of an entry that follows here.
    ///
    /// # Errors
    /// It has no canonical form.
    pub fn hash(&self, entry: Entry<'_>) -> Result<Digest, CanonicalError> {
        let leaf = Leaf {
            tenant: &self.tenant,
            log: &self.log,
            position: entry.position,
            prev_hash: self.last,
            recorded_at: entry.recorded_at,
            subject: entry.subject,
            entry: entry.entry,
        };
        Ok(merkle::leaf(&canonical(&leaf)?))
    }

    /// Goes on by an entry of this hash.
    pub fn follow(&mut self, hash: Digest) {
        self.tree.append(hash);
        self.last = Some(hash);
    }
    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> Checkpoint {
        Checkpoint {
            tenant: self.tenant.to_string(),
            log: self.log.clone(),
            size: self.tree.size(),
            root: self.tree.root().to_string(),
            last: self.last.map(|last| last.to_string()),
        }
    }
}

/// The end of a log that one of these keys signed.
///
/// # Errors
/// Why the envelope counts for nothing.
pub fn signed_end(envelope: &Envelope, keys: &[PublicKey]) -> Result<Checkpoint, String> {
    let verified = verify(envelope, keys).map_err(|error| error.to_string())?;
    let statement: Statement<Checkpoint> =
        serde_json::from_slice(&verified.payload).map_err(|error| error.to_string())?;
    let root: Digest = statement
        .predicate
        .root
        .parse()
        .map_err(|_| "its root is no digest")?;
    match statement.is_about(&root, CHECKPOINT) {
        true => Ok(statement.predicate),
        false => Err("it is no checkpoint of a log".to_owned()),
    }
}
