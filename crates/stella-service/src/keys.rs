//! Where the token check finds Authority's public keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use stella_api::authority::{JwksAnswer, PublicJwk};
use stella_client::Peers;
use stella_context::Clock;
use tokio::sync::RwLock;

/// The seconds that a key set is taken as current (`max-age` of the JWKS).
const MAX_AGE: i64 = 300;
/// An unknown key id makes the set be fetched again, but not more often than this.
const MIN_AGE: i64 = 5;

/// Authority's public keys, fetched when needed and kept.
#[derive(Clone, Debug)]
pub struct KeySource {
    peers: Peers,
    held: Arc<RwLock<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    keys: BTreeMap<String, PublicJwk>,
    fetched: Option<i64>,
}

impl KeySource {
    /// Keys from `/oauth/jwks` of this process.
    #[must_use]
    pub fn of_peers(peers: Peers) -> Self {
        Self {
            peers,
            held: Arc::default(),
        }
    }

    /// The key of an id; none where Authority publishes no such key.
    pub async fn find(&self, kid: &str) -> Option<PublicJwk> {
        let now = Clock::System.now().as_second();
        {
            let held = self.held.read().await;
            if let Some(told) = held.find(kid, now) {
                return told.cloned();
            }
        }
        self.refresh(now).await;
        self.held.read().await.keys.get(kid).cloned()
    }

    /// A set that cannot be fetched leaves the old one: Authority may be down for a while.
    async fn refresh(&self, now: i64) {
        match self
            .peers
            .anonymous()
            .get::<JwksAnswer>("/oauth/jwks")
            .await
        {
            Ok(set) => {
                let named = |key: PublicJwk| Some((key.kid.clone()?, key));
                let keys = set.keys.into_iter().filter_map(named).collect();
                *self.held.write().await = Held {
                    keys,
                    fetched: Some(now),
                };
            }
            Err(error) => tracing::warn!(%error, "the keys of Authority cannot be fetched"),
        }
    }
}

impl Held {
    /// The key of an id, or that there is none; nothing where the set must be fetched first. One
    /// that was fetched later than now says that the clock was put back: nobody knows its age.
    fn find(&self, kid: &str, now: i64) -> Option<Option<&PublicJwk>> {
        let age = self.fetched.map(|at| now - at).filter(|age| *age >= 0)?;
        let known = self.keys.get(kid);
        (known.is_some() && age < MAX_AGE || age < MIN_AGE).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_asked_while_it_is_new_and_not_once_the_clock_was_put_back() {
        let held = Held {
            keys: BTreeMap::new(),
            fetched: Some(3600),
        };
        assert_eq!(held.find("a", 3600 + MIN_AGE - 1), Some(None));
        assert_eq!(held.find("a", 3600 + MIN_AGE), None);
        assert_eq!(held.find("a", 0), None);
        assert_eq!(Held::default().find("a", 0), None);
    }
}
