//! The token endpoint: `client_credentials` with `private_key_jwt` and DPoP.

use std::collections::BTreeSet;

use serde::Deserialize;
use stella_api::authority::TokenAnswer;
use stella_api::scope::Role;
use stella_api::{Scope, TenantId};
use stella_context::{Clock, IdSource, SystemContext};
use stella_signing::{Claims, Confirmation, Unverified, sign_jwt, verify_jwt};
use stella_storage::StoreError;

use crate::{Authority, AuthorityError, store};

const LIFETIME: u32 = 120;
const SKEW: i64 = 30;
/// An assertion may not claim to live longer than this, so that its id need not be kept longer.
const ASSERTION_LIFETIME: i64 = 300;
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form of a token request (page 04).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct TokenRequest {
    pub(crate) grant_type: Option<String>,
    client_assertion_type: Option<String>,
    client_assertion: Option<String>,
    scope: Option<String>,
    tenant: Option<String>,
    resource: Option<String>,
}

/// Why no token is given: the code of RFC 6749 and what to tell.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An answer of the OAuth kind.
    OAuth(&'static str, String),
    /// Authority itself failed.
    Failed(AuthorityError),
}

impl<E: Into<AuthorityError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn refuse(error: &'static str, description: impl ToString) -> Refusal {
    Refusal::OAuth(error, description.to_string())
}

/// The audience of an assertion: one text or several.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Clone, Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    jti: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

impl Authority {
    /// Answers a token request whose DPoP proof was checked to be of the key `jkt`.
    pub(crate) async fn mint(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
        jkt: String,
    ) -> Result<TokenAnswer, Refusal> {
        match request.grant_type.as_deref() {
            Some("client_credentials") => {}
            Some(other) => {
                return Err(refuse(
                    "unsupported_grant_type",
                    format!("not `{other}`: client_credentials"),
                ));
            }
            None => return Err(refuse("invalid_request", "grant_type is missing")),
        }
        if request.resource.is_some() {
            return Err(refuse(
                "invalid_target",
                "tokens for single services are not given yet",
            ));
        }
        let client = self.authenticate(system, request).await?;
        let roles = store::client_roles(system, &self.db, &client).await?;
        let (tenant, allowed) = choose_tenant(&roles, request.tenant.as_deref())?;
        let roles: BTreeSet<Role> = roles
            .iter()
            .filter(|(of, _)| *of == tenant.as_str())
            .filter_map(|(_, role)| role.parse().ok())
            .collect();
        let scopes = grant(request.scope.as_deref(), &roles)?;
        let granted = Granted {
            client,
            tenant,
            allowed,
            roles,
            scopes,
        };
        Ok(self.sign(granted, jkt)?)
    }

    async fn authenticate(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
    ) -> Result<String, Refusal> {
        let bad = |what: &str| refuse("invalid_client", what);
        if request.client_assertion_type.as_deref() != Some(JWT_BEARER) {
            return Err(bad("client_assertion_type must be that of private_key_jwt"));
        }
        let token = request.client_assertion.as_deref();
        let token = token.ok_or_else(|| bad("client_assertion is missing"))?;
        let header = Unverified::read(token).map_err(|_| bad("the assertion is no EdDSA JWT"))?;
        let kid = header.kid.ok_or_else(|| bad("the assertion has no kid"))?;
        let claimed = claimed_client(token).ok_or_else(|| bad("the assertion has no sub"))?;
        // An unknown client and a wrong key are told alike.
        let unknown = || bad("no such client, or not its key");
        // Nobody is named so, and no database need be asked: PostgreSQL's texts hold no U+0000.
        let named = |name: &str| name.len() <= 256 && !name.contains(char::is_control);
        if !named(&claimed) || !named(&kid) {
            return Err(unknown());
        }
        let x = store::client_key(system, &self.db, &claimed, &kid)
            .await?
            .ok_or_else(unknown)?;
        let assertion: Assertion = verify_jwt(token, &x).map_err(|_| unknown())?;
        self.accept(&assertion).map_err(bad)?;
        Ok(assertion.sub)
    }

    fn accept(&self, assertion: &Assertion) -> Result<(), &'static str> {
        let now = Clock::System.now().as_second();
        if assertion.iss != assertion.sub {
            return Err("the assertion's iss and sub differ");
        }
        let issuer = self.sentinel.issuer();
        let ours = |aud: &str| {
            let aud = aud.trim_end_matches('/');
            aud == issuer || aud.strip_suffix("/oauth/token") == Some(issuer)
        };
        let for_us = match &assertion.aud {
            Audience::One(aud) => ours(aud),
            Audience::Several(all) => all.iter().any(|aud| ours(aud)),
        };
        if !for_us {
            return Err("the assertion's aud is not this issuer");
        }
        if now > assertion.exp + SKEW {
            return Err("the assertion has expired");
        }
        if assertion.exp > now + ASSERTION_LIFETIME + SKEW {
            return Err("the assertion lives too long: at most 300 seconds");
        }
        if assertion.nbf.is_some_and(|nbf| now < nbf - SKEW) {
            return Err("the assertion is not valid yet");
        }
        if assertion.jti.is_empty() || assertion.jti.len() > 128 {
            return Err("the assertion's jti is empty or too long");
        }
        let id = format!("{} {}", assertion.sub, assertion.jti);
        self.assertions.take(id, assertion.exp + SKEW, now)
    }

    fn sign(&self, granted: Granted, jkt: String) -> Result<TokenAnswer, AuthorityError> {
        let now = Clock::System.now().as_second();
        let mut roles: Vec<String> = granted
            .roles
            .iter()
            .map(|role| role.as_str().to_owned())
            .collect();
        roles.sort();
        let scope: Vec<&str> = granted.scopes.iter().map(|scope| scope.as_str()).collect();
        let scope = scope.join(" ");
        let claims = Claims {
            iss: self.sentinel.issuer().to_owned(),
            sub: granted.client.clone(),
            aud: "stella".to_owned(),
            exp: now + i64::from(LIFETIME),
            nbf: now,
            iat: now,
            jti: IdSource.next(&Clock::System).to_string(),
            client_id: granted.client,
            scope: scope.clone(),
            tid: Some(granted.tenant.to_string()),
            stellaops_tenant: Some(granted.tenant.to_string()),
            allowed_tenants: granted.allowed,
            roles,
            cnf: Some(Confirmation { jkt }),
        };
        let access_token = sign_jwt(&self.key, "at+jwt", &claims)?;
        Ok(TokenAnswer {
            access_token,
            token_type: "DPoP".to_owned(),
            expires_in: LIFETIME,
            scope,
        })
    }
}

