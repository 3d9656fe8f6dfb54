//! DPoP proofs (RFC 9449, section 4.3): one key, one request, once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use stella_canonical::Digest;
use stella_signing::{Unverified, verify_jwt};

use crate::OnceOnly;

/// How far `iat` may lie from now, in seconds.
const WINDOW: i64 = 30;
#[derive(Clone, Deserialize)]
struct Proof {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    #[serde(default)]
    ath: Option<String>,
}

/// The request that a proof must fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The URL without query and fragment.
    pub(crate) url: &'a str,
    /// The access token, where there is one.
    pub(crate) token: Option<&'a str>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// The check of proofs, with those that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    seen: OnceOnly,
}

impl Proofs {
    /// Checks a proof and remembers it. Gives the thumbprint of its key.
    ///
    /// # Errors
    /// What is wrong with it, as the key of a label.
    pub(crate) fn check(&self, proof: &str, request: &Request<'_>) -> Result<String, &'static str> {
        let header = Unverified::read(proof).map_err(|_| "refused-proof-no-jwt")?;
        if header.typ.as_deref() != Some("dpop+jwt") {
            return Err("refused-proof-typ");
        }
        let key = header.embedded.ok_or("refused-proof-no-key")?;
        let claims: Proof = verify_jwt(proof, &key.jwk().x).map_err(|_| "refused-proof-broken")?;
        fits(&claims, request)?;
        let jkt = key.keyid().to_owned();
        let ends = claims.iat + WINDOW;
        self.seen
            .take(format!("{jkt} {}", claims.jti), ends, request.now)?;
        Ok(jkt)
    }
}

fn fits(claims: &Proof, request: &Request<'_>) -> Result<(), &'static str> {
    if claims.jti.is_empty() || claims.jti.len() > 128 {
        return Err("refused-proof-jti");
    }
    if claims.htm != request.method {
        return Err("refused-proof-method");
    }
    if claims.htu.split(['?', '#']).next() != Some(request.url) {
        return Err("refused-proof-url");
    }
    if claims.iat.abs_diff(request.now) > WINDOW.unsigned_abs() {
        return Err("refused-proof-time");
    }
    let ath = request
        .token
        .map(|token| URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).as_bytes()));
    if ath.is_some() && claims.ath != ath {
        return Err("refused-proof-token");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stella_signing::{SigningKey, dpop_proof};

    use super::{Proofs, Request};

    const NOW: i64 = 1_800_000_000;

    fn request<'a>(url: &'a str, token: Option<&'a str>) -> Request<'a> {
        Request {
            method: "GET",
            url,
            token,
            now: NOW,
        }
    }

    #[test]
    fn a_proof_serves_its_own_request_once() {
        let key = SigningKey::generate().unwrap();
        let proof = |at| dpop_proof(&key, "GET", "http://a/x", at, "1", Some("token")).unwrap();
        let fresh = || Proofs::default();
        let asked = request("http://a/x", Some("token"));
        let once = fresh();
        assert_eq!(once.check(&proof(NOW), &asked).unwrap(), key.kid());
        assert!(once.check(&proof(NOW), &asked).is_err());
        assert!(
            fresh()
                .check(&proof(NOW), &request("http://a/y", Some("token")))
                .is_err()
        );
        assert!(
            fresh()
                .check(&proof(NOW), &request("http://a/x", Some("other")))
                .is_err()
        );
        assert!(fresh().check(&proof(NOW - 31), &asked).is_err());
        assert!(fresh().check(&proof(NOW + 31), &asked).is_err());
        assert!(fresh().check(&proof(NOW - 30), &asked).is_ok());
        let posted = Request {
            method: "POST",
            ..asked
        };
        assert!(fresh().check(&proof(NOW), &posted).is_err());
    }

    #[test]
    fn a_cut_or_foreign_proof_is_refused() {
        let key = SigningKey::generate().unwrap();
        let proof = dpop_proof(&key, "GET", "http://a/x", NOW, "1", None).unwrap();
        let asked = request("http://a/x", None);
        for end in [0, 1, proof.len() / 2, proof.len() - 1] {
            assert!(Proofs::default().check(&proof[..end], &asked).is_err());
        }
        assert!(Proofs::default().check(&proof, &asked).is_ok());
    }
}
