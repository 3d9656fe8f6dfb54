//! Says whether a package version is covered by a published range.
//!
//! Pure: package URLs become [`Coordinates`], an advisory's statement about one package is an
//! [`Affected`], and a [`Matcher`] compares the two by the version order of the ecosystem and
//! the evaluation algorithm of the OSV schema. What cannot be compared is
//! [`Verdict::Undetermined`] with the reason, never "not affected".
//!
//! Orders: SemVer, crates.io, Go, npm, PyPI (PEP 440) and Debian (`dpkg`), and `SEMVER` ranges in
//! any ecosystem.
//!
//! A new ecosystem is an arm in [`Ecosystem`], a file under `version/`, and an arm in
//! [`Version`].

mod affected;
mod distribution;
mod ecosystem;
mod error;
mod fuzz;
mod go_module;
mod matcher;
mod purl;
mod stretch;
mod verdict;
mod vers;
mod version;

pub use affected::{Affected, Event, Portion, Range, RangeKind};
pub use ecosystem::Ecosystem;
pub use error::{Error, quoted};
pub use fuzz::fuzz;
pub use matcher::{Matcher, doubts};
pub use purl::Coordinates;
pub use verdict::{Rule, Verdict};
pub use vers::Vers;
pub use version::{Version, compare, is_version};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod published;
