//! Advisories and VEX documents in CSAF 2.0 and 2.1 (<https://docs.oasis-open.org/csaf/csaf/>).

mod products;
mod read;
#[cfg(test)]
mod tests;
mod vex;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{CvssScore, Reference, Upstream, Versions, VexDocument};

pub(crate) use read::READER;

/// The category of the VEX profile.
const VEX: &str = "csaf_vex";

/// A CSAF document of any profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Csaf {
    /// The profile, such as `csaf_security_advisory`.
    pub category: String,
    /// What it is about, in a line.
    pub title: Option<String>,
    /// Who issues it.
    pub publisher: String,
    /// The publisher's id of it.
    pub id: String,
    /// The publisher's version of it.
    pub version: Option<String>,
    /// `draft`, `interim` or `final`.
    pub status: Option<String>,
    /// When this version was released, RFC 3339; there are versions that keep it.
    pub released: Option<String>,
    /// Where more is written.
    pub references: Vec<Reference>,
    /// Every product that it names, by its id within the document.
    pub products: BTreeMap<String, CsafProduct>,
    /// The vulnerabilities.
    pub vulnerabilities: Vec<CsafVulnerability>,
    /// What a document of the VEX profile states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexDocument>,
}

/// A product that a document names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CsafProduct {
    /// The name.
    pub name: Option<String>,
    /// Package URLs, as published.
    pub purls: Vec<String>,
    /// The CPE, as published.
    pub cpe: Option<String>,
    /// Which versions of it, as a branch above it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// Category and name of each branch above it by which it is less than all of that, such as an
    /// `architecture`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<(String, String)>,
    /// Kinds of further identifiers, such as `skus`, which are not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Whether another product that means something else has its id too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// What it is made of, where it is one product in or on another.
    pub relationship: Option<CsafRelationship>,
    /// Where in the document it stands.
    pub pointer: String,
}

impl CsafProduct {
    /// Whether what it is recognised by is the same; some publishers write a product several times.
    fn means_the_same<'a>(&'a self, other: &'a Self) -> bool {
        let means = |one: &'a Self| {
            let identified = (&one.purls, &one.cpe, &one.unread);
            (identified, &one.versions, &one.only, &one.relationship)
        };
        means(self) == means(other)
    }
}

/// That a product is one in or on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CsafRelationship {
    /// How, such as `default_component_of`.
    pub category: String,
    /// The id of the product that is a part.
    pub part: String,
    /// The id of the product that it is a part of.
    pub whole: String,
}

/// A vulnerability, and what it does to products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CsafVulnerability {
    /// The CVE id.
    pub cve: Option<String>,
    /// Other ids.
    pub ids: Vec<CsafId>,
    /// A line about it.
    pub title: Option<String>,
    /// Texts about it.
    pub notes: Vec<CsafNote>,
    /// Lists of ids of products by their status, such as `known_affected`, as published.
    pub product_status: BTreeMap<String, Vec<String>>,
    /// CVSS scores of any version, each with the products that it is for.
    pub scores: Vec<CsafScore>,
    /// Why products are not affected, as labels.
    pub flags: Vec<CsafFlag>,
    /// What to do.
    pub remediations: Vec<CsafRemediation>,
    /// What it means for products, in words.
    pub threats: Vec<CsafRemediation>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// An id within a system of ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CsafId {
    /// The system.
    pub system_name: Option<String>,
    /// The id.
    pub text: String,
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CsafNote {
    /// What it is, such as `description`.
    pub category: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// A score and the products that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CsafScore {
    /// Ids of products.
    pub products: Vec<String>,
    /// The score.
    #[serde(flatten)]
    pub score: CvssScore,
}

/// Why some products are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CsafFlag {
    /// The label, as published.
    pub label: String,
    /// Ids of products, those of groups among them.
    pub products: Vec<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// What to do, or what is to be feared, and for which products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CsafRemediation {
    /// What it is, such as `vendor_fix`, `mitigation` or `impact`.
    pub category: String,
    /// In words.
    pub details: Option<String>,
    /// Where it is to be had.
    pub url: Option<String>,
    /// Ids of products, those of groups among them; none means all.
    pub products: Vec<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

impl CsafVulnerability {
    /// The CVE id, or else the first of the others: what statements on it name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let other = || Some(self.ids.first()?.text.as_str());
        self.cve.as_deref().or_else(other)
    }
}

impl Csaf {
    /// Whether it is of the VEX profile.
    #[must_use]
    pub fn is_vex(&self) -> bool {
        self.category == VEX
    }

    /// The document's own id and the names of its vulnerabilities.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        let named = self
            .vulnerabilities
            .iter()
            .filter_map(CsafVulnerability::name);
        std::iter::once(self.id.as_str()).chain(named)
    }

    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some(self.publisher.clone()),
            id: Some(self.id.clone()),
            version: self.version.clone(),
        }
    }
}
