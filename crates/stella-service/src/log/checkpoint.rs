//! Checkpoints: where a log ends, signed. Whoever keeps one elsewhere can prove later that the log
//! has only grown since.

use stella_api::dsse::Envelope;
use stella_api::log::Checkpoint;
use stella_attest::{CHECKPOINT, PublicKey, Statement, read_envelope, signed_end};
use stella_canonical::Digest;
use stella_signing::SigningKey;
use stella_storage::StoreError;

use super::unreadable;

pub(super) fn sign(key: &SigningKey, checkpoint: &Checkpoint) -> Result<String, StoreError> {
    let failed = |reason: String| unreadable("checkpoint", reason);
    let root: Result<Digest, _> = checkpoint.root.parse();
    let root = root.map_err(|error| failed(error.to_string()))?;
    let statement = Statement::new("stella.log/v1", &root, CHECKPOINT, checkpoint);
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
    Ok((signed_end(&envelope, keys)?, envelope))
}
