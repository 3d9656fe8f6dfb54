//! Recorded time comes in as an argument.

use std::str::FromStr;

use jiff::{Timestamp, Unit};

#[cfg(feature = "clock-jumps")]
mod jumps {
    use std::cell::Cell;

    use jiff::{SignedDuration, Timestamp};

    thread_local! {
        /// By how much the machine's clock is off. Of a thread, so that tests beside this one
        /// have the right time; a house of its own runs on the thread of its test.
        static OFF: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
    }

    /// From here on the clock is off by so much from the right time.
    pub fn set_off_by(off: SignedDuration) {
        OFF.set(off);
    }

    pub(super) fn shown(right: Timestamp) -> Timestamp {
        right.saturating_add(OFF.get()).unwrap_or(right)
    }
}

#[cfg(feature = "clock-jumps")]
#[doc(hidden)]
pub use jumps::set_off_by;

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
            Clock::System => machine().round(Unit::Microsecond).unwrap_or(Timestamp::MAX),
            Clock::Fixed(time) => *time,
        }
    }
}

impl Clock {
    /// Always the time so many seconds after 1970-01-01T00:00:00Z, as `SOURCE_DATE_EPOCH` says it;
    /// none for one that no record can carry.
    #[must_use]
    pub fn at_second(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self::Fixed)
    }
}

/// Always the time of the text: RFC 3339.
impl FromStr for Clock {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: Timestamp = text.parse()?;
        time.round(Unit::Microsecond).map(Self::Fixed)
    }
}

#[allow(clippy::disallowed_methods)] // the one place that reads the machine's clock
fn machine() -> Timestamp {
    let now = Timestamp::now();
    #[cfg(feature = "clock-jumps")]
    let now = jumps::shown(now);
    now
}
