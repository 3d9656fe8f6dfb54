//! The token check: it needs the public keys and nothing else, so it touches no database.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use stella_api::{Code, Scope, TenantId};
use stella_client::{InProcess, Principal};
use stella_context::{Actor, Clock};
use stella_locale::Labels;
use stella_signing::{Claims, Unverified, verify_jwt};

use crate::dpop::{Proofs, Request};
use crate::headers::{single, sole};
use crate::{Failure, KeySource};

/// How far clocks may be apart, in seconds.
const SKEW: i64 = 30;

/// Decides who a request comes from. One for each house.
#[derive(Clone, Debug)]
pub struct Sentinel {
    issuer: Arc<str>,
    keys: KeySource,
    proofs: Arc<Proofs>,
}

impl Sentinel {
    /// The check for tokens of an issuer: the public URL of the installation.
    #[must_use]
    pub fn new(issuer: &str, keys: KeySource) -> Self {
        let issuer = issuer.trim_end_matches('/').into();
        Self {
            issuer,
            keys,
            proofs: Arc::default(),
        }
    }

    /// The issuer, without a slash at the end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Checks a DPoP proof that comes without a token, as at the token endpoint.
    ///
    /// # Errors
    /// The proof is missing, does not fit, or was used before; the text says what.
    pub fn proof(&self, method: &str, path: &str, headers: &HeaderMap) -> Result<String, String> {
        self.check_proof(method, path, headers, None)
            .map_err(|why| Labels::english().text(why))
    }

    /// The caller of a request.
    pub(crate) async fn principal(&self, parts: &Parts) -> Result<Principal, Failure> {
        match parts.extensions.get::<InProcess>() {
            Some(local) => Ok(local.principal().clone()),
            None => self.bearer(parts).await,
        }
    }

    async fn bearer(&self, parts: &Parts) -> Result<Principal, Failure> {
        let token = presented(&parts.headers)?;
        let claims = self.verify(token).await?;
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let jkt = self
            .check_proof(method, path, &parts.headers, Some(token))
            .map_err(|why| refuse(Code::DpopInvalid, "DPoP", why, "invalid_dpop_proof"))?;
        if claims.cnf.as_ref().map(|cnf| cnf.jkt.as_str()) != Some(jkt.as_str()) {
            return Err(invalid("refused-token-bound-otherwise"));
        }
        principal_of(claims)
    }

    async fn verify(&self, token: &str) -> Result<Claims, Failure> {
        let header = Unverified::read(token).map_err(|_| invalid("refused-token-no-jwt"))?;
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(invalid("refused-token-typ"));
        }
        let kid = header.kid.ok_or_else(|| invalid("refused-token-no-kid"))?;
        let key = self
            .keys
            .find(&kid)
            .await?
            .ok_or_else(|| invalid("refused-token-key-unknown"))?;
        let claims: Claims =
            verify_jwt(token, &key.x).map_err(|_| invalid("refused-token-broken"))?;
        let now = Clock::System.now().as_second();
        if *claims.iss != *self.issuer {
            return Err(invalid("refused-token-issuer"));
        }
        if claims.aud != "stella" {
            return Err(invalid("refused-token-audience"));
        }
        if now > claims.exp + SKEW {
            return Err(invalid("refused-token-expired"));
        }
        if now < claims.nbf - SKEW || now < claims.iat - SKEW {
            return Err(invalid("refused-token-early"));
        }
        Ok(claims)
    }

    fn check_proof(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        token: Option<&str>,
    ) -> Result<String, &'static str> {
        let proof = single(headers, "DPoP").ok().flatten();
        let proof = proof.ok_or("refused-proof-count")?;
        let proof = proof.to_str().map_err(|_| "refused-proof-no-text")?;
        let url = format!("{}{path}", self.issuer);
        let now = Clock::System.now().as_second();
        self.proofs.check(
            proof,
            &Request {
                method,
                url: &url,
                token,
                now,
            },
        )
    }
}

fn presented(headers: &HeaderMap) -> Result<&str, Failure> {
    let missing = || Failure::new(Code::TokenMissing).challenged("DPoP algs=\"EdDSA\"".to_owned());
    let value = sole(headers, "Authorization")?.ok_or_else(missing)?;
    let text = value
        .to_str()
        .map_err(|_| invalid("refused-token-no-text"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("DPoP") => Ok(token.trim()),
        _ => Err(invalid("refused-token-scheme")),
    }
}

fn principal_of(claims: Claims) -> Result<Principal, Failure> {
    if claims.tid != claims.stellaops_tenant {
        return Err(invalid("refused-token-tenants-differ"));
    }
    let tenant: Option<TenantId> = match claims.tid.as_deref().map(str::parse) {
        None => None,
        Some(Ok(tenant)) => Some(tenant),
        Some(Err(_)) => return Err(invalid("refused-token-tenant")),
    };
    // A newer Authority may know scopes that this binary does not: they permit nothing here.
    let scopes: BTreeSet<Scope> = claims
        .scope
        .split(' ')
        .filter_map(|scope| scope.parse().ok())
        .collect();
    let actor = Actor {
        client_id: claims.client_id,
        subject: claims.sub,
        roles: claims.roles,
    };
    Ok(Principal {
        tenant,
        actor,
        scopes,
    })
}

/// A tenant header may only repeat the token's tenant.
pub(crate) fn agree_on_tenant(headers: &HeaderMap, principal: &Principal) -> Result<(), Failure> {
    let header = |name| {
        let value = sole(headers, name)?;
        Ok::<_, Failure>(value.map(|value| value.to_str().unwrap_or("?")))
    };
    let (ours, upstreams) = (header("X-Stella-Tenant")?, header("X-StellaOps-Tenant")?);
    if let (Some(a), Some(b)) = (ours, upstreams)
        && a != b
    {
        return Err(Failure::new(Code::TenantHeadersDiffer));
    }
    let token = principal.tenant.as_ref().map(TenantId::as_str);
    match ours.or(upstreams) {
        Some(named) if Some(named) != token => Err(Failure::new(Code::TenantMismatch)),
        _ => Ok(()),
    }
}

fn invalid(why: &str) -> Failure {
    refuse(Code::TokenInvalid, "Authorization", why, "invalid_token")
}

/// `why` is the key of a label, here as in all that leads here.
fn refuse(code: Code, header: &str, why: &str, error: &str) -> Failure {
    let reason = Labels::english().text(why);
    let challenge =
        format!("DPoP algs=\"EdDSA\", error=\"{error}\", error_description=\"{reason}\"");
    Failure::new(code)
        .with("reason", &reason)
        .at(code, format!("header:{header}"), reason)
        .challenged(challenge)
}
