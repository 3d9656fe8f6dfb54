//! What a label of a metric may say: each distinct value is a row that stays in memory and in
//! every store behind it, and some values come from callers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::KeyValue;

use crate::Redactor;

/// A longer value is cut.
pub(crate) const LONGEST: usize = 64;
/// So many values a key are told apart; each further one is [`OTHER`].
pub(crate) const DISTINCT: usize = 100;
const OTHER: &str = "other";

/// Bounds the labels of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    redactor: Redactor,
    /// What is told for each value that came, by key.
    told: Arc<Mutex<BTreeMap<&'static str, BTreeMap<String, String>>>>,
}

impl Guard {
    pub(crate) fn new(redactor: Redactor) -> Self {
        let told = Arc::default();
        Self { redactor, told }
    }

    /// A label that is within bounds.
    pub(crate) fn label(&self, key: &'static str, value: &str) -> KeyValue {
        // What is behind a lock that somebody panicked with is a map all the same.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let values = told.entry(key).or_default();
        if let Some(told) = values.get(value) {
            return KeyValue::new(key, told.clone());
        }
        if values.len() >= DISTINCT {
            return KeyValue::new(key, OTHER);
        }
        let clean: String = self.redactor.clean(value).chars().take(LONGEST).collect();
        values.insert(value.to_owned(), clean.clone());
        KeyValue::new(key, clean)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn whatever_comes_the_labels_of_a_key_are_few_and_short(
            values in prop::collection::vec(".{0,200}", 0..300),
        ) {
            let guard = Guard::default();
            let label = |value: &String| guard.label("source", value).value.to_string();
            let told: Vec<String> = values.iter().map(label).collect();
            let distinct: BTreeSet<&String> = told.iter().collect();
            prop_assert!(distinct.len() <= DISTINCT + 1);
            prop_assert!(told.iter().all(|value| value.chars().count() <= LONGEST));
            // The same value is told the same, and another key has room of its own.
            let again: Vec<String> = values.iter().map(label).collect();
            prop_assert_eq!(&told, &again);
            prop_assert_eq!(guard.label("tenant", "acme").value.to_string(), "acme");
        }
    }

    #[test]
    fn the_first_values_are_told_and_each_further_one_is_other() {
        let guard = Guard::default();
        let told = |n: usize| guard.label("source", &format!("s{n}")).value.to_string();
        let first: Vec<String> = (0..DISTINCT).map(told).collect();
        assert_eq!(first[DISTINCT - 1], format!("s{}", DISTINCT - 1));
        assert_eq!((told(DISTINCT), told(0)), ("other".into(), "s0".into()));
        assert_eq!(
            Guard::default()
                .label("source", "jane@example.org")
                .value
                .to_string(),
            "[redacted]"
        );
    }
}
