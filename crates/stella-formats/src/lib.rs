//! Tells a document's format by its content and reads it into one model.
//!
//! Nothing is corrected, merged or ranked: strings stand as published, every part of interest has
//! the JSON pointer it was read from, and fields that are not known are passed over. What cannot be
//! used but does not spoil the rest is a [`Notice`]; what spoils the document is a [`FormatError`].
//!
//! A format is one file with one [`Format`] arm: its model, how it is recognised, how it is read.

mod cursor;
pub mod cyclonedx;
mod document;
mod error;
mod format;
pub mod kev;
pub mod openvex;
pub mod osv;

pub use cyclonedx::{Component, Sbom};
pub use document::{Body, Document, Notice, Upstream};
pub use error::{FormatError, Reason};
pub use format::Format;
pub use kev::{KevCatalogue, KevEntry};
pub use openvex::{VexDocument, VexProduct, VexStatement, VexVulnerability};
pub use osv::{Advisory, Affected, Event, Package, Range, RangeKind, Reference, Severity};

use stella_canonical::json;

/// The version of the readers: it moves when the same bytes give another [`Document`].
pub const READER_VERSION: u32 = 1;

/// Reads one document of any known format.
///
/// # Errors
/// Where the bytes are no strict JSON, hold several documents, are of no known format or version,
/// or do not have the shape that the format gives them; with the JSON pointer and the line.
pub fn read(bytes: &[u8]) -> Result<Document, FormatError> {
    let value = json::parse(bytes).map_err(|error| error::of_json(bytes, error))?;
    format::read(&value).map_err(|error| error.with_place(bytes))
}

/// Reads arbitrary bytes; panics where a law does not hold.
///
/// Shared by the property tests and the fuzz targets.
pub fn fuzz(data: &[u8]) {
    match read(data) {
        Ok(document) => {
            let canonical = stella_canonical::canonicalize(data);
            let again = canonical.map(|bytes| read(&bytes));
            assert_eq!(
                again,
                Ok(Ok(document)),
                "reading depends on the order of members or on spaces"
            );
        }
        Err(error) => assert!(error.line > 0 && !error.message.is_empty(), "{error:?}"),
    }
}

#[cfg(test)]
mod tests;
