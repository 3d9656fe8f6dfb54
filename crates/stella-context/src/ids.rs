//! Identifiers of records that are not named by their content.

use uuid::Uuid;

use crate::Clock;

/// Gives UUIDv7 ids. They enter no digest.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdSource;

impl IdSource {
    /// A new id, ordered by the clock's time.
    #[must_use]
    pub fn next(&self, clock: &Clock) -> Uuid {
        let now = clock.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
    }
}
