//! What advisories say of vulnerabilities and packages, whatever their format.
//!
//! CSAF advisories speak of several vulnerabilities at once, and a finding is of one: none is made
//! from them. They give severities to the findings of others.

use std::collections::{BTreeSet, HashMap, HashSet};

use stella_formats::osv::Affected;
use stella_formats::{Body, Severity};
use stella_matching::{Coordinates, Ecosystem};

use crate::coverage::{self, NamedPackage};
use crate::cve;
use crate::shared::Shared;

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
    /// Products of a CSAF document, by their ids.
    Products(&'a [String]),
}

/// What severities may be given to a component: not those that are given to other packages alone.
pub(crate) struct MayBe<'a> {
    document: &'a Shared,
    component: &'a Coordinates,
    /// By the id of a product of CSAF whether one of its package URLs names the component, or cannot
    /// be read; none of what has no URL.
    products: HashMap<&'a str, bool>,
}

impl<'a> MayBe<'a> {
    pub(crate) fn new(document: &'a Shared, component: &'a Coordinates) -> Self {
        let is = |url: &Option<Coordinates>| {
            let named = url.as_ref();
            named.is_none_or(|one| component.is_named(&one.ecosystem, &one.package))
        };
        let urls = document.product_urls().iter();
        let with_urls = urls.filter(|(_, urls)| !urls.is_empty());
        Self {
            document,
            component,
            products: with_urls
                .map(|(id, urls)| (id.as_str(), urls.iter().any(is)))
                .collect(),
        }
    }

    pub(crate) fn given(&self, to: GivenTo<'_>) -> bool {
        match to {
            GivenTo::Package(affected) => affected.package.as_ref().is_none_or(|package| {
                let ecosystem = Ecosystem::from_osv(&package.ecosystem);
                self.component.is_named(&ecosystem, &package.name)
            }),
            GivenTo::Products(ids) => ids.is_empty() || ids.iter().any(|id| self.product(id)),
        }
    }

    /// Of a product without a package URL the part that it is of another decides.
    fn product(&self, id: &str) -> bool {
        let known = |id: &str| self.products.get(id).copied();
        let part = || match &self.document.body {
            Body::Csaf(csaf) => known(&csaf.products.get(id)?.relationship.as_ref()?.part),
            _ => None,
        };
        known(id).or_else(part).unwrap_or(true)
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
            let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
            let named = |id: &str| ids.contains(id);
            let spoken_of = csaf
                .vulnerabilities
                .iter()
                .filter(|one| one.name().is_some_and(named));
            let scores = spoken_of.flat_map(|one| &one.scores);
            let counting = scores.filter(|one| counts(GivenTo::Products(&one.products)));
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
