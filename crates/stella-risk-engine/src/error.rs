//! What can go wrong in RiskEngine.

use stella_api::Code;
use stella_assess::AssessError;
use stella_canonical::CanonicalError;
use stella_client::ClientError;
use stella_scoring::ScoringError;
use stella_service::{Failure, IntoFailure};
use stella_storage::StoreError;

/// A failure of RiskEngine's domain.
#[derive(Debug, thiserror::Error)]
pub enum RiskError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A neighbour, or the way to it.
    #[error(transparent)]
    Neighbour(#[from] ClientError),
    /// A document came with other bytes than its digest names.
    #[error("document {document} came with bytes of digest {actual}")]
    DocumentCorrupt {
        /// The document's id.
        document: String,
        /// The digest of what came.
        actual: String,
    },
    /// A document that Evidence took in cannot be read here.
    #[error("document {document} cannot be read: {reason}")]
    DocumentUnreadable {
        /// The document's id.
        document: String,
        /// Why.
        reason: String,
    },
    /// The finding tells of no vulnerability.
    #[error("the finding is informational: {0}")]
    Informational(String),
    /// The finding no longer follows from the documents that speak to it.
    #[error("the finding changed meanwhile: {0}")]
    Changed(AssessError),
    /// There is no such profile.
    #[error("there is no risk profile {0}")]
    ProfileUnknown(String),
    /// A stored score contradicts itself.
    #[error("stored score {score} at {pointer}: expected {expected}, found {actual}")]
    ScoreCorrupt {
        /// The score's id.
        score: String,
        /// RFC 6901 pointer into the stored result; empty for the row as a whole.
        pointer: String,
        /// What the other parts say.
        expected: String,
        /// What stands there.
        actual: String,
    },
    /// The score itself.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// A score that has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A computation was stopped before its end.
    #[error("the computation did not end: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl From<AssessError> for RiskError {
    fn from(error: AssessError) -> Self {
        match error {
            AssessError::Informational(class) => Self::Informational(class),
            AssessError::Scoring(error) => Self::Scoring(error),
            other => Self::Changed(other),
        }
    }
}

impl IntoFailure for RiskError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Neighbour(error) => error.into_failure(),
            Self::DocumentCorrupt { document, actual } => Failure::new(Code::EvidenceCorrupt)
                .with("document", &document)
                .with(
                    "reason",
                    format!("the bytes that came have digest {actual}"),
                )
                .at(
                    Code::EvidenceCorrupt,
                    document,
                    format!("the bytes that came have digest {actual}"),
                ),
            Self::Informational(class) => {
                Failure::new(Code::ScoreNotApplicable).with("class", class)
            }
            Self::Changed(_) => Failure::new(Code::Stale).because(self),
            Self::ProfileUnknown(profile) => Failure::new(Code::ProfileUnknown)
                .with("what", &profile)
                .at(Code::ProfileUnknown, "/profile", profile),
            Self::ScoreCorrupt {
                score,
                pointer,
                expected,
                actual,
            } => Failure::new(Code::ScoreCorrupt)
                .with("what", score)
                .with("pointer", &pointer)
                .with("expected", &expected)
                .with("actual", &actual)
                .at(
                    Code::ScoreCorrupt,
                    pointer,
                    format!("expected {expected}, found {actual}"),
                ),
            Self::DocumentUnreadable { .. }
            | Self::Scoring(_)
            | Self::Canonical(_)
            | Self::Stopped(_) => Failure::new(Code::Internal).because(self),
        }
    }
}
