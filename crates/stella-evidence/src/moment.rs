//! The time that evidence is asked for.

use jiff::Timestamp;
use stella_service::{Failure, time};

/// PostgreSQL counts from 4713 BC, and nothing was published before 1970.
const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;

/// What was published by one time and had arrived by another. Both include the time itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By when it was fetched, as senders say it.
    pub(crate) as_of: Timestamp,
    /// By when it was received, by the clock of the server that took it in.
    pub(crate) known_at: Timestamp,
}

impl Moment {
    /// All that is there.
    pub(crate) const NOW: Self = Self {
        as_of: Timestamp::MAX,
        known_at: Timestamp::MAX,
    };

    /// Reads the parameters `asOf` and `knownAt`; what is not said leaves nothing out.
    pub(crate) fn read(as_of: Option<&str>, known_at: Option<&str>) -> Result<Self, Failure> {
        let by = |place, text| {
            let read = time(place, text)?;
            Ok::<_, Failure>(read.map_or(Timestamp::MAX, |time| time.max(EARLIEST)))
        };
        Ok(Self {
            as_of: by("query:asOf", as_of)?,
            known_at: by("query:knownAt", known_at)?,
        })
    }

    /// What a list at this moment is called: the token of a page goes on in that list alone.
    pub(crate) fn list(self, name: &str) -> String {
        match self == Self::NOW {
            true => name.to_owned(),
            false => format!("{name} as of {} known at {}", self.as_of, self.known_at),
        }
    }
}
