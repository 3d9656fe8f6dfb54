use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::Ecosystem;

/// What an advisory says about the versions of one package: an entry of `affected` in the OSV
/// schema, with the package's ecosystem and name and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Affected {
    /// The ecosystem, as published.
    pub ecosystem: Ecosystem,
    /// The package name, as published.
    pub package: String,
    /// Ranges in the order of the document; a version in any of them is affected.
    #[serde(default)]
    pub ranges: Vec<Range>,
    /// Versions listed one by one, in the order of the document.
    #[serde(default)]
    pub versions: Vec<String>,
    /// What is looked at first: no version that it covers is affected. OSV has none.
    #[serde(default, skip_serializing_if = "Portion::is_empty")]
    pub exempt: Portion,
}

/// Some of the versions of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Portion {
    /// Those in any of these ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// Those listed one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// A line of versions and the points where it becomes affected and ceases to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// How the versions of the events are compared.
    pub kind: RangeKind,
    /// The points, in any order.
    pub events: Vec<Event>,
}

/// The `type` of an OSV range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RangeKind {
    /// `SEMVER`: SemVer 2 whatever the ecosystem.
    Semver,
    /// `ECOSYSTEM`: the ecosystem's own order.
    Ecosystem,
    /// `GIT`: commits, which need the repository and are not evaluated here.
    Git,
    /// Any other, kept as published.
    Other(String),
}

/// One point of a range, as OSV writes it: `{"introduced": "0"}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first affected version; `0` stands before every version.
    Introduced(String),
    /// The first version that is not affected any more.
    Fixed(String),
    /// The last affected version, itself affected.
    LastAffected(String),
    /// The version from which the range says nothing; `*` stands after every version.
    Limit(String),
}

impl RangeKind {
    /// The value of `type` in OSV documents.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Semver => "SEMVER",
            Self::Ecosystem => "ECOSYSTEM",
            Self::Git => "GIT",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for RangeKind {
    fn from(name: String) -> Self {
        match name.as_str() {
            "SEMVER" => Self::Semver,
            "ECOSYSTEM" => Self::Ecosystem,
            "GIT" => Self::Git,
            _ => Self::Other(name),
        }
    }
}

impl std::str::FromStr for RangeKind {
    type Err = Infallible;
    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(Self::from(name.to_owned()))
    }
}

impl From<RangeKind> for String {
    fn from(kind: RangeKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl Event {
    /// The version, or commit, that the event names.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Introduced(version)
            | Self::Fixed(version)
            | Self::LastAffected(version)
            | Self::Limit(version) => version,
        }
    }
}

impl Portion {
    /// Whether it is of no version.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many ranges and listed versions it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len() + self.versions.len()
    }

    /// Adds what another is of.
    pub fn extend(&mut self, other: Self) {
        self.ranges.extend(other.ranges);
        self.versions.extend(other.versions);
    }
}

impl Affected {
    /// The key under which the package is looked up, as [`Ecosystem::package_key`] makes it.
    #[must_use]
    pub fn package_key(&self) -> String {
        self.ecosystem.package_key(&self.package)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_osv_writes_it() {
        let text = concat!(
            r#"{"ecosystem":"crates.io","package":"time","ranges":[{"kind":"SEMVER","#,
            r#""events":[{"introduced":"0"},{"last_affected":"0.2.22"}]},{"kind":"GIT","events":[]}],"#,
            r#""versions":["0.1.0"]}"#
        );
        let affected: Affected = serde_json::from_str(text).unwrap();
        assert_eq!(affected.ecosystem, Ecosystem::CratesIo);
        assert_eq!(serde_json::to_string(&affected).unwrap(), text);

        let exempt = text.replace(
            r#"["0.1.0"]}"#,
            r#"["0.1.0"],"exempt":{"versions":["0.2.0"]}}"#,
        );
        let affected: Affected = serde_json::from_str(&exempt).unwrap();
        assert_eq!(affected.exempt.versions, ["0.2.0"]);
        assert_eq!(serde_json::to_string(&affected).unwrap(), exempt);
    }
}
