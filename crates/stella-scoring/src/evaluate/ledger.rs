//! The running score: every change of it is a step, and contributions and gates follow from steps.

use stella_api::score::{Contribution, Gate, GateEffect, SourceRef, Step, StepOp};

use crate::band::FULL;
use crate::profile::Bound;
use crate::reason::ReasonCode;

/// A score being computed: its range, and what led there.
///
/// The steps add up to `low`, which is the score wherever there is one; `high` is what it could
/// still become by signals that are missing.
pub(super) struct Ledger {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) steps: Vec<Step>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) gates: Vec<Gate>,
}

/// A published value that a gate looks at.
pub(super) struct Stated {
    pub(super) signal: &'static str,
    pub(super) raw: String,
    pub(super) by: Option<String>,
    pub(super) sources: Vec<SourceRef>,
}

impl Ledger {
    /// Nothing is known: anything from 0 to 10,000.
    pub(super) fn new() -> Self {
        Self {
            low: 0,
            high: FULL,
            steps: vec![],
            contributions: vec![],
            gates: vec![],
        }
    }

    /// Takes a weighted signal as the whole of the score.
    pub(super) fn weigh(
        &mut self,
        reason: ReasonCode,
        tenths: u8,
        normalized: u32,
        stated: Stated,
    ) {
        let (from, to) = (i64::from(tenths), i64::from(normalized));
        let evidence = stated.sources.first().map(|source| source.digest.clone());
        self.step(StepOp::Transform, reason, [from, to, 0], evidence.clone());
        self.step(
            StepOp::Weight,
            ReasonCode::CvssWeighted,
            [to, to, to],
            evidence,
        );
        self.contribute(reason, stated, Some(normalized), FULL, to);
        (self.low, self.high) = (normalized, normalized);
    }

    /// Records that a signal brought nothing, so that the range stays as it is.
    pub(super) fn absent(&mut self, op: StepOp, reason: ReasonCode, evidence: Option<String>) {
        let low = i64::from(self.low);
        self.step(op, reason, [low, low, 0], evidence);
    }

    /// Records that nobody can tell whether a gate would open: the score stays, its range takes in
    /// what a floor could still make of it.
    pub(super) fn undecided(&mut self, gate: &str, bound: Bound, reason: ReasonCode) {
        if let Bound::FloorBps(least) = bound {
            self.high = self.high.max(least);
        }
        self.idle(gate, reason);
    }

    /// Records that a gate was looked at for lack of anything that would open it.
    pub(super) fn idle(&mut self, gate: &str, reason: ReasonCode) {
        self.absent(StepOp::Gate, reason, None);
        self.gate(gate, GateEffect::None, self.low, reason);
    }

    /// Records a statement that a gate looked at and did not heed.
    pub(super) fn unheeded(&mut self, gate: Option<&str>, reason: ReasonCode, stated: Stated) {
        let evidence = stated.sources.first().map(|source| source.digest.clone());
        self.absent(StepOp::Gate, reason, evidence);
        self.contribute(reason, stated, None, 0, 0);
        if let Some(gate) = gate {
            self.gate(gate, GateEffect::None, self.low, reason);
        }
    }

    /// Applies a gate; gives `changing` as the reason where it changes the range, else `idle`.
    pub(super) fn bound(
        &mut self,
        gate: &str,
        bound: Bound,
        reasons: [ReasonCode; 2],
        stated: Stated,
    ) {
        let before = (self.low, self.high);
        let (low, high, op, effect) = match bound {
            Bound::FloorBps(least) => (
                before.0.max(least),
                before.1.max(least),
                StepOp::Floor,
                GateEffect::Floor,
            ),
            Bound::CapBps(most) => (
                before.0.min(most),
                before.1.min(most),
                StepOp::Cap,
                GateEffect::Cap,
            ),
        };
        let [changing, unchanging] = reasons;
        let (reason, op, effect) = match (low, high) == before {
            true => (unchanging, StepOp::Gate, GateEffect::None),
            false => (changing, op, effect),
        };
        let (from, to) = (i64::from(before.0), i64::from(low));
        let evidence = stated.sources.first().map(|source| source.digest.clone());
        (self.low, self.high) = (low, high);
        self.step(op, reason, [from, to, to - from], evidence);
        self.contribute(reason, stated, None, 0, to - from);
        self.gate(gate, effect, before.0, reason);
    }

    fn step(
        &mut self,
        op: StepOp,
        reason: ReasonCode,
        numbers: [i64; 3],
        evidence: Option<String>,
    ) {
        let [input, output, delta_bps] = numbers;
        self.steps.push(Step {
            op,
            code: reason.as_str().to_owned(),
            input,
            output,
            delta_bps,
            evidence_digest: evidence,
            label_key: reason.label_key(),
        });
    }

    fn contribute(
        &mut self,
        reason: ReasonCode,
        stated: Stated,
        normalized: Option<u32>,
        weight: u32,
        points: i64,
    ) {
        self.contributions.push(Contribution {
            signal: stated.signal.to_owned(),
            raw: stated.raw,
            by: stated.by,
            normalized,
            weight,
            points,
            reason_code: reason.as_str().to_owned(),
            sources: stated.sources,
        });
    }

    fn gate(&mut self, id: &str, effect: GateEffect, before: u32, reason: ReasonCode) {
        let reason_code = reason.as_str().to_owned();
        self.gates.push(Gate {
            id: id.to_owned(),
            effect,
            before,
            after: self.low,
            reason_code,
        });
    }
}
