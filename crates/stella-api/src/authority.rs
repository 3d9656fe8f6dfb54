//! Wire types of Authority.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of `POST /oauth/token` (RFC 6749, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenAnswer {
    /// The OpTok: a JWT access token per RFC 9068.
    pub access_token: String,
    /// Always `DPoP`.
    pub token_type: String,
    /// The seconds it is valid.
    pub expires_in: u32,
    /// The scopes that were granted, separated by spaces.
    pub scope: String,
}

/// An error of the OAuth endpoints (RFC 6749, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OAuthError {
    /// The code that the RFC names.
    pub error: String,
    /// What is wrong, for people.
    pub error_description: String,
}

/// A JWK set with Authority's public keys (RFC 7517).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JwksAnswer {
    /// The keys, newest first.
    pub keys: Vec<PublicJwk>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicJwk {
    /// `OKP`, or `EC`.
    pub kty: String,
    /// `Ed25519`, or `P-256`.
    pub crv: String,
    /// The public key, or of a point on P-256 its x, base64url without padding.
    pub x: String,
    /// Of a point on P-256 its y, base64url without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// `EdDSA`, or `ES256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// The RFC 7638 thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// Authorization server metadata (RFC 8414), and the same for OpenID Connect discovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerMetadata {
    /// The issuer: the public URL of this installation.
    pub issuer: String,
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// The grants that work now.
    pub grant_types_supported: Vec<String>,
    /// How clients prove who they are.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of client assertions.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Algorithms of DPoP proofs (RFC 9449).
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Response types: none, until the authorization endpoint is there.
    pub response_types_supported: Vec<String>,
    /// Every scope.
    pub scopes_supported: Vec<String>,
}

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// The tenant.
    pub tenant: String,
    /// The subject: a person, or the client itself.
    pub subject: String,
    /// The client that asked for the token.
    pub client_id: String,
    /// The roles, sorted.
    pub roles: Vec<String>,
    /// The scopes of this token, in the order of the table.
    pub scopes: Vec<String>,
}

/// The settings of a tenant that every service reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSettings {
    /// The publishers whose VEX statements move a score, sorted; empty by default.
    #[serde(default)]
    pub trusted_vex_publishers: Vec<String>,
}
