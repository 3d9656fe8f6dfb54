//! What is known about a subject: the values that providers read from evidence, each with the
//! document that states it, and the tenant's policy of whom to trust.

use std::collections::BTreeSet;

use serde::Serialize;
use stella_api::VexStatus;
use stella_api::score::{SourceRef, StaleInput};
use stella_canonical::{CanonicalError, Digest};

/// What is scored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// Identifier of the vulnerability as the matched advisory gives it.
    pub vulnerability: String,
    /// Package URL of the affected component.
    pub purl: String,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Digest of the document's raw bytes.
    pub document: Digest,
    /// RFC 6901 pointer into the document.
    pub pointer: String,
}

impl From<&Source> for SourceRef {
    fn from(source: &Source) -> Self {
        let digest = source.document.to_string();
        Self {
            document_id: digest.clone(),
            digest,
            pointer: source.pointer.clone(),
        }
    }
}

/// All signals about one subject. The order within the lists does not matter, nor do repetitions;
/// what is absent is not known, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signals {
    /// Every CVSS vector that the matched advisory or a document sharing an alias states.
    pub cvss: Vec<CvssSignal>,
    /// Listings in KEV catalogues; empty where a whole catalogue does not list the vulnerability,
    /// `None` where there is neither a listing nor a whole catalogue.
    pub kev: Option<Vec<KevSignal>>,
    /// VEX statements that speak to the subject.
    pub vex: Vec<VexSignal>,
    /// Kinds of content beyond their budget.
    pub stale: Vec<StaleInput>,
}

/// A published CVSS vector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CvssSignal {
    /// The vector as published, readable or not.
    pub vector: String,
    /// The score that the document states beside it, as published.
    pub beside: Option<String>,
    /// Where it stands.
    pub source: Source,
    /// Whether the matched advisory itself states it, rather than one that shares an alias.
    pub own: bool,
}

/// A listing in a catalogue of known exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KevSignal {
    /// The CVE id listed.
    pub cve: String,
    /// The date it was added, `YYYY-MM-DD`.
    pub date_added: String,
    /// Where it stands.
    pub source: Source,
}

/// A VEX statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VexSignal {
    /// What it says.
    pub status: VexStatus,
    /// Why, as published.
    pub justification: Option<String>,
    /// Who says so, as the trust policy names publishers.
    pub publisher: String,
    /// Where it stands.
    pub source: Source,
}

/// Whom a tenant trusts; empty by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustPolicy {
    /// Publishers whose VEX statements count, compared exactly.
    pub vex_publishers: BTreeSet<String>,
}

impl TrustPolicy {
    /// The digest that names the policy: SHA-256 of its canonical JSON.
    ///
    /// # Errors
    /// None that a set of texts can cause.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_canonical(self)
    }
}
