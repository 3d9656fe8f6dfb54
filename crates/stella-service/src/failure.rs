//! Errors are meanings: a code of the registry with what it needs to be told.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stella_api::{Code, Problem, ProblemItem};
use stella_client::ClientError;
use stella_context::TraceId;
use stella_locale::Labels;
use stella_storage::{ObjectError, StoreError};
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response as ApiResponse};

/// An error on its way to the caller.
#[derive(Clone, Debug)]
pub struct Failure {
    code: Code,
    values: Vec<(&'static str, String)>,
    items: Vec<ProblemItem>,
    /// For the log only; it never enters a body.
    cause: Option<Box<str>>,
    challenge: Option<Box<str>>,
    retry_after: Option<u32>,
    passed_on: Option<Box<Problem>>,
}

impl Failure {
    /// An error of this meaning.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            code,
            values: vec![],
            items: vec![],
            cause: None,
            challenge: None,
            retry_after: None,
            passed_on: None,
        }
    }

    /// There is no such thing, or it is another tenant's; `what` names it as the caller did.
    #[must_use]
    pub fn not_found(what: impl ToString) -> Self {
        Self::new(Code::NotFound).with("what", what)
    }

    /// One place of the request is wrong.
    #[must_use]
    pub fn invalid(pointer: impl ToString, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        let failure = Self::new(Code::RequestInvalid).with("reason", &detail);
        failure.at(Code::RequestInvalid, pointer, detail)
    }

    /// The body cannot be read at this place.
    #[must_use]
    pub fn malformed(pointer: impl ToString, reason: impl ToString) -> Self {
        let reason = reason.to_string();
        let failure = Self::new(Code::BodyMalformed).with("reason", &reason);
        failure.at(Code::BodyMalformed, pointer, reason)
    }

    /// A value for the text of the error.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// One more place that is wrong.
    #[must_use]
    pub fn at(mut self, code: Code, pointer: impl ToString, detail: impl ToString) -> Self {
        let (pointer, detail) = (pointer.to_string(), detail.to_string());
        self.items.push(ProblemItem {
            pointer,
            code: code.to_string(),
            detail,
        });
        self
    }

    /// What the log should tell besides.
    #[must_use]
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// The `WWW-Authenticate` challenge of a 401.
    #[must_use]
    pub fn challenged(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    /// How many seconds the caller should wait before the same call.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What it means.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened, in words for people.
    #[must_use]
    pub fn detail(&self) -> String {
        match &self.passed_on {
            Some(problem) => problem.detail.clone(),
            None => self.text("-detail").unwrap_or_else(|| self.title()),
        }
    }

    /// Tells the log the cause and gives what the caller is told.
    pub(crate) fn told(&self, trace: &TraceId) -> Problem {
        if let Some(cause) = &self.cause {
            tracing::warn!(code = %self.code, cause, "request failed");
        }
        self.problem(trace)
    }

    fn title(&self) -> String {
        self.text("").unwrap_or_else(|| self.code.to_string())
    }

    /// What to do next, where anything helps.
    pub(crate) fn hint(&self) -> Option<String> {
        self.text("-hint")
    }

    /// The label of the code that ends so.
    fn text(&self, end: &str) -> Option<String> {
        let values: Vec<_> = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str().into()))
            .collect();
        Labels::english().find(&format!("{}{end}", self.code.label_key()), &values)
    }

    fn problem(&self, trace: &TraceId) -> Problem {
        if let Some(problem) = &self.passed_on {
            return (**problem).clone();
        }
        Problem {
            kind: format!("urn:stella:error:{}", self.code),
            status: self.code.status(),
            detail: self.detail(),
            title: self.title(),
            code: self.code.to_string(),
            trace_id: trace.to_string(),
            hint: self.hint(),
            errors: self.items.clone(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = self.told(&crate::watch::current_trace());
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        let soon = self.code.retryable() && status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(soon.then_some(1)) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge.and_then(|text| text.parse().ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self.code);
        response
    }
}

/// What becomes a [`Failure`]: the errors of domains and of what they stand on.
pub trait IntoFailure {
    /// The meaning of this error to a caller.
    fn into_failure(self) -> Failure;
}

impl IntoFailure for Failure {
    fn into_failure(self) -> Failure {
        self
    }
}

impl IntoFailure for StoreError {
    fn into_failure(self) -> Failure {
        let failure = match &self {
            StoreError::Conflict(_) => Failure::new(Code::Conflict),
            away if away.is_away() => Failure::new(Code::Unavailable),
            StoreError::Locked { .. } => Failure::new(Code::Unavailable),
            StoreError::Sealed(place) => {
                Failure::new(Code::SigningKeyUnusable).with("place", place)
            }
            StoreError::SchemaNewer { schema, unknown } => Failure::new(Code::StorageSchemaNewer)
                .with("schema", schema)
                .with("versions", listed(unknown)),
            StoreError::SchemaOlder { schema, pending } => Failure::new(Code::StorageSchemaOlder)
                .with("schema", schema)
                .with("versions", listed(pending)),
            StoreError::Unreadable { what, reason } => Failure::new(Code::RecordCorrupt)
                .with("what", what)
                .with("reason", reason)
                .at(Code::RecordCorrupt, what, reason),
            _ => Failure::new(Code::Internal),
        };
        failure.because(self)
    }
}

fn listed(versions: &[i64]) -> String {
    let each: Vec<String> = versions.iter().map(i64::to_string).collect();
    each.join(", ")
}

impl IntoFailure for ObjectError {
    fn into_failure(self) -> Failure {
        let failure = match &self {
            ObjectError::Missing(digest) => Failure::new(Code::ObjectMissing).with("what", digest),
            ObjectError::Corrupt {
                expected, actual, ..
            } => Failure::new(Code::ObjectCorrupt)
                .with("expected", expected)
                .with("actual", actual),
            ObjectError::TooLarge { limit } => {
                Failure::new(Code::BodyTooLarge).with("limit", limit)
            }
            ObjectError::Unreachable { .. } => Failure::new(Code::ObjectStoreUnreachable),
            ObjectError::Full { .. } => Failure::new(Code::ObjectStoreFull),
            ObjectError::Refused { .. } => Failure::new(Code::ObjectStoreRefused),
            ObjectError::Io { .. } | ObjectError::Input(_) => Failure::new(Code::Unavailable),
        };
        failure.because(self)
    }
}

/// A problem of a neighbour is told to the caller as it is; where a neighbour does not answer,
/// the caller may try again.
impl IntoFailure for ClientError {
    fn into_failure(self) -> Failure {
        match self {
            ClientError::Problem(problem) => {
                let code = problem.code.parse().unwrap_or(Code::Internal);
                Failure {
                    passed_on: Some(problem),
                    ..Failure::new(code)
                }
            }
            ClientError::Unreachable { .. }
            | ClientError::CertificateUntrusted { .. }
            | ClientError::TimedOut { .. } => Failure::new(Code::Unavailable).because(self),
            _ => Failure::new(Code::Internal).because(self),
        }
    }
}

/// The codes that an operation can answer with, besides those of the token check, of its
/// body and parameters, and of any failure of the house.
pub trait Failures: Send + 'static {
    /// The codes, in any order.
    const CODES: &'static [Code];
}

