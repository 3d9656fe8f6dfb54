//! What may be used once: the ids of proofs and assertions, kept in this process until they
//! would be refused for their age anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// How many ids are remembered; beyond that new ones are refused rather than old ones forgotten.
const REMEMBERED: usize = 1_000_000;

/// Remembers ids until they end.
#[derive(Debug, Default)]
pub struct OnceOnly {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    ids: BTreeSet<String>,
    by_end: BTreeMap<i64, Vec<String>>,
}

impl OnceOnly {
    /// Takes an id that ends at a time; times are seconds since 1970.
    ///
    /// # Errors
    /// It was taken before, or too many are remembered: the key of the label that says which.
    pub fn take(&self, id: String, ends: i64, now: i64) -> Result<(), &'static str> {
        let Ok(mut seen) = self.seen.lock() else {
            return Err("refused-once-unremembered");
        };
        seen.forget_before(now);
        if seen.ids.contains(&id) {
            return Err("refused-once-used");
        }
        if seen.ids.len() >= REMEMBERED {
            return Err("refused-once-full");
        }
        seen.ids.insert(id.clone());
        seen.by_end.entry(ends).or_default().push(id);
        Ok(())
    }
}

impl Seen {
    fn forget_before(&mut self, now: i64) {
        while let Some(entry) = self.by_end.first_entry().filter(|entry| *entry.key() < now) {
            for id in entry.remove() {
                self.ids.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OnceOnly;

    #[test]
    fn an_id_is_free_again_only_after_its_end() {
        let once = OnceOnly::default();
        assert!(once.take("a".to_owned(), 10, 5).is_ok());
        assert!(once.take("a".to_owned(), 10, 10).is_err());
        assert!(once.take("a".to_owned(), 20, 11).is_ok());
    }
}
