//! Tenant identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a tenant: `[a-z0-9][a-z0-9-]{0,62}`. There is no default tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

/// A text that is not a tenant id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a tenant id: lower-case letters, digits and hyphens, at most 63, not beginning with a hyphen"
)]
pub struct TenantIdError(String);

impl TenantId {
    /// The id as text. It holds no quote, so it is safe inside an SQL literal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TenantId {
    /// What is logged of the installation itself stands under this name, which no text reads as: no
    /// token and no request can name it.
    pub const INSTALLATION: &'static str = "@installation";

    /// The installation itself in the place of a tenant.
    #[must_use]
    pub fn installation() -> Self {
        Self(Self::INSTALLATION.to_owned())
    }
}

impl FromStr for TenantId {
    type Err = TenantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let valid =
            (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(TenantIdError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = TenantIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TenantId;

    #[test]
    fn only_the_documented_form_is_an_id() {
        for good in ["a", "0", "acme", "acme-2", &"a".repeat(63)] {
            assert!(good.parse::<TenantId>().is_ok(), "{good}");
        }
        for bad in [
            TenantId::INSTALLATION,
            "",
            "-a",
            "A",
            "a_b",
            "a'b",
            "ä",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }
}
