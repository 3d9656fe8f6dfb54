//! Compact JWTs: OpToks, client assertions and DPoP proofs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stella_api::authority::PublicJwk;
use stella_attest::PublicKey;
use stella_canonical::Digest;

use crate::key::{KeyError, SigningKey};

/// The claims of an OpTok (page 04), as far as they exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom it speaks.
    pub sub: String,
    /// Which service takes it, or `stella` for all.
    pub aud: String,
    /// Seconds since 1970 when it ends.
    pub exp: i64,
    /// Seconds since 1970 when it begins.
    pub nbf: i64,
    /// Seconds since 1970 when it was made.
    pub iat: i64,
    /// Its id.
    pub jti: String,
    /// The client that asked.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The one tenant; absent for the installation's administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tid: Option<String>,
    /// The same as `tid`, for upstream's clients.
    #[serde(
        default,
        rename = "stellaops:tenant",
        skip_serializing_if = "Option::is_none"
    )]
    pub stellaops_tenant: Option<String>,
    /// Every tenant that the client may ask for, sorted.
    #[serde(default, rename = "stellaops:allowed_tenants")]
    pub allowed_tenants: Vec<String>,
    /// The roles in this tenant, sorted.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// What a token is bound to (RFC 7800).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The thumbprint of the DPoP key (RFC 9449).
    pub jkt: String,
}

/// Signs claims as a JWT of the type, such as `at+jwt`.
///
/// # Errors
/// The claims cannot be encoded.
pub fn sign_jwt<C: Serialize>(key: &SigningKey, typ: &str, claims: &C) -> Result<String, KeyError> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(typ.to_owned());
    header.kid = Some(key.kid().to_owned());
    encode(&header, claims, key)
}

/// Makes a DPoP proof (RFC 9449, section 4.2) of the key for one request.
///
/// # Errors
/// The proof cannot be encoded.
pub fn dpop_proof(
    key: &SigningKey,
    method: &str,
    url: &str,
    issued_at: i64,
    id: &str,
    token: Option<&str>,
) -> Result<String, KeyError> {
    #[derive(Serialize)]
    struct Proof<'a> {
        jti: &'a str,
        htm: &'a str,
        htu: &'a str,
        iat: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        ath: Option<String>,
    }
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("dpop+jwt".to_owned());
    header.jwk = Some(bare_jwk(key.public())?);
    let ath = token.map(|token| URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).as_bytes()));
    encode(
        &header,
        &Proof {
            jti: id,
            htm: method,
            htu: url,
            iat: issued_at,
            ath,
        },
        key,
    )
}

fn encode<C: Serialize>(header: &Header, claims: &C, key: &SigningKey) -> Result<String, KeyError> {
    Ok(jsonwebtoken::encode(
        header,
        claims,
        &EncodingKey::from_ed_der(key.pkcs8()),
    )?)
}

fn bare_jwk(public: &PublicJwk) -> Result<Jwk, KeyError> {
    let bare = serde_json::json!({"kty": public.kty, "crv": public.crv, "x": public.x});
    serde_json::from_value(bare).map_err(|error| KeyError::Token(error.into()))
}

/// What a JWT says of itself before anything is verified: enough to find the key.
#[derive(Debug)]
pub struct Unverified {
    /// The type.
    pub typ: Option<String>,
    /// The id of the key.
    pub kid: Option<String>,
    /// An embedded public Ed25519 key.
    pub embedded: Option<PublicKey>,
}

impl Unverified {
    /// Reads the header of a compact JWT.
    ///
    /// # Errors
    /// It has none, or it is not signed with EdDSA.
    pub fn read(token: &str) -> Result<Self, KeyError> {
        let header = jsonwebtoken::decode_header(token)?;
        if header.alg != Algorithm::EdDSA {
            return Err(KeyError::Token(
                jsonwebtoken::errors::ErrorKind::InvalidAlgorithm.into(),
            ));
        }
        let embedded = header
            .jwk
            .as_ref()
            .and_then(|jwk| serde_json::to_value(jwk).ok())
            .filter(|jwk| jwk.get("d").is_none())
            .and_then(|jwk| serde_json::from_value(jwk).ok())
            .and_then(|jwk: PublicJwk| PublicKey::from_jwk(&jwk).ok())
            .filter(|key| key.algorithm() == stella_attest::Algorithm::Ed25519);
        Ok(Self {
            typ: header.typ,
            kid: header.kid,
            embedded,
        })
    }
}

/// Reads anything as a compact JWT: nobody signed with a key that is made up, what a key of its own
/// signed holds only whole, and claims are written as they were read.
pub fn fuzz(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else {
        return;
    };
    let payload = token.split('.').nth(1);
    let payload = payload.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let claims = payload.and_then(|text| serde_json::from_slice::<Claims>(&text).ok());
    if let Some(claims) = claims {
        let again = serde_json::to_value(&claims).and_then(serde_json::from_value);
        assert_eq!(again.ok(), Some(claims));
    }
    let verify = |token, key: &PublicKey| verify_jwt::<serde_json::Value>(token, &key.jwk().x);
    let made_up = PublicKey::ed25519(&[7; 32]);
    assert!(verify(token, &made_up).is_err());
    let embedded = Unverified::read(token).ok().and_then(|read| read.embedded);
    if let Some(key) = embedded.filter(|key| verify(token, key).is_ok()) {
        let cut = token.char_indices().next_back().map_or(0, |(at, _)| at);
        assert!(verify(&token[..cut], &key).is_err());
    }
}

/// Verifies the signature with an Ed25519 public key and gives the claims. Times, issuer and
/// audience are the caller's to check, against the operational clock.
///
/// # Errors
/// The signature does not hold, or the claims have another shape.
pub fn verify_jwt<C: DeserializeOwned + Clone>(token: &str, x: &str) -> Result<C, KeyError> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    let key = DecodingKey::from_ed_components(x)?;
    Ok(jsonwebtoken::decode(token, &key, &rules)?.claims)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("jwt", fuzz);
    }

    #[test]
    fn what_we_sign_breaks_no_law_wherever_it_is_damaged() {
        let key = SigningKey::generate().unwrap();
        let proof = dpop_proof(&key, "GET", "http://a/x", 7, "1", Some("token")).unwrap();
        assert!(Unverified::read(&proof).unwrap().embedded.is_some());
        for at in 0..proof.len() {
            fuzz(&proof.as_bytes()[..at]);
            let mut flipped = proof.clone().into_bytes();
            flipped[at] ^= 1;
            fuzz(&flipped);
        }
        fuzz(proof.as_bytes());
    }
}
