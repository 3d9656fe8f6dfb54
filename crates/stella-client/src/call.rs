//! One request and its reply, without the way that it goes.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stella_api::Problem;

use crate::ClientError;

/// A request: the path begins with `/` and may hold a query.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, and the query where there is one.
    pub path: String,
    /// Headers besides those of identity.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A POST of bytes of a media type.
    #[must_use]
    pub fn post(path: &str, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut call = Self {
            method: Method::POST,
            body: body.into(),
            ..Self::get(path)
        };
        call.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        call
    }

    /// A POST of JSON.
    ///
    /// # Errors
    /// The body has no JSON form.
    pub fn post_json(path: &str, body: &impl Serialize) -> Result<Self, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::answer(path, &error))?;
        Ok(Self::post(path, "application/json", body))
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The path without its query.
    #[must_use]
    pub fn path_only(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

/// A reply of any status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The path that was asked, for errors.
    pub path: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// This reply, if it is a success.
    ///
    /// # Errors
    /// It is a problem, which is then the error.
    pub fn success(self) -> Result<Self, ClientError> {
        if self.status.is_success() {
            return Ok(self);
        }
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(error) => Err(ClientError::answer(
                &self.path,
                &format!("status {} without a problem document: {error}", self.status),
            )),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// A problem, or a body of another shape.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let reply = self.success()?;
        serde_json::from_slice(&reply.body)
            .map_err(|error| ClientError::answer(&reply.path, &error))
    }

    /// The body as lines of JSON.
    ///
    /// # Errors
    /// A problem, or a line of another shape.
    pub fn lines<T: DeserializeOwned>(self) -> Result<Vec<T>, ClientError> {
        let reply = self.success()?;
        let lines = reply.body.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        let read: Result<_, _> = lines.map(serde_json::from_slice).collect();
        read.map_err(|error| ClientError::answer(&reply.path, &error))
    }
}
