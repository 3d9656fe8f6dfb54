//! Checkpoints: where a log ends, signed. Whoever keeps one elsewhere can prove later that the log
//! has only grown since.

use stella_api::TenantId;
use stella_api::dsse::Envelope;
use stella_api::log::Checkpoint;
use stella_attest::{PublicKey, Statement, read_envelope, verify};
use stella_canonical::Digest;
use stella_signing::SigningKey;
use stella_storage::StoreError;

use super::chain::Chain;
use super::unreadable;

/// The predicate's type: its predicate is a [`Checkpoint`].
const PREDICATE: &str = "https://stella-ops.org/log-checkpoint/v1";

/// Where a chain ends.
pub(super) fn of(tenant: &TenantId, log: &str, chain: &Chain) -> Checkpoint {
    Checkpoint {
        tenant: tenant.to_string(),
        log: log.to_owned(),
        size: chain.tree().size(),
        root: chain.tree().root().to_string(),
        last: chain.last().map(|last| last.to_string()),
    }
}

pub(super) fn sign(key: &SigningKey, checkpoint: &Checkpoint) -> Result<String, StoreError> {
    let failed = |reason: String| unreadable("checkpoint", reason);
    let root: Result<Digest, _> = checkpoint.root.parse();
    let root = root.map_err(|error| failed(error.to_string()))?;
    let statement = Statement::new("stella.log/v1", &root, PREDICATE, checkpoint);
    let unsigned = statement.unsigned();
    let unsigned = unsigned.map_err(|error| failed(error.to_string()))?;
    let envelope = key
        .attest(unsigned)
        .map_err(|error| failed(error.to_string()))?;
    serde_json::to_string(&envelope).map_err(|error| failed(error.to_string()))
}

/// A stored envelope, and what one of these keys signed in it.
pub(super) fn stored(text: &str, keys: &[PublicKey]) -> Result<(Checkpoint, Envelope), String> {
    let envelope = read_envelope(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok((signed(&envelope, keys)?, envelope))
}

/// What one of these keys signed, or why it counts for nothing.
pub(super) fn signed(envelope: &Envelope, keys: &[PublicKey]) -> Result<Checkpoint, String> {
    let verified = verify(envelope, keys).map_err(|error| error.to_string())?;
    payload(&verified.payload)
}

fn payload(bytes: &[u8]) -> Result<Checkpoint, String> {
    let statement: Statement<Checkpoint> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let root: Digest = statement
        .predicate
        .root
        .parse()
        .map_err(|_| "its root is no digest")?;
    match statement.is_about(&root, PREDICATE) {
        true => Ok(statement.predicate),
        false => Err("it is no checkpoint of a log".to_owned()),
    }
}
