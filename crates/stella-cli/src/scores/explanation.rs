//! Why a score is what it is, for people: a headline, the steps that add up, the sources.

use serde::Serialize;
use stella_api::explain::Explanation;
use stella_api::findings::{FindingSource, SourceRole};
use stella_api::replay::ManifestAnswer;

use super::record::notes;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::points::{band, points, range, signed};
use crate::replays;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// An explanation with the token by which the score can be given again.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    replay: &'a ManifestAnswer,
}

/// An explanation and how to check it.
pub(crate) fn explained(
    explanation: &Explanation,
    replay: &ManifestAnswer,
) -> Result<Answer, Failure> {
    let value = Explained {
        explanation,
        replay,
    };
    let mut answer = Answer::new(&value)?
        .sentence(&explanation.headline)
        .line("")
        .table(steps(explanation));
    for note in notes(&explanation.score) {
        answer = answer.sentence(note);
    }
    answer = answer.line("").table(sources(&explanation.sources));
    Ok(replays::hint(answer.line(""), replay))
}

/// A line a step; the points of the lines add up to the last line.
fn steps(explanation: &Explanation) -> Table {
    let mut table = Table::new([
        Column::new(label("column-points")).right().whole(),
        Column::new(label("column-step")).prose(),
    ]);
    for sentence in &explanation.sentences {
        let points = Cell::new(signed(sentence.delta_bps));
        let tone = if sentence.delta_bps == 0 {
            Tone::Faint
        } else {
            Tone::Normal
        };
        table.row([points.tone(tone), Cell::new(&sentence.text)]);
    }
    let total: i64 = explanation
        .sentences
        .iter()
        .map(|sentence| sentence.delta_bps)
        .sum();
    table.row([Cell::new(format!("= {}", points(total))), sum(explanation)]);
    table
}

/// What the points add up to.
fn sum(explanation: &Explanation) -> Cell {
    let result = &explanation.score;
    let text = match result.score_bps {
        Some(_) => filled("sum", &[("band", band(result.band).into())]),
        None => filled("sum-unknown", &[("range", range(result).into())]),
    };
    Cell::new(text).tone(Tone::of_band(band(result.band)))
}

/// Every document that a score or finding rests on.
pub(crate) fn sources(sources: &[FindingSource]) -> Table {
    let mut table = Table::new([
        Column::new(label("column-source")).whole(),
        Column::new(label("column-publisher")),
        Column::new(label("column-document")),
        Column::new(label("column-digest")).long(),
    ]);
    for source in sources {
        table.row([
            Cell::new(role(source.role)),
            Cell::new(&source.publisher),
            Cell::new(&source.upstream_id),
            Cell::new(&source.document).tone(Tone::Faint),
        ]);
    }
    table
}

/// How a document speaks to a finding, in words.
fn role(role: SourceRole) -> String {
    label(match role {
        SourceRole::Sbom => "role-sbom",
        SourceRole::Advisory => "role-advisory",
        SourceRole::Alias => "role-alias",
        SourceRole::Kev => "role-kev",
        SourceRole::Vex => "role-vex",
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::{Format, style::Style};

    fn drawn(explanation: &Explanation, width: Option<u16>) -> String {
        let answer = explained(explanation, &made_up::manifest()).unwrap();
        let style = Style {
            width,
            colour: false,
        };
        answer.render(Format::Table, style).unwrap()
    }

    #[test]
    fn an_explanation_for_people() {
        let explanation = made_up::explanation();
        insta::assert_snapshot!("explanation", drawn(&explanation, None));
        insta::assert_snapshot!("explanation_narrow", drawn(&explanation, Some(80)));
    }

    #[test]
    fn an_unknown_score_says_what_is_missing() {
        insta::assert_snapshot!(drawn(&made_up::explanation_of_unknown(), None));
    }

    #[test]
    fn scripts_get_explanation_and_token() {
        let answer = explained(&made_up::explanation(), &made_up::manifest()).unwrap();
        let json = answer.render(Format::Json, Style::default()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["score"]["scoreBps"], 9000);
        assert_eq!(value["replay"]["token"], made_up::manifest().token);
    }
}
