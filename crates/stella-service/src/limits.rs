//! What one request may take, as the configuration says.

use std::time::Duration;

use axum::http::Extensions;
use stella_api::MAX_BODY;

/// How much a request may bring, and how long it is worked on. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The longest body that is read whole, in bytes: at most [`MAX_BODY`]. The lines of a batch
    /// have limits of their own.
    pub body: u64,
    /// After so long the answer is that it took too long.
    pub time: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body: MAX_BODY,
            time: Duration::from_secs(60),
        }
    }
}

impl RequestLimits {
    /// Those of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }
}
