//! A tally for people and scripts.

use std::collections::BTreeSet;

use stella_api::Code;
use stella_api::evidence::Outcome;
use stella_locale::Labels;

use super::tally::{Noticed, Tally};
use crate::answer::Answer;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// What people read of many refusals; scripts get all.
const SHOWN: usize = 50;

/// What people read of documents in which the same was noticed; scripts get all.
const EXAMPLES: usize = 3;

/// The outcomes that a taken document can have.
const OUTCOMES: [Outcome; 4] = [
    Outcome::Stored,
    Outcome::Identical,
    Outcome::Superseding,
    Outcome::Conflict,
];

impl Tally {
    /// The counts, what was passed over, and every refusal.
    pub(crate) fn answer(&self) -> Result<Answer, Failure> {
        let mut answer = Answer::new(self)?.table(self.counts());
        let notes = self.notes();
        if !notes.is_empty() {
            answer = answer.line("");
        }
        for note in notes {
            answer = answer.line(note);
        }
        if !self.refusals.is_empty() {
            answer = answer.line("").table(self.refusal_table());
        }
        let hidden = self.refusals.len().saturating_sub(SHOWN);
        if hidden > 0 {
            answer = answer.line(filled("refusals-more", &[("count", hidden.into())]));
        }
        Ok(answer.exit(self.exit()))
    }

    /// What the server did not foresee, had no time for or finds changed in its store is no fault
    /// of the documents.
    fn exit(&self) -> ExitCode {
        let faults = self.refusals.iter().flat_map(|refusal| &refusal.errors);
        let codes = faults.map(|fault| &fault.code).chain(self.notices.keys());
        let told: BTreeSet<ExitCode> = codes.filter_map(|code| exit_of(code)).collect();
        let not_theirs = [
            ExitCode::Unexpected,
            ExitCode::TryAgain,
            ExitCode::VerificationFailed,
        ];
        match not_theirs.into_iter().find(|exit| told.contains(exit)) {
            Some(exit) => exit,
            None if self.refused > 0 => ExitCode::InvalidInput,
            None => ExitCode::Ok,
        }
    }

