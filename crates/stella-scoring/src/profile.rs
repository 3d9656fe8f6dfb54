//! Risk profiles: content-addressed documents that say how signals become a score.

use serde::Serialize;
use stella_api::score::{Band, Bucket, ProfileRef};
use stella_canonical::{CanonicalError, Digest, canonical};

use crate::band::{BANDS, BUCKETS, FULL};
use crate::cvss::Tenths;

/// The meaning of the engine: moves only when some result does, and enters every output digest.
pub const SEMANTICS: u32 = 6;

/// A risk profile, immutable once published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// `stella.profile/v1`.
    pub schema: &'static str,
    /// Identifier, such as `cvss-kev-v1`.
    pub id: &'static str,
    /// Version of the document.
    pub version: &'static str,
    /// Signals that are weighted; their weights sum to 10,000.
    pub signals: Vec<WeightedSignal>,
    /// Floors and caps, in the order that they are applied.
    pub gates: Vec<GateRule>,
    /// Signals that are shown and move nothing, sorted.
    pub shown: Vec<&'static str>,
    /// Lowest score of each band, in basis points.
    pub bands: Vec<Threshold<Band>>,
    /// Lowest `scoreHighBps` of each bucket, in basis points.
    pub buckets: Vec<Threshold<Bucket>>,
}

/// A signal with its transform and weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedSignal {
    /// Name of the signal.
    pub signal: &'static str,
    /// How its value becomes basis points.
    pub transform: Transform,
    /// Share of the score in basis points.
    pub weight_bps: u32,
}

/// How a signal's value becomes basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Transform {
    /// The value in tenths times a factor.
    #[serde(rename_all = "camelCase")]
    Linear {
        /// Basis points for a tenth.
        bps_per_tenth: u32,
    },
}

impl Transform {
    /// The value in basis points.
    #[must_use]
    pub fn apply(self, tenths: Tenths) -> u32 {
        let Self::Linear { bps_per_tenth } = self;
        u32::from(tenths.0) * bps_per_tenth
    }
}

/// A floor or cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateRule {
    /// Identifier within the profile.
    pub id: &'static str,
    /// When it applies.
    pub when: GateCondition,
    /// What it does.
    #[serde(flatten)]
    pub bound: Bound,
}

/// When a gate applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GateCondition {
    /// A KEV catalogue lists the vulnerability.
    KevListed,
    /// A publisher in the tenant's trust policy states the VEX status `not_affected`.
    VexNotAffectedByTrustedPublisher,
}

/// What a gate does to a score, in basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// The score is at least this.
    FloorBps(u32),
    /// The score is at most this.
    CapBps(u32),
}

/// A named range of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Threshold<T> {
    /// What it is called.
    pub name: T,
    /// Where it begins, in basis points.
    pub from_bps: u32,
}

impl Profile {
    /// The built-in profile `cvss-kev-v1`: CVSS times 1,000 basis points, then the KEV floor of
    /// 9,000, then VEX `not_affected` by a trusted publisher caps at 0.
    #[must_use]
    pub fn cvss_kev_v1() -> Self {
        Self {
            schema: "stella.profile/v1",
            id: "cvss-kev-v1",
            version: "1.0.0",
            signals: vec![WeightedSignal {
                signal: "cvss",
                transform: Transform::Linear { bps_per_tenth: 100 },
                weight_bps: FULL,
            }],
            gates: vec![
                GateRule {
                    id: "kev-floor",
                    when: GateCondition::KevListed,
                    bound: Bound::FloorBps(9_000),
                },
                GateRule {
                    id: "vex-not-affected-cap",
                    when: GateCondition::VexNotAffectedByTrustedPublisher,
                    bound: Bound::CapBps(0),
                },
            ],
            shown: vec!["epss"],
            bands: BANDS
                .map(|(name, from_bps)| Threshold { name, from_bps })
                .to_vec(),
            buckets: BUCKETS
                .map(|(name, from_bps)| Threshold { name, from_bps })
                .to_vec(),
        }
    }

    /// The built-in profiles, sorted by identifier.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        vec![Self::cvss_kev_v1()]
    }

    /// The canonical JSON of the document.
    ///
    /// # Errors
    /// None of the built-in profiles has any.
    pub fn document(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical(self)
    }

    /// The digest that names the profile: SHA-256 of [`Profile::document`].
    ///
    /// # Errors
    /// As [`Profile::document`].
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_canonical(self)
    }

    /// The profile's name in a result.
    ///
    /// # Errors
    /// As [`Profile::document`].
    pub fn reference(&self) -> Result<ProfileRef, CanonicalError> {
        Ok(ProfileRef {
            id: self.id.to_owned(),
            version: self.version.to_owned(),
            digest: self.digest()?.to_string(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_whole() {
        for profile in Profile::built_in() {
            let sum: u32 = profile.signals.iter().map(|signal| signal.weight_bps).sum();
            assert_eq!(sum, FULL, "{}", profile.id);
        }
    }

    /// A published profile never changes: a new rule is a new version.
    #[test]
    fn published_profiles_stay() {
        let document = String::from_utf8(Profile::cvss_kev_v1().document().unwrap()).unwrap();
        let published = include_str!("../profiles/cvss-kev-v1.json");
        assert_eq!(document, published.trim_end());
    }
}