struct Granted {
    client: String,
    tenant: TenantId,
    allowed: Vec<String>,
    roles: BTreeSet<Role>,
    scopes: BTreeSet<Scope>,
}

/// Only says whose key to look up; everything is read again from the verified token.
fn claimed_client(token: &str) -> Option<String> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1)?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    Some(claims.get("sub")?.as_str()?.to_owned())
}

/// Explicit (must be assigned), else the only one.
fn choose_tenant(
    roles: &[(String, String)],
    asked: Option<&str>,
) -> Result<(TenantId, Vec<String>), Refusal> {
    let tenants: BTreeSet<&String> = roles.iter().map(|(tenant, _)| tenant).collect();
    let allowed: Vec<String> = tenants.iter().map(|tenant| (*tenant).clone()).collect();
    let chosen = match (asked, allowed.as_slice()) {
        (Some(asked), _) => allowed
            .iter()
            .find(|tenant| *tenant == asked)
            .ok_or_else(|| {
                refuse(
                    "invalid_request",
                    format!("the client has no role in tenant `{asked}`"),
                )
            })?,
        (None, [only]) => only,
        (None, []) => {
            return Err(refuse(
                "unauthorized_client",
                "the client has no role anywhere",
            ));
        }
        (None, _) => {
            let text = "TENANT_AMBIGUOUS: the client has several tenants; say `tenant=`";
            return Err(refuse("invalid_request", text));
        }
    };
    let tenant = chosen.parse().map_err(|_| {
        let reason = format!("`{chosen}` is no tenant id");
        StoreError::unreadable("client role", reason)
    })?;
    Ok((tenant, allowed))
}

/// The scopes asked for, if the roles hold every one and their conditions are kept.
fn grant(asked: Option<&str>, roles: &BTreeSet<Role>) -> Result<BTreeSet<Scope>, Refusal> {
    let bad = |what: String| refuse("invalid_scope", what);
    let mut scopes = BTreeSet::new();
    for text in asked
        .unwrap_or_default()
        .split(' ')
        .filter(|text| !text.is_empty())
    {
        let scope: Scope = text.parse().map_err(|error| bad(format!("{error}")))?;
        if !roles.iter().any(|role| role.scopes().contains(&scope)) {
            return Err(bad(format!("the client's roles do not hold {scope}")));
        }
        scopes.insert(scope);
    }
    if scopes.is_empty() {
        return Err(bad("say which scopes".to_owned()));
    }
    for scope in &scopes {
        if let Some(other) = scope.paired_with().filter(|other| !scopes.contains(other)) {
            return Err(bad(format!("{scope} is given only together with {other}")));
        }
        if let Some(other) = scopes.iter().find(|other| scope.forbidden_with(**other)) {
            return Err(bad(format!("{scope} and {other} are never in one token")));
        }
    }
    Ok(scopes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn error<T>(refused: Result<T, Refusal>) -> &'static str {
        match refused {
            Err(Refusal::OAuth(error, _)) => error,
            _ => "none",
        }
    }

    #[test]
    fn a_tenant_is_named_or_the_only_one() {
        let pair = |tenant: &str| (tenant.to_owned(), "analyst".to_owned());
        let two = [pair("a"), pair("b")];
        assert_eq!(choose_tenant(&two, Some("b")).unwrap().0.as_str(), "b");
        assert_eq!(error(choose_tenant(&two, None)), "invalid_request");
        assert_eq!(error(choose_tenant(&two, Some("c"))), "invalid_request");
        assert_eq!(choose_tenant(&two[..1], None).unwrap().0.as_str(), "a");
        assert_eq!(error(choose_tenant(&[], None)), "unauthorized_client");
    }

    #[test]
    fn scopes_come_from_roles_and_keep_their_conditions() {
        let analyst = BTreeSet::from([Role::Analyst]);
        assert_eq!(
            grant(Some("risk:read  findings:read"), &analyst)
                .unwrap()
                .len(),
            2
        );
        for refused in ["", "advisory:read", "sbom:ingest", "Risk:read", "nonsense"] {
            assert_eq!(
                error(grant(Some(refused), &analyst)),
                "invalid_scope",
                "{refused}"
            );
        }
        assert!(grant(Some("advisory:read aoc:verify"), &analyst).is_ok());
    }
}
