use jiff::Timestamp;
use serde::Serialize;
use stella_api::evidence::EvidenceKind;

use crate::{
    Advisory, Csaf, CveRecord, EpssScores, Format, KevCatalogue, Reference, Sbom, VexDocument,
};

/// One document as read: what it is, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The format.
    pub format: Format,
    /// The media type of the bytes: the format's own, or that of another way to write it.
    pub media_type: &'static str,
    /// The version of the format that the document names, where it names one.
    pub spec_version: Option<String>,
    /// The content.
    pub body: Body,
    /// What was only partly understood, in the order of reading.
    pub notices: Vec<Notice>,
}

/// The content of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant)] // There is one in a document, never a list of them.
pub enum Body {
    /// An advisory about vulnerable packages.
    Advisory(Advisory),
    /// An advisory or a VEX document with its own tree of products.
    Csaf(Csaf),
    /// A record of the CVE list.
    Cve(CveRecord),
    /// Statements on whether vulnerabilities touch products.
    Vex(VexDocument),
    /// A list of components.
    Sbom(Sbom),
    /// A catalogue of vulnerabilities known to be exploited.
    Kev(KevCatalogue),
    /// How likely vulnerabilities are to be exploited.
    Epss(EpssScores),
}

/// Something in a document that was not, or only partly, understood; the document stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The stable code, such as `DUPLICATE_BOM_REF`.
    pub code: &'static str,
    /// The JSON pointer of the part; of a table `line:` and its line, from 1.
    pub pointer: String,
    /// What about it, for a person.
    pub message: String,
}

/// Who published a document, and as what, by its own content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upstream {
    /// The publisher: an OSV id's prefix in lower case, an OpenVEX author, CSAF's
    /// publisher, `cisa`, `cve`,
    /// `first`, or an SBOM's supplier or else `unknown`.
    pub publisher: Option<String>,
    /// The publisher's name for the document; an SBOM without a serial number has none, and then
    /// its digest is taken.
    pub id: Option<String>,
    /// The publisher's name for this revision of it.
    pub version: Option<String>,
}

impl Document {
    /// What the document is evidence of, by what it says.
    #[must_use]
    pub fn kind(&self) -> EvidenceKind {
        match &self.body {
            Body::Advisory(_) | Body::Cve(_) => EvidenceKind::Advisory,
            Body::Csaf(csaf) if !csaf.is_vex() => EvidenceKind::Advisory,
            Body::Vex(_) | Body::Csaf(_) => EvidenceKind::Vex,
            Body::Sbom(_) => EvidenceKind::Sbom,
            Body::Kev(_) | Body::Epss(_) => EvidenceKind::Signal,
        }
    }

    /// What the document states as VEX, where it does.
    #[must_use]
    pub fn vex(&self) -> Option<&VexDocument> {
        match &self.body {
            Body::Vex(vex) => Some(vex),
            Body::Csaf(csaf) => csaf.vex.as_ref(),
            Body::Sbom(sbom) => sbom.vex.as_ref(),
            _ => None,
        }
    }

    /// When this revision was published, where the document tells a time that can be read.
    #[must_use]
    pub fn revised(&self) -> Option<Timestamp> {
        let told = match &self.body {
            Body::Advisory(advisory) => Some(&advisory.modified),
            Body::Csaf(csaf) => csaf.released.as_ref(),
            Body::Cve(cve) => return cve.revised(),
            Body::Vex(vex) => vex.timestamp.as_ref(),
            Body::Sbom(sbom) => sbom.timestamp.as_ref(),
            Body::Kev(kev) => kev.date_released.as_ref(),
            Body::Epss(epss) => epss.score_date.as_ref(),
        };
        told?.parse().ok()
    }

    /// Where more is written, as an advisory says.
    #[must_use]
    pub fn references(&self) -> Vec<&Reference> {
        match &self.body {
            Body::Advisory(advisory) => advisory.references.iter().collect(),
            Body::Csaf(csaf) => csaf.references.iter().collect(),
            Body::Cve(cve) => {
                let each = cve.containers.iter();
                each.flat_map(|container| &container.references).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Who published the document, and as what, by its own content.
    #[must_use]
    pub fn upstream(&self) -> Upstream {
        match &self.body {
            Body::Advisory(advisory) => advisory.upstream_identity(),
            Body::Csaf(csaf) => csaf.upstream_identity(),
            Body::Cve(cve) => cve.upstream_identity(),
            Body::Vex(vex) => vex.upstream_identity(),
            Body::Sbom(sbom) => sbom.upstream_identity(),
            Body::Kev(kev) => kev.upstream_identity(),
            Body::Epss(epss) => epss.upstream_identity(),
        }
    }

    /// The identifiers of what the document is about, as published and in order: an advisory's id
    /// and aliases, the vulnerabilities of VEX statements and of a catalogue, each once. EPSS
    /// scores every CVE there is, each day: of its table nothing is listed.
    #[must_use]
    pub fn identifiers(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        let mut all: Vec<&str> = match &self.body {
            Body::Advisory(advisory) => advisory.identifiers().collect(),
            Body::Csaf(csaf) => csaf.identifiers().collect(),
            Body::Cve(cve) => vec![&cve.id],
            Body::Vex(vex) => vex
                .statements
                .iter()
                .flat_map(|statement| statement.vulnerability.identifiers())
                .collect(),
            Body::Kev(kev) => kev
                .entries
                .iter()
                .map(|entry| entry.cve_id.as_str())
                .collect(),
            Body::Sbom(_) | Body::Epss(_) => Vec::new(),
        };
        all.retain(|identifier| seen.insert(*identifier));
        all
    }
}
