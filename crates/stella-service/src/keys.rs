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
            let age = held.fetched.map_or(i64::MAX, |at| now - at);
            let known = held.keys.get(kid);
            if known.is_some() && age < MAX_AGE || age < MIN_AGE {
                return known.cloned();
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
