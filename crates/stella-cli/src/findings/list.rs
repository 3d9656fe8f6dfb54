//! A list of findings with their scores.

use serde::Serialize;
use stella_api::findings::Finding;
use stella_api::score::ScoreResult;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::findings::{Found, Pending, Scored};
use crate::id::short;
use crate::label::{filled, label};
use crate::scores::{self, why};
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// Findings in the order given.
pub(crate) fn listed(found: &Found) -> Result<Answer, Failure> {
    let items: Vec<Item<'_>> = found.shown().iter().map(Item::of).collect();
    let list = List {
        more: found.more(),
        total: found.total(),
        pending: found.pending(),
        items: &items,
    };
    let mut answer = Answer::new(&list)?
        .table(table(found.shown()))
        .exit(found.exit());
    if items.is_empty() && !found.more() {
        let all_derived = found.pending().count == 0;
        let key = if all_derived {
            "findings-none"
        } else {
            "findings-none-yet"
        };
        answer = answer.line(label(key));
    }
    if found.more() {
        let shown = ("shown", items.len().into());
        let line = match found.total() {
            Some(total) => filled("findings-more", &[shown, ("total", total.into())]),
            None => filled("findings-more-uncounted", &[shown]),
        };
        answer = answer.line("").line(line);
    }
    Ok(answer)
}

/// What scripts get of a list.
#[derive(Serialize)]
struct List<'a> {
    items: &'a [Item<'a>],
    more: bool,
    total: Option<usize>,
    #[serde(flatten)]
    pending: &'a Pending,
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
        column("column-why").prose(),
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
    use stella_api::findings::Stuck;

    use super::*;
    use crate::exit::ExitCode;
    use crate::scores::{Scoring, made_up};
    use crate::{Format, style::Style};

    /// Somebody's own documents wait, one of them in vain.
    fn waiting(stuck: bool) -> Pending {
        let stuck = stuck.then(|| Stuck {
            document: made_up::digest("an SBOM"),
            code: "EVIDENCE_CORRUPT".into(),
            detail: "document x is not stored as it came".into(),
        });
        Pending { count: 2, stuck }
    }

    fn drawn(found: &Found, width: Option<u16>) -> String {
        let style = Style {
            width,
            colour: false,
        };
        let answer = listed(found).unwrap();
        answer.render(Format::Table, style).unwrap()
    }

    #[test]
    fn findings_for_people() {
        let ranked = |limit| Found::ranked(made_up::evaluated(), limit);
        insta::assert_snapshot!("findings", drawn(&ranked(None), None));
        insta::assert_snapshot!("findings_on_a_terminal", drawn(&ranked(Some(3)), Some(100)));
    }

    #[test]
    fn scripts_are_told_how_many_there_are() {
        let told = |found| {
            let value = listed(&found).unwrap().value().clone();
            (value["more"].clone(), value["total"].clone())
        };
        let all = made_up::evaluated;
        assert_eq!(told(Found::ranked(all(), Some(3))), (true.into(), 4.into()));
        let uncounted = (true.into(), serde_json::Value::Null);
        assert_eq!(told(Found::first_of(all(), true)), uncounted);
    }

    #[test]
    fn what_is_not_derived_yet_is_no_all_clear() {
        for (stuck, exit) in [(false, ExitCode::Ok), (true, ExitCode::VerificationFailed)] {
            let found = Found::ranked(vec![], None).with(waiting(stuck));
            let answer = listed(&found).unwrap();
            assert_eq!(answer.exit_code(), exit);
            assert_eq!(answer.value()["pending"], 2);
            assert_eq!(answer.value()["stuck"].is_object(), stuck);
            let told = drawn(&found, None);
            assert_eq!(told, "no finding that fits, of what was derived so far\n");
        }
    }

    #[test]
    fn without_scores_nothing_is_claimed() {
        let mut all = made_up::evaluated();
        for (_, scoring) in &mut all {
            *scoring = Scoring::NotAsked;
        }
        insta::assert_snapshot!(drawn(&Found::first_of(all, true), None));
    }

    #[test]
    fn nothing_that_fits_is_no_empty_table() {
        insta::assert_snapshot!(drawn(&Found::ranked(vec![], Some(1)), None), @"no component of an SBOM that fits is covered by an advisory");
    }
}
