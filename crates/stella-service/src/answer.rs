//! The success side of a handler's return type: its status and body are what the document says.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use stella_api::Code;
use stella_canonical::Digest;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{RefOr, Response as ApiResponse, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::openapi::{ETAG, header_ref};
use crate::{Fail, Failure};

/// 200 with a JSON body.
#[derive(Debug)]
pub struct Answer<T>(pub T);

/// 200 with a JSON body whose bytes name it: the `ETag` is their digest, so it changes exactly when
/// they do, also where a newer binary writes more.
#[derive(Debug)]
pub struct Tagged<T>(pub T);

/// 201 with `Location`, or 200 when the same was there already.
#[derive(Debug)]
pub struct Kept<T> {
    /// Whether it was made by this call.
    pub new: bool,
    /// Where it is.
    pub location: String,
    /// What it is.
    pub body: T,
}

/// 200 with exact bytes of any media type.
#[derive(Debug)]
pub struct RawAnswer {
    /// Their media type.
    pub media_type: String,
    /// Their SHA-256, base64 as RFC 9530 writes it.
    pub sha256_base64: String,
    /// Their entity tag, without quotes.
    pub etag: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let bytes = match serde_json::to_vec(&self.0) {
            Ok(bytes) => bytes,
            Err(error) => return Failure::new(Code::Internal).because(error).into_response(),
        };
        let tag = format!("\"{}\"", Digest::of(&bytes));
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::ETAG, tag.as_str()),
        ];
        (headers, bytes).into_response()
    }
}

impl<T: Serialize> IntoResponse for Kept<T> {
    fn into_response(self) -> Response {
        let status = if self.new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let mut response = (status, axum::Json(self.body)).into_response();
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

impl IntoResponse for RawAnswer {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        set("content-type", self.media_type);
        set("etag", format!("\"{}\"", self.etag));
        set("digest", format!("sha-256={}", self.sha256_base64));
        // Evidence is hostile text: no browser may guess that it is a page.
        set("x-content-type-options", "nosniff".to_owned());
        (headers, self.bytes).into_response()
    }
}

impl<T: ToSchema> IntoResponses for Answer<T> {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        BTreeMap::from([("200".to_owned(), json::<T>("the answer"))])
    }
}

impl<T: ToSchema> IntoResponses for Tagged<T> {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        tagged(json::<T>("the answer"))
    }
}

impl<T: ToSchema> IntoResponses for Kept<T> {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        BTreeMap::from([
            ("200".to_owned(), json::<T>("the same was there already")),
            ("201".to_owned(), json::<T>("made; `Location` says where")),
        ])
    }
}

impl IntoResponses for RawAnswer {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        let response = ResponseBuilder::new()
            .description("the exact bytes that came")
            .content("*/*", ContentBuilder::new().build())
            .build();
        tagged(RefOr::T(response))
    }
}

/// What is answered with an `ETag` is not sent to who has it.
fn tagged(answer: RefOr<ApiResponse>) -> BTreeMap<String, RefOr<ApiResponse>> {
    let known = ResponseBuilder::new().description("it is what the caller has");
    let mut responses = BTreeMap::from([
        ("200".to_owned(), answer),
        ("304".to_owned(), RefOr::T(known.build())),
    ]);
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert(ETAG.to_owned(), header_ref(ETAG));
        }
    }
    responses
}

fn json<T: PartialSchema + ToSchema>(description: &str) -> RefOr<ApiResponse> {
    let content = ContentBuilder::new().schema(Some(T::schema())).build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build();
    RefOr::T(response)
}

/// What a handler returns, with the schemas that its body refers to.
pub trait Answers {
    /// Whether the answer may be kept and given again to who sends the same `Idempotency-Key`: it
    /// holds no secret and is no stream. A new kind of answer is not kept before it says so.
    const REPEATABLE: bool = false;

    /// Adds the schemas by their names.
    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>);
}

impl<T: ToSchema, F> Answers for Result<Answer<T>, Fail<F>> {
    const REPEATABLE: bool = true;

    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(into);
    }
}

impl<T: ToSchema, F> Answers for Result<Tagged<T>, Fail<F>> {
    const REPEATABLE: bool = true;

    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(into);
    }
}

impl<T: ToSchema, F> Answers for Result<Kept<T>, Fail<F>> {
    const REPEATABLE: bool = true;

    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(into);
    }
}

impl<F> Answers for Result<RawAnswer, Fail<F>> {
    fn schemas(_: &mut Vec<(String, RefOr<Schema>)>) {}
}
