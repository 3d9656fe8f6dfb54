//! Wire types of findings (page 05).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::evidence::EvidenceKind;

/// One page of findings, with what is not among them yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingPage {
    /// The findings, by id.
    pub items: Vec<Finding>,
    /// What to send as `pageToken` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// How many documents of the tenant are kept and not derived from yet: where it is not 0,
    /// findings may be missing, whatever was asked for.
    pub pending: u64,
    /// The first of these that was tried and could not be derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Stuck>,
}

/// Names a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingRef {
    /// The finding's id, whole.
    pub finding_id: String,
}

/// A document that was kept and cannot be derived from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stuck {
    /// The document's id.
    pub document: String,
    /// Why: the code that a request would be answered with.
    pub code: String,
    /// Why, in words.
    pub detail: String,
}

/// A component of an SBOM that an advisory's range covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The digest of the canonical array [SBOM digest, bom-ref or else pointer, publisher,
    /// upstream id]: it outlives revisions and regrouping.
    pub id: String,
    /// The component.
    pub component: FindingComponent,
    /// The upstream id of the matched advisory.
    pub vulnerability: String,
    /// The publisher of the matched advisory.
    pub publisher: String,
    /// The ids that the advisory names: its own first, then its aliases as published.
    pub vulnerability_ids: Vec<String>,
    /// The advisory's summary, as published: of a long one the first 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Why the component counts as affected.
    pub matched: Match,
    /// Versions that fix it on the matched line, ascending: the lowest 32.
    pub fixed_versions: Vec<String>,
    /// The publisher's class where the advisory tells of no vulnerability, such as
    /// `unmaintained`; such findings have no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub informational: Option<String>,
    /// Every document that speaks to this finding: the SBOM, the matched advisory, those that
    /// share an alias with it, KEV and VEX. Ordered by role, then document.
    pub sources: Vec<FindingSource>,
}

/// The component of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingComponent {
    /// The digest of the SBOM.
    pub sbom: String,
    /// The SBOM's `bom-ref`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom_ref: Option<String>,
    /// Where in the SBOM (RFC 6901).
    pub pointer: String,
    /// The package URL, as published.
    pub purl: String,
    /// The name.
    pub name: String,
    /// The version, as published.
    pub version: String,
}

/// Why a component counts as affected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// `affected`, or `undetermined` where the versions cannot be compared.
    pub verdict: Verdict,
    /// What decided: `range`, `version`, or the reason why nothing could.
    pub rule: String,
    /// The range in words of the ecosystem, such as `>=1.0.0 <1.2.3`.
    pub range: String,
    /// The digest of the advisory document.
    pub document: String,
    /// Where in the advisory (RFC 6901).
    pub pointer: String,
}

/// What the comparison of versions says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The version lies in the range.
    Affected,
    /// Nobody can tell; never silently "not affected".
    Undetermined,
}

impl Verdict {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A document that speaks to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingSource {
    /// How it speaks to the finding.
    pub role: SourceRole,
    /// What it is evidence of.
    pub kind: EvidenceKind,
    /// The document's id: its digest.
    pub document: String,
    /// Its publisher.
    pub publisher: String,
    /// What the publisher calls it.
    pub upstream_id: String,
}

/// How a document speaks to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceRole {
    /// The SBOM that names the component.
    Sbom,
    /// The advisory that covers it.
    Advisory,
    /// Another advisory that shares an alias.
    Alias,
    /// A KEV catalogue that lists one of the ids.
    Kev,
    /// A VEX document that speaks of one of the ids.
    Vex,
}
