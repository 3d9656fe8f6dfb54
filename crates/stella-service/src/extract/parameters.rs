//! Parameters in paths and queries.

use axum::extract::{FromRequestParts, rejection::PathRejection};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use stella_locale::Labels;

use crate::Failure;

const ENCODED_NUL: &str = "%00";

/// PostgreSQL has no text with U+0000: nothing that is stored is named so.
fn no_nul(place: &str) -> Failure {
    Failure::invalid(place, Labels::english().text("refused-name-nul"))
}

/// The parameters of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if parts.uri.path().contains(ENCODED_NUL) {
            return Err(no_nul("path:"));
        }
        let read: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0))
            .map_err(|error| Failure::invalid("path:", error.body_text()))
    }
}

/// The parameters of the query; unknown ones are refused where the type denies them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let mut given = form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) =
            given.find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            let place = format!("query:{}", name.replace('\0', ""));
            return Err(no_nul(&place));
        }
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        let read: Result<T, _> = serde_path_to_error::deserialize(pairs);
        read.map(Self).map_err(|error| {
            let place = format!("query:{}", error.path());
            Failure::invalid(place, error.into_inner())
        })
    }
}
