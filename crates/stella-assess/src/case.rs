//! One finding with every document that speaks to it, and the score that follows.

use std::collections::HashSet;
use std::sync::Arc;

use stella_api::findings::SourceRole;
use stella_canonical::Digest;
use stella_formats::{Body, KevCatalogue, Severity};
use stella_scoring::{
    CvssSignal, Evaluation, KevSignal, Profile, ScoringError, Signals, Source, Subject,
    TrustPolicy, evaluate,
};

use crate::advisory::{GivenTo, MayBe, is_matched, severities, vulnerability_ids};
use crate::coverage::{NamedComponent, cover};
use crate::newest::{Stated, newest};
use crate::shared::{Shared, Statement};
use crate::vex::statements;

/// A document of a case, read.
#[derive(Clone, Debug)]
pub struct CaseDocument {
    /// How it speaks to the finding.
    pub role: SourceRole,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its publisher, as its provenance says.
    pub publisher: String,
    /// What it says.
    pub document: Arc<Shared>,
}

/// A finding, with what its score follows from.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The matched advisory's id of the vulnerability.
    pub vulnerability: &'a str,
    /// Where the component stands in the SBOM (RFC 6901).
    pub component_pointer: &'a str,
    /// Every document; their order does not matter.
    pub documents: &'a [CaseDocument],
    /// How signals become a score.
    pub profile: &'a Profile,
    /// Whom the tenant trusts.
    pub policy: &'a TrustPolicy,
}

/// Why a case has no score.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// A document that the case needs is not among its documents, or is of another kind.
    #[error("the case has no {0} document")]
    DocumentMissing(&'static str),
    /// The SBOM has no component with a package URL there.
    #[error("the SBOM has no component with a package URL at {0}")]
    ComponentMissing(String),
    /// The advisory does not cover the component.
    #[error("advisory {advisory} does not cover {purl}")]
    NotCovered {
        /// The advisory's id.
        advisory: String,
        /// The component.
        purl: String,
    },
    /// The advisory tells of no vulnerability.
    #[error("the advisory is informational: {0}")]
    Informational(String),
    /// The score itself.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
}

/// Scores a case: reads the component out of the SBOM, matches it again, gathers the signals
/// and evaluates them.
///
/// # Errors
/// As [`AssessError`] says.
pub fn assess(case: &Case<'_>) -> Result<Evaluation, AssessError> {
    let is_sbom = |body: &Body| matches!(body, Body::Sbom(_));
    let sbom = &case.one(SourceRole::Sbom, "SBOM", is_sbom)?.document;
    let own = case.one(SourceRole::Advisory, "advisory", is_matched)?;
    let component = sbom
        .component_at(case.component_pointer)
        .ok_or_else(|| AssessError::ComponentMissing(case.component_pointer.to_owned()))?;
    let ids = vulnerability_ids(&own.document.body);
    let own_severities = covering_severities(&own.document, &ids, component)?;
    let mut signals = Signals::default();
    signals
        .cvss
        .extend(vectors(&own_severities, own.digest, true));
    let mut stated = Vec::new();
    for document in case.documents {
        gather(document, &ids, sbom, component, &mut signals, &mut stated);
    }
    signals.vex = newest(stated, &ids);
    let subject = Subject {
        vulnerability: case.vulnerability.to_owned(),
        purl: component.purl.clone(),
    };
    Ok(evaluate(&subject, case.profile, &signals, case.policy)?)
}

impl Case<'_> {
    fn one(
        &self,
        role: SourceRole,
        name: &'static str,
        is: impl Fn(&Body) -> bool,
    ) -> Result<&CaseDocument, AssessError> {
        let mut all = self.documents.iter();
        let found = all.find(|one| one.role == role && is(&one.document.body));
        found.ok_or(AssessError::DocumentMissing(name))
    }
}

/// The severities that hold for the component: the document's and those of the statements that
/// cover it.
fn covering_severities(
    advisory: &Shared,
    ids: &[String],
    component: &NamedComponent,
) -> Result<Vec<Severity>, AssessError> {
    let mut covering: Vec<&Statement> = advisory.statements().iter().collect();
    covering.retain(|one| cover(&one.matcher, &component.coordinates).is_some());
    let Some(first) = covering.first() else {
        let advisory = ids.first().cloned().unwrap_or_default();
        let purl = component.purl.clone();
        return Err(AssessError::NotCovered { advisory, purl });
    };
    if let Some(class) = &first.informational {
        return Err(AssessError::Informational(class.clone()));
    }
    let covering: HashSet<&str> = covering.iter().map(|one| one.pointer.as_str()).collect();
    Ok(severities(&advisory.body, ids, |given| match given {
        GivenTo::Package(affected) => covering.contains(affected.pointer.as_str()),
        GivenTo::Products(_) => false,
    }))
}

fn gather(
    source: &CaseDocument,
    ids: &[String],
    sbom: &Shared,
    component: &NamedComponent,
    signals: &mut Signals,
    stated: &mut Vec<Stated>,
) {
    match (&source.document.body, source.role) {
        (other, SourceRole::Alias) => {
            let may_be = MayBe::new(&source.document, &component.coordinates);
            let theirs = severities(other, ids, |given| may_be.given(given));
            signals.cvss.extend(vectors(&theirs, source.digest, false));
        }
        (Body::Kev(catalogue), SourceRole::Kev) => {
            let mut listed = listings(catalogue, ids, source.digest).peekable();
            // Only a whole catalogue says of what it does not hold that it is not listed.
            if catalogue.whole || listed.peek().is_some() {
                signals.kev.get_or_insert_default().extend(listed);
            }
        }
        // What an SBOM states is of its own components.
        (_, SourceRole::Vex | SourceRole::Sbom) => {
            stated.extend(statements(source, ids, sbom, component));
        }
        _ => {}
    }
}

/// Only CVSS has a calculator here; severities of other schemes are not guessed at.
fn vectors(
    severities: &[Severity],
    document: Digest,
    own: bool,
) -> impl Iterator<Item = CvssSignal> {
    let cvss = severities
        .iter()
        .filter(|severity| severity.kind.starts_with("CVSS_"));
    cvss.map(move |severity| CvssSignal {
        vector: severity.score.clone(),
        beside: severity.beside.clone(),
        source: Source {
            document,
            pointer: severity.pointer.clone(),
        },
        own,
    })
}

fn listings(
    catalogue: &KevCatalogue,
    ids: &[String],
    document: Digest,
) -> impl Iterator<Item = KevSignal> {
    let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let entries = catalogue.entries.iter();
    let listed = entries.filter(move |entry| ids.contains(entry.cve_id.as_str()));
    listed.map(move |entry| KevSignal {
        cve: entry.cve_id.clone(),
        date_added: entry.date_added.clone().unwrap_or_default(),
        source: Source {
            document,
            pointer: entry.pointer.clone(),
        },
    })
}
