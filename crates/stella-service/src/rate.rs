//! How often a caller may ask: a quota of requests in a window of time, for each client and for
//! each tenant (GCRA: what is used of a quota comes back evenly). Each process counts by itself.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use stella_api::{Code, TenantId};
use stella_client::Principal;

use crate::Failure;

/// The header that tells the quotas (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const POLICY: &str = "RateLimit-Policy";
/// The header that tells what is left of them.
pub(crate) const LEFT: &str = "RateLimit";
/// How many callers are remembered; those who used nothing lately are forgotten first.
const REMEMBERED: usize = 100_000;
const SECOND: i64 = 1_000_000;

/// How many requests in how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many, also all at once.
    pub requests: NonZeroU32,
    /// After how many seconds without a request all of them are there again.
    pub seconds: NonZeroU32,
}

/// The quotas of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Of one client.
    pub client: Quota,
    /// Of all clients of a tenant together.
    pub tenant: Quota,
}

/// More than a client does that means well: a thousand requests in each second.
impl Default for RateLimits {
    fn default() -> Self {
        let in_ten_seconds = |requests| Quota {
            requests: NonZeroU32::new(requests).unwrap_or(NonZeroU32::MAX),
            seconds: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
        };
        Self {
            client: in_ten_seconds(10_000),
            tenant: in_ten_seconds(40_000),
        }
    }
}

/// What callers used of their quotas: for each, when all of it will be there again.
#[derive(Debug)]
pub(crate) struct Rates {
    limits: RateLimits,
    used: Mutex<BTreeMap<Who, i64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Client(String),
    Tenant(TenantId),
}

/// What a request left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    policy: &'static str,
    quota: Quota,
    /// When all of it is there again, in microseconds; none where there was too little.
    full: Option<i64>,
    requests: i64,
    /// Seconds until there is one more.
    more_in: i64,
}

/// What a request left of its caller's quotas.
#[derive(Clone, Debug)]
pub(crate) struct Standing(Vec<Left>);

impl Rates {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            used: Mutex::default(),
        }
    }

    /// Counts a request. One that is too much for a quota uses nothing of any.
    pub(crate) fn count(&self, principal: &Principal, now: Timestamp) -> Standing {
        let now = now.as_microsecond();
        let client = Who::Client(principal.actor.client_id.clone());
        let tenant = principal.tenant.clone().map(Who::Tenant);
        // Whoever panicked with it left a whole map.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut used, now);
        let mut judged = vec![(
            self.limits.client.left("client", used.get(&client), now),
            client,
        )];
        if let Some(tenant) = tenant {
            judged.push((
                self.limits.tenant.left("tenant", used.get(&tenant), now),
                tenant,
            ));
        }
        if judged.iter().all(|(left, _)| left.full.is_some()) {
            for (left, who) in &judged {
                used.extend(left.full.map(|full| (who.clone(), full)));
            }
        }
        Standing(judged.into_iter().map(|(left, _)| left).collect())
    }
}

fn make_room(used: &mut BTreeMap<Who, i64>, now: i64) {
    if used.len() < REMEMBERED {
        return;
    }
    used.retain(|_, full| *full > now);
    if used.len() >= REMEMBERED {
        used.clear();
    }
}

impl Quota {
    fn left(self, policy: &'static str, full: Option<&i64>, now: i64) -> Left {
        let window = i64::from(self.seconds.get()) * SECOND;
        let each = (window / i64::from(self.requests.get())).max(1);
        // No request leads further ahead than a window: then the clock was put back since, and
        // what was used before is nobody's to wait for.
        let used = now..=now + window;
        let full = full.filter(|full| used.contains(full)).unwrap_or(&now) + each;
        let (used, too_much) = (full - now, full - now - window);
        let seconds = |micros: i64| micros.div_euclid(SECOND) + i64::from(micros % SECOND > 0);
        let requests = (window - used).max(0) / each;
        let until_more = match too_much > 0 {
            true => too_much,
            false => used - (window - (requests + 1) * each),
        };
        Left {
            policy,
            quota: self,
            full: (too_much <= 0).then_some(full),
            requests,
            more_in: seconds(until_more).max(1),
        }
    }
}

impl Standing {
    /// Refuses the request where it was too much.
    pub(crate) fn demand(&self) -> Result<(), Failure> {
        let exceeded = self.0.iter().filter(|left| left.full.is_none());
        let Some(left) = exceeded.max_by_key(|left| left.more_in) else {
            return Ok(());
        };
        let failure = Failure::new(Code::RateLimited)
            .with("whose", left.policy)
            .with("requests", left.quota.requests)
            .with("seconds", left.quota.seconds);
        Err(failure.retry_after(u32::try_from(left.more_in).unwrap_or(u32::MAX)))
    }

