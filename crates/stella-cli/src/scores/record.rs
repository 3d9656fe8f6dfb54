//! One score, all of it but its steps.

use stella_api::score::ScoreResult;

use super::why::{not_scored, of_score, reason};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::points::{band, bucket, points, range};
use crate::style::Tone;
use crate::table::{Cell, Table};

/// A score as a record.
pub(crate) fn record(result: &ScoreResult) -> Result<Answer, Failure> {
    let mut answer = Answer::new(result)?.table(Table::record(fields(result)));
    for line in notes(result) {
        answer = answer.sentence(line);
    }
    Ok(answer)
}

/// What is not known and what is not used, below an empty line, where there is any.
pub(super) fn notes(result: &ScoreResult) -> Vec<String> {
    let mut notes = missing(result);
    notes.extend(conflicts(result));
    if !notes.is_empty() {
        notes.insert(0, String::new());
    }
    notes
}

fn fields(result: &ScoreResult) -> Vec<(String, Cell)> {
    let score = match result.score_bps {
        Some(bps) => points(bps.into()),
        None => not_scored(result).unwrap_or_default(),
    };
    let profile = format!("{} {}", result.profile.id, result.profile.version);
    let engine = filled(
        "engine",
        &[
            ("version", result.engine.version.as_str().into()),
            ("semantics", result.engine.semantics.into()),
        ],
    );
    let faint = |text: &str| Cell::new(text).tone(Tone::Faint);
    let fields = [
        ("field-score", Cell::new(score)),
        ("field-band", Cell::band(band(result.band))),
        ("field-range", Cell::new(range(result))),
        ("field-bucket", Cell::new(bucket(result.bucket))),
        (
            "field-vulnerability",
            Cell::new(&result.subject.vulnerability),
        ),
        ("field-component", Cell::new(&result.subject.purl)),
        ("field-why", Cell::new(of_score(result).join(", "))),
        ("field-profile", Cell::new(profile)),
        ("field-engine", Cell::new(engine)),
        ("field-evaluated-at", Cell::new(&result.evaluated_at)),
        ("field-score-id", faint(&result.score_id)),
        (
            "field-finding-id",
            Cell::maybe(result.subject.finding_id.as_ref()).tone(Tone::Faint),
        ),
        ("field-input-digest", faint(&result.input_digest)),
        ("field-output-digest", faint(&result.output_digest)),
    ];
    fields.map(|(key, cell)| (label(key), cell)).into()
}

/// What is missing, and how far the score could still move.
fn missing(result: &ScoreResult) -> Vec<String> {
    let range = |signal: &str| {
        let deltas = &result.unknowns.delta_if_present;
        deltas.iter().find(|delta| delta.signal == signal)
    };
    let line = |signal: &str, code: &str| {
        let (low, high) = range(signal).map_or((0, 0), |delta| (delta.low, delta.high));
        let key = match (low, high) {
            (0, 10_000) => "missing-any",
            _ if low == high => "missing-still",
            _ => "missing",
        };
        let values = [
            ("signal", signal.to_uppercase().into()),
            ("reason", reason(code).into()),
            ("low", points(low.into()).into()),
            ("high", points(high.into()).into()),
        ];
        filled(key, &values)
    };
    let missing = result.unknowns.missing.iter();
    missing
        .map(|missing| line(&missing.signal, &missing.reason_code))
        .collect()
}

/// What other sources say, and scores that are not those of the vectors that they stand beside.
fn conflicts(result: &ScoreResult) -> Vec<String> {
    let mut lines = Vec::new();
    for conflict in &result.conflicts {
        for value in &conflict.values {
            let sources: Vec<&str> = value
                .sources
                .iter()
                .map(|source| crate::id::short(&source.digest))
                .collect();
            let told = [
                ("signal", conflict.signal.to_uppercase().into()),
                ("value", value.raw.as_str().into()),
                ("sources", sources.join(", ").into()),
                ("error", value.error.as_deref().unwrap_or_default().into()),
                ("misstated", value.misstated.join(", ").into()),
            ];
            if value.error.is_some() {
                lines.push(filled("conflict-unreadable", &told));
            } else if !value.used {
                lines.push(filled("conflict", &told));
            }
            if !value.misstated.is_empty() {
                lines.push(filled("conflict-misstated", &told));
            }
        }
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn scores_as_records() {
        let drawn = |result: ScoreResult| {
            record(&result)
                .unwrap()
                .render(Format::Table, Style::default())
        };
        insta::assert_snapshot!("score_record", drawn(made_up::critical()).unwrap());
        insta::assert_snapshot!("score_record_unknown", drawn(made_up::unknown()).unwrap());
    }
}
