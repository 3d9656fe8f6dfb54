//! What a replay says, for people.

use serde::Serialize;
use stella_api::replay::{ReplayCause, ReplayOutcome, ReplayVerdict};
use stella_locale::Labels;

use crate::answer::Answer;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::scores;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// The verdict alone, with every place that differs.
pub(crate) fn verdict(verdict: &ReplayVerdict) -> Result<Answer, Failure> {
    let value = ReplayVerdict {
        recomputed: None,
        ..verdict.clone()
    };
    Ok(drawn(&value, verdict)?.exit(exit(verdict)))
}

/// The recomputed answer, with the verdict.
pub(crate) fn recomputed(verdict: &ReplayVerdict) -> Result<Answer, Failure> {
    let mut answer = drawn(verdict, verdict)?;
    if let Some(score) = &verdict.recomputed {
        answer = answer.line("").below(scores::record(score)?);
    }
    Ok(answer.exit(exit(verdict)))
}

fn drawn(value: &impl Serialize, verdict: &ReplayVerdict) -> Result<Answer, Failure> {
    let (word, tone) = word(verdict);
    let headline = Cell::new(label(word)).tone(tone);
    let answer = Answer::new(value)?
        .table(Table::paragraphs([headline]))
        .table(differences(verdict));
    let manifest = verdict.manifest_digest.as_str();
    let key = if verdict.signed {
        "replay-manifest-signed"
    } else {
        "replay-manifest"
    };
    Ok(answer.line(filled(key, &[("digest", manifest.into())])))
}

fn word(verdict: &ReplayVerdict) -> (&'static str, Tone) {
    match (verdict.outcome, verdict.cause) {
        (ReplayOutcome::Match, _) => ("verdict-match", Tone::Good),
        (_, Some(ReplayCause::Tamper)) => ("verdict-tamper", Tone::Bad),
        (_, Some(ReplayCause::Engine)) => ("verdict-engine", Tone::Bad),
        (_, Some(ReplayCause::Profile)) => ("verdict-profile", Tone::Bad),
        (_, Some(ReplayCause::Missing)) => ("verdict-missing", Tone::Bad),
        (ReplayOutcome::Mismatch, None) => ("verdict-mismatch", Tone::Bad),
        (ReplayOutcome::CannotReplay, None) => ("verdict-cannot-replay", Tone::Bad),
    }
}

/// Page 06: 0, 9, 4, and 6 where something was tampered with.
fn exit(verdict: &ReplayVerdict) -> ExitCode {
    match (verdict.outcome, verdict.cause) {
        (_, Some(ReplayCause::Tamper)) => ExitCode::VerificationFailed,
        (ReplayOutcome::Match, _) => ExitCode::Ok,
        (ReplayOutcome::Mismatch, _) => ExitCode::No,
        (ReplayOutcome::CannotReplay, _) => ExitCode::NotFound,
    }
}

fn differences(verdict: &ReplayVerdict) -> Table {
    let mut table = Table::new([
        Column::new(label("column-where")),
        Column::new(label("column-place")),
        Column::new(label("column-expected")),
        Column::new(label("column-actual")),
    ]);
    for difference in &verdict.differences {
        let place = Some(&difference.pointer).filter(|pointer| !pointer.is_empty());
        table.row([
            Cell::new(subject(&difference.subject)),
            Cell::maybe(place),
            Cell::new(state(&difference.expected)),
            Cell::new(state(&difference.actual)),
        ]);
    }
    table
}

/// A subject is a kind and what is meant of it; one of a newer server stays as it is.
fn subject(text: &str) -> String {
    let named = text.rsplit_once(' ').and_then(|(kind, id)| {
        let key = format!("subject-{}", kind.replace(' ', "-"));
        Labels::english().find(&key, &[("id", id.into())])
    });
    named.unwrap_or_else(|| text.to_owned())
}

/// A [`State`](stella_api::replay::State) in words; a value as it is.
fn state(text: &str) -> String {
    let words = Labels::english().find(&format!("difference-{text}"), &[]);
    words.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stella_api::replay::{Difference, State};

    use super::*;
    use crate::scores::made_up;
    use crate::{Format, style::Style};

    fn made_up(outcome: ReplayOutcome, cause: Option<ReplayCause>) -> ReplayVerdict {
        let difference = Difference {
            subject: format!("document {}", made_up::digest("advisory")),
            pointer: String::new(),
            expected: made_up::digest("advisory"),
            actual: made_up::digest("edited"),
        };
        let same = outcome == ReplayOutcome::Match;
        ReplayVerdict {
            outcome,
            cause,
            manifest_digest: made_up::digest("manifest"),
            score_id: made_up::digest("score"),
            snapshot_id: made_up::digest("snapshot"),
            differences: if same { vec![] } else { vec![difference] },
            recomputed: same.then(made_up::critical),
            signed: false,
        }
    }

    fn text(answer: &Answer) -> String {
        answer.render(Format::Table, Style::default()).unwrap()
    }

    #[test]
    fn verdicts_and_their_exit_codes() {
        use ReplayCause::{Engine, Missing, Profile, Tamper};
        use ReplayOutcome::{CannotReplay, Match, Mismatch};
        let cases = [
            (Match, None, 0),
            (Mismatch, None, 9),
            (Mismatch, Some(Engine), 9),
            (Mismatch, Some(Profile), 9),
            (Mismatch, Some(Tamper), 6),
            (CannotReplay, Some(Tamper), 6),
            (CannotReplay, Some(Missing), 4),
            (CannotReplay, Some(Engine), 4),
            (CannotReplay, None, 4),
        ];
        for (outcome, cause, code) in cases {
            let answer = verdict(&made_up(outcome, cause)).unwrap();
            assert_eq!(u8::from(answer.exit_code()), code, "{outcome:?} {cause:?}");
        }
    }

    #[test]
    fn verify_prints_the_verdict_and_nothing_of_the_answer() {
        let same = verdict(&made_up(ReplayOutcome::Match, None)).unwrap();
        insta::assert_snapshot!("verdict_match", text(&same));
        let json = same.render(Format::Json, Style::default()).unwrap();
        assert!(!json.contains("recomputed"), "{json}");
        let edited = verdict(&made_up(ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
        insta::assert_snapshot!("verdict_tamper", text(&edited.unwrap()));
    }

    #[test]
    fn every_state_has_its_words_and_values_stay() {
        for one in State::ALL {
            assert!(Labels::english().has(&format!("difference-{one}")), "{one}");
        }
        assert_eq!(state("as-given"), "as it was given");
        assert_eq!(state("\"missing\""), "\"missing\"");
        assert_eq!(
            subject("manifest row sha256:00"),
            "index row of manifest sha256:00"
        );
        assert_eq!(subject("something new 7"), "something new 7");
    }

    #[test]
    fn run_prints_the_recomputed_answer() {
        let answer = recomputed(&made_up(ReplayOutcome::Match, None)).unwrap();
        insta::assert_snapshot!("verdict_recomputed", text(&answer));
        let json = answer.render(Format::Json, Style::default()).unwrap();
        assert!(json.contains("recomputed"), "{json}");
    }
}
