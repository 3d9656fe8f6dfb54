//! Tells a document's format by its content and reads it into one model.
//!
//! Nothing is corrected, merged or ranked: strings stand as published, every part of interest has
//! the JSON pointer it was read from, or the line of a table, and fields that are not known are passed over. What cannot be
//! used but does not spoil the rest is a [`Notice`]; what spoils the document is a [`FormatError`].
//!
//! A format is one file with one [`Format`] arm: its model, how it is recognised, how it is read.

mod cursor;
pub mod cyclonedx;
mod document;
pub mod epss;
mod error;
mod format;
mod gzip;
pub mod kev;
pub mod openvex;
pub mod osv;
mod yaml;

pub use cyclonedx::{Component, Sbom};
pub use document::{Body, Document, Notice, Upstream};
pub use epss::{EpssScore, EpssScores};
pub use error::{FormatError, Reason};
pub use format::Format;
pub use kev::{KevCatalogue, KevEntry};
pub use openvex::{VexDocument, VexProduct, VexStatement, VexVulnerability};
pub use osv::{Advisory, Affected, Event, Package, Range, RangeKind, Reference, Severity};

use stella_canonical::json;

/// The version of the readers: it moves when the same bytes give another [`Document`].
pub const READER_VERSION: u32 = 2;

/// Reads one document of any known format, however that is written: strict JSON, YAML, CSV, or
/// CSV in gzip.
///
/// # Errors
/// Where the bytes cannot be read as what they begin as, hold several documents, are of no known
/// format or version, or do not have the shape that the format gives them; with the JSON pointer
/// and the line.
pub fn read(bytes: &[u8]) -> Result<Document, FormatError> {
    if gzip::is(bytes) {
        return read_gzip(bytes);
    }
    if epss::recognises(bytes) {
        return epss::read(bytes);
    }
    if let Some(text) = osv::yaml(bytes) {
        return read_yaml(text);
    }
    let value = json::parse(bytes).map_err(|error| error::of_json(bytes, error))?;
    format::read(&value).map_err(|error| error.with_place(bytes))
}

/// FIRST compresses its tables; whoever compresses anything else sends it as it was.
fn read_gzip(bytes: &[u8]) -> Result<Document, FormatError> {
    let table = gzip::unpacked(bytes)?;
    if !epss::recognises(&table) {
        let message = "gzip of something else than an EPSS table, which cannot be read; send what \
                       is in it";
        return Err(FormatError::at_line(Reason::Unsupported, 1, message));
    }
    let document = epss::read(&table)?;
    Ok(Document {
        media_type: "application/gzip",
        ..document
    })
}

fn read_yaml(text: &str) -> Result<Document, FormatError> {
    let document = format::read(&yaml::parse(text)?).map_err(|mut error| {
        (error.line, error.column) = yaml::place(text, &error.pointer);
        error
    })?;
    Ok(Document {
        media_type: "application/yaml",
        ..document
    })
}

/// Reads arbitrary bytes; panics where a law does not hold: JSON reads the same in any order of
/// members and with any spaces, YAML the same as the JSON that says the same, and a table is lost
/// nothing of.
///
/// Shared by the property tests and the fuzz targets.
pub fn fuzz(data: &[u8]) {
    let document = match read(data) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.line > 0 && !error.message.is_empty(), "{error:?}");
            return;
        }
    };
    let same_but = |media_type, bytes: &[u8]| {
        let other = read(bytes).map(|other| Document {
            media_type: document.media_type,
            ..other
        });
        assert_eq!(
            other.as_ref(),
            Ok(&document),
            "not the same as {media_type}"
        );
    };
    match (&document.body, osv::yaml(data)) {
        (Body::Epss(scores), _) => {
            let written = epss::written(scores);
            let again = read(written.as_bytes()).map(|again| again.body);
            assert_eq!(
                again.as_ref(),
                Ok(&document.body),
                "a table changes as it is written"
            );
        }
        (_, Some(text)) => {
            let value = yaml::parse(text).map(|value| value.to_string());
            same_but("JSON", value.unwrap_or_default().as_bytes());
        }
        _ => {
            let canonical = stella_canonical::canonicalize(data);
            same_but("canonical JSON", &canonical.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests;
