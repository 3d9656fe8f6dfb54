//! What can go wrong in Evidence.

use stella_api::Code;
use stella_canonical::Digest;
use stella_service::{Failure, IntoFailure, KeyStoreError};
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
    /// The stored keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// A document that breaks the contract, with every violation.
    #[error("the document breaks the contract: {0:?}")]
    Refused(Vec<Violation>),
    /// What is stored of a document is not what was stored.
    #[error("document {document} is not stored as it came: found {actual}")]
    Corrupt {
        /// The document's id.
        document: String,
        /// The digest of the bytes that are there, or why there are none.
        actual: String,
    },
    /// No such thing in the tenant, or none that the token may see.
    #[error("there is no {0}")]
    Unknown(String),
    /// Told in the words of what every service has.
    #[error("{}", .0.detail())]
    Told(Box<Failure>),
    /// Nothing that such a list could come from: `documents` or `findings`.
    #[error("nothing was taken in yet that {0} could come from")]
    NoData(&'static str),
}

impl EvidenceError {
    /// Something derived that cannot be read back; of a document itself it is [`Self::Corrupt`].
    pub(crate) fn unreadable(what: impl ToString, reason: impl ToString) -> Self {
        StoreError::unreadable(what, reason).into()
    }

    /// Bytes of another digest than names them.
    pub(crate) fn other_bytes(document: &Digest, actual: &Digest) -> Self {
        Self::Corrupt {
            document: document.to_string(),
            actual: actual.to_string(),
        }
    }
}

impl From<Failure> for EvidenceError {
    fn from(failure: Failure) -> Self {
        Self::Told(Box::new(failure))
    }
}

impl IntoFailure for EvidenceError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Object(ObjectError::Corrupt {
                expected, actual, ..
            }) => Self::other_bytes(&expected, &actual).into_failure(),
            Self::Object(error) => error.into_failure(),
            Self::Keys(error) => error.into_failure(),
            Self::Refused(violations) => refused(&violations),
            Self::Corrupt { document, actual } => Failure::new(Code::EvidenceCorrupt)
                .with("document", &document)
                .with("actual", &actual)
                .at(Code::EvidenceCorrupt, document, actual),
            Self::Told(failure) => *failure,
            Self::Unknown(what) => Failure::not_found(what),
            Self::NoData(list) => Failure::new(Code::NoData).with("list", list),
        }
    }
}

/// The first violation names the answer; all of them are listed.
fn refused(violations: &[Violation]) -> Failure {
    let code = violations.first().map_or(Code::Aoc009, |first| first.code);
    let reason = violations
        .first()
        .map(|first| first.message.clone())
        .unwrap_or_default();
    // Of the whole document or envelope there is no place to tell within it.
    let place = violations
        .first()
        .map(|first| first.pointer.trim_end_matches(':'))
        .filter(|place| !place.is_empty())
        .map(|place| format!("{place}: "))
        .unwrap_or_default();
    let failure = Failure::new(code)
        .with("reason", reason)
        .with("place", place);
    violations.iter().fold(failure, |failure, one| {
        failure.at(one.code, &one.pointer, &one.message)
    })
}
