//! What a VEX statement says of a product.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A VEX status, as OpenVEX 0.2 writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// The vulnerability does not touch the product.
    NotAffected,
    /// It does.
    Affected,
    /// This version holds the fix.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl VexStatus {
    /// Every status, in the order of the specification.
    pub const ALL: &'static [Self] = &[
        Self::NotAffected,
        Self::Affected,
        Self::Fixed,
        Self::UnderInvestigation,
    ];

    /// The status as written in documents: `not_affected`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

impl fmt::Display for VexStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no VEX status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no VEX status")]
pub struct UnknownVexStatus(pub String);

impl FromStr for VexStatus {
    type Err = UnknownVexStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|status| status.as_str() == text);
        known
            .copied()
            .ok_or_else(|| UnknownVexStatus(text.to_owned()))
    }
}
