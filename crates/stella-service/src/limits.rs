//! What one request may take, as the configuration says.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;
use stella_api::MAX_BODY;

/// How much a request may bring, and how long it is worked on. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The longest body that is read whole, in bytes: at most [`MAX_BODY`]. The lines of a batch
    /// have limits of their own.
    pub body: u64,
    /// After so long the answer is that it took too long.
    pub time: Duration,
    /// So many bytes of bodies lie in memory at once, of all requests together.
    pub bodies: u64,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body: MAX_BODY,
            time: Duration::from_secs(60),
            bodies: 256 * 1024 * 1024,
        }
    }
}

/// Work that can be gone on with in another request takes no longer in one: people wait for it.
const AT_A_STRETCH: Duration = Duration::from_secs(40);

impl RequestLimits {
    /// After so long, work that can be gone on with in another request answers with how far it
    /// got, so that a third of the time is left for its last step and the answer.
    #[must_use]
    pub fn stretch(&self) -> Duration {
        AT_A_STRETCH.min(self.time * 2 / 3)
    }

    /// Those of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestLimits {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_leaves_time_for_the_answer() {
        let stretch = |seconds| {
            let time = Duration::from_secs(seconds);
            let limits = RequestLimits {
                time,
                ..RequestLimits::default()
            };
            limits.stretch().as_millis()
        };
        assert_eq!(
            [1, 30, 60, 3600].map(stretch),
            [666, 20_000, 40_000, 40_000]
        );
    }
}
