//! The manifest of an export of evidence: `manifest.json` of an archive that holds the bytes of each
//! document as `sha256/<64 hex digits>`. Its digest is the identity of the export: two installations
//! that hold the same export the same bytes.

use serde::{Deserialize, Serialize};

use crate::evidence::{Envelope, EvidenceKind};

/// The value of [`EvidenceExport::schema`].
pub const SCHEMA: &str = "stella.evidence-export/v1";

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceExport {
    /// [`SCHEMA`].
    pub schema: String,
    /// In the order of their digests.
    pub documents: Vec<ExportedDocument>,
}

/// A document of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedDocument {
    /// `sha256:` and 64 hex digits of its bytes.
    pub digest: String,
    /// Its bytes, counted.
    pub size: u64,
    /// What it is evidence of.
    pub kind: EvidenceKind,
    /// Where it came from, once for each source and each time at which it was fetched, in the order of
    /// publisher, stream and time. Where it came again, nothing but the time is kept: the rest is that of
    /// what arrived first from the source.
    pub envelopes: Vec<Envelope>,
}
