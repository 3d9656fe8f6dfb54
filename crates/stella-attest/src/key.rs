//! Public keys that verify, as JWKs (RFC 7517, RFC 8037).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stella_api::authority::PublicJwk;
use stella_canonical::Digest;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032); a signature is 64 bytes.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; a signature is ASN.1 DER, as DSSE's users write it.
    EcdsaP256,
}

/// A JWK that is no key to verify with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Neither Ed25519 nor P-256.
    #[error("a key of type {kty} on {crv} is neither Ed25519 nor P-256")]
    Unsupported {
        /// Its `kty`.
        kty: String,
        /// Its `crv`.
        crv: String,
    },
    /// A coordinate that is not 32 bytes of base64url.
    #[error("`{0}` is not 32 bytes in base64url without padding")]
    Coordinate(&'static str),
}

/// A public key with its RFC 7638 thumbprint, which is its `keyid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// Ed25519: the 32 bytes. P-256: the uncompressed point.
    bytes: Vec<u8>,
    keyid: String,
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    #[must_use]
    pub fn ed25519(bytes: &[u8; 32]) -> Self {
        Self::new(Algorithm::Ed25519, bytes.to_vec())
    }

    /// A P-256 key from its uncompressed point: 4, x, y.
    #[must_use]
    pub fn p256(point: &[u8; 65]) -> Self {
        Self::new(Algorithm::EcdsaP256, point.to_vec())
    }

    /// Reads a JWK; its `kid`, `alg` and `use` are not looked at.
    ///
    /// # Errors
    /// Another type of key, or a coordinate of another length.
    pub fn from_jwk(jwk: &PublicJwk) -> Result<Self, PublicKeyError> {
        match (jwk.kty.as_str(), jwk.crv.as_str()) {
            ("OKP", "Ed25519") => Ok(Self::ed25519(&coordinate("x", Some(&jwk.x))?)),
            ("EC", "P-256") => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&coordinate("x", Some(&jwk.x))?);
                point[33..].copy_from_slice(&coordinate("y", jwk.y.as_deref())?);
                Ok(Self::p256(&point))
            }
            _ => Err(PublicKeyError::Unsupported {
                kty: jwk.kty.clone(),
                crv: jwk.crv.clone(),
            }),
        }
    }

    /// The key as a JWK with `kid`, `alg` and `use`.
    #[must_use]
    pub fn jwk(&self) -> PublicJwk {
        let members = members(self.algorithm, &self.bytes);
        let alg = match self.algorithm {
            Algorithm::Ed25519 => "EdDSA",
            Algorithm::EcdsaP256 => "ES256",
        };
        PublicJwk {
            kty: members.kty.to_owned(),
            crv: members.crv.to_owned(),
            x: members.x,
            y: members.y,
            alg: Some(alg.to_owned()),
            key_use: Some("sig".to_owned()),
            kid: Some(self.keyid.clone()),
        }
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub fn keyid(&self) -> &str {
        &self.keyid
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the signature is this key's, of exactly these bytes.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn aws_lc_rs::signature::VerificationAlgorithm = match self.algorithm {
            Algorithm::Ed25519 => &ED25519,
            Algorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(message, signature)
            .is_ok()
    }

    fn new(algorithm: Algorithm, bytes: Vec<u8>) -> Self {
        let keyid = thumbprint(&members(algorithm, &bytes));
        Self {
            algorithm,
            bytes,
            keyid,
        }
    }
}

/// The members of a JWK that its thumbprint is made of.
struct Members {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: Option<String>,
}

fn members(algorithm: Algorithm, bytes: &[u8]) -> Members {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match algorithm {
        Algorithm::Ed25519 => Members {
            kty: "OKP",
            crv: "Ed25519",
            x: text(bytes),
            y: None,
        },
        Algorithm::EcdsaP256 => Members {
            kty: "EC",
            crv: "P-256",
            x: text(&bytes[1..33]),
            y: Some(text(&bytes[33..])),
        },
    }
}

/// RFC 7638: SHA-256 of the required members in the order of their names.
fn thumbprint(members: &Members) -> String {
    let Members { kty, crv, x, y } = members;
    let y = y.as_ref().map(|y| format!(r#","y":"{y}""#));
    let y = y.unwrap_or_default();
    let text = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"{y}}}"#);
    URL_SAFE_NO_PAD.encode(Digest::of(text.as_bytes()).as_bytes())
}

fn coordinate(name: &'static str, text: Option<&str>) -> Result<[u8; 32], PublicKeyError> {
    let wrong = PublicKeyError::Coordinate(name);
    let bytes = URL_SAFE_NO_PAD
        .decode(text.unwrap_or_default())
        .map_err(|_| wrong.clone())?;
    bytes.try_into().map_err(|_| wrong)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn jwk(kty: &str, crv: &str, x: &str, y: Option<&str>) -> PublicJwk {
        PublicJwk {
            kty: kty.to_owned(),
            crv: crv.to_owned(),
            x: x.to_owned(),
            y: y.map(str::to_owned),
            alg: None,
            key_use: None,
            kid: None,
        }
    }

    /// RFC 8037, appendix A.3, and RFC 7517, appendix A.1 (its thumbprint by PyPI `jwcrypto`).
    #[test]
    fn keyids_are_those_of_the_standards() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = PublicKey::from_jwk(&jwk("OKP", "Ed25519", x, None)).unwrap();
        assert_eq!(key.keyid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
        let y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
        let key = PublicKey::from_jwk(&jwk("EC", "P-256", x, Some(y))).unwrap();
        assert_eq!(key.keyid(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
        assert_eq!(PublicKey::from_jwk(&key.jwk()).unwrap(), key);
    }

    #[test]
    fn what_is_no_such_key_is_refused() {
        let of = |kty, crv, x, y| PublicKey::from_jwk(&jwk(kty, crv, x, y)).unwrap_err();
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(
            of("OKP", "Ed25519", "AA", None),
            PublicKeyError::Coordinate("x")
        );
        assert_eq!(
            of("OKP", "Ed25519", "!", None),
            PublicKeyError::Coordinate("x")
        );
        assert_eq!(of("EC", "P-256", x, None), PublicKeyError::Coordinate("y"));
        let other = of("EC", "P-384", x, None);
        assert_eq!(
            other.to_string(),
            "a key of type EC on P-384 is neither Ed25519 nor P-256"
        );
    }
}
