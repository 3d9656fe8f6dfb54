//! Bodies.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stella_api::Code;
use stella_locale::Labels;
use tokio::time::timeout;

use crate::gate::Permitted;
use crate::headers::{encoding, sole};
use crate::room::LITTLE;
use crate::{Failure, RequestLimits};

/// So long what was refused for its length is read on.
const LINGER: Duration = Duration::from_secs(10);

/// A JSON object of a known shape: strict JSON, no unknown fields where the type denies them.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        demand_media_type(request.headers(), JSON, is_json)?;
        let bytes = read(request).await?;
        let value = stella_canonical::json::parse(&bytes)
            .map_err(|error| Failure::malformed(&error.pointer, &error))?;
        // Serde would take an array for an object, member by member.
        if !value.is_object() {
            let values = [("kind", kind_of(&value).into())];
            let reason = Labels::english().format("refused-body-no-object", &values);
            return Err(Failure::invalid("", reason));
        }
        let read: Result<T, _> = serde_path_to_error::deserialize(value);
        read.map(Self).map_err(|error| {
            let pointer = pointer_of(error.path());
            Failure::invalid(pointer, error.into_inner())
        })
    }
}

/// A body that is evidence: exactly the bytes that came, with what the headers say of them.
#[derive(Debug)]
pub struct Document {
    /// The bytes.
    pub bytes: Bytes,
    /// The headers of the request.
    pub headers: HeaderMap,
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        demand_media_type(request.headers(), JSON, |media| {
            is_json(media) || OF_EVIDENCE.contains(&media)
        })?;
        let headers = request.headers().clone();
        Ok(Self {
            bytes: read(request).await?,
            headers,
        })
    }
}

/// A body of whatever kind.
#[derive(Debug)]
pub struct Whole(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request).await.map(Self)
    }
}

