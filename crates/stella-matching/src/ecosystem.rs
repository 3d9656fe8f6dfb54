use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A package ecosystem, named as the OSV schema names it; one whose version order is not known
/// here keeps its name. In JSON it is that name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Ecosystem {
    /// Rust crates of crates.io; SemVer 2.
    CratesIo,
    /// Go modules, the standard library (`stdlib`) and the toolchain (`toolchain`).
    Go,
    /// Any other, with the name that OSV, or else the package URL, gives it.
    Unsupported(String),
}

/// Package URL types whose packages OSV files under one ecosystem. Distributions are absent:
/// their OSV name holds a release, which the type alone does not say.
const PURL_TYPES: [(&str, &str); 16] = [
    ("bitnami", "Bitnami"),
    ("cargo", "crates.io"),
    ("composer", "Packagist"),
    ("conan", "ConanCenter"),
    ("cran", "CRAN"),
    ("gem", "RubyGems"),
    ("githubactions", "GitHub Actions"),
    ("golang", "Go"),
    ("hackage", "Hackage"),
    ("hex", "Hex"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("pub", "Pub"),
    ("pypi", "PyPI"),
    ("swift", "SwiftURL"),
];

impl Ecosystem {
    /// Reads an OSV ecosystem string (`crates.io`, `Go`, `Debian:12`); names are compared with
    /// case, as the schema has them.
    #[must_use]
    pub fn from_osv(name: &str) -> Self {
        match name {
            "crates.io" => Self::CratesIo,
            "Go" => Self::Go,
            other => Self::Unsupported(other.to_owned()),
        }
    }

    /// Maps a package URL type in lower case (`cargo`, `golang`); one without an OSV ecosystem
    /// of its own is `Unsupported` under the name of the type.
    #[must_use]
    pub fn from_purl_type(purl_type: &str) -> Self {
        let osv = PURL_TYPES.iter().find(|(name, _)| *name == purl_type);
        Self::from_osv(osv.map_or(purl_type, |(_, osv)| osv))
    }

    /// The name in OSV documents.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::CratesIo => "crates.io",
            Self::Go => "Go",
            Self::Unsupported(name) => name,
        }
    }

    /// The key under which a package is looked up: equal for all spellings that may mean the
    /// same package, so a lookup finds too many rather than too few and
    /// [`Coordinates::is_named`](crate::Coordinates::is_named) decides.
    ///
    /// crates.io admits no second crate that differs in case or in `-` and `_` only. Go module
    /// paths differ by case, but the purl specification has them written in lower case.
    #[must_use]
    pub fn package_key(&self, name: &str) -> String {
        match self {
            Self::CratesIo => name.to_ascii_lowercase().replace('_', "-"),
            Self::Go => name.to_lowercase(),
            Self::Unsupported(_) => name.to_owned(),
        }
    }

    /// Whether two spellings can mean one package.
    ///
    /// Go: paths that differ by case are different modules, unless one of them is in lower
    /// case throughout: that is what a tool writes that follows the purl specification, and
    /// its case is lost.
    #[must_use]
    pub fn same_package(&self, left: &str, right: &str) -> bool {
        let (left_key, right_key) = (self.package_key(left), self.package_key(right));
        left_key == right_key
            && (*self != Self::Go || left == right || left == left_key || right == right_key)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ecosystem {
    type Err = Infallible;
    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(Self::from_osv(name))
    }
}

impl From<String> for Ecosystem {
    fn from(name: String) -> Self {
        Self::from_osv(&name)
    }
}

impl From<Ecosystem> for String {
    fn from(ecosystem: Ecosystem) -> Self {
        ecosystem.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_known_are_kept() {
        for name in ["crates.io", "Go", "Debian:12", "npm", "go", ""] {
            assert_eq!(Ecosystem::from_osv(name).as_str(), name);
        }
        assert_eq!(Ecosystem::from_purl_type("cargo"), Ecosystem::CratesIo);
        assert_eq!(Ecosystem::from_purl_type("golang"), Ecosystem::Go);
        assert_eq!(
            Ecosystem::from_purl_type("pypi"),
            Ecosystem::Unsupported("PyPI".into())
        );
        assert_eq!(
            Ecosystem::from_purl_type("deb"),
            Ecosystem::Unsupported("deb".into())
        );
    }

    #[test]
    fn go_paths_differ_by_case_unless_case_was_lost() {
        let same = |left, right| Ecosystem::Go.same_package(left, right);
        assert!(same(
            "github.com/BurntSushi/toml",
            "github.com/burntsushi/toml"
        ));
        assert!(same(
            "github.com/burntsushi/toml",
            "github.com/BurntSushi/toml"
        ));
        assert!(!same(
            "github.com/0xJacky/Nginx-UI",
            "github.com/0xJacky/nginx-ui"
        ));
        assert!(!same(
            "github.com/BurntSushi/toml",
            "github.com/BurntSushi/tom"
        ));
    }
}