    /// Tells it to the caller.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let policy = |left: &Left| {
            let Quota { requests, seconds } = left.quota;
            format!("\"{}\";q={requests};w={seconds}", left.policy)
        };
        let standing =
            |left: &Left| format!("\"{}\";r={};t={}", left.policy, left.requests, left.more_in);
        let list = |one: &dyn Fn(&Left) -> String| {
            let all: Vec<String> = self.0.iter().map(one).collect();
            HeaderValue::from_str(&all.join(", "))
        };
        for (name, value) in [(POLICY, list(&policy)), (LEFT, list(&standing))] {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use stella_context::Actor;

    use super::*;

    fn quota(requests: u32, seconds: u32) -> Quota {
        Quota {
            requests: requests.try_into().unwrap(),
            seconds: seconds.try_into().unwrap(),
        }
    }

    fn caller(tenant: &str, client: &str) -> Principal {
        Principal {
            tenant: Some(tenant.parse().unwrap()),
            actor: Actor {
                client_id: client.to_owned(),
                subject: client.to_owned(),
                roles: vec![],
            },
            scopes: BTreeSet::new(),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn told(standing: &Standing) -> (bool, String, String) {
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        (standing.demand().is_ok(), header(LEFT), header(POLICY))
    }

    #[test]
    fn a_quota_is_there_at_once_and_comes_back_evenly() {
        let rates = Rates::new(RateLimits {
            client: quota(4, 8),
            tenant: quota(100, 10),
        });
        let ask = |millis| {
            let (passed, left, policy) = told(&rates.count(&caller("acme", "a"), at(millis)));
            assert_eq!(policy, "\"client\";q=4;w=8, \"tenant\";q=100;w=10");
            (passed, left.split(", ").next().unwrap().to_owned())
        };
        let says = |passed, left: &str| (passed, format!("\"client\";{left}"));
        assert_eq!(ask(0), says(true, "r=3;t=2"));
        assert_eq!(ask(0), says(true, "r=2;t=2"));
        assert_eq!(ask(0), says(true, "r=1;t=2"));
        assert_eq!(ask(0), says(true, "r=0;t=2"));
        assert_eq!(ask(0), says(false, "r=0;t=2"));
        assert_eq!(ask(1999), says(false, "r=0;t=1"));
        // What was refused used nothing.
        assert_eq!(ask(2000), says(true, "r=0;t=2"));
        assert_eq!(ask(2000), says(false, "r=0;t=2"));
        assert_eq!(ask(60_000), says(true, "r=3;t=2"));
    }

    #[test]
    fn nobody_waits_until_a_clock_that_was_put_back_has_caught_up() {
        let rates = Rates::new(RateLimits {
            client: quota(2, 8),
            tenant: quota(100, 10),
        });
        let ask = |millis| told(&rates.count(&caller("acme", "a"), at(millis))).0;
        assert!(ask(3_600_000) && ask(3_600_000) && !ask(3_600_000));
        assert!(ask(0) && ask(0) && !ask(0));
        assert!(ask(3_600_000));
    }

    #[test]
    fn clients_of_a_tenant_share_its_quota_and_no_other_tenants() {
        let rates = Rates::new(RateLimits {
            client: quota(2, 1000),
            tenant: quota(3, 1000),
        });
        let ask = |tenant, client| told(&rates.count(&caller(tenant, client), at(0))).0;
        assert!(ask("acme", "a") && ask("acme", "a") && !ask("acme", "a"));
        assert!(ask("acme", "b") && !ask("acme", "b"));
        assert!(ask("globex", "c") && ask("globex", "c") && !ask("globex", "c"));
        // The tenant's refusal took nothing of b's own quota.
        let standing = rates.count(&caller("acme", "b"), at(0));
        let (_, left, _) = told(&standing);
        assert_eq!(left, "\"client\";r=0;t=500, \"tenant\";r=0;t=334");
    }

    #[test]
    fn who_used_nothing_lately_is_forgotten() {
        let mut used: BTreeMap<Who, i64> = (0..REMEMBERED)
            .map(|n| (Who::Client(n.to_string()), i64::try_from(n).unwrap()))
            .collect();
        make_room(&mut used, 10);
        assert_eq!(used.len(), REMEMBERED - 11);
        used.extend((0..REMEMBERED).map(|n| (Who::Client(n.to_string()), 100)));
        make_room(&mut used, 10);
        assert!(used.len() < REMEMBERED);
    }
}
