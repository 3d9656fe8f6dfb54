//! What can go wrong in Replay.

use jiff::Timestamp;
use stella_api::{Code, ReplayTokenError};
use stella_assess::AssessError;
use stella_canonical::{CanonicalError, Digest, DigestError};
use stella_client::ClientError;
use stella_locale::Labels;
use stella_scoring::ScoringError;
use stella_service::{Failure, IntoFailure, KeyStoreError};
use stella_signing::KeyError;
use stella_storage::{ObjectError, StoreError};

/// A failure of Replay's domain; that something stored was changed is no failure but a verdict.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The stored keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// A key that cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A neighbour, or the way to it.
    #[error(transparent)]
    Neighbour(#[from] ClientError),
    /// Not a token.
    #[error(transparent)]
    Token(#[from] ReplayTokenError),
    /// The token's time is over.
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    /// A request that names none or more than one.
    #[error("not exactly one of manifest, token and scoreId")]
    Ambiguous,
    /// A text that is no manifest's digest.
    #[error("no manifest's digest: {0}")]
    NoManifest(String),
    /// A text that names no score.
    #[error("no score id: {0}")]
    NoScoreId(String),
    /// No such thing in the tenant.
    #[error("there is no {0}")]
    Unknown(String),
    /// The token lacks a scope that reading the inputs needs.
    #[error("the token lacks {0}")]
    ScopeMissing(stella_api::Scope),
    /// Something that has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The recomputation itself.
    #[error(transparent)]
    Assess(#[from] AssessError),
    /// The recomputation itself.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// A computation was stopped before its end.
    #[error("the computation did not end: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl ReplayError {
    pub(crate) fn unreadable(what: impl ToString, reason: impl ToString) -> Self {
        StoreError::unreadable(what, reason).into()
    }
}

/// A stored text as the digest that it should be.
pub(crate) fn digest_of(text: &str) -> Result<Digest, ReplayError> {
    text.parse()
        .map_err(|error: DigestError| ReplayError::unreadable("digest", error))
}

impl IntoFailure for ReplayError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Keys(error) => error.into_failure(),
            Self::Object(error) => error.into_failure(),
            Self::Neighbour(error) => error.into_failure(),
            Self::Token(error) => Failure::new(Code::ReplayTokenInvalid)
                .with("reason", error)
                .at(Code::ReplayTokenInvalid, "/token", error),
            Self::Expired(when) => Failure::new(Code::ReplayTokenExpired).with("when", when),
            Self::Ambiguous => {
                Failure::invalid("", Labels::english().text("refused-replay-of-what"))
            }
            Self::NoManifest(id) => {
                let values = [("id", id.into())];
                let reason = Labels::english().format("refused-manifest", &values);
                Failure::invalid("/manifest", reason)
            }
            Self::NoScoreId(id) => {
                let values = [("id", id.into())];
                let reason = Labels::english().format("refused-score-id", &values);
                Failure::invalid("/scoreId", reason)
            }
            Self::Unknown(what) => Failure::not_found(what),
            Self::ScopeMissing(scope) => Failure::new(Code::ScopeMissing).with("scope", scope),
            other => Failure::new(Code::Internal).because(other),
        }
    }
}