impl Failures for () {
    const CODES: &'static [Code] = &[];
}

/// Names the set of codes that an operation can answer with:
/// `failures!(Show: NotFound, ScoreCorrupt);`
#[macro_export]
macro_rules! failures {
    ($name:ident: $($code:ident),* $(,)?) => {
        #[derive(Debug)]
        pub(crate) struct $name;
        impl $crate::Failures for $name {
            const CODES: &'static [stella_api::Code] = &[$(stella_api::Code::$code),*];
        }
    };
}

/// The error side of a handler's return type: documents its codes by its type.
#[derive(Debug)]
pub struct Fail<F> {
    failure: Failure,
    codes: PhantomData<F>,
}

impl<F, E: IntoFailure> From<E> for Fail<F> {
    fn from(error: E) -> Self {
        Self {
            failure: error.into_failure(),
            codes: PhantomData,
        }
    }
}

impl<F> IntoResponse for Fail<F> {
    fn into_response(self) -> Response {
        self.failure.into_response()
    }
}

impl<F: Failures> IntoResponses for Fail<F> {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        crate::openapi::problems(F::CODES)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;

    use stella_canonical::Digest;

    use super::*;

    #[test]
    fn each_fault_of_an_object_store_has_its_code_and_tells_no_place() {
        let (expected, actual) = (Digest::of(b"x"), Digest::of(b"y"));
        let at = || "https://s3.example/blobs".to_owned();
        let reason = || "403 AccessDenied".to_owned();
        let rows = [
            (ObjectError::Missing(expected), Code::ObjectMissing),
            (
                ObjectError::Corrupt {
                    expected,
                    actual,
                    path: at(),
                },
                Code::ObjectCorrupt,
            ),
            (ObjectError::TooLarge { limit: 3 }, Code::BodyTooLarge),
            (
                ObjectError::Unreachable {
                    at: at(),
                    reason: reason(),
                },
                Code::ObjectStoreUnreachable,
            ),
            (
                ObjectError::Full {
                    at: at(),
                    reason: reason(),
                },
                Code::ObjectStoreFull,
            ),
            (
                ObjectError::Refused {
                    at: at(),
                    reason: reason(),
                },
                Code::ObjectStoreRefused,
            ),
            (
                ObjectError::Io {
                    path: at(),
                    source: io::ErrorKind::Other.into(),
                },
                Code::Unavailable,
            ),
        ];
        for (error, code) in rows {
            let failure = error.into_failure();
            assert_eq!(failure.code(), code);
            let told = serde_json::to_string(&failure.problem(&TraceId::generate())).unwrap();
            assert!(
                !told.contains("s3.example") && !told.contains("AccessDenied"),
                "{told}"
            );
        }
    }
}
