//! Bills of materials of any format.

use serde::Serialize;

use crate::{Upstream, VexDocument};

/// A bill of materials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// What it is called, the same for all revisions: CycloneDX's serial number, `urn:uuid:…`, or
    /// the namespace of an SPDX document, which has no revisions.
    pub serial_number: Option<String>,
    /// The revision, from 1.
    pub version: Option<u64>,
    /// When it was made, RFC 3339.
    pub timestamp: Option<String>,
    /// Who supplied what it describes: `metadata.supplier`, or the supplier of the package that an
    /// SPDX document describes.
    pub supplier: Option<String>,
    /// Who made what it describes: `metadata.manufacturer`, before 1.6 `metadata.manufacture`; in
    /// SPDX the originator.
    pub manufacturer: Option<String>,
    /// Who wrote it: the first of `metadata.authors`, or of the creators that are no tool.
    pub author: Option<String>,
    /// The components in the order of the document, each before those nested in it; in CycloneDX
    /// after the one that it describes.
    pub components: Vec<Component>,
    /// Which of them it describes, where that is one.
    pub subject: Option<usize>,
    /// What it states itself of vulnerabilities in its components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexDocument>,
    /// How its parts depend on one another, as SPDX says; what CycloneDX says of that is not read.
    pub relationships: Vec<Relationship>,
}

/// A component of a bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// The name by which other parts of the document refer to it: `bom-ref` or `SPDXID`.
    pub bom_ref: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
    /// What it is, such as `library`.
    pub kind: Option<String>,
    /// The namespace or organisation.
    pub group: Option<String>,
    /// The name; empty where none was published.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The range of versions that one outside what is described may have (`vers:…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_range: Option<String>,
    /// The package URL, as published.
    pub purl: Option<String>,
    /// The CPE, as published.
    pub cpe: Option<String>,
    /// Kinds of further identifiers, by which it is one artefact: `hashes`, `swid` and the like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<&'static str>,
}

/// That one part has something to do with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// The one, by its `SPDXID`.
    pub from: String,
    /// What, such as `DEPENDS_ON` or `CONTAINS`.
    pub kind: String,
    /// The other; that may be in another document.
    pub to: String,
    /// Where in the document it stands.
    pub pointer: String,
}

impl Sbom {
    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some(
                self.supplier
                    .clone()
                    .unwrap_or_else(|| "unknown".to_owned()),
            ),
            id: self.serial_number.clone(),
            version: self.version.map(|version| version.to_string()),
        }
    }
}
