//! `Idempotency-Key`: the first answer to a request is kept, and given again to who sends the
//! same request with the same key (ADR 0005).

mod kept;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::SignedDuration;
use stella_api::Code;
use stella_canonical::Digest;
use stella_context::{Clock, OpContext};
use stella_locale::Labels;
use stella_storage::StoreError;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

pub use kept::FirstAnswers;

use crate::extract::read;
use crate::headers::sole;
use crate::{Failure, IntoFailure as _, RequestLimits};
use kept::{Asked, Found, Kept, Reservation};

const KEY: &str = "Idempotency-Key";
const LONGEST: usize = 255;
/// The headers of an answer that are part of what it says.
const TELLING: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
/// Headers of ours that are part of what a request says, such as the envelope of evidence.
const OURS: &str = "stella-";

/// Answers a request; one that was answered before gets that answer.
///
/// # Errors
/// The key is none, or another request's, or its first request is still being answered; or the
/// body cannot be read, or the database is away.
pub(crate) async fn once(
    op: &OpContext,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(key) = key_of(request.headers())? else {
        return Ok(next.run(request).await);
    };
    let answers = request.extensions().get::<FirstAnswers>().cloned();
    let answers = answers
        .ok_or_else(|| Failure::new(Code::Internal).because("the service keeps no answers"))?;
    let limits = RequestLimits::of(request.extensions());
    let (parts, body) = request.into_parts();
    let bytes = read(Request::from_parts(parts.clone(), body)).await?;
    let asked = Asked {
        route: route_of(&parts),
        key,
        request: fingerprint(&parts, &bytes),
        lease: lease(limits.time),
    };
    let lease = asked.lease;
    let now = Clock::System.now();
    let found = answers.reserve(op, asked, now).await;
    match found.map_err(StoreError::into_failure)? {
        Found::Nothing(reservation) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            Ok(settle(*reservation, next.run(request).await).await)
        }
        Found::Answered(kept) => again(kept),
        Found::OtherRequest => Err(Failure::new(Code::IdempotencyConflict)),
        Found::InProgress(since) => {
            let age = now.duration_since(since).as_secs().max(0);
            let left = (lease.as_secs() - age).max(1);
            let failure = Failure::new(Code::IdempotencyInProgress).with("age", age);
            Err(failure.retry_after(u32::try_from(left).unwrap_or(1)))
        }
    }
}

/// After this nobody works on a request any more: the house ended it, or its process died.
/// Clocks of several machines may be apart, so some more.
fn lease(time: Duration) -> SignedDuration {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds.saturating_add(30))
}

/// The header as the OpenAPI document tells it.
pub(crate) fn parameter() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(LONGEST))
        .pattern(Some("^[!-~]+$"))
        .build();
    ParameterBuilder::new()
        .name(KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "for 24 hours the same request with the same key gets the first answer again",
        ))
        .schema(Some(schema))
        .build()
}

pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = sole(headers, KEY)? else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=LONGEST).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    }
    let values = [("most", LONGEST.into())];
    let reason = Labels::english().format("refused-idempotency-key", &values);
    Err(Failure::invalid(format!("header:{KEY}"), reason))
}

fn route_of(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>();
    let path = path.map_or(parts.uri.path(), MatchedPath::as_str);
    format!("{} {path}", parts.method)
}

/// The digest of all that a request says: method, path, query, headers of ours and body.
fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let mut told = format!("{} {target}\n", parts.method).into_bytes();
    // By name, and values of one name in their order: no header holds a line feed.
    let mut ours: Vec<_> = parts.headers.iter().collect();
    ours.retain(|(name, _)| name.as_str().starts_with(OURS));
    ours.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in ours {
        told.extend_from_slice(name.as_str().as_bytes());
        told.push(b':');
        told.extend_from_slice(value.as_bytes());
        told.push(b'\n');
    }
    told.extend_from_slice(Digest::of(body).as_bytes());
    Digest::of(&told).to_string()
}

