//! The token endpoint: `client_credentials` with `private_key_jwt` and DPoP.

use std::collections::BTreeSet;

use serde::Deserialize;
use stella_api::audit::AuditOutcome;
use stella_api::authority::TokenAnswer;
use stella_api::scope::Role;
use stella_api::{Scope, TenantId};
use stella_context::{Clock, IdSource, SystemContext};
use stella_locale::{Labels, Value};
use stella_service::Act;
use stella_signing::{Claims, Confirmation, Unverified, sign_jwt, verify_jwt};
use stella_storage::StoreError;
use utoipa::ToSchema;

use crate::{Authority, AuthorityError, store};

const LIFETIME: u32 = 120;
const SKEW: i64 = 30;
/// After so many seconds no service takes a token any more that was given before: it asks nobody
/// whether the client's key still counts.
pub const TOKENS_END_WITHIN: u32 = LIFETIME + SKEW as u32;
/// An assertion may not claim to live longer than this, so that its id need not be kept longer.
const ASSERTION_LIFETIME: i64 = 300;
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form of a token request (page 04); other fields are passed over.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct TokenRequest {
    /// `client_credentials`.
    #[schema(required = true, nullable = false)]
    pub(crate) grant_type: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(required = true, nullable = false)]
    client_assertion_type: Option<String>,
    /// The signed JWT by which the client proves its key (RFC 7523).
    #[schema(required = true, nullable = false)]
    client_assertion: Option<String>,
    /// The scopes that are asked for, at least one, separated by spaces.
    #[schema(required = true, nullable = false)]
    scope: Option<String>,
    /// The tenant, where the client may act in several.
    #[schema(nullable = false)]
    tenant: Option<String>,
    /// The one service that the token is for (RFC 8707). None is given yet: every value is refused
    /// as `invalid_target`, and a token without it is for all services.
    #[schema(nullable = false)]
    resource: Option<String>,
}

impl TokenRequest {
    /// The grant type, where it is one that there is.
    pub(crate) fn grant(&self) -> &'static str {
        match self.grant_type.as_deref() {
            Some("client_credentials") => "client_credentials",
            Some(_) => "other",
            None => "none",
        }
    }
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

