//! What can go wrong in this crate.

use stella_canonical::CanonicalError;

use crate::cvss::CvssError;

/// A score that cannot be computed, or a stored one that contradicts itself.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// A text is not a CVSS vector.
    #[error(transparent)]
    Cvss(#[from] CvssError),
    /// Inputs or a result have no canonical form.
    #[error("writing the canonical form of a score: {0}")]
    Canonical(#[from] CanonicalError),
    /// A stored result does not follow from its own parts.
    #[error("checking a score at {pointer}: expected {expected}, found {actual}")]
    Inconsistent {
        /// RFC 6901 pointer into the result.
        pointer: String,
        /// What the other parts say.
        expected: String,
        /// What stands there.
        actual: String,
    },
}
