//! Conditional requests: what a caller has already is not sent again (RFC 9110, section 13).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

/// The representations that a caller says it has: the values of `If-None-Match` of a GET.
pub(crate) struct Known(Vec<HeaderValue>);

impl Known {
    pub(crate) fn of(request: &Request) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let told = request.headers().get_all(header::IF_NONE_MATCH);
        Self(told.iter().filter(|_| reads).cloned().collect())
    }

    /// The answer, or 304 in its place where the caller has it.
    pub(crate) fn or(&self, answer: Response) -> Response {
        let tag = answer.headers().get(header::ETAG);
        let Some(tag) = tag.filter(|tag| answer.status() == StatusCode::OK && self.has(tag)) else {
            return answer;
        };
        let tag = tag.clone();
        let mut known = Response::new(Body::empty());
        *known.status_mut() = StatusCode::NOT_MODIFIED;
        known.headers_mut().insert(header::ETAG, tag);
        known
    }

    /// By the weak comparison: a proxy may have made a tag weak on its way.
    fn has(&self, tag: &HeaderValue) -> bool {
        let values = self.0.iter().filter_map(|value| value.to_str().ok());
        let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
    }
}

/// The header as the OpenAPI document tells it.
pub(crate) fn parameter() -> Parameter {
    ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("an `ETag` of before: 304 where it is still that one"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(status: StatusCode, method: &Method, values: &[&str]) -> StatusCode {
        let mut request = Request::builder().method(method);
        for value in values {
            request = request.header("if-none-match", *value);
        }
        let known = Known::of(&request.body(Body::empty()).unwrap());
        let answer = Response::builder().status(status).header("etag", "\"a\"");
        known.or(answer.body(Body::from("text")).unwrap()).status()
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands() {
        let get = |values: &[&str]| answer(StatusCode::OK, &Method::GET, values).as_u16();
        for known in [
            &["\"a\""][..],
            &["W/\"a\""],
            &["\"b\", \"a\""],
            &["\"b\"", "\"a\""],
            &["*"],
        ] {
            assert_eq!(get(known), 304, "{known:?}");
        }
        for other in [&[][..], &["\"b\""], &["a"], &[""], &["\"A\""]] {
            assert_eq!(get(other), 200, "{other:?}");
        }
    }

    #[test]
    fn only_what_was_read_and_found_is_known() {
        assert_eq!(answer(StatusCode::OK, &Method::HEAD, &["*"]).as_u16(), 304);
        assert_eq!(answer(StatusCode::OK, &Method::POST, &["*"]).as_u16(), 200);
        let missing = answer(StatusCode::NOT_FOUND, &Method::GET, &["*"]);
        assert_eq!(missing.as_u16(), 404);
    }
}
