//! A client with an identity: mints its own sender-constrained tokens.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use stella_api::Scope;
use stella_api::authority::{OAuthError, TokenAnswer};
use stella_context::{Clock, IdSource};
use stella_signing::{SigningKey, dpop_proof, sign_jwt};
use tokio::sync::Mutex;

use crate::{Call, Client, ClientError, HttpClient, Reply};

const DPOP: HeaderName = HeaderName::from_static("dpop");
/// A token is renewed when it has less than this many seconds left.
const RENEW_BEFORE: i64 = 15;
const ASSERTION_SECONDS: i64 = 60;

/// Who a client is: it proves so by its key (`private_key_jwt`, RFC 7523).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The tenant to ask for; without it Authority decides by the client's assignment.
    pub tenant: Option<String>,
    /// The client's registered key.
    pub key: SigningKey,
}

/// A session of one client with one server: a DPoP key made for it, and the token it holds.
#[derive(Debug)]
pub struct Session {
    http: HttpClient,
    credentials: Credentials,
    scopes: BTreeSet<Scope>,
    dpop: SigningKey,
    token: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
struct Token {
    value: String,
    /// When it was asked for, by the clock of then.
    asked: i64,
    ends: i64,
}

impl Session {
    /// A session that will ask for just these scopes. Nothing is sent before the first call.
    ///
    /// # Errors
    /// No DPoP key can be made.
    pub fn open(
        http: HttpClient,
        credentials: Credentials,
        scopes: &[Scope],
    ) -> Result<Client, ClientError> {
        let session = Self {
            http,
            credentials,
            scopes: scopes.iter().copied().collect(),
            dpop: SigningKey::generate()?,
            token: Mutex::new(None),
        };
        Ok(Client::Http(std::sync::Arc::new(session)))
    }

    pub(crate) async fn send(&self, mut call: Call) -> Result<Reply, ClientError> {
        let token = self.token().await?;
        let url = format!("{}{}", self.http.server(), call.path_only());
        let proof = self.proof(call.method.as_str(), &url, Some(&token.value))?;
        let bearer = format!("DPoP {}", token.value);
        call.headers
            .insert(header::AUTHORIZATION, header_value(&bearer)?);
        call.headers.insert(DPOP, header_value(&proof)?);
        self.http.send(call).await
    }

    async fn token(&self) -> Result<Token, ClientError> {
        let mut held = self.token.lock().await;
        let now = Clock::System.now().as_second();
        if let Some(token) = held
            .as_ref()
            // Asked for later than now: the clock was put back, and it is not valid yet.
            .filter(|token| token.asked <= now && token.ends - now > RENEW_BEFORE)
        {
            return Ok(token.clone());
        }
        let token = self.mint(now).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    async fn mint(&self, now: i64) -> Result<Token, ClientError> {
        let path = "/oauth/token";
        let url = format!("{}{path}", self.http.server());
        let scope: Vec<&str> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        let assertion = self.assertion(now)?;
        let mut form = vec![
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
        ];
        let scope = scope.join(" ");
        form.push(("scope", &scope));
        if let Some(tenant) = &self.credentials.tenant {
            form.push(("tenant", tenant));
        }
        let body = serde_urlencoded::to_string(&form)
            .map_err(|error| ClientError::answer(path, &error))?;
        let proof = header_value(&self.proof("POST", &url, None)?)?;
        let call = Call::post(path, "application/x-www-form-urlencoded", body).with(DPOP, proof);
        self.read_token(self.http.send(call).await?, now)
    }

    fn read_token(&self, reply: Reply, now: i64) -> Result<Token, ClientError> {
        if reply.status.is_success() {
            let answer: TokenAnswer = reply.json()?;
            return Ok(Token {
                value: answer.access_token,
                asked: now,
                ends: now + i64::from(answer.expires_in),
            });
        }
        match serde_json::from_slice::<OAuthError>(&reply.body) {
            Ok(refused) => Err(ClientError::TokenRefused {
                server: self.http.server().to_owned(),
                error: refused.error,
                description: refused.error_description,
            }),
            Err(_) => Err(reply.success().err().unwrap_or_else(|| {
                ClientError::answer("/oauth/token", &"neither a token nor an error")
            })),
        }
    }

    fn assertion(&self, now: i64) -> Result<String, ClientError> {
        #[derive(Serialize)]
        struct Assertion<'a> {
            iss: &'a str,
            sub: &'a str,
            aud: &'a str,
            jti: String,
            iat: i64,
            exp: i64,
        }
        let id = &self.credentials.client_id;
        let claims = Assertion {
            iss: id,
            sub: id,
            aud: self.http.server(),
            jti: fresh_id(),
            iat: now,
            exp: now + ASSERTION_SECONDS,
        };
        Ok(sign_jwt(&self.credentials.key, "JWT", &claims)?)
    }

    fn proof(&self, method: &str, url: &str, token: Option<&str>) -> Result<String, ClientError> {
        let now = Clock::System.now().as_second();
        Ok(dpop_proof(
            &self.dpop,
            method,
            url,
            now,
            &fresh_id(),
            token,
        )?)
    }
}

fn fresh_id() -> String {
    IdSource.next(&Clock::System).to_string()
}

fn header_value(text: &str) -> Result<HeaderValue, ClientError> {
    HeaderValue::from_str(text).map_err(|error| ClientError::answer("a header", &error))
}
