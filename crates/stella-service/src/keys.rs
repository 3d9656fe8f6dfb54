//! Where the token check finds Authority's public keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use stella_api::authority::{JwksAnswer, PublicJwk};
use stella_client::{ClientError, Peers};
use stella_context::Clock;
use tokio::sync::RwLock;

use crate::{Failure, IntoFailure as _};

/// The seconds that a key set is taken as current (`max-age` of the JWKS).
const MAX_AGE: i64 = 300;
/// An unknown key id makes the set be fetched again at once, since a key that was just made signs
/// already, but not more often than this.
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
    /// When it was fetched for an unknown key id.
    searched: Option<i64>,
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
    ///
    /// # Errors
    /// Nobody knows: Authority does not answer, or has no key that it could publish.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<PublicJwk>, Failure> {
        let now = Clock::System.now().as_second();
        {
            let held = self.held.read().await;
            if let Some(told) = held.find(kid, now) {
                return Ok(told.cloned());
            }
        }
        let refreshed = self.refresh(now).await;
        match self.held.read().await.keys.get(kid) {
            Some(key) => Ok(Some(key.clone())),
            None => refreshed.map(|()| None).map_err(ClientError::into_failure),
        }
    }

    /// A set that cannot be fetched leaves the old one: Authority may be down for a while.
    async fn refresh(&self, now: i64) -> Result<(), ClientError> {
        let anybody = self.peers.anonymous();
        let fetched = anybody.get::<JwksAnswer>("/oauth/jwks").await;
        let set = fetched.inspect_err(
            |error| tracing::warn!(%error, "the keys of Authority cannot be fetched"),
        )?;
        let named = |key: PublicJwk| Some((key.kid.clone()?, key));
        let keys = set.keys.into_iter().filter_map(named).collect();
        let mut held = self.held.write().await;
        let current = held.age(now).is_some_and(|age| age < MAX_AGE);
        *held = Held {
            keys,
            fetched: Some(now),
            searched: if current { Some(now) } else { held.searched },
        };
        Ok(())
    }
}

impl Held {
    /// The key of an id, or that there is none; nothing where the set must be fetched first. One
    /// that was fetched later than now says that the clock was put back: nobody knows its age.
    fn find(&self, kid: &str, now: i64) -> Option<Option<&PublicJwk>> {
        let age = self.age(now)?;
        let known = self.keys.get(kid);
        let searched = self
            .searched
            .is_some_and(|at| (0..MIN_AGE).contains(&(now - at)));
        let told = match known {
            Some(_) => age < MAX_AGE,
            None => searched,
        };
        told.then_some(known)
    }

    fn age(&self, now: i64) -> Option<i64> {
        self.fetched.map(|at| now - at).filter(|age| *age >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_fetched_for_an_unknown_key_but_not_again_and_again() {
        let key = PublicJwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: "x".to_owned(),
            y: None,
            alg: None,
            key_use: None,
            kid: Some("known".to_owned()),
        };
        let mut held = Held {
            keys: BTreeMap::from([("known".to_owned(), key)]),
            fetched: Some(3600),
            searched: None,
        };
        let told = |held: &Held, kid: &str, now| held.find(kid, now).map(|told| told.is_some());
        assert_eq!(told(&held, "known", 3600), Some(true));
        assert_eq!(told(&held, "known", 3600 + MAX_AGE), None);
        assert_eq!(told(&held, "new", 3600), None);
        held.searched = Some(3600);
        assert_eq!(told(&held, "new", 3600 + MIN_AGE - 1), Some(false));
        assert_eq!(told(&held, "new", 3600 + MIN_AGE), None);
        // The clock was put back: nobody knows how old the set is.
        assert_eq!(told(&held, "known", 0), None);
        assert_eq!(told(&Held::default(), "known", 0), None);
    }
}
