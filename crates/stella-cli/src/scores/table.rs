//! Scores in a table.

use serde::Serialize;
use stella_api::findings::Finding;
use stella_api::score::{Band, ScoreResult};

use super::Scoring;
use super::why::why;
use crate::answer::Answer;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::id::short;
use crate::label::label;
use crate::points::{band, score};
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// The two cells that tell a score.
pub(crate) fn cells(scoring: &Scoring) -> [Cell; 2] {
    match scoring {
        Scoring::Scored(result) => [score(result), Cell::band(band(result.band))],
        Scoring::Failed(_) => [Cell::absent(), Cell::band(band(Band::Unknown))],
        Scoring::Informational(_) | Scoring::NotAsked => [Cell::absent(), Cell::absent()],
    }
}

/// The columns of those cells.
pub(crate) fn columns() -> [Column; 2] {
    [
        Column::new(label("column-score")).right().whole(),
        Column::new(label("column-band")).whole(),
    ]
}

/// The exit code where some could not be scored: the first one's.
pub(crate) fn exit<'a>(scorings: impl Iterator<Item = &'a Scoring>) -> ExitCode {
    let mut failed = scorings.filter_map(|scoring| match scoring {
        Scoring::Failed(failure) => Some(failure.exit),
        _ => None,
    });
    failed.next().unwrap_or(ExitCode::Ok)
}

/// Scores just evaluated, in the order asked for.
pub(crate) fn table(evaluated: &[(Finding, Scoring)]) -> Result<Answer, Failure> {
    let [score, band] = columns();
    let mut table = Table::new([
        score,
        band,
        Column::new(label("column-vulnerability")).whole(),
        Column::new(label("column-component")),
        Column::new(label("column-why")).prose(),
        Column::new(label("column-score-id")).whole(),
    ]);
    for (finding, scoring) in evaluated {
        let [score, band] = cells(scoring);
        let result = scoring.result();
        table.row([
            score,
            band,
            Cell::new(&finding.vulnerability),
            Cell::new(&finding.component.purl),
            Cell::new(why(finding, scoring)),
            Cell::maybe(result.map(|result| short(&result.score_id))).tone(Tone::Faint),
        ]);
    }
    let items: Vec<Item<'_>> = evaluated.iter().map(Item::of).collect();
    let exit = exit(evaluated.iter().map(|(_, scoring)| scoring));
    Ok(Answer::new(&serde_json::json!({ "items": items }))?
        .table(table)
        .exit(exit))
}

/// What scripts get of a finding whose score was asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    finding_id: &'a str,
    score: Option<&'a ScoreResult>,
    why: String,
}

impl<'a> Item<'a> {
    fn of((finding, scoring): &'a (Finding, Scoring)) -> Self {
        Self {
            finding_id: &finding.id,
            score: scoring.result(),
            why: why(finding, scoring),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn scores_in_the_order_asked_for() {
        let answer = table(&made_up::evaluated()).unwrap();
        assert_eq!(answer.exit_code(), ExitCode::VerificationFailed);
        insta::assert_snapshot!(answer.render(Format::Table, Style::default()).unwrap());
    }
}
