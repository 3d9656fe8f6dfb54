//! Parameters in paths and queries.

use std::sync::Arc;

use axum::extract::path::ErrorKind;
use axum::extract::{FromRequestParts, Request, State, rejection::PathRejection};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use stella_api::Code;
use stella_locale::Labels;

use crate::Failure;

const ENCODED_NUL: &str = "%00";
/// What a decoder puts where bytes are no UTF-8.
const NO_UTF8: char = char::REPLACEMENT_CHARACTER;

/// The most bytes that a parameter of the query may have: nothing that is stored has a longer name.
fn longest(parameter: &str) -> usize {
    match parameter {
        "purl" => 1024,
        // It holds the names where a page ended.
        "pageToken" => 4096,
        _ => 512,
    }
}

/// The time that a parameter or field holds, where it is said.
///
/// # Errors
/// `REQUEST_INVALID` with the place: it is no RFC 3339.
pub fn time(place: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let read = text.map(|text| {
        text.parse().map_err(|_| {
            let value = [("value", text.into())];
            Failure::invalid(place, Labels::english().format("refused-time", &value))
        })
    });
    read.transpose()
}

/// The parameters of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if parts.uri.path().contains(ENCODED_NUL) {
            // PostgreSQL has no text with U+0000: nothing that is stored is named so.
            let reason = Labels::english().text("refused-name-nul");
            return Err(Failure::invalid("path:", reason));
        }
        let read: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|error| match &error {
            PathRejection::FailedToDeserializePathParams(told) => match told.kind() {
                ErrorKind::InvalidUtf8InPathParam { key } => {
                    let reason = Labels::english().text("refused-name-utf8");
                    Failure::invalid(format!("path:{key}"), reason)
                }
                other => Failure::invalid("path:", other),
            },
            _ => Failure::invalid("path:", error.body_text()),
        })
    }
}

/// The parameters of the query; unknown ones are refused where the type denies them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some(reason) = refusal(&name, &value) {
                return Err(Failure::invalid(place(&name), reason));
            }
        }
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        let read: Result<T, _> = serde_path_to_error::deserialize(pairs);
        read.map(Self).map_err(|error| {
            let place = format!("query:{}", error.path());
            Failure::invalid(place, error.into_inner())
        })
    }
}

/// Lets nothing through with a parameter that the route does not know, also where it knows none:
/// what somebody wrote so that less is done must not be passed over.
pub(crate) async fn known_only(
    State(known): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    match unknown(&known, request.uri().query().unwrap_or_default()) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    }
}

/// What refuses those of a query that are none of these.
fn unknown(known: &[String], query: &str) -> Option<Failure> {
    let values = [("known", known.join(", ").into())];
    let reason = || match known.is_empty() {
        true => Labels::english().text("refused-parameter-any"),
        false => Labels::english().format("refused-parameter-unknown", &values),
    };
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !known.iter().any(|known| known == name))
        .fold(None, |refused: Option<Failure>, (name, _)| {
            let place = place(&name);
            Some(match refused {
                None => Failure::invalid(place, reason()),
                Some(refused) => refused.at(Code::RequestInvalid, place, reason()),
            })
        })
}

/// Where a parameter of the query stands.
fn place(name: &str) -> String {
    let name: String = name.chars().filter(|c| *c != '\0').take(64).collect();
    format!("query:{name}")
}

/// Why no parameter can be so.
fn refusal(name: &str, value: &str) -> Option<String> {
    let labels = Labels::english();
    let (limit, either) = (longest(name), |c| name.contains(c) || value.contains(c));
    if either('\0') {
        Some(labels.text("refused-name-nul"))
    } else if either(NO_UTF8) {
        Some(labels.text("refused-name-utf8"))
    } else if value.len() > limit {
        let values = [("size", value.len().into()), ("limit", limit.into())];
        Some(labels.format("refused-name-long", &values))
    } else {
        None
    }
}
