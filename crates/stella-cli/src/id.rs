//! Ids as people type them: a digest, or a prefix of at least eight hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use stella_canonical::Digest;

use crate::label::label;

const FEWEST: usize = 8;
const ALL: usize = 64;
/// What tables show of a digest.
const SHOWN: usize = 12;

/// An id or its prefix, safe inside a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

impl Id {
    /// The whole id, where it is no prefix.
    pub(crate) fn whole(&self) -> Option<String> {
        Digest::from_hex(&self.0).ok().map(|id| id.to_string())
    }

    /// Whether a digest begins with it.
    pub(crate) fn begins(&self, digest: &str) -> bool {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.starts_with(&self.0))
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let digits = hex
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if digits && (FEWEST..=ALL).contains(&hex.len()) {
            Ok(Self(hex.to_owned()))
        } else {
            Err(label("id-invalid"))
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What tables show of a digest: enough to name it by.
pub(crate) fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..SHOWN).unwrap_or(hex)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_prefixes_are_ids() {
        let whole = Digest::of(b"x");
        let id: Id = whole.to_string().parse().unwrap();
        assert_eq!(id.whole(), Some(whole.to_string()));
        let id: Id = short(&whole.to_string()).parse().unwrap();
        assert_eq!((id.whole(), id.to_string().len()), (None, SHOWN));
        for bad in ["", "1234567", "ABCDEF01", "../../../..", &"a".repeat(65)] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_digest_is_shown_whole() {
        assert_eq!(short("é"), "é");
        assert_eq!(short("sha256:äääääää"), "äääääää".get(..12).unwrap());
    }
}
