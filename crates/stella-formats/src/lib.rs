//! Tells a document's format by its content and reads it into one model.
//!
//! Nothing is corrected, merged or ranked: strings stand as published, every part of interest has
//! the JSON pointer it was read from, or the line of a table, and fields that are not known are passed over. What cannot be
//! used but does not spoil the rest is a [`Notice`]; what spoils the document is a [`FormatError`].
//!
//! A format is one file with one [`Format`] arm: its model, how it is recognised, how it is read.

mod cpe;
pub mod csaf;
mod cursor;
pub mod cve;
mod cyclonedx;
mod document;
pub mod epss;
mod error;
mod format;
mod fuzz;
mod gzip;
pub mod kev;
pub mod openvex;
pub mod osv;
mod room;
mod sbom;
mod scheme;
mod score;
mod spdx;
mod unread;
mod yaml;

pub use csaf::{Csaf, CsafProduct, CsafVulnerability};
pub use cve::{CveAffected, CveContainer, CveRecord, CveVersion};
pub use document::{Body, Document, Notice, Upstream};
pub use epss::{EpssScore, EpssScores};
pub use error::{FormatError, Reason};
pub use format::Format;
pub use fuzz::{fuzz, fuzz_yaml};
pub use kev::{KevCatalogue, KevEntry};
pub use openvex::{Versions, VexDocument, VexProduct, VexStatement, VexVulnerability};
pub use osv::{Advisory, Affected, Event, Package, Range, RangeKind, Reference, Severity};
pub use sbom::{Component, Relationship, Sbom};
pub use scheme::is_purl;
pub use score::CvssScore;

use stella_canonical::json;

/// The version of the readers: it moves when the same bytes give another [`Document`].
pub const READER_VERSION: u32 = 3;

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
    if let Some(refusal) = unread::bytes(bytes) {
        return Err(refusal);
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

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;
