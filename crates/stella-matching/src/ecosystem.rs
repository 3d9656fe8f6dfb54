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
    /// npm; SemVer as node-semver reads it.
    Npm,
    /// Python packages; PEP 440.
    PyPi,
    /// Debian and Ubuntu by their names in OSV, with the release where one is said (`Debian`,
    /// `Debian:12`, `Ubuntu:22.04:LTS`); the order of `dpkg`.
    Debian(String),
    /// Any other, with the name that OSV, or else the package URL, gives it.
    Unsupported(String),
}

/// Package URL types whose packages OSV files under one ecosystem. Distributions are absent:
/// their OSV name holds a release, which the type alone does not say.
const PURL_TYPES: [(&str, &str); 19] = [
    ("bioconductor", "Bioconductor"),
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
    ("julia", "Julia"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("opam", "opam"),
    ("pub", "Pub"),
    ("pypi", "PyPI"),
    ("swift", "SwiftURL"),
];

/// Releases by their code names, which `distro` says too: those that are, or were, supported.
pub(crate) const CODE_NAMES: [(&str, &str); 21] = [
    ("squeeze", "Debian:6"),
    ("wheezy", "Debian:7"),
    ("jessie", "Debian:8"),
    ("stretch", "Debian:9"),
    ("buster", "Debian:10"),
    ("bullseye", "Debian:11"),
    ("bookworm", "Debian:12"),
    ("trixie", "Debian:13"),
    ("forky", "Debian:14"),
    ("precise", "Ubuntu:12.04"),
    ("trusty", "Ubuntu:14.04"),
    ("xenial", "Ubuntu:16.04"),
    ("bionic", "Ubuntu:18.04"),
    ("focal", "Ubuntu:20.04"),
    ("jammy", "Ubuntu:22.04"),
    ("lunar", "Ubuntu:23.04"),
    ("mantic", "Ubuntu:23.10"),
    ("noble", "Ubuntu:24.04"),
    ("oracular", "Ubuntu:24.10"),
    ("plucky", "Ubuntu:25.04"),
    ("questing", "Ubuntu:25.10"),
];

/// Distributions whose version order is not known here, by type and namespace of their package URLs
/// and their names in OSV: no version of theirs is compared, which is said of each that is met.
pub(crate) const FAMILIES: [(&str, &str, &str); 21] = [
    ("apk", "alpaquita", "Alpaquita"),
    ("apk", "alpine", "Alpine"),
    ("apk", "chainguard", "Chainguard"),
    ("apk", "minimos", "MinimOS"),
    ("apk", "wolfi", "Wolfi"),
    ("deb", "echo", "Echo"),
    ("rpm", "almalinux", "AlmaLinux"),
    ("rpm", "azurelinux", "Azure Linux"),
    ("rpm", "mageia", "Mageia"),
    ("rpm", "openeuler", "openEuler"),
    ("rpm", "opensuse", "openSUSE"),
    ("rpm", "opensuse-leap", "openSUSE"),
    ("rpm", "opensuse-tumbleweed", "openSUSE"),
    ("rpm", "photon", "Photon OS"),
    ("rpm", "redhat", "Red Hat"),
    ("rpm", "rhel", "Red Hat"),
    ("rpm", "rocky", "Rocky Linux"),
    ("rpm", "rocky-linux", "Rocky Linux"),
    ("rpm", "rockylinux", "Rocky Linux"),
    ("rpm", "sles", "SUSE"),
    ("rpm", "suse", "SUSE"),
];

impl Ecosystem {
    /// Reads an OSV ecosystem string (`crates.io`, `Go`, `Debian:12`); names are compared with
    /// case, as the schema has them.
    #[must_use]
    pub fn from_osv(name: &str) -> Self {
        match name {
            "crates.io" => Self::CratesIo,
            "Go" => Self::Go,
            "npm" => Self::Npm,
            "PyPI" => Self::PyPi,
            other if matches!(family(other), "Debian" | "Ubuntu") => Self::Debian(name.to_owned()),
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
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Debian(name) | Self::Unsupported(name) => name,
        }
    }

    /// The name under which packages of every release are looked up.
    #[must_use]
    pub fn family(&self) -> &str {
        match self {
            Self::Debian(name) | Self::Unsupported(name) => family(name),
            _ => self.as_str(),
        }
    }

    /// Whether package URLs say that a package is of it: of others none is ever matched.
    #[must_use]
    pub fn has_purls(&self) -> bool {
        let types = PURL_TYPES.iter().map(|(_, name)| *name);
        let families = FAMILIES.iter().map(|(_, _, name)| *name);
        !matches!(self, Self::Unsupported(_))
            || types.chain(families).any(|name| name == self.family())
    }

    /// The release of a distribution, or what else OSV adds to an ecosystem's name, where one is
    /// said; a code name says the release that it is of. Ubuntu's long support is a property of
    /// the release and no part of its name.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        let (Self::Debian(name) | Self::Unsupported(name)) = self else {
            return None;
        };
        let (_, release) = name.split_once(':')?;
        let release = release.strip_suffix(":LTS").unwrap_or(release);
        Some(number(name, release))
    }

    /// Whether two names can mean one ecosystem: a distribution without a release may be of any.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let releases = self.release().zip(other.release());
        self.family() == other.family() && releases.is_none_or(|(one, two)| one == two)
    }

    /// The key under which a package is looked up: equal for all spellings that may mean the
    /// same package, so a lookup finds too many rather than too few and
    /// [`Coordinates::is_named`](crate::Coordinates::is_named) decides.
    ///
    /// crates.io admits no second crate that differs in case or in `-` and `_` only. Go module
    /// paths differ by case, but the purl specification has them written in lower case; so do
    /// the oldest npm packages, and tools write them in lower case. PyPI has its names
    /// normalised by PEP 503.
    #[must_use]
    pub fn package_key(&self, name: &str) -> String {
        match self {
            Self::CratesIo => name.to_ascii_lowercase().replace('_', "-"),
            Self::Go | Self::Npm => name.to_lowercase(),
            Self::PyPi => pep503(name),
            Self::Debian(_) | Self::Unsupported(_) => name.to_owned(),
        }
    }

    /// Whether two spellings can mean one package.
    ///
    /// Go and npm: names that differ by case are different packages, unless one of them is in
    /// lower case throughout: that is what a tool writes that follows the purl specification,
    /// and its case is lost.
    #[must_use]
    pub fn same_package(&self, left: &str, right: &str) -> bool {
        let (left_key, right_key) = (self.package_key(left), self.package_key(right));
        let by_case = matches!(self, Self::Go | Self::Npm);
        left_key == right_key
            && (!by_case || left == right || left == left_key || right == right_key)
    }
}

