//! What advisories say of vulnerabilities and packages, whatever their format.
//!
//! CSAF advisories speak of several vulnerabilities at once, and a finding is of one: none is made
//! from them. They give severities to the findings of others.

use std::collections::BTreeSet;

use stella_formats::osv::Affected;
use stella_formats::{Body, Csaf, Severity};
use stella_matching::{Coordinates, Ecosystem};

use crate::coverage::{self, NamedPackage};
use crate::cve;

/// Whether a document is an advisory that findings are made from.
pub(crate) fn is_matched(body: &Body) -> bool {
    matches!(body, Body::Advisory(_) | Body::Cve(_))
}

/// The ids that an advisory gives its vulnerability: its own first, then its aliases as
/// published, each once.
#[must_use]
pub fn vulnerability_ids(body: &Body) -> Vec<String> {
    let ids: Vec<&str> = match body {
        Body::Advisory(advisory) => advisory.identifiers().collect(),
        Body::Cve(record) => vec![&record.id],
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    let fresh = |id: &&str| seen.insert((*id).to_owned());
    ids.into_iter().filter(fresh).map(str::to_owned).collect()
}

/// A line about the vulnerability of an advisory.
#[must_use]
pub fn summary(body: &Body) -> Option<&str> {
    match body {
        Body::Advisory(advisory) => advisory.summary.as_deref(),
        Body::Cve(record) => record.title(),
        _ => None,
    }
}

/// What an advisory says of packages, in the order of the document; nothing where it was taken
/// back.
#[must_use]
pub fn packages(body: &Body) -> Vec<NamedPackage> {
    match body {
        Body::Advisory(advisory) => coverage::packages(advisory),
        Body::Cve(record) => cve::packages(record),
        _ => Vec::new(),
    }
}

/// What a severity is given to, where that is less than the vulnerability wherever it is.
#[derive(Clone, Copy)]
pub(crate) enum GivenTo<'a> {
    /// A package, by a statement of an OSV advisory.
    Package(&'a Affected),
    /// Products of a CSAF document.
    Products(&'a Csaf, &'a [String]),
}

impl GivenTo<'_> {
    /// Whether it may be given to a component: not where all that it is given to are other packages.
    pub(crate) fn may_be(self, component: &Coordinates) -> bool {
        match self {
            Self::Package(affected) => affected.package.as_ref().is_none_or(|package| {
                component.is_named(&Ecosystem::from_osv(&package.ecosystem), &package.name)
            }),
            Self::Products(csaf, ids) => {
                let mut named = ids.iter().map(|id| package_urls(csaf, id)).peekable();
                let is = |purl: &String| match Coordinates::from_purl(purl) {
                    Ok(product) => component.is_named(&product.ecosystem, &product.package),
                    Err(_) => true,
                };
                named.peek().is_none()
                    || named.any(|purls| purls.is_empty() || purls.iter().any(is))
            }
        }
    }
}

/// The package URLs of a product, or of the part that it is of another.
fn package_urls<'a>(csaf: &'a Csaf, id: &str) -> &'a [String] {
    let Some(product) = csaf.products.get(id) else {
        return &[];
    };
    let part = product.relationship.as_ref();
    let part = part.and_then(|of| csaf.products.get(&of.part));
    match part {
        Some(part) if product.purls.is_empty() => &part.purls,
        _ => &product.purls,
    }
}

/// The severities that an advisory gives the vulnerability of some ids: those of the whole, and
/// those of what counts. None where it was taken back.
pub(crate) fn severities(
    body: &Body,
    ids: &[String],
    counts: impl Fn(GivenTo<'_>) -> bool,
) -> Vec<Severity> {
    match body {
        Body::Advisory(advisory) if advisory.withdrawn.is_none() => {
            let statements = advisory.affected.iter();
            let counting = statements.filter(|affected| counts(GivenTo::Package(affected)));
            let theirs = counting.flat_map(|affected| &affected.severities);
            advisory.severities.iter().chain(theirs).cloned().collect()
        }
        Body::Csaf(csaf) => {
            let named = |id: &str| ids.iter().any(|one| one == id);
            let spoken_of = csaf
                .vulnerabilities
                .iter()
                .filter(|one| one.name().is_some_and(named));
            let scores = spoken_of.flat_map(|one| &one.scores);
            let counting = scores.filter(|one| counts(GivenTo::Products(csaf, &one.products)));
            let mut all: Vec<Severity> = counting.filter_map(|one| one.score.severity()).collect();
            all.dedup_by(|a, b| (&a.kind, &a.score) == (&b.kind, &b.score));
            all
        }
        Body::Cve(record) if !record.is_rejected() && ids.contains(&record.id) => {
            let containers = record.containers.iter();
            let scores = containers.flat_map(|container| &container.scores);
            scores.filter_map(|score| score.severity()).collect()
        }
        _ => Vec::new(),
    }
}
