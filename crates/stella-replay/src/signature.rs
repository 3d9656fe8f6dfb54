//! Signatures of manifests: DSSE over an in-toto Statement.

use stella_api::authority::JwksAnswer;
use stella_api::dsse::Envelope;
use stella_api::replay::Manifest;
use stella_attest::{AttestError, Statement, read_envelope, verify};
use stella_canonical::{Digest, canonical};
use stella_context::{Clock, SystemContext};

use crate::{Replay, ReplayError};

/// What the keys are for.
pub(crate) const PURPOSE: &str = "replay";
/// The predicate's type: its predicate is a [`Manifest`].
const PREDICATE: &str = "https://stella-ops.org/replay/v1";

/// Why an envelope does not speak for a manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error(transparent)]
    Attest(#[from] AttestError),
    #[error("the signed statement cannot be read: {0}")]
    Statement(#[from] serde_json::Error),
    #[error("what is signed is another manifest")]
    Other,
}

impl Replay {
    pub(crate) fn sign(
        &self,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Envelope, ReplayError> {
        let statement = Statement::new("stella.replay/v1", digest, PREDICATE, manifest);
        Ok(self.key.attest(statement.unsigned()?)?)
    }

    /// The public keys that verify manifests, newest first.
    pub(crate) async fn jwks(&self) -> Result<JwksAnswer, ReplayError> {
        let keys = self.keys.public(&system()).await?;
        let keys = keys.iter().map(|key| key.jwk()).collect();
        Ok(JwksAnswer { keys })
    }

    /// Whether one of this service's keys signed the manifest of this digest.
    pub(crate) async fn check_signature(
        &self,
        envelope: &str,
        digest: &Digest,
    ) -> Result<Result<Manifest, SignatureError>, ReplayError> {
        let keys = self.keys.public(&system()).await?;
        let read = || {
            let verified = verify(&read_envelope(envelope.as_bytes())?, &keys)?;
            let statement: Statement<Manifest> = serde_json::from_slice(&verified.payload)?;
            let signed = canonical(&statement.predicate.determined).ok();
            let same = signed.is_some_and(|bytes| Digest::of(&bytes) == *digest);
            match same && statement.is_about(digest, PREDICATE) {
                true => Ok(statement.predicate),
                false => Err(SignatureError::Other),
            }
        };
        Ok(read())
    }
}

/// Keys are the installation's, no tenant's.
fn system() -> SystemContext {
    SystemContext::new("signatures", Clock::System)
}
