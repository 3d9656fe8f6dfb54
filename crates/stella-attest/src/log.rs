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

/// Which log: one of a name that a schema holds for a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct LogName {
    /// The schema.
    pub schema: String,
    /// Whose.
    pub tenant: TenantId,
    /// The name.
    pub log: String,
}

impl LogName {
    /// Whether a checkpoint is of this log, by whoever knows which schema it is from where no
    /// schema is told.
    #[must_use]
    pub fn is_of(&self, signed: &Checkpoint) -> bool {
        let schema = signed.schema.as_ref();
        signed.tenant == self.tenant.as_str()
            && signed.log == self.log
            && schema.is_none_or(|schema| *schema == self.schema)
    }
}

/// Where a log ends: what the next entry is chained to.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    of: LogName,
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
    pub fn new(of: LogName) -> Self {
        Self::at(of, Frontier::default(), None)
    }

    /// A log that has grown so far.
    #[must_use]
    pub fn at(of: LogName, tree: Frontier, last: Option<Digest>) -> Self {
        Self { of, tree, last }
    }

    /// Which log it is.
    #[must_use]
    pub fn of(&self) -> &LogName {
        &self.of
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
            tenant: &self.of.tenant,
            log: &self.of.log,
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
            schema: Some(self.of.schema.clone()),
            tenant: self.of.tenant.to_string(),
            log: self.of.log.clone(),
            size: self.tree.size(),
            root: self.tree.root().to_string(),
            last: self.last.map(|last| last.to_string()),
        }
    }

    /// Whether that is where it ends.
    #[must_use]
    pub fn ends_at(&self, signed: &Checkpoint) -> bool {
        let schema = signed.schema.clone();
        let end = Checkpoint {
            schema,
            ..self.end()
        };
        self.of.is_of(signed) && end == *signed
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
