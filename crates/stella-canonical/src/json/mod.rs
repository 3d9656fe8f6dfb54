//! A strict reader of JSON text (RFC 8259 as narrowed by I-JSON, RFC 7493).
//!
//! It refuses, with a code and a place, whatever two readers could understand differently: text
//! that is not UTF-8, lone surrogates, keys that stand twice, numbers that a double cannot hold,
//! nesting beyond [`MAX_DEPTH`], and anything after the value.

mod error;
mod place;
mod read;

pub use error::JsonError;
pub use place::place;
pub use read::{from_slice, parse, shape};

/// The number of arrays and objects that may stand within each other.
pub const MAX_DEPTH: usize = 128;

/// The greatest integer that a double holds together with all below it, 2^53 − 1 (RFC 7493).
pub const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// Tells whether RFC 8785 prints a double as an integer, without exponent, beyond ±(2^53−1).
pub(crate) fn prints_as_unsafe_integer(value: f64) -> bool {
    // From 1e21 on ECMAScript, and so RFC 8785, prints an exponent.
    value.fract() == 0.0 && value.abs() < 1e21 && value.abs() > MAX_SAFE_INTEGER as f64
}

/// Appends one token to a JSON pointer, escaped as RFC 6901 has it.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for char in token.chars() {
        match char {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Reads arbitrary bytes and panics where a law does not hold: what is read has one canonical
/// form, and reading and writing that again changes nothing.
pub fn fuzz(data: &[u8]) {
    match parse(data) {
        Ok(value) => {
            let Ok(once) = crate::canonical(&value) else {
                panic!("what was read cannot be written")
            };
            assert_eq!(crate::canonicalize(data).as_ref(), Ok(&once));
            assert_eq!(crate::canonicalize(&once).as_ref(), Ok(&once));
            assert_eq!(parse(&once).as_ref(), Ok(&value));
        }
        Err(error) => {
            assert!(error.code.starts_with("JSON_") && !error.message.is_empty());
            assert!(
                error.line > 0 && error.column > 0,
                "an error of the text has its place"
            );
            let _ = place(data, &error.pointer);
        }
    }
}
