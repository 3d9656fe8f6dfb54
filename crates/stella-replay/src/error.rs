//! What can go wrong in Replay.

use stella_api::Code;
use stella_assess::AssessError;
use stella_canonical::CanonicalError;
use stella_client::ClientError;
use stella_scoring::ScoringError;
use stella_service::{Failure, IntoFailure};
use stella_storage::{ObjectError, StoreError};

use crate::token::TokenError;

/// A failure of Replay's domain; that something stored was changed is no failure but a verdict.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A neighbour, or the way to it.
    #[error(transparent)]
    Neighbour(#[from] ClientError),
    /// Not a token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token's time is over.
    #[error("the token expired at {0}")]
    Expired(String),
    /// A request that names neither or both.
    #[error("say either token or scoreId")]
    Ambiguous,
    /// A text that names no score.
    #[error("`{0}` is no score's id and no prefix of one")]
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

impl IntoFailure for ReplayError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Object(error) => error.into_failure(),
            Self::Neighbour(error) => error.into_failure(),
            Self::Token(error) => Failure::new(Code::ReplayTokenInvalid)
                .with("reason", error)
                .at(Code::ReplayTokenInvalid, "/token", error),
            Self::Expired(when) => Failure::new(Code::ReplayTokenExpired).with("when", when),
            Self::Ambiguous => Failure::invalid("", self),
            Self::NoScoreId(_) => Failure::invalid("/scoreId", self),
            Self::Unknown(what) => Failure::not_found(what),
            Self::ScopeMissing(scope) => Failure::new(Code::ScopeMissing).with("scope", scope),
            other => Failure::new(Code::Internal).because(other),
        }
    }
}
