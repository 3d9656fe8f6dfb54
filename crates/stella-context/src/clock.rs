//! Recorded time comes in as an argument.

use jiff::{Timestamp, Unit};

/// Gives the time that records carry; either the machine's or one fixed beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always the same time, so that outputs are the same bytes.
    Fixed(Timestamp),
}

impl Clock {
    /// The time now, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[allow(clippy::disallowed_methods)] // the one place that reads the machine's clock
            Clock::System => Timestamp::now()
                .round(Unit::Microsecond)
                .unwrap_or(Timestamp::MAX),
            Clock::Fixed(time) => *time,
        }
    }
}
