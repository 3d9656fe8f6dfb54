//! Replay tokens: `rt1.` and base64url of 32 bytes of the manifest's digest, 4 bytes of expiry
//! (seconds since 1970, big-endian, 0 is none) and the first 4 bytes of the SHA-256 of both.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stella_canonical::Digest;

const PREFIX: &str = "rt1.";
const CHECKED: usize = 36;
const CHECKSUM: usize = 4;

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// When it ends, in seconds since 1970; 0 is never.
    pub expires: u32,
}

/// A text that is no token; people are told by labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It begins otherwise.
    #[error("another beginning")]
    Prefix,
    /// It is longer or shorter.
    #[error("{0} characters after the beginning")]
    Length(usize),
    /// It holds other characters.
    #[error("no base64url")]
    Alphabet,
    /// A character of it is wrong.
    #[error("another checksum")]
    Checksum,
}

impl Token {
    fn checked(&self) -> Vec<u8> {
        [
            self.manifest.as_bytes().as_slice(),
            &self.expires.to_be_bytes(),
        ]
        .concat()
    }
}

fn checksum(checked: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = *Digest::of(checked).as_bytes();
    [a, b, c, d]
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.checked();
        bytes.extend(checksum(&bytes));
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let body = text.strip_prefix(PREFIX).ok_or(TokenError::Prefix)?;
        // 40 bytes are 54 characters.
        if body.len() != 54 {
            return Err(TokenError::Length(body.chars().count()));
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| TokenError::Alphabet)?;
        let (checked, sum) = bytes
            .split_at_checked(CHECKED)
            .ok_or(TokenError::Alphabet)?;
        if sum != checksum(checked) {
            return Err(TokenError::Checksum);
        }
        let (digest, expires) = checked.split_at_checked(32).ok_or(TokenError::Alphabet)?;
        let digest: [u8; 32] = digest.try_into().map_err(|_| TokenError::Alphabet)?;
        let expires: [u8; 4] = expires.try_into().map_err(|_| TokenError::Alphabet)?;
        Ok(Self {
            manifest: Digest::from_bytes(digest),
            expires: u32::from_be_bytes(expires),
        })
    }
}

/// Reads anything as a token; what it accepts is written the same again.
///
/// # Panics
/// Where that does not hold.
pub fn fuzz(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = text.parse::<Token>()
    {
        assert_eq!(token.to_string(), text);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_reads_back_and_no_cut_or_changed_one_does(
            seed in any::<[u8; 8]>(), expires in any::<u32>(), at in 0_usize..58, with in "[A-Za-z0-9_-]",
        ) {
            let text = Token { manifest: Digest::of(&seed), expires }.to_string();
            prop_assert_eq!(text.parse::<Token>().unwrap(), Token { manifest: Digest::of(&seed), expires });
            prop_assert!(text[..at].parse::<Token>().is_err());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assert!(changed == text || changed.parse::<Token>().is_err());
            fuzz(text.as_bytes());
        }

        #[test]
        fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..80)) {
            fuzz(&data);
        }
    }
}
