//! The routes of Authority.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stella_api::authority::{
    JwksAnswer, OAuthError, ServerMetadata, TenantSettings, TokenAnswer, WhoAmI,
};
use stella_api::scope::{AnyScope, Scope};
use stella_context::{Clock, SystemContext};
use stella_service::headers::{encoding, single};
use stella_service::{
    Answer, Answers, Authorized, Fail, IntoFailure as _, Public, Routes, Tagged, Whole, failures,
    route,
};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema};

use crate::Authority;
use crate::token::{Refusal, TokenRequest, refuse};

type Domain = State<Arc<Authority>>;

failures!(Settings: NotFound);

pub(crate) fn routes() -> Routes<Arc<Authority>> {
    let routes = route!(Routes::default(), token);
    let routes = route!(routes, jwks);
    let routes = route!(routes, openid_configuration);
    let routes = route!(routes, authorization_server);
    let routes = route!(routes, whoami);
    route!(routes, settings)
}

/// Gives a short-lived, sender-constrained token to a client that proves its key.
#[utoipa::path(post, path = "/oauth/token", tag = "authority",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"))]
async fn token(
    _: Public,
    State(authority): Domain,
    headers: HeaderMap,
    Whole(body): Whole,
) -> TokenReply {
    let request = read(&headers, &body);
    let grant = request.as_ref().map_or("none", TokenRequest::grant);
    let answer = match request {
        Ok(request) => answer(&authority, &headers, &request).await,
        Err(refusal) => Err(refusal),
    };
    authority.meters.asked(grant, &answer);
    match answer {
        Ok(answer) => TokenReply::Given(answer),
        Err(refusal) => TokenReply::Refused(refusal),
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<TokenRequest, Refusal> {
    let invalid = |text: String| Refusal::OAuth("invalid_request", text);
    let form = single(headers, "Content-Type").map_err(invalid)?;
    if let Some(encoding) = encoding(headers) {
        return Err(refuse(
            "invalid_request",
            "refused-form-encoded",
            &[("encoding", encoding.into())],
        ));
    }
    let form = form.and_then(|value| value.to_str().ok());
    if form.and_then(|text| text.split(';').next()) != Some("application/x-www-form-urlencoded") {
        return Err(refuse("invalid_request", "refused-form", &[]));
    }
    serde_urlencoded::from_bytes(body).map_err(|error| invalid(error.to_string()))
}

async fn answer(
    authority: &Authority,
    headers: &HeaderMap,
    request: &TokenRequest,
) -> Result<TokenAnswer, Refusal> {
    let jkt = authority
        .sentinel
        .proof("POST", "/oauth/token", headers)
        .map_err(|reason| Refusal::OAuth("invalid_dpop_proof", reason))?;
    authority.mint(&system(), request, jkt).await
}

/// The public keys that tokens are checked with.
#[utoipa::path(get, path = "/oauth/jwks", tag = "authority")]
async fn jwks(_: Public, State(authority): Domain) -> Result<Answer<JwksAnswer>, Fail<()>> {
    Ok(Answer(authority.jwks(&system()).await?))
}

/// OpenID Connect discovery, as far as it exists: no sign-in of people yet.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "authority")]
async fn openid_configuration(
    _: Public,
    State(authority): Domain,
) -> Result<Answer<ServerMetadata>, Fail<()>> {
    Ok(Answer(metadata(authority.sentinel.issuer())))
}

/// Authorization server metadata (RFC 8414).
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "authority"
)]
async fn authorization_server(
    _: Public,
    State(authority): Domain,
) -> Result<Answer<ServerMetadata>, Fail<()>> {
    Ok(Answer(metadata(authority.sentinel.issuer())))
}

/// Tells whom the token speaks for.
#[utoipa::path(get, path = "/api/v1/authority/whoami", tag = "authority")]
async fn whoami(op: Authorized<AnyScope>) -> Result<Answer<WhoAmI>, Fail<()>> {
    Ok(Answer(WhoAmI {
        tenant: op.tenant().to_string(),
        subject: op.actor().subject.clone(),
        client_id: op.actor().client_id.clone(),
        roles: op.actor().roles.clone(),
        scopes: op
            .scopes()
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
    }))
}

/// The settings of the token's tenant, which every service reads.
#[utoipa::path(get, path = "/api/v1/authority/settings", tag = "authority")]
async fn settings(
    op: Authorized<AnyScope>,
    State(authority): Domain,
) -> Result<Tagged<TenantSettings>, Fail<Settings>> {
    Ok(Tagged(authority.settings(&op).await?))
}

fn system() -> SystemContext {
    SystemContext::new("token endpoint", Clock::System)
}

fn metadata(issuer: &str) -> ServerMetadata {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    ServerMetadata {
        issuer: issuer.to_owned(),
        token_endpoint: format!("{issuer}/oauth/token"),
        jwks_uri: format!("{issuer}/oauth/jwks"),
        grant_types_supported: texts(&["client_credentials"]),
        token_endpoint_auth_methods_supported: texts(&["private_key_jwt"]),
        token_endpoint_auth_signing_alg_values_supported: texts(&["EdDSA"]),
        dpop_signing_alg_values_supported: texts(&["EdDSA"]),
        response_types_supported: vec![],
        scopes_supported: Scope::ALL
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
    }
}

/// The answer of the token endpoint in the form of RFC 6749.
#[derive(Debug)]
enum TokenReply {
    Given(TokenAnswer),
    Refused(Refusal),
}

impl IntoResponse for TokenReply {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Given(answer) => axum::Json(answer).into_response(),
            Self::Refused(Refusal::OAuth(error, error_description)) => {
                let status = match error {
                    "invalid_client" => StatusCode::UNAUTHORIZED,
                    _ => StatusCode::BAD_REQUEST,
                };
                let body = OAuthError {
                    error: error.to_owned(),
                    error_description,
                };
                (status, axum::Json(body)).into_response()
            }
            Self::Refused(Refusal::Failed(error)) => error.into_failure().into_response(),
        };
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Answers for TokenReply {
    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
        into.push((TokenAnswer::name().into_owned(), TokenAnswer::schema()));
        into.push((OAuthError::name().into_owned(), OAuthError::schema()));
    }
}

impl IntoResponses for TokenReply {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let answer = |description: &str, schema: &str| {
            let schema = RefOr::Ref(Ref::from_schema_name(schema));
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/json", content)
                .build();
            RefOr::T(response)
        };
        BTreeMap::from([
            ("200".to_owned(), answer("a token", &TokenAnswer::name())),
            (
                "400".to_owned(),
                answer("refused (RFC 6749)", &OAuthError::name()),
            ),
            (
                "401".to_owned(),
                answer("the client is not who it says", &OAuthError::name()),
            ),
        ])
    }
}
