//! Every SQL statement of Evidence.

// First: the others use its macros.
#[macro_use]
mod rows;
#[macro_use]
mod revision;
mod derived;
mod document;
mod finding;
mod index;
mod past;
mod stray;

use stella_api::evidence::EvidenceKind;

pub(crate) use derived::{
    ByPackage, ComponentRow, claim_heads, clear_due, components_by_package, components_named,
    components_of, count_due, count_due_of, due, due_among, due_of, head, is_any_due, mark_due,
    packages_of, purls_of, share_heads, take_heads,
};
pub(crate) use document::{
    DocumentFilter, Earlier, NewRecord, StoredRow, add_provenance, add_raw, digests_behind,
    documents, earlier, has_documents, in_object_store, inline, kept, keys_of, names_behind, raw,
    record, sboms_between, stored, text,
};
pub(crate) use finding::{
    AdvisoryFacts, FindingFilter, FindingRow, SourceRow, catalogue_heads, drop_findings,
    drop_findings_in, drop_findings_of_sbom, findings, findings_between, findings_named,
    findings_of, found_in, has_advisory_on, has_ground, provenance_of, put_findings, speaking_of,
};

pub(crate) use index::{Index, add_index, drop_index, indexed};
pub(crate) use past::{advisories_then, catalogues_then, naming, provenance_then, speaking_then};
pub(crate) use revision::{
    Origin, add_sighting, is_settled, newest, origin, sighting, sightings_behind, tell_sightings,
};
pub(crate) use rows::{FEW, list};
pub(crate) use stray::{drop_strays, orphans, strays};

/// What a publisher calls a document, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: EvidenceKind,
    pub(crate) publisher: String,
    pub(crate) upstream_id: String,
    pub(crate) digest: String,
}

impl Key {
    /// Its columns, in this order.
    fn row(&self) -> [&str; 4] {
        [
            self.kind.as_str(),
            &self.publisher,
            &self.upstream_id,
            &self.digest,
        ]
    }

    /// The same from its columns, where the first is a kind.
    fn of_row((kind, publisher, upstream_id, digest): KeyRow) -> Option<Self> {
        Some(Self {
            kind: kind.parse().ok()?,
            publisher,
            upstream_id,
            digest,
        })
    }
}

type KeyRow = (String, String, String, String);
