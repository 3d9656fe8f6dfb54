//! Advisories in the Open Source Vulnerability format 1.x (<https://ossf.github.io/osv-schema/>),
//! in JSON or, as PyPA writes them, in YAML.

mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::Upstream;

pub(crate) use read::{READER, yaml};

/// A vulnerability and the packages it is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advisory {
    /// The advisory's own id, such as `RUSTSEC-2021-0001`.
    pub id: String,
    /// Other names of the same vulnerability.
    pub aliases: Vec<String>,
    /// Ids that have something to do with it and are not it.
    pub related: Vec<String>,
    /// Ids of vulnerabilities that this one follows from.
    pub upstream: Vec<String>,
    /// When it was taken back, RFC 3339.
    pub withdrawn: Option<String>,
    /// When it was first published, RFC 3339.
    pub published: Option<String>,
    /// When it was last changed, RFC 3339; the name of the revision.
    pub modified: String,
    /// A line about it.
    pub summary: Option<String>,
    /// Where more is written.
    pub references: Vec<Reference>,
    /// Severities that hold for all of its packages.
    pub severities: Vec<Severity>,
    /// The packages.
    pub affected: Vec<Affected>,
}

/// A link of an advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// What it leads to, such as `ADVISORY` or `FIX`.
    pub kind: Option<String>,
    /// The address, as published.
    pub url: String,
    /// Where in the document it stands.
    pub pointer: String,
}

/// A published severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Severity {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, or another scheme as published.
    pub kind: String,
    /// The vector or score, as published.
    pub score: String,
    /// The score that stands beside the vector, as published; OSV has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// A package that an advisory names, and the versions of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    /// The package; there is none where only a repository's commits are named.
    pub package: Option<Package>,
    /// Ranges of versions.
    pub ranges: Vec<Range>,
    /// Single versions.
    pub versions: Vec<String>,
    /// Severities that hold for this package only.
    pub severities: Vec<Severity>,
    /// RustSec's `informational`: `notice`, `unmaintained` or `unsound`.
    pub informational: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// A package's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// The ecosystem, such as `crates.io` or `Debian:12`.
    pub ecosystem: String,
    /// The name within the ecosystem.
    pub name: String,
    /// The package URL, where one was published.
    pub purl: Option<String>,
}

/// A range of versions, given by events in the order of publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// How versions are compared.
    pub kind: RangeKind,
    /// The repository whose commits a `GIT` range names.
    pub repo: Option<String>,
    /// Where the range begins and ends.
    pub events: Vec<Event>,
    /// Where in the document it stands.
    pub pointer: String,
}

/// How the versions of a range are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RangeKind {
    /// Semantic versions, `SEMVER`.
    Semver,
    /// By the rules of the package's ecosystem, `ECOSYSTEM`.
    Ecosystem,
    /// Commits of a repository, `GIT`.
    Git,
    /// Another way, as published.
    Other(String),
}

/// A point at which a range begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// The first version that has it; `0` is before all versions.
    Introduced(String),
    /// The first version that has it no longer.
    Fixed(String),
    /// The last version known to have it.
    LastAffected(String),
    /// A version at which looking was stopped.
    Limit(String),
}

impl Severity {
    /// What makes two severities the same, wherever they stand.
    fn vector(&self) -> (&str, &str) {
        (&self.kind, &self.score)
    }
}

impl Advisory {
    /// The id and the aliases, as published and in order.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id)
            .chain(&self.aliases)
            .map(String::as_str)
    }

    pub(crate) fn upstream_identity(&self) -> Upstream {
        let prefix = self
            .id
            .split_once('-')
            .map(|(prefix, _)| prefix)
            .filter(|prefix| !prefix.is_empty());
        Upstream {
            publisher: prefix.map(str::to_ascii_lowercase),
            id: Some(self.id.clone()),
            version: Some(self.modified.clone()),
        }
    }
}
