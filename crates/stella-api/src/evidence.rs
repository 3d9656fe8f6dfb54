//! Wire types of Evidence: envelopes, records and outcomes (page 05).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Scope;

/// What a document is evidence of; each kind has a route and scopes of its own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// What a publisher says of a vulnerability.
    Advisory,
    /// What a supplier says of a vulnerability in a product.
    Vex,
    /// What a product is made of.
    Sbom,
    /// What is known of exploitation: KEV, EPSS, observations.
    Signal,
}

impl EvidenceKind {
    /// Every kind, in the order of the page.
    pub const ALL: &'static [EvidenceKind] = &[
        EvidenceKind::Advisory,
        EvidenceKind::Vex,
        EvidenceKind::Sbom,
        EvidenceKind::Signal,
    ];

    /// The kind as it stands in paths and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Advisory => "advisory",
            EvidenceKind::Vex => "vex",
            EvidenceKind::Sbom => "sbom",
            EvidenceKind::Signal => "signal",
        }
    }

    /// The scope that shows evidence of this kind.
    #[must_use]
    pub const fn read_scope(self) -> Scope {
        match self {
            EvidenceKind::Advisory => Scope::AdvisoryRead,
            EvidenceKind::Vex => Scope::VexRead,
            EvidenceKind::Sbom => Scope::SbomRead,
            EvidenceKind::Signal => Scope::SignalsRead,
        }
    }
}

impl fmt::Display for EvidenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EvidenceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = EvidenceKind::ALL.iter().find(|kind| kind.as_str() == text);
        known.copied().ok_or_else(|| {
            let known = EvidenceKind::ALL.iter().map(|kind| kind.as_str());
            let known = known.collect::<Vec<_>>().join(", ");
            format!("`{text}` is no kind of evidence: {known}")
        })
    }
}

/// Where a document came from, as whoever sends it declares: the header `Stella-Provenance`
/// holds this as base64url JSON. Nothing else may stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Who publishes, and by which way it came.
    pub source: Source,
    /// What the publisher calls it.
    pub upstream: Upstream,
}

/// Who publishes a document, and by which way it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Who says it, such as `rustsec`.
    pub publisher: String,
    /// Who passed it on, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distributor: Option<String>,
    /// Which of the publisher's feeds, such as `local`.
    pub stream: String,
    /// The interface that it was fetched through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The version of the program that fetched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector_version: Option<String>,
}

/// What the publisher calls a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upstream {
    /// The publisher's id of the document.
    pub id: String,
    /// The publisher's version of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_version: Option<String>,
    /// When it was fetched, RFC 3339 in UTC.
    pub fetched_at: String,
    /// `sha256:` and 64 hex digits of the bytes.
    pub content_digest: String,
    /// What is known of its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// A line of a batch: a document and its envelope. The schema has both forms of it; this is the
/// one that fits any bytes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceLine {
    /// Where it came from.
    pub envelope: Envelope,
    /// Its bytes, base64 (RFC 4648, section 4).
    pub raw_base64: String,
}

impl PartialSchema for EvidenceLine {
    fn schema() -> RefOr<Schema> {
        let envelope = || Ref::from_schema_name(Envelope::name());
        let base64 = ObjectBuilder::new()
            .schema_type(Type::String)
            .content_encoding("base64")
            .description(Some(
                "the bytes of the document, base64 (RFC 4648, section 4)",
            ));
        let value = ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some(
                "the document as it stands in the line: its bytes are those from the first to \
                 the last of this value, spaces within it and all. One that has line breaks, or \
                 bytes before or after its value, travels as `rawBase64`.",
            ));
        let of = |name: &str, raw: ObjectBuilder| {
            ObjectBuilder::new()
                .property("envelope", envelope())
                .required("envelope")
                .property(name, raw)
                .required(name)
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        };
        let either = OneOfBuilder::new()
            .description(Some("one line of the body: a document and its envelope"))
            .item(of("raw", value))
            .item(of("rawBase64", base64));
        RefOr::T(either.build().into())
    }
}

impl ToSchema for EvidenceLine {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Envelope::name().into_owned(), Envelope::schema()));
        Envelope::schemas(schemas);
    }
}

/// What is known of a document's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// Whether there is one.
    pub present: bool,
    /// Whether the collector verified it.
    pub verified: bool,
    /// Its format, such as `dsse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The key it was verified with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// What the bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// `osv`, `csaf`, `cve`, `openvex`, `cyclonedx`, `spdx`, `kev` or `epss`.
    pub format: String,
    /// The version of the format that the document names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_version: Option<String>,
    /// The media type of the bytes.
    pub media_type: String,
    /// The bytes, counted.
    pub size: u64,
}

/// A link that a document publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Exactly as published.
    pub as_published: String,
    /// Where in the document (RFC 6901).
    pub pointer: String,
}

/// The record of a stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentRecord {
    /// The document's id: the digest of its bytes.
    pub id: String,
    /// The tenant that holds it.
    pub tenant: String,
    /// What it is evidence of.
    pub kind: EvidenceKind,
    /// Who publishes it.
    pub source: Source,
    /// What the publisher calls it.
    pub upstream: Upstream,
    /// What the bytes are.
    pub content: Content,
    /// The ids that it names for what it speaks of, as published, in order.
    pub identifiers: Vec<String>,
    /// The links that it publishes.
    pub references: Vec<Reference>,
    /// The document of the same source and upstream id that this one followed when it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Where the raw bytes lie: `database` or `objectStore`.
    pub location: String,
    /// When it arrived, RFC 3339 in UTC.
    pub received_at: String,
    /// The client that sent it.
    pub received_by: String,
    /// When the same bytes were fetched again from the same source, each other time once, RFC 3339 in
    /// UTC and ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetched_again: Vec<String>,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// New, and kept.
    Stored,
    /// The same bytes from the same source are there; nothing changed.
    Identical,
    /// A newer revision of a document that stays readable.
    Superseding,
    /// The same upstream id and version with other bytes; both are kept.
    Conflict,
    /// Set aside with its bytes and the reason.
    Quarantined,
    /// Not kept.
    Refused,
}

impl Outcome {
    /// The outcome as it stands in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Stored => "stored",
            Outcome::Identical => "identical",
            Outcome::Superseding => "superseding",
            Outcome::Conflict => "conflict",
            Outcome::Quarantined => "quarantined",
            Outcome::Refused => "refused",
        }
    }
}

/// The answer to one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngestAnswer {
    /// The document's id: the digest of its bytes.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What is stored of its origin: where it is identical, what came with it first.
    pub upstream: Upstream,
    /// What was noticed and kept nevertheless; also that no finding is derived from the document
    /// yet, with the code that says why.
    pub notices: Vec<Notice>,
}

/// Something noticed in a document that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The stable code.
    pub code: String,
    /// Where in the document (RFC 6901).
    pub pointer: String,
    /// What was noticed.
    pub message: String,
}
