//! What can go wrong in Evidence.

use stella_api::Code;
use stella_service::{Failure, IntoFailure};
use stella_storage::{ObjectError, StoreError};

use crate::guard::Violation;

/// A failure of Evidence's domain.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A document that breaks the contract, with every violation.
    #[error("the document breaks the contract: {0:?}")]
    Refused(Vec<Violation>),
    /// Stored bytes are not those that came.
    #[error("document {document} is stored with bytes of digest {actual}")]
    Corrupt {
        /// The document's id.
        document: String,
        /// The digest of what is there.
        actual: String,
    },
    /// No such thing in the tenant, or none that the token may see.
    #[error("there is no {0}")]
    Unknown(String),
    /// Nothing that such a list could come from: `documents` or `findings`.
    #[error("nothing was taken in yet that {0} could come from")]
    NoData(&'static str),
    /// Stored data that cannot be read back.
    #[error("stored {what} cannot be read: {reason}")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl EvidenceError {
    pub(crate) fn unreadable(what: &'static str, reason: impl ToString) -> Self {
        Self::Unreadable {
            what,
            reason: reason.to_string(),
        }
    }
}

impl IntoFailure for EvidenceError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Object(ObjectError::Corrupt {
                expected, actual, ..
            }) => corrupt(&expected.to_string(), &actual.to_string()),
            Self::Object(error) => error.into_failure(),
            Self::Refused(violations) => refused(&violations),
            Self::Corrupt { document, actual } => corrupt(&document, &actual),
            Self::Unknown(what) => Failure::not_found(what),
            Self::NoData(list) => Failure::new(Code::NoData).with("list", list),
            Self::Unreadable { .. } => Failure::new(Code::Internal).because(self),
        }
    }
}

fn corrupt(document: &str, actual: &str) -> Failure {
    Failure::new(Code::EvidenceCorrupt)
        .with("document", document)
        .with("actual", actual)
        .at(Code::EvidenceCorrupt, document, actual)
}

/// The first violation names the answer; all of them are listed.
fn refused(violations: &[Violation]) -> Failure {
    let code = violations.first().map_or(Code::Aoc009, |first| first.code);
    let reason = violations
        .first()
        .map(|first| first.message.clone())
        .unwrap_or_default();
    let place = violations
        .first()
        .map(|first| first.pointer.clone())
        .unwrap_or_default();
    let failure = Failure::new(code)
        .with("reason", reason)
        .with("place", place);
    violations.iter().fold(failure, |failure, one| {
        failure.at(one.code, &one.pointer, &one.message)
    })
}
