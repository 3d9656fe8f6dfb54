//! What became of documents, counted.

use std::collections::BTreeMap;

use serde::Serialize;
use stella_api::evidence::{EvidenceKind, Notice, Outcome};

use super::collect::Skipped;
use super::prepare::Refusal;
use super::send::Taken;

/// What was noticed in a document that was taken.
#[derive(Debug, Serialize)]
pub(super) struct Noticed {
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) notice: Notice,
}

/// Counts of documents by what became of them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tally {
    documents: usize,
    taken: usize,
    pub(super) refused: usize,
    pub(super) unsent: usize,
    pub(super) outcomes: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    pub(super) notices: BTreeMap<String, usize>,
    pub(super) noticed: Vec<Noticed>,
    pub(super) skipped: BTreeMap<&'static str, usize>,
    pub(super) refusals: Vec<Refusal>,
}

impl Tally {
    pub(super) fn new(documents: usize) -> Self {
        Self {
            documents,
            unsent: documents,
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, became: Result<Taken, Refusal>) {
        self.unsent -= 1;
        match became {
            Ok(Taken { path, kind, answer }) => {
                self.taken += 1;
                self.outcome(kind.as_str(), answer.outcome.as_str());
                for notice in answer.notices {
                    *self.notices.entry(notice.code.clone()).or_default() += 1;
                    let path = path.clone();
                    self.noticed.push(Noticed { path, notice });
                }
            }
            Err(refusal) => {
                self.refused += 1;
                let kind = refusal.kind.map_or("unknown", EvidenceKind::as_str);
                self.outcome(kind, Outcome::Refused.as_str());
                self.refusals.push(refusal);
            }
        }
    }

    fn outcome(&mut self, kind: &'static str, outcome: &'static str) {
        let counts = self.outcomes.entry(kind).or_default();
        *counts.entry(outcome).or_default() += 1;
    }

    /// Documents come back in any order; what is told has one.
    pub(super) fn finish(&mut self) {
        self.refusals.sort_by(|a, b| a.path.cmp(&b.path));
        self.noticed.sort_by(|a, b| a.path.cmp(&b.path));
    }

    pub(crate) fn skip(&mut self, skipped: &BTreeMap<Skipped, usize>) {
        let names = skipped.iter().map(|(why, count)| (why.as_str(), *count));
        self.skipped = names.collect();
    }

    /// How many documents there are.
    pub(crate) fn documents(&self) -> usize {
        self.documents
    }

    /// How many were taken or refused.
    pub(crate) fn done(&self) -> usize {
        self.documents - self.unsent
    }

    /// How many are new to the store.
    pub(crate) fn new_ones(&self) -> usize {
        let identical = Outcome::Identical.as_str();
        let known = self
            .outcomes
            .values()
            .filter_map(|counts| counts.get(identical));
        self.taken - known.sum::<usize>()
    }

    /// The documents that were not taken.
    pub(crate) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }
}
