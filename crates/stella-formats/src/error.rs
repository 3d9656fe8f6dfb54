use std::fmt;

use serde::Serialize;
use serde::de::IgnoredAny;
use stella_canonical::{JsonError, json};

/// The kind of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Not readable as what it is written in, or not of the shape that its format gives it.
    Malformed,
    /// Of no known format, or of a version that is not read.
    Unsupported,
    /// Several documents that their publisher issues singly, as an array or one after the other.
    Merge,
    /// Nested deeper than [`json::MAX_DEPTH`].
    Depth,
    /// Unpacks to more than is read.
    Size,
}

impl Reason {
    /// The code of the Aggregation-Only Contract, such as `ERR_AOC_009`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed | Self::Unsupported => "ERR_AOC_009",
            Self::Merge => "ERR_AOC_002",
            Self::Depth | Self::Size => "ERR_AOC_010",
        }
    }
}

/// Why a document was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormatError {
    /// What kind of refusal it is; [`Reason::code`] gives its code.
    pub reason: Reason,
    /// The JSON pointer (RFC 6901) of the part at fault; empty is the whole document.
    pub pointer: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in bytes; in YAML in characters.
    pub column: usize,
    /// What is wrong, for a person.
    pub message: String,
}

impl FormatError {
    pub(crate) fn new(
        reason: Reason,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            pointer: pointer.into(),
            line: 0,
            column: 0,
            message: message.into(),
        }
    }

    /// At a line of a table.
    pub(crate) fn at_line(reason: Reason, line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            column: 1,
            ..Self::new(reason, "", message)
        }
    }

    /// Finds line and column in JSON; a pointer to what is missing takes the place of what lacks it.
    pub(crate) fn with_place(mut self, bytes: &[u8]) -> Self {
        let mut pointer = self.pointer.as_str();
        (self.line, self.column) = loop {
            match (json::place(bytes, pointer), pointer.rfind('/')) {
                (Some(place), _) => break place,
                (None, Some(end)) => pointer = &pointer[..end],
                (None, None) => break (1, 1),
            }
        };
        self
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "" } else { " at " };
        write!(
            f,
            "{}{pointer}{} (line {} column {})",
            self.message, self.pointer, self.line, self.column
        )
    }
}

impl std::error::Error for FormatError {}

pub(crate) fn of_json(bytes: &[u8], error: JsonError) -> FormatError {
    let JsonError {
        code,
        pointer,
        line,
        column,
        message,
    } = error;
    let (reason, message) = match code {
        JsonError::DEPTH => (Reason::Depth, message),
        JsonError::TRAILING if begins_another(bytes) => (
            Reason::Merge,
            "several documents one after the other; send each by itself".to_owned(),
        ),
        _ => (Reason::Malformed, message),
    };
    FormatError {
        reason,
        pointer,
        line,
        column,
        message,
    }
}

/// Tells whether another object or array begins after the first JSON value.
fn begins_another(bytes: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    let first = values.next();
    let rest = bytes
        .get(values.byte_offset()..)
        .unwrap_or_default()
        .trim_ascii_start();
    matches!(first, Some(Ok(_))) && rest.first().is_some_and(|byte| matches!(byte, b'{' | b'['))
}
