//! How many bytes of bodies lie in memory at once, of all requests together. What is longer than a
//! little waits for room before it is read: many callers, or a slow one on many connections, take no
//! more memory than an operator gave.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Extensions;
use stella_api::Code;
use stella_client::InProcess;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Failure;

/// What each request may hold without asking, in bytes.
pub(crate) const LITTLE: u64 = 64 * 1024;
/// Room is counted in so many bytes.
const UNIT: u64 = 1024;
/// So long room is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The room for bodies of a process.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    free: Arc<Semaphore>,
    pub(crate) patience: Duration,
}

/// Room that somebody has, until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    _room: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for so many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        Self {
            free: Arc::new(Semaphore::new(units(bytes) as usize)),
            patience: PATIENCE,
        }
    }

    /// That of the process which a request came to; none where a service asks another for a
    /// caller, who has some.
    pub(crate) fn for_request(extensions: &Extensions) -> Option<Self> {
        let inner = extensions.get::<InProcess>().is_some();
        extensions.get::<Self>().filter(|_| !inner).cloned()
    }

    /// Room for so many bytes, once it is there. All that a body may take is asked for at once:
    /// of several that hold a part and wait for more, none would ever get it.
    ///
    /// # Errors
    /// Others took all of it, and for too long.
    pub(crate) async fn take(&self, bytes: u64) -> Result<Taken, Failure> {
        if bytes <= LITTLE {
            return Ok(Taken { _room: None });
        }
        let room = self.free.clone().acquire_many_owned(units(bytes));
        match timeout(self.patience, room).await {
            Ok(Ok(permit)) => Ok(Taken {
                _room: Some(permit),
            }),
            _ => Err(Failure::new(Code::Unavailable).because(format!(
                "no room for a body of {bytes} bytes (Server:BodiesBytes)"
            ))),
        }
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_it_does() {
        let mut room = Room::of(10 * 1024 * 1024);
        let first = room.take(6 * 1024 * 1024).await.unwrap();
        let (other, little) = (room.clone(), room.take(LITTLE).await);
        assert!(little.is_ok());
        let second = tokio::spawn(async move { other.take(5 * 1024 * 1024).await });
        drop(first);
        let second = second.await.unwrap().unwrap();
        room.patience = Duration::from_millis(1);
        let refused = room.take(6 * 1024 * 1024).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        drop(second);
        room.take(10 * 1024 * 1024).await.unwrap();
    }
}