/// Keeps the answer or lets the key go, and gives the answer. That it cannot be kept is no reason
/// to withhold it: the same request makes it again once the reservation has ended.
async fn settle(reservation: Reservation, response: Response) -> Response {
    if !lasting(&response) {
        // Where this fails, the dropped reservation tries again and again.
        if let Err(error) = reservation.let_go().await {
            tracing::warn!(%error, "letting an idempotency key go");
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    // What a handler answers here is in memory already: streams are not `REPEATABLE`.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let headers = TELLING.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    if let Err(error) = reservation.keep(&kept).await {
        tracing::warn!(%error, "keeping the answer to an idempotency key");
    }
    Response::from_parts(parts, Body::from(body))
}

/// Whether the same request would be answered so again. What fails for now, and what the token
/// does not permit, may be answered otherwise a moment later; what type a body is said to be is no
/// part of what is compared.
fn lasting(response: &Response) -> bool {
    let code = response.extensions().get::<Code>();
    let passing = code.is_some_and(|code| code.retryable());
    let status = response.status();
    let of_headers = [StatusCode::FORBIDDEN, StatusCode::UNSUPPORTED_MEDIA_TYPE].contains(&status);
    !(status.is_server_error() || of_headers || passing)
}

fn again(kept: Kept) -> Result<Response, Failure> {
    let unreadable =
        |reason: String| StoreError::unreadable("a kept answer", reason).into_failure();
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() =
        StatusCode::from_u16(kept.status).map_err(|error| unreadable(error.to_string()))?;
    for (name, value) in &kept.headers {
        let name = HeaderName::try_from(name).map_err(|error| unreadable(error.to_string()))?;
        let value = HeaderValue::from_str(value).map_err(|error| unreadable(error.to_string()))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fingerprint(&parts, body)
    }

    #[test]
    fn a_fingerprint_tells_requests_apart_by_what_they_say() {
        let first = asked("/a?b=c", &[("stella-provenance", "x")], b"{}");
        let same = [
            ("user-agent", "u"),
            ("stella-provenance", "x"),
            ("dpop", "other"),
        ];
        assert_eq!(first, asked("/a?b=c", &same, b"{}"));
        let told = [("stella-provenance", "x")];
        let others = [
            asked("/a?b=d", &told, b"{}"),
            asked("/a", &told, b"{}"),
            asked("/a?b=c", &told, b"{} "),
            asked("/a?b=c", &[("stella-provenance", "y")], b"{}"),
            asked("/a?b=c", &[], b"{}"),
        ];
        for other in &others {
            assert_ne!(&first, other);
        }
    }

    #[test]
    fn a_key_is_visible_ascii_of_a_length() {
        let key = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_bytes(text).unwrap());
            key_of(&headers).map_err(|failure| failure.code())
        };
        assert_eq!(key_of(&HeaderMap::new()).unwrap(), None);
        assert_eq!(key(b"\"8e03978e\"").unwrap().unwrap(), "\"8e03978e\"");
        assert_eq!(key(&[b'~'; LONGEST]).unwrap().unwrap().len(), LONGEST);
        for bad in [
            &[b'a'; LONGEST + 1][..],
            b"",
            b"a b",
            b"a\tb",
            "ä".as_bytes(),
        ] {
            assert_eq!(key(bad).unwrap_err(), Code::RequestInvalid);
        }
        let mut twice = HeaderMap::new();
        twice.append(KEY, HeaderValue::from_static("a"));
        twice.append(KEY, HeaderValue::from_static("a"));
        assert!(key_of(&twice).is_err());
    }

    #[test]
    fn only_an_answer_that_would_come_again_is_kept() {
        use axum::response::IntoResponse as _;
        let of = |code| lasting(&Failure::new(code).into_response());
        for code in [Code::NotFound, Code::Aoc009, Code::BodyMalformed] {
            assert!(of(code), "{code}");
        }
        for code in [
            Code::Internal,
            Code::Unavailable,
            Code::ScopeMissing,
            Code::MediaTypeUnsupported,
            Code::Stale,
        ] {
            assert!(!of(code), "{code}");
        }
        assert!(lasting(&Response::new(Body::empty())));
    }
}
