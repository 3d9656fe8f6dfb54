//! Evaluation: a subject's signals become a score with its explanation.

mod gates;
mod ledger;
mod severity;

use std::collections::BTreeSet;

use stella_api::score::{
    Conflict, DeltaIfPresent, EngineRef, MissingSignal, ScoreResult, ScoreSubject, StaleInput,
    StepOp, Unknowns,
};
use stella_canonical::Digest;

use crate::band::{FULL, band, bucket, unknowns_band};
use crate::digest;
use crate::error::ScoringError;
use crate::profile::{GateCondition, Profile, SEMANTICS};
use crate::reason::ReasonCode;
use crate::signals::{Signals, Subject, TrustPolicy};
use ledger::{Ledger, Stated};

/// A computed score: all that is determined by subject, profile, signals and policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The result, with its name, the finding, the release, the time and the proof still blank.
    determined: ScoreResult,
}

/// What of a result is observed rather than determined; enters no digest but the finding, which
/// enters `scoreId`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The finding that the score belongs to, if any.
    pub finding_id: Option<String>,
    /// The release that ran.
    pub engine_version: String,
    /// When, RFC 3339 in UTC.
    pub evaluated_at: String,
    /// Where the proof is, if there is one yet.
    pub proof_ref: Option<String>,
}

/// Evaluates a subject under a profile.
///
/// Equal arguments give an equal evaluation, and so do lists in another order or with repeated
/// entries. Adding a KEV listing never lowers a score, a higher vector in place of another never
/// does, and `not_affected` by a trusted publisher never raises one.
///
/// # Errors
/// [`ScoringError::Canonical`], which no text can cause.
pub fn evaluate(
    subject: &Subject,
    profile: &Profile,
    signals: &Signals,
    policy: &TrustPolicy,
) -> Result<Evaluation, ScoringError> {
    let profile_ref = profile.reference()?;
    let input_digest = digest::of_inputs(subject, &profile_ref.digest, signals, policy)?;
    let mut ledger = Ledger::new();
    let mut missing = Vec::new();
    let mut conflicts = Vec::new();
    let score_is_known = severity(&mut ledger, profile, signals, &mut missing, &mut conflicts);
    if signals.kev.is_none() {
        missing.push(missing_signal("kev", ReasonCode::KevNoCatalogue));
    }
    for gate in &profile.gates {
        match gate.when {
            GateCondition::KevListed => gates::kev(&mut ledger, gate, signals.kev.as_deref()),
            GateCondition::VexNotAffectedByTrustedPublisher => {
                conflicts.extend(gates::vex(&mut ledger, gate, &signals.vex, policy));
            }
        }
    }
    let unknowns = unknowns(&ledger, missing, score_is_known);
    let stale_inputs: BTreeSet<StaleInput> = signals.stale.iter().cloned().collect();
    let score_bps = score_is_known.then_some(ledger.low);
    let mut determined = ScoreResult {
        score_id: String::new(),
        subject: ScoreSubject {
            vulnerability: subject.vulnerability.clone(),
            purl: subject.purl.clone(),
            finding_id: None,
        },
        profile: profile_ref,
        engine: EngineRef {
            version: String::new(),
            semantics: SEMANTICS,
        },
        score_bps,
        score_low_bps: ledger.low,
        score_high_bps: ledger.high,
        band: band(score_bps),
        bucket: bucket(ledger.high),
        steps: ledger.steps,
        contributions: ledger.contributions,
        gates: ledger.gates,
        unknowns,
        conflicts,
        stale_inputs: stale_inputs.into_iter().collect(),
        input_digest: input_digest.to_string(),
        output_digest: String::new(),
        evaluated_at: String::new(),
        proof_ref: None,
    };
    determined.output_digest = digest::output_digest_of(&determined)?.to_string();
    Ok(Evaluation { determined })
}

impl Evaluation {
    /// The result as the wire carries it, named.
    ///
    /// # Errors
    /// None that texts can cause.
    pub fn into_result(self, observed: Observed) -> Result<ScoreResult, ScoringError> {
        let mut result = self.determined;
        let finding = observed.finding_id.as_deref();
        let id = digest::score_id_of(finding, &result.input_digest, &result.output_digest)?;
        result.score_id = id.to_string();
        result.subject.finding_id = observed.finding_id;
        result.engine.version = observed.engine_version;
        result.evaluated_at = observed.evaluated_at;
        result.proof_ref = observed.proof_ref;
        Ok(result)
    }

    /// What is determined; `scoreId`, finding, release, time and proof are blank.
    #[must_use]
    pub fn determined(&self) -> &ScoreResult {
        &self.determined
    }
}

/// Takes the weighted signal; tells whether there is a score.
fn severity(
    ledger: &mut Ledger,
    profile: &Profile,
    signals: &Signals,
    missing: &mut Vec<MissingSignal>,
    conflicts: &mut Vec<Conflict>,
) -> bool {
    let Some(weighted) = profile
        .signals
        .iter()
        .find(|weighted| weighted.signal == "cvss")
    else {
        return false;
    };
    let severity = severity::choose(&signals.cvss, weighted.transform);
    conflicts.extend(severity.conflict);
    match severity.chosen {
        Ok(chosen) => {
            let normalized = weighted.transform.apply(chosen.tenths);
            let stated = Stated {
                signal: "cvss",
                raw: chosen.raw,
                by: None,
                sources: chosen.sources,
            };
            ledger.weigh(chosen.reason, chosen.tenths.0, normalized, stated);
            true
        }
        Err(absent) => {
            let evidence = absent.sources.first().map(|source| source.digest.clone());
            ledger.absent(StepOp::Transform, absent.reason, evidence);
            let entry = missing_signal("cvss", absent.reason);
            missing.push(MissingSignal {
                sources: absent.sources,
                ..entry
            });
            false
        }
    }
}

fn missing_signal(signal: &str, reason: ReasonCode) -> MissingSignal {
    let reason_code = reason.as_str().to_owned();
    MissingSignal {
        signal: signal.to_owned(),
        reason_code,
        sources: Vec::new(),
    }
}

fn unknowns(ledger: &Ledger, missing: Vec<MissingSignal>, score_is_known: bool) -> Unknowns {
    let completeness_bps = if score_is_known { FULL } else { 0 };
    // What is absent is all that the range is open for, and each signal by itself could take the
    // score to either end of it.
    let delta_if_present: Vec<DeltaIfPresent> = missing
        .iter()
        .map(|absent| DeltaIfPresent {
            signal: absent.signal.clone(),
            low: ledger.low,
            high: ledger.high,
        })
        .collect();
    // Weighted signals stand before gates, so the first matters most.
    let next_best = delta_if_present
        .first()
        .filter(|delta| delta.high > delta.low)
        .map(|delta| delta.signal.clone());
    let band = unknowns_band(completeness_bps);
    Unknowns {
        completeness_bps,
        band,
        missing,
        next_best,
        delta_if_present,
    }
}

/// Digest of the inputs of an evaluation, without computing the score: an equal one means that
/// nothing has to be computed again.
///
/// # Errors
/// As [`evaluate`].
pub fn input_digest(
    subject: &Subject,
    profile: &Profile,
    signals: &Signals,
    policy: &TrustPolicy,
) -> Result<Digest, ScoringError> {
    digest::of_inputs(subject, &profile.digest()?.to_string(), signals, policy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