/// A refusal in the words of a label.
pub(crate) fn refuse(error: &'static str, label: &str, values: &[(&str, Value<'_>)]) -> Refusal {
    Refusal::OAuth(error, Labels::english().format(label, values))
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
    /// Answers a token request whose DPoP proof was checked to be of the key `jkt`. What is refused
    /// to a client that there is, is recorded.
    pub(crate) async fn mint(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
        jkt: String,
    ) -> Result<TokenAnswer, Refusal> {
        let answer = self.answer(system, request, jkt).await;
        if let Err(Refusal::OAuth(error, _)) = &answer {
            self.note_refused(system, request, error).await?;
        }
        answer
    }

    /// In the log of the tenant that was asked for, where the client has a role in it, and else of
    /// the first in which it has one. Who asked is not known: anybody can name a client.
    async fn note_refused(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
        error: &str,
    ) -> Result<(), AuthorityError> {
        let assertion = request.client_assertion.as_deref();
        let Some(client) = assertion
            .and_then(claimed_client)
            .filter(|name| named(name))
        else {
            return Ok(());
        };
        let roles = store::client_roles(system, &self.db, &client).await?;
        let asked = request.tenant.as_deref();
        let own = roles
            .iter()
            .find(|(tenant, _)| Some(tenant.as_str()) == asked);
        let tenant = own.or(roles.first()).map(|(tenant, _)| tenant.parse());
        if let Some(Ok(tenant)) = tenant {
            let act = Act::done("authority.token.refused", client);
            let act = act.ended(AuditOutcome::Failure, error);
            self.logs.audit_refused_by(system, &tenant, act).await;
        }
        Ok(())
    }

    async fn answer(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
        jkt: String,
    ) -> Result<TokenAnswer, Refusal> {
        match request.grant_type.as_deref() {
            Some("client_credentials") => {}
            Some(other) => {
                let values = [("found", other.into())];
                return Err(refuse(
                    "unsupported_grant_type",
                    "refused-grant-type",
                    &values,
                ));
            }
            None => {
                let label = "refused-grant-type-missing";
                return Err(refuse("invalid_request", label, &[]));
            }
        }
        if request.resource.is_some() {
            return Err(refuse("invalid_target", "refused-resource", &[]));
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
        Ok(self.sign(system, granted, jkt).await?)
    }

    async fn authenticate(
        &self,
        system: &SystemContext,
        request: &TokenRequest,
    ) -> Result<String, Refusal> {
        let bad = |label: &str| refuse("invalid_client", label, &[]);
        if request.client_assertion_type.as_deref() != Some(JWT_BEARER) {
            return Err(bad("refused-assertion-type"));
        }
        let token = request.client_assertion.as_deref();
        let token = token.ok_or_else(|| bad("refused-assertion-missing"))?;
        let header = Unverified::read(token).map_err(|_| bad("refused-assertion-no-jwt"))?;
        let kid = header.kid.ok_or_else(|| bad("refused-assertion-no-kid"))?;
        let claimed = claimed_client(token).ok_or_else(|| bad("refused-assertion-no-sub"))?;
        // An unknown client and a wrong key are told alike.
        let unknown = || bad("refused-client-unknown");
        if !named(&claimed) || !named(&kid) {
            return Err(unknown());
        }
        let x = store::client_key(system, &self.db, &claimed, &kid)
            .await?
            .ok_or_else(unknown)?;
        let assertion: Assertion = verify_jwt(token, &x).map_err(|_| unknown())?;
        let limit = [("limit", ASSERTION_LIFETIME.into())];
        self.accept(&assertion)
            .map_err(|label| refuse("invalid_client", label, &limit))?;
        Ok(assertion.sub)
    }

    /// Refuses with the key of a label.
    fn accept(&self, assertion: &Assertion) -> Result<(), &'static str> {
        let now = Clock::System.now().as_second();
        if assertion.iss != assertion.sub {
            return Err("refused-assertion-issuer");
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
            return Err("refused-assertion-audience");
        }
        // Reckoned from now: what a client says may be any number.
        if now - SKEW > assertion.exp {
            return Err("refused-assertion-expired");
        }
        if assertion.exp > now + ASSERTION_LIFETIME + SKEW {
            return Err("refused-assertion-long");
        }
        if assertion.nbf.is_some_and(|nbf| now + SKEW < nbf) {
            return Err("refused-assertion-early");
        }
        if assertion.jti.is_empty() || assertion.jti.len() > 128 {
            return Err("refused-assertion-jti");
        }
        let id = format!("{} {}", assertion.sub, assertion.jti);
        self.assertions.take(id, assertion.exp + SKEW, now)
    }

    async fn sign(
        &self,
        system: &SystemContext,
        granted: Granted,
        jkt: String,
    ) -> Result<TokenAnswer, AuthorityError> {
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
        let access_token = sign_jwt(&self.keys.active(system).await?, "at+jwt", &claims)?;
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

/// Whether somebody may be named so; of others no database need be asked: PostgreSQL's texts hold no
/// U+0000.
fn named(name: &str) -> bool {
    name.len() <= 256 && !name.contains(char::is_control)
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
                let values = [("tenant", asked.into())];
                refuse("invalid_request", "refused-client-no-role-in", &values)
            })?,
        (None, [only]) => only,
        (None, []) => {
            return Err(refuse("unauthorized_client", "refused-client-no-role", &[]));
        }
        (None, _) => {
            return Err(refuse("invalid_request", "refused-client-tenants", &[]));
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
    let bad = |label: &str, scope: &str, other: &str| {
        let values = [("scope", scope.into()), ("other", other.into())];
        refuse("invalid_scope", label, &values)
    };
    let mut scopes = BTreeSet::new();
    for text in asked
        .unwrap_or_default()
        .split(' ')
        .filter(|text| !text.is_empty())
    {
        let scope: Scope = text
            .parse()
            .map_err(|_| bad("refused-scope-unknown", text, ""))?;
        if !roles.iter().any(|role| role.scopes().contains(&scope)) {
            return Err(bad("refused-scope-not-held", text, ""));
        }
        scopes.insert(scope);
    }
    if scopes.is_empty() {
        return Err(bad("refused-scope-missing", "", ""));
    }
    for scope in &scopes {
        if let Some(other) = scope.paired_with().filter(|other| !scopes.contains(other)) {
            return Err(bad("refused-scope-alone", scope.as_str(), other.as_str()));
        }
        if let Some(other) = scopes.iter().find(|other| scope.forbidden_with(**other)) {
            return Err(bad("refused-scope-beside", scope.as_str(), other.as_str()));
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
