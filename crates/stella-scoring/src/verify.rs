//! Checks a stored result against itself: the ledger adds up, the views follow from it, the
//! digests are those of the content.

use stella_api::score::{ScoreResult, StepOp};

use crate::band::{band, bucket, unknowns_band};
use crate::digest::{output_digest_of, score_id_of};
use crate::error::ScoringError;
use crate::reason::{ReasonCode, label_key};

/// Checks that the steps lead from 0 to the score, each from where the last one ended, and that
/// contributions, band, bucket and labels follow from them.
///
/// # Errors
/// [`ScoringError::Inconsistent`] at the first place that does not follow.
pub fn verify_ledger(result: &ScoreResult) -> Result<(), ScoringError> {
    steps(result)?;
    contributions(result)?;
    let low = result.score_low_bps;
    expect(
        "/scoreHighBps",
        result.score_high_bps.max(low),
        result.score_high_bps,
    )?;
    if let Some(score) = result.score_bps {
        expect("/scoreLowBps", score, low)?;
    }
    expect(
        "/band",
        format!("{:?}", band(result.score_bps)),
        format!("{:?}", result.band),
    )?;
    let expected = bucket(result.score_high_bps);
    expect(
        "/bucket",
        format!("{expected:?}"),
        format!("{:?}", result.bucket),
    )?;
    let expected = unknowns_band(result.unknowns.completeness_bps);
    expect(
        "/unknowns/band",
        format!("{expected:?}"),
        format!("{:?}", result.unknowns.band),
    )
}

/// Checks the ledger, `outputDigest` and `scoreId`.
///
/// # Errors
/// As [`verify_ledger`], and where a number in the result has no canonical form.
pub fn verify_result(result: &ScoreResult) -> Result<(), ScoringError> {
    verify_ledger(result)?;
    let output = output_digest_of(result)?.to_string();
    expect("/outputDigest", &output, &result.output_digest)?;
    let finding = result.subject.finding_id.as_deref();
    let id = score_id_of(finding, &result.input_digest, &output)?.to_string();
    expect("/scoreId", &id, &result.score_id)
}

fn steps(result: &ScoreResult) -> Result<(), ScoringError> {
    let mut running = 0i64;
    for (place, step) in result.steps.iter().enumerate() {
        let at = |member: &str| format!("/steps/{place}/{member}");
        if ReasonCode::from_code(&step.code).is_none() {
            return expect(&at("code"), "a known reason code", &step.code);
        }
        expect(
            &at("labelKey"),
            label_key(&step.code),
            step.label_key.clone(),
        )?;
        let before = running;
        running = running.checked_add(step.delta_bps).unwrap_or(i64::MAX);
        match step.op {
            StepOp::Transform => expect(&at("deltaBps"), 0, step.delta_bps)?,
            StepOp::Weight => {}
            StepOp::Gate | StepOp::Floor | StepOp::Cap | StepOp::Override | StepOp::Round => {
                expect(&at("input"), before, step.input)?;
                expect(&at("output"), running, step.output)?;
            }
        }
    }
    let total = i64::from(result.score_bps.unwrap_or(result.score_low_bps));
    expect("/steps", total, running)
}

/// Each contribution belongs to a step, in order, and together they bring what the steps do.
fn contributions(result: &ScoreResult) -> Result<(), ScoringError> {
    let contributing =
        |code: &str| ReasonCode::from_code(code).is_some_and(ReasonCode::contributes);
    let codes: Vec<&str> = result
        .steps
        .iter()
        .map(|step| step.code.as_str())
        .filter(|code| contributing(code))
        .collect();
    expect("/contributions", codes.len(), result.contributions.len())?;
    for (place, (code, contribution)) in codes.iter().zip(&result.contributions).enumerate() {
        let pointer = format!("/contributions/{place}/reasonCode");
        expect(&pointer, *code, contribution.reason_code.as_str())?;
    }
    let points = result
        .contributions
        .iter()
        .fold(0i64, |sum, it| sum.saturating_add(it.points));
    let total = i64::from(result.score_bps.unwrap_or(result.score_low_bps));
    expect("/contributions", total, points)
}

fn expect<T: PartialEq + ToString>(
    pointer: &str,
    expected: T,
    actual: T,
) -> Result<(), ScoringError> {
    if expected == actual {
        return Ok(());
    }
    Err(ScoringError::Inconsistent {
        pointer: pointer.to_owned(),
        expected: expected.to_string(),
        actual: actual.to_string(),
    })
}
