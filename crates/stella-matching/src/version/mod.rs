//! Version orders, a file each.

mod debian;
mod go;
mod npm;
mod pypi;
mod semver2;

use std::cmp::Ordering;

use crate::{Ecosystem, Error, RangeKind};

/// A version with a place in the order of its ecosystem. Versions of equal precedence, such as
/// those that differ in build metadata only, are equal.
#[derive(Debug, Clone)]
pub enum Version {
    /// SemVer 2, <https://semver.org/spec/v2.0.0.html>.
    SemVer(semver::Version),
    /// Go modules, pseudo-versions, and releases of Go itself.
    Go(semver::Version),
    /// npm, as node-semver compares.
    Npm(semver::Version),
    /// PEP 440, <https://packaging.python.org/en/latest/specifications/version-specifiers/>.
    PyPi(pypi::Version),
    /// Debian and Ubuntu, as `dpkg` compares.
    Debian(debian::Version),
}

impl Version {
    /// Reads a version as its ecosystem writes it.
    ///
    /// # Errors
    /// [`Error::Version`] where the ecosystem has no such version, [`Error::NoOrder`] where the
    /// ecosystem has no order here.
    pub fn parse(ecosystem: &Ecosystem, version: &str) -> Result<Self, Error> {
        match ecosystem {
            Ecosystem::CratesIo => semver2::parse(version).map(Self::SemVer),
            Ecosystem::Go => go::parse(version).map(Self::Go),
            Ecosystem::Npm => npm::parse(version).map(Self::Npm),
            Ecosystem::PyPi => pypi::parse(version).map(Self::PyPi),
            Ecosystem::Debian(_) => debian::parse(version).map(Self::Debian),
            Ecosystem::Unsupported(name) => Err(Error::NoOrder(name.clone())),
        }
    }

    /// Reads a version as the bounds of a range of that kind are compared: `SEMVER` ranges by
    /// SemVer also where the ecosystem's own order is another.
    pub(crate) fn parse_for(
        ecosystem: &Ecosystem,
        kind: &RangeKind,
        version: &str,
    ) -> Result<Self, Error> {
        match (ecosystem, kind) {
            // SemVer too, with the spellings that the ecosystem has besides.
            (Ecosystem::CratesIo | Ecosystem::Go | Ecosystem::Npm, _) => {}
            (_, RangeKind::Semver) => return semver2::parse(version).map(Self::SemVer),
            _ => {}
        }
        Self::parse(ecosystem, version)
    }

    /// Versions of two orders do not meet in one comparison; this keeps the type's order total.
    fn rank(&self) -> u8 {
        match self {
            Self::SemVer(_) => 0,
            Self::Go(_) => 1,
            Self::Npm(_) => 2,
            Self::PyPi(_) => 3,
            Self::Debian(_) => 4,
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::SemVer(left), Self::SemVer(right))
            | (Self::Go(left), Self::Go(right))
            | (Self::Npm(left), Self::Npm(right)) => left.cmp_precedence(right),
            (Self::PyPi(left), Self::PyPi(right)) => left.cmp(right),
            (Self::Debian(left), Self::Debian(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Compares two versions by the order of an ecosystem.
///
/// # Errors
/// As [`Version::parse`], for the first of the two that cannot be read.
pub fn compare(ecosystem: &Ecosystem, left: &str, right: &str) -> Result<Ordering, Error> {
    Ok(Version::parse(ecosystem, left)?.cmp(&Version::parse(ecosystem, right)?))
}

/// Whether a text that stands where one version belongs is one. Some write a range there, in signs
/// or in words, or that there is none.
#[must_use]
pub fn is_version(ecosystem: &Ecosystem, text: &str) -> bool {
    match Version::parse(ecosystem, text) {
        // Of what no order is known the spelling tells; the order of `dpkg` takes nearly any.
        Ok(Version::Debian(_)) | Err(Error::NoOrder(_)) => is_spelt_as_one(text),
        read => read.is_ok(),
    }
}

fn is_spelt_as_one(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let mut parts = number.split(['.', '-', '+', '_', '~', ':', '!', '^']);
    number.starts_with(|c: char| c.is_ascii_digit())
        && parts.all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && !part.eq_ignore_ascii_case("x")
        })
}

/// A version as it is told from others. Build metadata of SemVer counts, since it names another
/// release; elsewhere versions of equal precedence are one.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Version);

impl Ord for Release {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Version::SemVer(left), Version::SemVer(right))
            | (Version::Go(left), Version::Go(right)) => left.cmp(right),
            (left, right) => left.cmp(right),
        }
    }
}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Release {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Release {}

/// Whether two spellings name one version.
pub(crate) fn same_version(ecosystem: &Ecosystem, left: &str, right: &str) -> bool {
    let read = |text| Version::parse(ecosystem, text).map(Release);
    left == right || matches!((read(left), read(right)), (Ok(left), Ok(right)) if left == right)
}