/// The number of a release that an ecosystem may say by its code name.
fn number<'a>(ecosystem: &str, release: &'a str) -> &'a str {
    let named = CODE_NAMES.iter().find(|(name, _)| *name == release);
    let of = named.and_then(|(_, known)| known.split_once(':'));
    match of {
        Some((family, number)) if ecosystem.starts_with(family) => number,
        _ => release,
    }
}

fn family(name: &str) -> &str {
    name.split_once(':').map_or(name, |(family, _)| family)
}

/// In lower case, with every run of `-`, `_` and `.` one `-`.
fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
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
        for name in [
            "crates.io",
            "Go",
            "Debian:12",
            "npm",
            "PyPI",
            "Debianoid",
            "go",
            "",
        ] {
            assert_eq!(Ecosystem::from_osv(name).as_str(), name);
        }
        assert_eq!(Ecosystem::from_purl_type("cargo"), Ecosystem::CratesIo);
        assert_eq!(Ecosystem::from_purl_type("golang"), Ecosystem::Go);
        assert_eq!(Ecosystem::from_purl_type("pypi"), Ecosystem::PyPi);
        assert_eq!(
            Ecosystem::from_purl_type("gem"),
            Ecosystem::Unsupported("RubyGems".into())
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

    #[test]
    fn names_of_python_packages_are_normalised() {
        for name in ["Django_package", "django.-_package", "DJANGO-PACKAGE"] {
            assert_eq!(Ecosystem::PyPi.package_key(name), "django-package");
        }
        assert!(Ecosystem::Npm.same_package("JSONStream", "jsonstream"));
        assert!(!Ecosystem::Npm.same_package("JSONStream", "JsonStream"));
        let debian = Ecosystem::from_osv("Debian");
        assert!(!debian.same_package("libA", "liba"));
    }

    #[test]
    fn releases_differ_where_both_are_said() {
        let may_be = |left, right| Ecosystem::from_osv(left).may_be(&Ecosystem::from_osv(right));
        assert!(may_be("Debian:12", "Debian:12") && may_be("Debian", "Debian:12"));
        assert!(!may_be("Debian:12", "Debian:11") && !may_be("Debian:12", "Ubuntu"));
        assert!(may_be("Ubuntu:22.04:LTS", "Ubuntu:22.04"));
        assert!(!may_be("Ubuntu:Pro:22.04:LTS", "Ubuntu:22.04:LTS"));
        assert!(may_be("Go", "Go") && !may_be("Go", "npm"));
    }
}
