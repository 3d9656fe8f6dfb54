//! The way out to an S3 endpoint: no proxy that nobody configured, no redirect, and every refusal
//! with its status and its S3 code.

use std::error::Error as StdError;
use std::pin::Pin;

use bytes::Bytes;
use object_store::client::{
    HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, Error};

use super::Patience;
use crate::ObjectError;

/// Makes the one client of a store.
#[derive(Debug)]
pub(super) struct Outbound {
    patience: Patience,
}

impl Outbound {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience }
    }
}

/// An answer that asking again does not change.
#[derive(Debug, thiserror::Error)]
#[error("{status} {code}")]
struct Refusal {
    status: u16,
    /// The S3 code, such as `SignatureDoesNotMatch`; empty where there is none.
    code: String,
}

#[derive(Debug)]
struct Service(reqwest::Client);

impl HttpConnector for Outbound {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<object_store::client::HttpClient> {
        #[allow(clippy::disallowed_methods)] // stella-client speaks to stella's own servers
        let builder = reqwest::Client::builder();
        let client = builder
            .connect_timeout(self.patience.connect)
            .read_timeout(self.patience.silence)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Error::Generic {
                store: "S3",
                source: Box::new(error),
            })?;
        Ok(object_store::client::HttpClient::new(Service(client)))
    }
}

/// What `async_trait` makes of the method.
type Call<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Call<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async {
            let response = self.0.call(request).await?;
            if response.status().is_success() {
                return Ok(response);
            }
            let (parts, body) = response.into_parts();
            let (status, code) = (parts.status.as_u16(), code_of(&body.bytes().await?));
            let refusal = Refusal { status, code };
            match refusal.is_understood() {
                // Its body is told nowhere: it may repeat what was signed.
                true => Ok(HttpResponse::from_parts(parts, Bytes::new().into())),
                false => Err(HttpError::new(HttpErrorKind::Unknown, refusal)),
            }
        })
    }
}

impl Refusal {
    /// Whether object_store itself knows what to do: with what is not there, was there first, or
    /// may be there later.
    fn is_understood(&self) -> bool {
        match self.status {
            404 => self.code != "NoSuchBucket",
            304 | 408 | 409 | 412 | 429 => true,
            500.. => !self.is_full() && self.status != 501,
            _ => false,
        }
    }

    fn is_full(&self) -> bool {
        let codes = ["StorageFull", "QuotaExceeded"];
        self.status == 507 || codes.iter().any(|code| self.code.ends_with(code))
    }
}

/// The text of `<Code>`.
fn code_of(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("", |(code, _)| code);
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}

/// What an error of the client means.
pub(super) fn told(at: &str, error: Error) -> ObjectError {
    let at = at.to_owned();
    let Some(refusal) = causes(&error).find_map(|cause| cause.downcast_ref::<Refusal>()) else {
        let reason = reason_of(&error);
        return ObjectError::Unreachable { at, reason };
    };
    let reason = refusal.to_string().trim_end().to_owned();
    match refusal.is_full() {
        true => ObjectError::Full { at, reason },
        false => ObjectError::Refused { at, reason },
    }
}

/// The innermost cause: what is around it repeats the address and counts the tries.
fn reason_of(error: &Error) -> String {
    let innermost = causes(error).last();
    innermost.map(ToString::to_string).unwrap_or_default()
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
