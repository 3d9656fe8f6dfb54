//! Signatures of manifests: DSSE over an in-toto Statement.

use stella_api::authority::JwksAnswer;
use stella_api::dsse::Envelope;
use stella_api::replay::{Manifest, State};
use stella_attest::{AttestError, PublicKey, Statement, read_envelope, verify};
use stella_canonical::{Digest, canonical};
use stella_context::{Clock, SystemContext};

use crate::{Replay, ReplayError};

/// What the keys are for.
pub(crate) const PURPOSE: &str = "replay";
/// The predicate's type: its predicate is a [`Manifest`].
const PREDICATE: &str = "https://stella-ops.org/replay/v1";

impl Replay {
    pub(crate) async fn sign(
        &self,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Envelope, ReplayError> {
        let statement = Statement::new("stella.replay/v1", digest, PREDICATE, manifest);
        let key = self.keys.active(&system()).await?;
        Ok(key.attest(statement.unsigned()?)?)
    }

    /// The public keys that verify manifests, newest first.
    pub(crate) async fn jwks(&self) -> Result<JwksAnswer, ReplayError> {
        let keys = self.keys.public(&system()).await?;
        let keys = keys.iter().map(PublicKey::jwk).collect();
        Ok(JwksAnswer { keys })
    }

    /// What one of this service's keys signed as the manifest of this digest, or what is wrong
    /// with the envelope.
    pub(crate) async fn signed(
        &self,
        envelope: &str,
        digest: &Digest,
    ) -> Result<Result<Manifest, State>, ReplayError> {
        let keys = self.keys.public(&system()).await?;
        let verified = read_envelope(envelope.as_bytes()).and_then(|read| verify(&read, &keys));
        Ok(match verified {
            Ok(verified) => statement(&verified.payload, digest),
            Err(AttestError::Malformed(_) | AttestError::Base64(_)) => Err(State::Malformed),
            Err(AttestError::Unsigned) => Err(State::Unsigned),
            Err(AttestError::UnknownKey(_)) => Err(State::ForeignKey),
            Err(AttestError::Invalid(_)) => Err(State::SignatureBroken),
        })
    }
}

fn statement(payload: &[u8], digest: &Digest) -> Result<Manifest, State> {
    let statement: Statement<Manifest> =
        serde_json::from_slice(payload).map_err(|_| State::Malformed)?;
    let signed = canonical(&statement.predicate.determined).map_err(|_| State::Malformed)?;
    match statement.is_about(digest, PREDICATE) && Digest::of(&signed) == *digest {
        true => Ok(statement.predicate),
        false => Err(State::SignedOther),
    }
}

/// Keys are the installation's, no tenant's.
fn system() -> SystemContext {
    SystemContext::new("signatures", Clock::System)
}
