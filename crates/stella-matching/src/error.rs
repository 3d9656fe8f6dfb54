/// Names what could not be read as a package URL or as a version, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not a package URL of the purl specification.
    #[error("reading package url {purl:?}: {reason}")]
    Purl {
        /// The text as it came.
        purl: String,
        /// What the reader found.
        reason: String,
    },
    /// A text is not a version of its ecosystem, so it has no place in that order.
    #[error("reading {version:?} as a {order} version: {reason}")]
    Version {
        /// The text as it came.
        version: String,
        /// The version order that was tried.
        order: &'static str,
        /// What the reader found.
        reason: String,
    },
    /// No version order is known for an ecosystem.
    #[error("no version order for ecosystem {0:?}")]
    NoOrder(String),
}
