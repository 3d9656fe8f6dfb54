//! Ed25519 key pairs.

use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use stella_api::authority::PublicJwk;
use stella_canonical::Digest;

/// What can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No pair could be made.
    #[error("cannot make an Ed25519 key pair")]
    Generate,
    /// The bytes are no PKCS#8 version 1 Ed25519 pair.
    #[error("{place} holds no PKCS#8 version 1 Ed25519 key")]
    Malformed {
        /// Where the bytes came from.
        place: String,
    },
    /// The bytes are no master key.
    #[error("{place} does not hold the 32 bytes of a master key")]
    NoMaster {
        /// Where the bytes came from.
        place: String,
    },
    /// The master key does not open it, or its bytes were changed.
    #[error("the master key does not open {place}")]
    Sealed {
        /// What was to be opened.
        place: String,
    },
    /// A file that cannot be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// A token that cannot be encoded or does not verify.
    #[error("token: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
}

/// An Ed25519 pair that signs. Its `Debug` form shows only the thumbprint.
#[derive(Clone)]
pub struct SigningKey {
    pkcs8: Vec<u8>,
    jwk: PublicJwk,
}

impl SigningKey {
    /// A new pair.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&rng).map_err(|_| KeyError::Generate)?;
        Self::from_pkcs8(pkcs8.as_ref(), "a new key")
    }

    /// Reads a pair from PKCS#8 version 1; `place` names its origin in the error.
    ///
    /// # Errors
    /// Other bytes.
    pub fn from_pkcs8(pkcs8: &[u8], place: &str) -> Result<Self, KeyError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::Malformed {
                place: place.to_owned(),
            })?;
        Ok(Self {
            pkcs8: pkcs8.to_vec(),
            jwk: jwk_of(pair.public_key().as_ref()),
        })
    }

    /// The pair as PKCS#8 version 1.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key, with its thumbprint as `kid`.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.jwk.kid.as_deref().unwrap_or_default()
    }

    /// Reads a PEM file.
    ///
    /// # Errors
    /// The file is not there or holds no such key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        let place = path.display().to_string();
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let pkcs8 = STANDARD
            .decode(body.trim())
            .map_err(|_| KeyError::Malformed {
                place: place.clone(),
            })?;
        Self::from_pkcs8(&pkcs8, &place)
    }

    /// Writes a PEM file that only its owner can read; refuses to overwrite one.
    ///
    /// # Errors
    /// The file is there, or cannot be written.
    pub fn store(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |source| file_error(path, source);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        // A temporary file has mode 0600 from the start.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let body = STANDARD.encode(&self.pkcs8);
        write!(
            file,
            "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
        )
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed)?;
        file.persist_noclobber(path)
            .map(drop)
            .map_err(|lost| failed(lost.error))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}

/// The JWK of a raw Ed25519 public key.
#[must_use]
pub fn jwk_of(public: &[u8]) -> PublicJwk {
    let x = URL_SAFE_NO_PAD.encode(public);
    PublicJwk {
        kid: Some(thumbprint(&x)),
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        alg: Some("EdDSA".to_owned()),
        key_use: Some("sig".to_owned()),
        x,
    }
}

/// The RFC 7638 thumbprint of an Ed25519 key: SHA-256 of its required members in order.
#[must_use]
pub fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Digest::of(members.as_bytes()).as_bytes())
}

pub(crate) fn file_error(path: &Path, source: std::io::Error) -> KeyError {
    KeyError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_its_owners_alone_and_is_never_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/a.pem");
        let key = SigningKey::generate().unwrap();
        key.store(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::load(&path).unwrap().kid(), key.kid());
        assert!(SigningKey::generate().unwrap().store(&path).is_err());
    }
}
