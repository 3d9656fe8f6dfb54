//! Calls over HTTP.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

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

/// Whether the server at a URL is on this machine.
#[must_use]
pub fn is_local_server(url: &str) -> bool {
    let url: Option<Uri> = url.parse().ok();
    let is_local = |host: &str| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    url.as_ref().and_then(Uri::host).is_some_and(is_local)
}

/// A connection to one server, without identity.
#[derive(Clone, Debug)]
pub struct HttpClient {
    server: String,
    /// How long a whole call may take.
    limit: Duration,
    inner: reqwest::Client,
}

impl HttpClient {
    /// A client of the server at a URL such as `http://127.0.0.1:7070`.
    ///
    /// # Errors
    /// The TLS backend cannot be set up.
    pub fn new(server: &str) -> Result<Self, ClientError> {
        Self::within(server, WHOLE_CALL)
    }

    fn within(server: &str, limit: Duration) -> Result<Self, ClientError> {
        let server = server.trim_end_matches('/').to_owned();
        #[allow(clippy::disallowed_methods)] // the one place that makes an outbound client
        let builder = reqwest::Client::builder();
        let inner = builder
            .connect_timeout(CONNECT)
            .timeout(limit)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| unreachable(&server, &error))?;
        Ok(Self {
            server,
            limit,
            inner,
        })
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
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(Reply {
            path: call.path,
            status,
            headers,
            body,
        })
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        let server = self.server.clone();
        if let Some(reason) = untrusted(error) {
            return ClientError::CertificateUntrusted { server, reason };
        }
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => ClientError::Unreachable {
                server,
                reason: format!("no connection within {} seconds", CONNECT.as_secs()),
            },
            (true, false) => ClientError::TimedOut {
                server,
                seconds: self.limit.as_secs(),
            },
            _ => unreachable(&server, error),
        }
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

/// Why a certificate is not trusted, where that is what failed. What an I/O error wraps is no
/// source of it.
fn untrusted(error: &(dyn Error + 'static)) -> Option<String> {
    use rustls::CertificateError as Why;
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = cause.downcast_ref() {
            return Some(match why {
                Why::UnknownIssuer | Why::BadSignature => {
                    "nobody who is trusted here signed it".to_owned()
                }
                Why::Expired | Why::ExpiredContext { .. } => "it has expired".to_owned(),
                Why::NotValidYet | Why::NotValidYetContext { .. } => {
                    "it is not valid yet".to_owned()
                }
                Why::NotValidForName | Why::NotValidForNameContext { .. } => {
                    "it is that of another host".to_owned()
                }
                other => other.to_string(),
            });
        }
        let wrapped = cause.downcast_ref::<std::io::Error>();
        next = match wrapped.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// The innermost cause says what happened; the outer ones only where.
fn unreachable(server: &str, error: &reqwest::Error) -> ClientError {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    ClientError::Unreachable {
        server: server.to_owned(),
        reason: cause.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_local_by_its_host() {
        for local in [
            "http://127.0.0.1:7070",
            "http://localhost",
            "https://[::1]:7070/",
        ] {
            assert!(is_local_server(local), "{local}");
        }
        for elsewhere in [
            "https://stella.example",
            "http://10.0.0.1:7070",
            "http://localhost.example",
            "",
        ] {
            assert!(!is_local_server(elsewhere), "{elsewhere}");
        }
    }

    #[tokio::test]
    async fn who_answers_too_late_is_told_with_how_long_was_waited() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let http = HttpClient::within(&url, Duration::from_secs(1)).unwrap();
        let told = http.send(Call::get("/")).await.unwrap_err();
        assert!(
            matches!(told, ClientError::TimedOut { seconds: 1, ref server } if *server == url),
            "{told}"
        );
        drop(silent);
        let told = http.send(Call::get("/")).await.unwrap_err();
        assert!(matches!(told, ClientError::Unreachable { .. }), "{told}");
    }
}
