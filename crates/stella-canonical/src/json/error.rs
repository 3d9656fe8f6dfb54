use std::fmt;

/// Why JSON text was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The stable code: `JSON_SYNTAX`, `JSON_DUPLICATE_KEY`, `JSON_NUMBER_RANGE`, `JSON_DEPTH`,
    /// `JSON_ENCODING`, `JSON_TRAILING` or `JSON_SHAPE`.
    pub code: &'static str,
    /// The JSON pointer (RFC 6901) of the value that could not be read; empty is the whole text.
    pub pointer: String,
    /// The line, from 1; 0 where it is not known.
    pub line: usize,
    /// The column, from 1, in bytes; 0 where it is not known.
    pub column: usize,
    /// What is wrong, for a person.
    pub message: String,
}

impl JsonError {
    /// Not JSON by RFC 8259.
    pub const SYNTAX: &'static str = "JSON_SYNTAX";
    /// A key stands twice in an object.
    pub const DUPLICATE_KEY: &'static str = "JSON_DUPLICATE_KEY";
    /// A number is not finite, or an integer beyond ±(2^53−1).
    pub const NUMBER_RANGE: &'static str = "JSON_NUMBER_RANGE";
    /// Nested deeper than [`super::MAX_DEPTH`].
    pub const DEPTH: &'static str = "JSON_DEPTH";
    /// Not UTF-8, a byte order mark, or a lone surrogate.
    pub const ENCODING: &'static str = "JSON_ENCODING";
    /// Something stands after the value.
    pub const TRAILING: &'static str = "JSON_TRAILING";
    /// JSON, but not of the type that was asked for.
    pub const SHAPE: &'static str = "JSON_SHAPE";

    /// The error of a value that was read but has no canonical form; it has no place.
    pub(crate) fn unwritable(message: String) -> Self {
        Self {
            code: Self::SHAPE,
            pointer: String::new(),
            line: 0,
            column: 0,
            message,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if !self.pointer.is_empty() {
            write!(f, " at {}", self.pointer)?;
        }
        if self.line > 0 {
            write!(f, " (line {} column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for JsonError {}
