//! OpenVEX 0.2, and the 0.0.x drafts (<https://github.com/openvex/spec>).

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use stella_api::VexStatus;

use crate::scheme::{bom_link, is_purl};
use crate::{CvssScore, Upstream, cpe};

pub(crate) use read::{JUSTIFICATIONS, READER};

/// Statements of one author on whether vulnerabilities touch products.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VexDocument {
    /// The document's IRI, the same for all revisions.
    pub id: Option<String>,
    /// Who says so.
    pub author: Option<String>,
    /// When it was issued, RFC 3339.
    pub timestamp: Option<String>,
    /// The revision.
    pub version: Option<String>,
    /// The statements, in the order of the document.
    pub statements: Vec<VexStatement>,
    /// How severe it says that the vulnerabilities are, where it gives vectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ratings: Vec<CvssScore>,
}

/// A status of one vulnerability in some products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VexStatement {
    /// The vulnerability.
    pub vulnerability: VexVulnerability,
    /// The products it is about.
    pub products: Vec<VexProduct>,
    /// Parts that the drafts name once, for all products of the statement.
    pub subcomponents: Vec<VexProduct>,
    /// What is said of them.
    pub status: VexStatus,
    /// Why they are not affected, one of the five labels of OpenVEX or as published.
    pub justification: Option<String>,
    /// Why they are not affected, in words.
    pub impact_statement: Option<String>,
    /// When it was said, RFC 3339; where there is none the document's time holds.
    pub timestamp: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// A vulnerability's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VexVulnerability {
    /// The name, such as `CVE-2024-1234`.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
}

/// Which versions of a product are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Versions {
    /// One.
    One(String),
    /// A range of them, as published; one that begins `vers:` can be read.
    Range(String),
}

impl Versions {
    /// The text, as published.
    #[must_use]
    pub fn text(&self) -> &str {
        let (Self::One(text) | Self::Range(text)) = self;
        text
    }
}

/// A product, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VexProduct {
    /// The IRI, often a package URL.
    pub id: Option<String>,
    /// Other identifiers by their kind: `purl`, `cpe22`, `cpe23`.
    pub identifiers: BTreeMap<String, String>,
    /// The name that a component of the same document has within it, of which this was made; it says
    /// nothing outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bom_ref: Option<String>,
    /// The versions that stand beside package URLs which name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// Whether the identifiers name more than is meant, by what stands beside them and is not read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wider: bool,
    /// Hashes by their algorithm, such as `sha-256`.
    pub hashes: BTreeMap<String, String>,
    /// Kinds of further identifiers, such as `skus`, which are not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The parts of it that the statement is about; parts have none themselves.
    pub subcomponents: Vec<VexProduct>,
    /// Where in the document it stands.
    pub pointer: String,
}

impl VexVulnerability {
    /// The name and the aliases, as published and in order.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .map(String::as_str)
    }
}

impl VexStatement {
    /// The parts of one of its products that it is about; none means the product as a whole.
    pub fn parts<'a>(&'a self, product: &'a VexProduct) -> impl Iterator<Item = &'a VexProduct> {
        product.subcomponents.iter().chain(&self.subcomponents)
    }
}

impl VexProduct {
    /// The package URLs among its identifiers, as published, each once.
    #[must_use]
    pub fn purls(&self) -> Vec<&str> {
        let id = self.id.as_deref().filter(|id| is_purl(id));
        let purl = self
            .identifiers
            .get("purl")
            .map(String::as_str)
            .filter(|purl| Some(*purl) != id);
        id.into_iter().chain(purl).collect()
    }

    /// Where its IRI links to in a CycloneDX document: `serial/version#bom-ref`, what stands behind
    /// `urn:cdx:`.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        bom_link(self.id.as_deref()?)
    }

    /// One of its CPEs that may name less than all versions.
    #[must_use]
    pub fn narrow_cpe(&self) -> Option<&str> {
        let id = self.id.as_deref().filter(|id| cpe::is(id));
        let others = ["cpe23", "cpe22"].into_iter();
        let others = others.filter_map(|kind| self.identifiers.get(kind).map(String::as_str));
        id.into_iter()
            .chain(others)
            .find(|cpe| cpe::names_a_version(cpe))
    }

    /// What of its identifiers is not read and may say less than a package URL.
    pub fn not_read(&self) -> impl Iterator<Item = &str> {
        let read = ["cpe22", "cpe23", "purl"];
        let others = self.identifiers.keys().map(String::as_str);
        let others = others.filter(move |kind| !read.contains(kind));
        let hashes = (!self.hashes.is_empty()).then_some("hashes");
        let unread = self.unread.iter().map(String::as_str);
        others.chain(hashes).chain(unread)
    }
}

impl VexDocument {
    /// When a statement was made: its own time, or else the document's.
    #[must_use]
    pub fn stated_at<'a>(&'a self, statement: &'a VexStatement) -> Option<&'a str> {
        statement.timestamp.as_deref().or(self.timestamp.as_deref())
    }

    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: self.author.clone(),
            id: self.id.clone(),
            version: self.version.clone(),
        }
    }
}
