//! A list of findings with their scores.

use std::cmp::Reverse;

use serde::Serialize;
use stella_api::findings::Finding;
use stella_api::score::ScoreResult;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::id::short;
use crate::label::{filled, label};
use crate::pages::Listed;
use crate::scores::{self, Scoring, why};
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// Which findings are asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sbom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vulnerability: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purl: Option<String>,
}

/// A finding with what came of asking for its score.
pub(crate) type Scored = (Finding, Scoring);

/// In the order in which to look at them: unknown scores, then the highest, then what has no
/// score by its nature; of equal ones the smaller id.
pub(crate) fn ranked(mut findings: Vec<Scored>) -> Vec<Scored> {
    findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
    findings
}

fn rank((finding, scoring): &Scored) -> (u8, Reverse<u32>, &str) {
    let (group, points) = match scoring {
        Scoring::Scored(result) => match result.score_bps {
            None => (0, result.score_low_bps),
            Some(bps) => (1, bps),
        },
        Scoring::Failed(_) => (0, 0),
        Scoring::NotAsked if finding.informational.is_none() => (1, 0),
        Scoring::NotAsked | Scoring::Informational(_) => (2, 0),
    };
    (group, Reverse(points), &finding.id)
}

/// Findings in the order given.
pub(crate) fn listed(listed: &Listed<Scored>) -> Result<Answer, Failure> {
    let items: Vec<Item<'_>> = listed.items.iter().map(Item::of).collect();
    let value = serde_json::json!({ "items": items, "more": listed.more });
    let scorings = listed.items.iter().map(|(_, scoring)| scoring);
    let mut answer = Answer::new(&value)?
        .table(table(&listed.items))
        .exit(scores::exit(scorings));
    if listed.items.is_empty() {
        answer = answer.line(label("findings-none"));
    }
    if listed.more {
        let shown = listed.items.len();
        answer = answer
            .line("")
            .line(filled("findings-more", &[("shown", shown.into())]));
    }
    Ok(answer)
}

/// What scripts get of a finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    finding: &'a Finding,
    score: Option<&'a ScoreResult>,
    why: String,
}

impl<'a> Item<'a> {
    fn of((finding, scoring): &'a Scored) -> Self {
        Self {
            finding,
            score: scoring.result(),
            why: why(finding, scoring),
        }
    }
}

fn table(findings: &[Scored]) -> Table {
    let [score, band] = scores::columns();
    let column = |key: &str| Column::new(label(key));
    let mut table = Table::new([
        score,
        band,
        column("column-vulnerability").whole(),
        column("column-component"),
        column("column-version"),
        column("column-fixed"),
        column("column-why"),
        column("column-id").whole(),
    ]);
    for scored in findings {
        let (finding, scoring) = scored;
        let [score, band] = scores::cells(scoring);
        let fixed = finding.fixed_versions.join(", ");
        table.row([
            score,
            band,
            Cell::new(&finding.vulnerability),
            Cell::new(&finding.component.name),
            Cell::new(&finding.component.version),
            Cell::maybe(Some(fixed).filter(|fixed| !fixed.is_empty())),
            Cell::new(why(finding, scoring)),
            Cell::new(short(&finding.id)).tone(Tone::Faint),
        ]);
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scores::made_up;
    use crate::{Format, style::Style};

    fn drawn(items: Vec<Scored>, more: bool, width: Option<u16>) -> String {
        let style = Style {
            width,
            colour: false,
        };
        let answer = listed(&Listed { items, more }).unwrap();
        answer.render(Format::Table, style).unwrap()
    }

    #[test]
    fn findings_for_people() {
        let ranked = ranked(made_up::evaluated());
        insta::assert_snapshot!("findings", drawn(ranked.clone(), false, None));
        insta::assert_snapshot!("findings_on_a_terminal", drawn(ranked, true, Some(100)));
    }

    #[test]
    fn unknown_first_then_the_highest_then_what_has_none() {
        let low = {
            let mut result = made_up::critical();
            result.score_bps = Some(10);
            Scoring::Scored(Box::new(result))
        };
        let mut all = made_up::evaluated();
        all.push((made_up::finding("a-low-one", "1.0.0"), low));
        let names = |all: &[Scored]| -> Vec<String> {
            let name = |(finding, _): &Scored| finding.component.name.clone();
            all.iter().map(name).collect()
        };
        let ranked_once = ranked(all.clone());
        all.reverse();
        assert_eq!(names(&ranked_once), names(&ranked(all)));
        assert_eq!(
            names(&ranked_once)[2..],
            ["libwebp-sys", "a-low-one", "old"]
        );
    }

    #[test]
    fn without_scores_nothing_is_claimed() {
        let mut all = made_up::evaluated();
        for (_, scoring) in &mut all {
            *scoring = Scoring::NotAsked;
        }
        insta::assert_snapshot!(drawn(ranked(all), false, None));
    }

    #[test]
    fn nothing_that_fits_is_no_empty_table() {
        insta::assert_snapshot!(drawn(vec![], false, None), @"no component of an SBOM that fits is covered by an advisory");
    }
}
