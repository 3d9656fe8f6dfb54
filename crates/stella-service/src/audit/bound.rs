//! Whoever is refused can ask again and again: what is recorded of it is bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use stella_api::TenantId;

use super::Act;

/// So many refusals of a tenant are recorded a minute, by each process.
const A_MINUTE: u32 = 10;

/// Counts the refusals of each tenant in the minute that is.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    minutes: Mutex<BTreeMap<TenantId, Minute>>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    recorded: u32,
    left_out: u64,
}

impl Bound {
    /// The act, if it is to be recorded: the first of a minute says how many were left out before.
    pub(crate) fn take(&self, tenant: &TenantId, act: Act, now: Timestamp) -> Option<Act> {
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.entry(tenant.clone()).or_default();
        let number = now.as_second().div_euclid(60);
        if minute.number != number {
            (minute.number, minute.recorded) = (number, 0);
        }
        if minute.recorded >= A_MINUTE {
            minute.left_out += 1;
            return None;
        }
        minute.recorded += 1;
        Some(match std::mem::take(&mut minute.left_out) {
            0 => act,
            count => act.with("leftOut", count),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_leaves_ten_records_a_minute_and_how_many_more_there_were() {
        let bound = Bound::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let acme: TenantId = "acme".parse().unwrap();
        let take = |second| bound.take(&acme, Act::done("test.api.refused", "x"), at(second));
        let recorded = (0..100).filter_map(|_| take(30)).count();
        assert_eq!(recorded, 10);
        let globex: TenantId = "globex".parse().unwrap();
        let other = bound.take(&globex, Act::done("test.api.refused", "x"), at(30));
        assert!(other.unwrap().details.is_empty());
        let next = take(60).unwrap();
        assert_eq!(next.details["leftOut"], "90");
        assert!(take(61).unwrap().details.is_empty());
    }
}
