//! What advisories say of vulnerabilities and packages, whatever their format.
//!
//! CSAF advisories speak of several vulnerabilities at once, and a finding is of one: none is made
//! from them. They give severities to the findings of others.

use std::collections::BTreeSet;

use stella_formats::{Body, Severity};

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

/// The severities that an advisory gives the vulnerability of some ids: those of the whole, and
/// those of its statements on packages that count, by their places. None where it was taken back.
pub(crate) fn severities(
    body: &Body,
    ids: &[String],
    counts: impl Fn(&str) -> bool,
) -> Vec<Severity> {
    match body {
        Body::Advisory(advisory) if advisory.withdrawn.is_none() => {
            let statements = advisory.affected.iter();
            let counting = statements.filter(|affected| counts(&affected.pointer));
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
            let mut all: Vec<Severity> = scores.filter_map(|one| one.score.severity()).collect();
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