    fn counts(&self) -> Table {
        let mut columns = vec![Column::new(label("column-kind")).whole()];
        let outcomes: Vec<Outcome> = OUTCOMES.into_iter().chain([Outcome::Refused]).collect();
        columns.extend(outcomes.iter().map(|outcome| {
            let key = format!("column-{}", outcome.as_str());
            Column::new(label(&key)).right().whole()
        }));
        let mut table = Table::new(columns);
        for (kind, counts) in &self.outcomes {
            let count = |outcome: &Outcome| {
                let count = counts.get(outcome.as_str()).copied().unwrap_or_default();
                let tone = match (count, outcome) {
                    (0, _) => Tone::Faint,
                    (_, Outcome::Refused) => Tone::Bad,
                    _ => Tone::Normal,
                };
                Cell::new(count.to_string()).tone(tone)
            };
            table.row(
                [Cell::new(kind)]
                    .into_iter()
                    .chain(outcomes.iter().map(count)),
            );
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (why, count) in &self.skipped {
            notes.push(filled(
                &format!("skipped-{why}"),
                &[("count", (*count).into())],
            ));
        }
        for (code, count) in &self.notices {
            let values = [("code", code.as_str().into()), ("count", (*count).into())];
            notes.push(filled("noticed", &values));
            let same = self.noticed.iter().filter(|one| one.notice.code == *code);
            notes.extend(same.take(EXAMPLES).map(example));
            if exit_of(code).is_some_and(|exit| exit != ExitCode::Ok) {
                notes.extend(hint(code));
            }
        }
        if self.unsent > 0 {
            notes.push(filled("unsent", &[("count", self.unsent.into())]));
        }
        notes
    }

    fn refusal_table(&self) -> Table {
        let mut table = Table::new([
            Column::new(label("column-file")),
            Column::new(label("column-code")).whole(),
            Column::new(label("column-place")),
            Column::new(label("column-reason")),
        ]);
        for refusal in self.refusals.iter().take(SHOWN) {
            for fault in &refusal.errors {
                let place = match &refusal.place {
                    Some(place) => format!("{}:{} {}", place.line, place.column, fault.pointer),
                    None => fault.pointer.clone(),
                };
                table.row([
                    Cell::new(&refusal.path),
                    Cell::new(&fault.code),
                    Cell::maybe(Some(place.trim_end()).filter(|place| !place.is_empty())),
                    Cell::new(&fault.detail),
                ]);
            }
        }
        table
    }
}

/// What a code of the registry leads to.
fn exit_of(code: &str) -> Option<ExitCode> {
    code.parse().ok().map(ExitCode::of_code)
}

fn example(Noticed { path, notice }: &Noticed) -> String {
    let place = format!("{path} {}", notice.pointer);
    format!("  {}: {}", place.trim_end(), notice.message)
}

/// What to do about a code.
fn hint(code: &str) -> Option<String> {
    let code: Code = code.parse().ok()?;
    let text = Labels::english().find(&format!("{}-hint", code.label_key()), &[])?;
    Some(format!("{}: {text}", label("hint")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::collect::Skipped;
    use super::super::prepare::Refusal;
    use super::super::send::Taken;
    use super::*;
    use crate::failure::{Fault, Place};
    use crate::{Format, style::Style};
    use stella_api::evidence::{EvidenceKind, IngestAnswer, Notice, Upstream};

    fn taken(kind: EvidenceKind, outcome: Outcome) -> Result<Taken, Refusal> {
        let upstream = Upstream {
            id: "x".into(),
            document_version: None,
            fetched_at: String::new(),
            content_digest: String::new(),
            signature: None,
        };
        let conflict = outcome == Outcome::Conflict;
        let notice = Notice {
            code: "ERR_AOC_003".into(),
            pointer: String::new(),
            message: "both are kept".into(),
        };
        let answer = IngestAnswer {
            id: "sha256:00".into(),
            outcome,
            upstream,
            notices: if conflict { vec![notice] } else { vec![] },
        };
        let path = format!("data/{kind}.json");
        Ok(Taken { path, kind, answer })
    }

    fn tally() -> Tally {
        let mut tally = Tally::new(8);
        for outcome in OUTCOMES {
            tally.count(taken(EvidenceKind::Advisory, outcome));
        }
        tally.count(taken(EvidenceKind::Sbom, Outcome::Identical));
        let fault = |pointer: &str, code: &str, detail: &str| Fault {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        };
        tally.count(Err(Refusal {
            path: "data/b.json".into(),
            kind: Some(EvidenceKind::Vex),
            place: None,
            errors: vec![
                fault("/a", "ERR_AOC_001", "`risk` is derived"),
                fault("/b", "ERR_AOC_007", "`b` is no field"),
            ],
        }));
        tally.count(Err(Refusal {
            path: "data/\u{1b}[2Ja.json".into(),
            kind: None,
            place: Some(Place {
                line: 3,
                column: 7,
                pointer: None,
            }),
            errors: vec![fault("/x", "ERR_AOC_009", "a document of no known format")],
        }));
        tally.skip(&BTreeMap::from([
            (Skipped::OtherName, 2),
            (Skipped::Hidden, 1),
        ]));
        tally.finish();
        tally
    }

    #[test]
    fn a_summary_for_people() {
        let tally = tally();
        let answer = tally.answer().unwrap();
        assert_eq!(answer.exit_code(), ExitCode::InvalidInput);
        assert_eq!((tally.done(), tally.new_ones()), (7, 3));
        insta::assert_snapshot!(answer.render(Format::Table, Style::default()).unwrap());
    }

    #[test]
    fn a_summary_for_scripts() {
        let answer = tally().answer().unwrap();
        insta::assert_snapshot!(answer.render(Format::Json, Style::default()).unwrap());
    }

    #[test]
    fn every_reason_to_pass_over_has_its_words() {
        for why in Skipped::ALL {
            assert!(Labels::english().has(&format!("skipped-{}", why.as_str())));
        }
    }

    #[test]
    fn what_nobody_foresaw_is_not_the_documents_fault() {
        let mut tally = Tally::new(3);
        let mut exit = |code| {
            tally.count(Err(Refusal::told("a", code, "")));
            tally.answer().unwrap().exit_code()
        };
        assert_eq!(exit(Code::Aoc009), ExitCode::InvalidInput);
        assert_eq!(exit(Code::Timeout), ExitCode::TryAgain);
        assert_eq!(exit(Code::Internal), ExitCode::Unexpected);
    }

    #[test]
    fn many_refusals_are_counted_and_not_all_shown() {
        let mut tally = Tally::new(60);
        for number in 0..60 {
            tally.count(Err(Refusal::told(&number.to_string(), Code::Aoc009, "no")));
        }
        let text = tally
            .answer()
            .unwrap()
            .render(Format::Table, Style::default());
        assert!(
            text.unwrap()
                .ends_with("10 more refusals: -o json has all\n")
        );
    }
}
