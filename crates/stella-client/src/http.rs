//! Calls over HTTP.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Call, ClientError, Reply};

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE_CALL: Duration = Duration::from_secs(120);

/// Whether a text is an http or https URL without a path: where a server is. What stands before an
/// `@` would be a secret.
#[must_use]
pub fn is_server_url(text: &str) -> bool {
    let url = text.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']))
}

/// A connection to one server, without identity.
#[derive(Clone, Debug)]
pub struct HttpClient {
    server: String,
    inner: reqwest::Client,
}

impl HttpClient {
    /// A client of the server at a URL such as `http://127.0.0.1:7070`.
    ///
    /// # Errors
    /// The TLS backend cannot be set up.
    pub fn new(server: &str) -> Result<Self, ClientError> {
        let server = server.trim_end_matches('/').to_owned();
        #[allow(clippy::disallowed_methods)] // the one place that makes an outbound client
        let builder = reqwest::Client::builder();
        let inner = builder
            .connect_timeout(CONNECT)
            .timeout(WHOLE_CALL)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| unreachable(&server, &error))?;
        Ok(Self { server, inner })
    }

    /// The server's URL, without a slash at the end.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Sends a call as it is.
    ///
    /// # Errors
    /// No server answers.
    pub async fn send(&self, mut call: Call) -> Result<Reply, ClientError> {
        join_trace(&mut call.headers);
        let url = format!("{}{}", self.server, call.path);
        let request = self
            .inner
            .request(call.method, url)
            .headers(call.headers)
            .body(call.body);
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(&self.server, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| unreachable(&self.server, &error))?;
        Ok(Reply {
            path: call.path,
            status,
            headers,
            body,
        })
    }
}

/// What is asked within a request belongs to its trace (W3C trace context).
fn join_trace(headers: &mut HeaderMap) {
    let Some((parent, state)) = stella_telemetry::outgoing() else {
        return;
    };
    for (name, value) in [("traceparent", Some(parent)), ("tracestate", state)] {
        let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
        headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
}

/// The innermost cause says what happened; the outer ones only where.
fn unreachable(server: &str, error: &reqwest::Error) -> ClientError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    ClientError::Unreachable {
        server: server.to_owned(),
        reason: cause.to_string(),
    }
}
