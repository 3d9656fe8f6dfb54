//! Replay tokens: `rt1.` and base64url of 32 bytes of the manifest's digest, 4 bytes of expiry
//! (seconds since 1970, big-endian, 0 is none) and the first 4 bytes of the SHA-256 of both.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const PREFIX: &str = "rt1.";
/// What follows it: 40 bytes in base64url.
const CHARACTERS: usize = 54;
const DIGEST: usize = 32;
const CHECKED: usize = DIGEST + 4;
const CHECKSUM: usize = 4;

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayToken {
    /// The SHA-256 of the manifest.
    pub manifest: [u8; DIGEST],
    /// When it ends, in seconds since 1970; 0 is never.
    pub expires: u32,
}

/// A text that is no token, and what became of it on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayTokenError {
    /// It begins otherwise.
    #[error("a replay token begins with {PREFIX}")]
    Prefix,
    /// It holds a character that no token holds, counted from 1.
    #[error("character {0} of the replay token is none of base64url: it is mistyped")]
    Alphabet(usize),
    /// Characters are missing.
    #[error(
        "the replay token is cut short: it ends after {0} of the {CHARACTERS} characters behind {PREFIX}"
    )]
    Short(usize),
    /// There are too many characters.
    #[error("{0} characters stand behind {PREFIX}, a replay token has {CHARACTERS}")]
    Long(usize),
    /// Its last character stands for bits that no byte has: another text of the same bytes.
    #[error("no replay token ends with `{0}`: its last character is mistyped")]
    Ending(char),
    /// The check bytes are those of another token.
    #[error(
        "the check bytes of the replay token do not fit the others: a character of it is mistyped"
    )]
    Checksum,
}

impl ReplayToken {
    fn checked(&self) -> Vec<u8> {
        [self.manifest.as_slice(), &self.expires.to_be_bytes()].concat()
    }
}

fn checksum(checked: &[u8]) -> [u8; CHECKSUM] {
    let digest: [u8; DIGEST] = Sha256::digest(checked).into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

impl fmt::Display for ReplayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.checked();
        bytes.extend(checksum(&bytes));
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for ReplayToken {
    type Err = ReplayTokenError;

    fn from_str(text: &str) -> Result<Self, ReplayTokenError> {
        let body = text.strip_prefix(PREFIX).ok_or(ReplayTokenError::Prefix)?;
        let strange = |one: char| !(one.is_ascii_alphanumeric() || "-_".contains(one));
        if let Some(at) = body.chars().position(strange) {
            return Err(ReplayTokenError::Alphabet(PREFIX.len() + at + 1));
        }
        match body.len() {
            found if found < CHARACTERS => return Err(ReplayTokenError::Short(found)),
            found if found > CHARACTERS => return Err(ReplayTokenError::Long(found)),
            _ => {}
        }
        let last = body.chars().last().unwrap_or_default();
        // Length and alphabet hold: what is left to refuse are bits behind the last byte.
        let ending = ReplayTokenError::Ending(last);
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| ending)?;
        let (checked, sum) = bytes.split_at_checked(CHECKED).ok_or(ending)?;
        let (manifest, expires) = checked.split_at_checked(DIGEST).ok_or(ending)?;
        if sum != checksum(checked) {
            return Err(ReplayTokenError::Checksum);
        }
        Ok(Self {
            manifest: manifest.try_into().map_err(|_| ending)?,
            expires: u32::from_be_bytes(expires.try_into().map_err(|_| ending)?),
        })
    }
}

/// Reads anything as a token; what it accepts is written the same again.
///
/// # Panics
/// Where that does not hold.
pub fn fuzz(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = text.parse::<ReplayToken>()
    {
        assert_eq!(token.to_string(), text);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> ReplayToken {
        ReplayToken {
            manifest: Sha256::digest("manifest").into(),
            expires: 0,
        }
    }

    fn told(text: &str) -> ReplayTokenError {
        text.parse::<ReplayToken>().unwrap_err()
    }

    /// The text with another character at a place.
    fn with(text: &str, at: usize, other: char) -> String {
        let mut changed = text.to_owned();
        changed.replace_range(at..=at, &other.to_string());
        assert_ne!(changed, text);
        changed
    }

    #[test]
    fn what_became_of_a_token_is_told() {
        let text = token().to_string();
        assert_eq!(text.parse::<ReplayToken>(), Ok(token()));
        assert_eq!(told(&text[..57]), ReplayTokenError::Short(53));
        assert_eq!(told("rt1."), ReplayTokenError::Short(0));
        assert_eq!(told(&format!("{text}AA")), ReplayTokenError::Long(56));
        assert_eq!(
            told(&text.replace("rt1.", "rt2.")),
            ReplayTokenError::Prefix
        );
        assert_eq!(told(""), ReplayTokenError::Prefix);
        let cut_by_an_editor = format!("{}\u{2026}", &text[..20]);
        assert_eq!(told(&cut_by_an_editor), ReplayTokenError::Alphabet(21));
        let other = if text.as_bytes()[30] == b'x' {
            'y'
        } else {
            'x'
        };
        assert_eq!(told(&with(&text, 30, other)), ReplayTokenError::Checksum);
    }

    /// 54 characters hold four bits more than 40 bytes, which are 0: a token is one text.
    #[test]
    fn a_changed_last_character_is_mistyped_and_never_read_as_the_same_bytes() {
        let text = token().to_string();
        let last = text.chars().last().unwrap();
        let alphabet = ('A'..='Z')
            .chain('a'..='z')
            .chain('0'..='9')
            .chain(['-', '_']);
        for other in alphabet.filter(|other| *other != last) {
            let expected = match other {
                'A' | 'Q' | 'g' | 'w' => ReplayTokenError::Checksum,
                other => ReplayTokenError::Ending(other),
            };
            assert_eq!(told(&with(&text, 57, other)), expected, "{other}");
        }
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("token", fuzz);
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_no_cut_or_changed_one_does(
            manifest in any::<[u8; 32]>(), expires in any::<u32>(), at in 0_usize..58, with in "[A-Za-z0-9_-]",
        ) {
            let token = ReplayToken { manifest, expires };
            let text = token.to_string();
            prop_assert_eq!(text.parse(), Ok(token));
            prop_assert!(text[..at].parse::<ReplayToken>().is_err());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assert!(changed == text || changed.parse::<ReplayToken>().is_err());
            fuzz(text.as_bytes());
        }

        #[test]
        fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..80)) {
            fuzz(&data);
        }
    }
}
