use std::borrow::Cow;

/// Names what could not be read as a package URL or as a version, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not a package URL of the purl specification.
    #[error("reading package url {}: {}", quoted(purl), cut(reason))]
    Purl {
        /// The text as it came.
        purl: String,
        /// What the reader found.
        reason: String,
    },
    /// A text is not a version of its ecosystem, so it has no place in that order.
    #[error("reading {} as a {order} version: {}", quoted(version), cut(reason))]
    Version {
        /// The text as it came.
        version: String,
        /// The version order that was tried.
        order: &'static str,
        /// What the reader found.
        reason: String,
    },
    /// No version order is known for an ecosystem.
    #[error("no version order for ecosystem {}", quoted(.0))]
    NoOrder(String),
}

/// How many characters of a text are told. A reason may be told of thousands of components, and
/// what is published may be of any length.
const LONGEST: usize = 128;

/// A text as a reason names it: in quotation marks, and no more than its beginning.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("{:?}", cut(text))
}

pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
