//! A walk that ran out of time: where it stands is signed, so that whoever asked can hand it in
//! again, and nobody but us can have said that all before it was looked at.

use serde::{Deserialize, Serialize};
use stella_api::dsse::Envelope;
use stella_attest::{Chain, LogName, PublicKey, Statement, verify};
use stella_canonical::Digest;
use stella_canonical::merkle::Frontier;
use stella_signing::SigningKey;
use stella_storage::StoreError;

use super::unreadable;

/// The predicate's type. It is no checkpoint: a log need not end there.
const WALK: &str = "https://stella-ops.org/log-walk/v1";

/// Where a walk stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    tenant: String,
    log: String,
    /// The last position that was looked at.
    pub(super) position: u64,
    size: u64,
    subtrees: Vec<Digest>,
    last: Option<Digest>,
    /// The root of the earlier checkpoint that it is compared with.
    pub(super) earlier: Option<String>,
}

impl Standing {
    pub(super) fn of(chain: &Chain, position: u64, earlier: Option<String>) -> Self {
        let (of, tree) = (chain.of(), chain.tree());
        Self {
            tenant: of.tenant.to_string(),
            log: of.log.clone(),
            position,
            size: tree.size(),
            subtrees: tree.subtrees().to_vec(),
            last: chain.last(),
            earlier,
        }
    }

    pub(super) fn signed(&self, key: &SigningKey) -> Result<Envelope, StoreError> {
        let failed = |reason: String| unreadable("walk", reason);
        let root = self.tree().ok_or_else(|| failed("no tree".to_owned()))?;
        let statement = Statement::new("stella.log/v1", &root.root(), WALK, self);
        let unsigned = statement.unsigned();
        let unsigned = unsigned.map_err(|error| failed(error.to_string()))?;
        key.attest(unsigned)
            .map_err(|error| failed(error.to_string()))
    }

    /// What one of these keys signed of a walk over this log.
    pub(super) fn read(
        envelope: &Envelope,
        keys: &[PublicKey],
        of: &LogName,
    ) -> Result<(Self, Chain), String> {
        let verified = verify(envelope, keys).map_err(|error| error.to_string())?;
        let statement: Statement<Self> =
            serde_json::from_slice(&verified.payload).map_err(|error| error.to_string())?;
        let told = statement.predicate.tree().ok_or("it is no tree")?;
        if !statement.is_about(&told.root(), WALK) {
            return Err("it is not where a walk stands".to_owned());
        }
        let standing = statement.predicate;
        if standing.tenant != of.tenant.as_str() || standing.log != of.log {
            return Err("it is of another log".to_owned());
        }
        let chain = Chain::at(of.clone(), told, standing.last);
        Ok((standing, chain))
    }

    fn tree(&self) -> Option<Frontier> {
        Frontier::of(self.size, self.subtrees.clone())
    }
}