/// The whole body, within the limit; nothing of one that is declared longer.
pub(crate) async fn read(request: Request) -> Result<Bytes, Failure> {
    let mut limit = RequestLimits::of(request.extensions()).body;
    // Of somebody who is not known yet nothing but a form is read, and it takes no room.
    if request.extensions().get::<Permitted>().is_none() {
        limit = limit.min(LITTLE);
    }
    if let Some(size) = declared(request.headers()).filter(|size| *size > limit) {
        // To read would tell whoever asks by `Expect` to send it.
        if !request.headers().contains_key(header::EXPECT) {
            tokio::spawn(timeout(LINGER, pass_over(request.into_body(), limit)));
        }
        return Err(too_large(limit, Some(size)));
    }
    let mut parts = request.into_body().into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| ended(bytes.len() as u64))?;
        if (bytes.len() + part.len()) as u64 > limit {
            return Err(too_large(limit, None));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

/// Reads so much and keeps nothing: a connection that is closed with something unread is reset, and
/// its client may never see the answer (RFC 9112, section 9.6).
async fn pass_over(body: Body, mut most: u64) {
    let mut parts = body.into_data_stream();
    while let Some(Ok(part)) = parts.next().await {
        match most.checked_sub(part.len() as u64) {
            Some(left) => most = left,
            None => return,
        }
    }
}

/// The connection broke, or what came is no chunked body.
pub(crate) fn ended(size: u64) -> Failure {
    let values = [("size", size.to_string().into())];
    let reason = Labels::english().format("error-body-malformed-ended", &values);
    Failure::malformed("body", reason)
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// The place is the header that says so, else the body: it was not read further.
fn too_large(limit: u64, declared: Option<u64>) -> Failure {
    // As text: a label would group the digits of a number.
    let limit = limit.to_string();
    let of = |key: &str, size: &str| {
        let values = [("limit", limit.as_str().into()), ("size", size.into())];
        Labels::english().format(key, &values)
    };
    let (place, detail) = match declared {
        Some(size) => (
            "header:Content-Length",
            of("error-body-too-large-declared", &size.to_string()),
        ),
        None => ("body", of("error-body-too-large-read", "")),
    };
    Failure::new(Code::BodyTooLarge)
        .with("limit", &limit)
        .at(Code::BodyTooLarge, place, detail)
}

const JSON: &str = "application/json";
/// What else evidence may be written in, or just bytes.
const OF_EVIDENCE: [&str; 4] = [
    "application/gzip",
    "application/octet-stream",
    "application/yaml",
    "text/csv",
];

fn is_json(media: &str) -> bool {
    media == JSON || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Refuses what a route does not take; `usual` is what it is told to send instead.
pub(crate) fn demand_media_type(
    headers: &HeaderMap,
    usual: &str,
    takes: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let refused = |found: &str| unsupported("Content-Type", found, usual);
    let value = sole(headers, "Content-Type")?.ok_or_else(|| refused("none"))?;
    let text = value.to_str().map_err(|_| refused("?"))?;
    if text.trim().is_empty() {
        return Err(refused("none"));
    }
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let utf8 = |part: String| {
        part.strip_prefix("charset=")
            .is_none_or(|set| set.trim_matches('"') == "utf-8")
    };
    if !(takes(&media) && parts.all(utf8)) {
        return Err(refused(text));
    }
    match encoding(headers) {
        Some(encoding) => Err(unsupported("Content-Encoding", encoding, usual)),
        None => Ok(()),
    }
}

fn unsupported(header: &str, found: &str, usual: &str) -> Failure {
    let code = Code::MediaTypeUnsupported;
    Failure::new(code)
        .with("usual", usual)
        .with("found", format!("{header} {found}"))
        .at(code, format!("header:{header}"), found)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                stella_canonical::json::push_token(&mut pointer, &index.to_string());
            }
            Segment::Map { key } => stella_canonical::json::push_token(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use axum::response::IntoResponse as _;
    use stella_api::Problem;

    use super::*;

    type Failed = std::io::Error;

    async fn refused(request: axum::http::request::Builder, body: Body) -> Problem {
        let request = request.header("content-type", "application/json");
        let request = request.body(body).unwrap();
        let failure = Document::from_request(request, &()).await;
        let response = failure.expect_err("it is broken").into_response();
        let body = axum::body::to_bytes(response.into_body(), 64 * 1024).await;
        serde_json::from_slice(&body.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_told_with_where_it_ended() {
        let parts = [Ok("{\"a\":"), Ok(" 1"), Err(std::io::Error::other("gone"))];
        let body = Body::from_stream(futures_util::stream::iter(parts));
        let told = refused(Request::post("/"), body).await;
        assert_eq!(
            (told.code.as_str(), told.errors[0].pointer.as_str()),
            ("BODY_MALFORMED", "body")
        );
        assert_eq!(
            told.errors[0].detail,
            "the body ended after 7 bytes, before its end"
        );
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_told_with_the_place_that_says_so() {
        let limits = RequestLimits {
            body: 1000,
            ..RequestLimits::default()
        };
        let limited = || Request::post("/").extension(limits);
        let undeclared = refused(limited(), Body::from(vec![b' '; 1001])).await;
        assert_eq!(undeclared.code, "BODY_TOO_LARGE");
        assert_eq!(undeclared.errors[0].pointer, "body");
        assert!(undeclared.errors[0].detail.contains("1000 bytes"));
        assert!(undeclared.hint.unwrap().contains("1000 bytes"));

        // Nothing of it ever comes, and nobody waits for it.
        let never = || Body::from_stream(futures_util::stream::pending::<Result<Bytes, Failed>>());
        for declared in [
            limited().header("content-length", "1001"),
            limited()
                .header("content-length", "1001")
                .header("expect", "100-continue"),
        ] {
            let told = refused(declared, never()).await;
            assert_eq!(told.errors[0].pointer, "header:Content-Length");
            assert!(told.errors[0].detail.contains("1001"));
        }
        let fits = limited().header("content-type", "application/json");
        let fits = fits.body(Body::from(vec![b' '; 1000])).unwrap();
        assert_eq!(
            Document::from_request(fits, &()).await.unwrap().bytes.len(),
            1000
        );
    }
}
