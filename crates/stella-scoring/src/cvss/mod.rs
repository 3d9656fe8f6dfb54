//! CVSS v2.0, v3.0, v3.1 and v4.0: vectors read strictly and scored in integers.
//!
//! Formulas and weights are those of the FIRST specifications: "A Complete Guide to the Common
//! Vulnerability Scoring System Version 2.0" section 3.2, "Specification Document" v3.0 and v3.1
//! sections 7 and 8 (appendix A for Roundup), and v4.0 section 8. No floating point anywhere.

mod error;
mod metrics;
mod parse;
mod v2;
mod v3;
mod v4;

use std::fmt;
use std::str::FromStr;

use metrics::{Group, Metric};

pub use error::{CvssError, CvssErrorCode};

/// Place of each metric's value in its list; metrics without a value are 0, "not defined".
type Values = [u8; 32];

/// A version of CVSS, ordered from the oldest to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CVSS v2.0.
    V2_0,
    /// CVSS v3.0.
    V3_0,
    /// CVSS v3.1.
    V3_1,
    /// CVSS v4.0.
    V4_0,
}

impl Version {
    /// The version as written in a vector: `2.0`, `3.0`, `3.1`, `4.0`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2_0 => "2.0",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
            Self::V4_0 => "4.0",
        }
    }

    fn metrics(self) -> &'static [Metric] {
        match self {
            Self::V2_0 => &metrics::V2,
            Self::V3_0 | Self::V3_1 => &metrics::V3,
            Self::V4_0 => &metrics::V4,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A CVSS score in tenths, 0 to 100; shown as `9.8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenths(pub u8);

impl Tenths {
    /// Whether a published decimal, such as `7.5` or `10`, is this one.
    #[must_use]
    pub fn is(self, published: &str) -> bool {
        let (whole, fraction) = published.split_once('.').unwrap_or((published, "0"));
        let fraction = match fraction.trim_end_matches('0') {
            "" => "0",
            rest => rest,
        };
        self.to_string() == format!("{whole}.{fraction}")
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// The qualitative rating of a score.
///
/// v3 and v4 rate as their specifications do; v2 has no ratings of its own and gets those of the
/// US National Vulnerability Database (Low below 4.0, Medium below 7.0, High).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 0.0 (v3, v4).
    None,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0 (v3, v4).
    Critical,
}

impl Severity {
    /// The rating of a score under a version.
    #[must_use]
    pub const fn of(version: Version, score: Tenths) -> Self {
        let v2 = matches!(version, Version::V2_0);
        match score.0 {
            0 if !v2 => Self::None,
            0..40 => Self::Low,
            40..70 => Self::Medium,
            90.. if !v2 => Self::Critical,
            70.. => Self::High,
        }
    }

    /// The rating as the CVE and NVD schemas write it: `NONE` to `CRITICAL`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A CVSS vector of any version.
///
/// Two vectors are equal when version and defined metrics are; "not defined" (`X`, `ND`) written
/// out equals leaving the metric away. `Display` gives the canonical text: the specification's
/// order, without metrics that are not defined, v2 without parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vector {
    version: Version,
    values: Values,
}

impl Vector {
    /// Reads a vector strictly.
    ///
    /// v4.0 demands the specification's order; the others take any. v2 comes plain or in
    /// parentheses, and its optional groups may be given in part.
    ///
    /// # Errors
    /// The first thing wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, CvssError> {
        parse::vector(text)
    }

    /// The version that the vector is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The score of the base metrics alone.
    #[must_use]
    pub fn base_score(&self) -> Tenths {
        Tenths(match self.version {
            Version::V2_0 => v2::base(&self.values),
            Version::V3_0 => v3::base(&self.values, v3::Revision::V3_0),
            Version::V3_1 => v3::base(&self.values, v3::Revision::V3_1),
            Version::V4_0 => v4::score(&v4::base_only(&self.values)),
        })
    }

    /// The temporal score (v2, v3), or the score of base and threat metrics (v4); equals the base
    /// score where no such metric is defined.
    #[must_use]
    pub fn temporal_score(&self) -> Tenths {
        Tenths(match self.version {
            Version::V2_0 => v2::temporal(&self.values),
            Version::V3_0 => v3::temporal(&self.values, v3::Revision::V3_0),
            Version::V3_1 => v3::temporal(&self.values, v3::Revision::V3_1),
            Version::V4_0 => v4::score(&v4::base_and_threat(&self.values)),
        })
    }

    /// The environmental score (v2, v3: by the environmental equation even where no such metric
    /// is defined), or the score of all metrics (v4).
    #[must_use]
    pub fn environmental_score(&self) -> Tenths {
        Tenths(match self.version {
            Version::V2_0 => v2::environmental(&self.values),
            Version::V3_0 => v3::environmental(&self.values, v3::Revision::V3_0),
            Version::V3_1 => v3::environmental(&self.values, v3::Revision::V3_1),
            Version::V4_0 => v4::score(&self.values),
        })
    }

    /// The score of all groups that are defined: environmental, else temporal, else base.
    #[must_use]
    pub fn score(&self) -> Tenths {
        if self.defines(Group::Environmental) {
            self.environmental_score()
        } else if self.defines(Group::Threat) {
            self.temporal_score()
        } else {
            self.base_score()
        }
    }

    /// The rating of [`Vector::score`].
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::of(self.version, self.score())
    }

    /// Whether a published decimal, such as `7.5` or `10`, is a score of this vector: its base
    /// score, or that of all groups that are defined, which some publish in its place.
    #[must_use]
    pub fn states(&self, published: &str) -> bool {
        self.base_score().is(published) || self.score().is(published)
    }

    fn defines(&self, group: Group) -> bool {
        self.version
            .metrics()
            .iter()
            .zip(self.values)
            .any(|(metric, value)| metric.group == group && value != 0)
    }
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = match self.version {
            Version::V2_0 => "",
            version => {
                write!(f, "CVSS:{version}")?;
                "/"
            }
        };
        for (metric, value) in self.version.metrics().iter().zip(self.values) {
            if metric.group == Group::Base || value != 0 {
                write!(
                    f,
                    "{before}{}:{}",
                    metric.name,
                    metric.values[usize::from(value)]
                )?;
                before = "/";
            }
        }
        Ok(())
    }
}

impl FromStr for Vector {
    type Err = CvssError;

    fn from_str(text: &str) -> Result<Self, CvssError> {
        Self::parse(text)
    }
}

/// Feeds any bytes to the parser and asserts its laws: no panic, scores at most 10.0, and the
/// canonical text reads back as the same vector.
///
/// # Panics
/// Where a law does not hold.
pub fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Vector::parse(text) {
        Ok(vector) => {
            let scores = [
                vector.base_score(),
                vector.temporal_score(),
                vector.environmental_score(),
                vector.score(),
            ];
            assert!(
                scores.iter().all(|score| score.0 <= 100),
                "score above 10.0: {text}"
            );
            assert_eq!(
                Vector::parse(&vector.to_string()),
                Ok(vector),
                "canonical text differs: {text}"
            );
        }
        Err(error) => assert!(
            error.offset <= text.len(),
            "offset beyond the text: {error}"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(crate) mod tests;
