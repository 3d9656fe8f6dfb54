//! What does not hold, gathered by code.

use std::collections::BTreeMap;

use stella_api::Code;
use stella_api::changes::Change;
use stella_api::dsse::Envelope;
use stella_api::evidence::EvidenceKind;
use stella_api::verify::{VerifiedLog, VerifyAnswer, VerifyExample, VerifyViolation, VerifyWindow};
use stella_service::{Failure, Fault};

use crate::change::LOG;
use crate::store::Key;

/// What was found so far: all of it counted, and the first of each told.
pub(super) struct Found {
    limit: usize,
    checked: BTreeMap<EvidenceKind, u64>,
    violations: BTreeMap<Code, VerifyViolation>,
    missing: Vec<String>,
}

impl Found {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: limit as usize,
            checked: BTreeMap::new(),
            violations: BTreeMap::new(),
            missing: Vec::new(),
        }
    }

    /// A document was read again.
    pub(super) fn checked(&mut self, change: &Change) {
        *self.checked.entry(change.observed.kind).or_default() += 1;
    }

    /// A document that was taken in is not there.
    pub(super) fn gone(&mut self, change: &Change, reason: &str) {
        if self.missing.len() < self.limit {
            self.missing.push(change.document.clone());
        }
        let failure = Failure::new(Code::EvidenceMissing)
            .with("what", &change.document)
            .with("reason", reason);
        self.note(&failure, Some(&change.document), Some(change.position));
    }

    /// A document is not stored as it came.
    pub(super) fn changed(&mut self, change: &Change, actual: impl ToString) {
        let failure = Failure::new(Code::EvidenceCorrupt)
            .with("document", &change.document)
            .with("actual", actual);
        self.note(&failure, Some(&change.document), Some(change.position));
    }

    /// A stored document stands in no log.
    pub(super) fn unlogged(&mut self, document: &str) {
        let failure = Failure::new(Code::EvidenceUnlogged).with("what", document);
        self.note(&failure, Some(document), None);
    }

    /// What stands as derived from a document is not what follows from it.
    pub(super) fn derived(&mut self, change: &Change, reason: impl ToString) {
        let failure = Failure::new(Code::EvidenceDerivedMismatch)
            .with("what", &change.document)
            .with("reason", reason);
        self.note(&failure, Some(&change.document), Some(change.position));
    }

    /// A document that is due cannot be derived from, so that nothing could be compared.
    pub(super) fn stuck(&mut self, key: &Key, failure: &Failure) {
        self.note(failure, Some(&key.digest), None);
    }

    /// A derived row is no stored document's.
    pub(super) fn stray(&mut self, table: &str, document: &str) {
        let failure = Failure::new(Code::EvidenceDerivedMismatch)
            .with("what", document)
            .with(
                "reason",
                format!("{table}: a row that no stored document stands for"),
            );
        self.note(&failure, Some(document), None);
    }

    /// A position of the log does not hold what was sealed there.
    pub(super) fn entry(&mut self, position: u64, reason: impl ToString) {
        let failure = Failure::new(Code::LogCorrupt)
            .with("what", format!("{LOG} entry {position}"))
            .with("reason", reason);
        self.note(&failure, None, Some(position));
    }

    /// Something is wrong with the log.
    pub(super) fn fault(&mut self, fault: Fault) {
        let failure = fault.failure(LOG);
        let (document, position) = match fault {
            Fault::Entry { position, .. } => (None, Some(position)),
            Fault::Lost { subject } => (Some(subject).filter(|one| !one.is_empty()), None),
            Fault::Head | Fault::Unsigned { .. } | Fault::Rewritten { .. } => (None, None),
        };
        self.note(&failure, document.as_deref(), position);
    }

    fn note(&mut self, failure: &Failure, document: Option<&str>, position: Option<u64>) {
        let code = failure.code();
        let violation = self
            .violations
            .entry(code)
            .or_insert_with(|| VerifyViolation {
                code: code.to_string(),
                count: 0,
                examples: Vec::new(),
            });
        violation.count += 1;
        if violation.examples.len() < self.limit {
            violation.examples.push(VerifyExample {
                document: document.map(str::to_owned),
                position,
                detail: failure.detail(),
            });
        }
    }

    pub(super) fn answer(
        self,
        window: VerifyWindow,
        log: Option<VerifiedLog>,
        resume: Option<Envelope>,
    ) -> VerifyAnswer {
        VerifyAnswer {
            window,
            log,
            checked: self.checked,
            violations: self.violations.into_values().collect(),
            missing: self.missing,
            truncated: resume.is_some(),
            resume,
        }
    }
}
