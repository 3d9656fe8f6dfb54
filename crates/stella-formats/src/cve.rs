//! Records of the CVE list in JSON 5.0 and 5.1 (<https://cveproject.github.io/cve-schema/>).
//!
//! A record has several authors: the authority that assigned the id, and others that added to it.
//! What each says stands in a container of its own and is not merged.

mod read;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::{CvssScore, Reference, Upstream};

pub(crate) use read::READER;

/// A time as the format has them: one without an offset is in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let without = || {
        TimeZone::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()
    };
    text.parse().ok().or_else(without)
}

/// A record of the CVE list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CveRecord {
    /// The CVE id.
    pub id: String,
    /// `PUBLISHED` or `REJECTED`; none in what was not published yet.
    pub state: Option<String>,
    /// The short name of the authority that assigned the id.
    pub assigner: Option<String>,
    /// When it was first published, RFC 3339.
    pub published: Option<String>,
    /// When it was last changed, RFC 3339; the name of the revision.
    pub updated: Option<String>,
    /// When it was rejected, RFC 3339.
    pub rejected: Option<String>,
    /// What each author says, the assigning authority first.
    pub containers: Vec<CveContainer>,
}

/// What one author says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CveContainer {
    /// The author's short name.
    pub provider: Option<String>,
    /// A line about it.
    pub title: Option<String>,
    /// The products.
    pub affected: Vec<CveAffected>,
    /// CVSS scores of any version.
    pub scores: Vec<CvssScore>,
    /// SSVC decisions.
    pub ssvc: Vec<Ssvc>,
    /// Where more is written; of its tags the first is its kind.
    pub references: Vec<Reference>,
    /// What kind of weakness it is.
    pub problem_types: Vec<ProblemType>,
    /// Where in the record it stands.
    pub pointer: String,
}

/// A product, and the versions of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CveAffected {
    /// Who makes it.
    pub vendor: Option<String>,
    /// What it is called.
    pub product: Option<String>,
    /// Its name within the collection.
    pub package_name: Option<String>,
    /// The collection that it is got from, such as `https://pkg.go.dev`.
    pub collection_url: Option<String>,
    /// The package URL, without a version.
    pub purl: Option<String>,
    /// CPEs, as published.
    pub cpes: Vec<String>,
    /// The status of versions that are not listed.
    pub default_status: Option<String>,
    /// Versions, and ranges of them.
    pub versions: Vec<CveVersion>,
    /// Where in the record it stands.
    pub pointer: String,
}

/// A version, or a range that begins at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CveVersion {
    /// The version.
    pub version: String,
    /// `affected`, `unaffected` or `unknown`.
    pub status: Option<String>,
    /// How versions of the range are compared, such as `semver` or `custom`.
    pub version_type: Option<String>,
    /// The first version behind the range; `*` where it has no end.
    pub less_than: Option<String>,
    /// The last version of the range; `*` where it has no end.
    pub less_than_or_equal: Option<String>,
    /// Where within the range the status changes.
    pub changes: Vec<CveChange>,
    /// Where in the record it stands.
    pub pointer: String,
}

/// A version from which on the status is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CveChange {
    /// The version.
    pub at: String,
    /// The status from there on.
    pub status: String,
}

/// A decision by the Stakeholder-Specific Vulnerability Categorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ssvc {
    /// The points of the decision with their values, in the case in which they are published.
    pub options: Vec<(String, String)>,
    /// Whose decision it is, such as `CISA Coordinator`.
    pub role: Option<String>,
    /// The version of the method.
    pub version: Option<String>,
    /// When it was decided, RFC 3339.
    pub timestamp: Option<String>,
    /// Where in the record it stands.
    pub pointer: String,
}

/// A kind of weakness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemType {
    /// The CWE id.
    pub cwe: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// Where in the record it stands.
    pub pointer: String,
}

impl CveRecord {
    /// Whether the id was taken back: it names no vulnerability.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.state.as_deref() == Some("REJECTED")
    }

    /// The title that the assigning authority gives it.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.containers.first()?.title.as_deref()
    }

    pub(crate) fn revised(&self) -> Option<Timestamp> {
        time(self.updated.as_deref().or(self.published.as_deref())?)
    }

    /// A record is published by the list, whoever assigned the id: others add to it, and it can
    /// be assigned anew.
    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some("cve".to_owned()),
            id: Some(self.id.clone()),
            version: self.updated.clone(),
        }
    }
}
