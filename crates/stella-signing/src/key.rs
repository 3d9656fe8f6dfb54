//! Key pairs that sign: Ed25519, and ECDSA on P-256 for attestations.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stella_api::authority::PublicJwk;
use stella_api::dsse::Envelope;
use stella_attest::{Algorithm, PublicKey, Unsigned};

/// What can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gave no randomness.
    #[error("the system gave no randomness for a key or a signature")]
    Generate,
    /// The bytes are no key that signs here.
    #[error("{place} holds no PKCS#8 key: Ed25519 of version 1, or P-256")]
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

/// A pair that signs. Its `Debug` form shows only the thumbprint.
#[derive(Clone)]
pub struct SigningKey {
    pkcs8: Vec<u8>,
    pair: Arc<Pair>,
    public: PublicKey,
    jwk: PublicJwk,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// A new Ed25519 pair.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let rng = SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&rng).map_err(|_| KeyError::Generate)?;
        Self::from_pkcs8(pkcs8.as_ref(), "a new key")
    }

    /// A new P-256 pair, which signs attestations and no tokens.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate_p256() -> Result<Self, KeyError> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|_| KeyError::Generate)?;
        Self::from_pkcs8(pkcs8.as_ref(), "a new key")
    }

    /// Reads a pair from PKCS#8 (Ed25519: version 1); `place` names its origin in the error.
    ///
    /// # Errors
    /// Other bytes.
    pub fn from_pkcs8(pkcs8: &[u8], place: &str) -> Result<Self, KeyError> {
        let (pair, public) = read(pkcs8).ok_or_else(|| KeyError::Malformed {
            place: place.to_owned(),
        })?;
        Ok(Self {
            pkcs8: pkcs8.to_vec(),
            pair: Arc::new(pair),
            jwk: public.jwk(),
            public,
        })
    }

    /// Signs bytes: 64 bytes of Ed25519, or ASN.1 DER of ECDSA.
    ///
    /// # Errors
    /// The system gave no randomness, which only ECDSA needs.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.pair.as_ref() {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyError::Generate),
        }
    }

    /// Signs an attestation.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn attest(&self, unsigned: Unsigned) -> Result<Envelope, KeyError> {
        let signature = self.sign(&unsigned.pae())?;
        Ok(unsigned.signed(self.kid(), &signature))
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The pair as PKCS#8.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key, with its thumbprint as `kid`.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The public key, to verify with.
    #[must_use]
    pub fn verifier(&self) -> &PublicKey {
        &self.public
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.keyid()
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

fn read(pkcs8: &[u8]) -> Option<(Pair, PublicKey)> {
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
        let public = PublicKey::ed25519(pair.public_key().as_ref().try_into().ok()?);
        return Some((Pair::Ed25519(pair), public));
    }
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).ok()?;
    let public = PublicKey::p256(pair.public_key().as_ref().try_into().ok()?);
    Some((Pair::P256(pair), public))
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
    use stella_attest::verify;

    use super::*;

    #[test]
    fn attestations_of_both_kinds_verify_with_their_key_only() {
        for key in [
            SigningKey::generate().unwrap(),
            SigningKey::generate_p256().unwrap(),
        ] {
            let again = SigningKey::from_pkcs8(key.pkcs8(), "test").unwrap();
            let envelope = again
                .attest(Unsigned::new("text/plain", b"claim".to_vec()))
                .unwrap();
            let public = PublicKey::from_jwk(key.public()).unwrap();
            let verified = verify(&envelope, std::slice::from_ref(&public)).unwrap();
            assert_eq!(
                (verified.payload, verified.keyids),
                (b"claim".to_vec(), vec![key.kid().to_owned()])
            );

            let mut other = envelope.clone();
            other.payload_type = "text/html".to_owned();
            assert!(verify(&other, &[public]).is_err());
            let stranger = PublicKey::from_jwk(SigningKey::generate().unwrap().public()).unwrap();
            assert!(verify(&envelope, &[stranger]).is_err());
        }
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
