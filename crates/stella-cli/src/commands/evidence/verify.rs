//! `stella evidence verify`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use stella_api::dsse::Envelope;
use stella_api::verify::{VerifyAnswer, VerifyRequest, VerifyViolation};

use crate::answer::Answer;
use crate::connection::connect;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::kind::{CHECKPOINT_INVALID, NOTHING_VERIFIED, PATH_UNREADABLE};
use crate::label::{filled, label};
use crate::moment;
use crate::progress::Progress;
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// `stella evidence verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Only documents that were taken in then or later.
    #[arg(long, value_name = "TIME", value_parser = moment::time, help = label("help-evidence-verify-since"))]
    since: Option<String>,
    /// Only documents that were taken in before.
    #[arg(long, value_name = "TIME", value_parser = moment::time, help = label("help-evidence-verify-until"))]
    until: Option<String>,
    /// Only documents of these publishers.
    #[arg(long, value_name = "NAME", help = label("help-evidence-verify-publisher"))]
    publisher: Vec<String>,
    /// What `evidence checkpoint` wrote before.
    #[arg(long, value_name = "FILE", help = label("help-evidence-verify-checkpoint"))]
    checkpoint: Option<PathBuf>,
    /// How many examples of each violation.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=500), help = label("help-evidence-verify-limit"))]
    limit: u32,
}

impl VerifyArgs {
    fn is_of_all(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.publisher.is_empty()
    }
}

pub(crate) async fn run(arguments: &VerifyArgs, session: &mut Session) -> Result<Answer, Failure> {
    let checkpoint = arguments.checkpoint.as_deref().map(kept).transpose()?;
    let client = connect(session, scopes::VERIFY)?;
    let sources = Some(arguments.publisher.clone()).filter(|names| !names.is_empty());
    let mut asked = VerifyRequest {
        since: arguments.since.clone(),
        until: arguments.until.clone(),
        sources,
        after: None,
        limit: Some(arguments.limit),
        checkpoint,
        resume: None,
        seconds: None,
    };
    let mut whole: Option<VerifyAnswer> = None;
    let progress = Progress::begin(session, "progress-evidence-verify", None);
    loop {
        let part: VerifyAnswer = client.post("/api/v1/evidence/verify", &asked).await?;
        let more = part.truncated;
        asked.after = Some(part.window.to);
        asked.resume = part.resume.clone();
        let sum = match whole.take() {
            Some(before) => joined(before, part, arguments.limit as usize),
            None => part,
        };
        if !more {
            return drawn(&sum, arguments.is_of_all());
        }
        progress.at(count(&sum));
        whole = Some(sum);
    }
}

/// The envelope of a file: what `evidence checkpoint` prints, or the envelope alone.
fn kept(path: &Path) -> Result<Envelope, Failure> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Printed { envelope: Envelope },
        Alone(Envelope),
    }
    let told = |kind, reason: &dyn ToString| {
        let path = path.display().to_string();
        Failure::of(kind, &[("path", &path), ("reason", &reason.to_string())])
    };
    let bytes = std::fs::read(path).map_err(|error| told(&PATH_UNREADABLE, &error))?;
    match serde_json::from_slice(&bytes) {
        Ok(Kept::Printed { envelope } | Kept::Alone(envelope)) => Ok(envelope),
        Err(_) => Err(told(&CHECKPOINT_INVALID, &"")),
    }
}

/// Two parts as one: the later goes on where the earlier ended, and says all of the log.
fn joined(before: VerifyAnswer, after: VerifyAnswer, limit: usize) -> VerifyAnswer {
    let mut checked = before.checked;
    for (kind, count) in after.checked {
        *checked.entry(kind).or_default() += count;
    }
    let violations = both(before.violations, after.violations, limit);
    let mut window = after.window;
    window.after = before.window.after;
    let mut missing = before.missing;
    missing.extend(after.missing);
    missing.truncate(limit);
    VerifyAnswer {
        window,
        log: after.log,
        checked,
        violations,
        missing,
        truncated: after.truncated,
        resume: after.resume,
    }
}

/// What does not hold in two parts, by code.
pub(crate) fn both(
    before: Vec<VerifyViolation>,
    after: Vec<VerifyViolation>,
    limit: usize,
) -> Vec<VerifyViolation> {
    let mut by_code: BTreeMap<String, VerifyViolation> = BTreeMap::new();
    for one in before.into_iter().chain(after) {
        match by_code.get_mut(&one.code) {
            Some(sum) => {
                sum.count += one.count;
                sum.examples.extend(one.examples);
                sum.examples.truncate(limit);
            }
            None => drop(by_code.insert(one.code.clone(), one)),
        }
    }
    by_code.into_values().collect()
}

fn count(answer: &VerifyAnswer) -> u64 {
    answer.checked.values().sum()
}

/// Of some documents it is said that they hold, and of no document nothing.
fn drawn(verified: &VerifyAnswer, of_all: bool) -> Result<Answer, Failure> {
    let holds = verified.violations.is_empty();
    if holds && !of_all && count(verified) == 0 {
        return Err(Failure::of(&NOTHING_VERIFIED, &[]));
    }
    let (word, tone, exit) = match (holds, of_all) {
        (true, true) => ("evidence-verified", Tone::Good, ExitCode::Ok),
        (true, false) => ("evidence-verified-some", Tone::Good, ExitCode::Ok),
        (false, _) => (
            "evidence-not-verified",
            Tone::Bad,
            ExitCode::VerificationFailed,
        ),
    };
    let headline = Cell::new(label(word)).tone(tone);
    let mut answer = Answer::new(verified)?
        .table(Table::paragraphs([headline]))
        .exit(exit);
    if !holds {
        answer = answer.line("").table(violations(verified)).line("");
    }
    let documents = [("count", count(verified).into())];
    answer = answer.line(filled("evidence-read-again", &documents));
    if let Some(log) = &verified.log {
        let values = [
            ("count", log.size.into()),
            ("root", log.root.as_str().into()),
        ];
        answer = answer.line(filled("evidence-log", &values));
        if log.unsealed > 0 {
            let waits = [("count", log.unsealed.into())];
            answer = answer.line(filled("evidence-log-waits", &waits));
        }
    }
    Ok(answer)
}

fn violations(verified: &VerifyAnswer) -> Table {
    let mut table = Table::new([
        Column::new(label("column-code")).whole(),
        Column::new(label("column-count")).right(),
        Column::new(label("column-why")).prose(),
    ]);
    for violation in &verified.violations {
        for (at, example) in violation.examples.iter().enumerate() {
            let first = |text: String| Cell::new(if at == 0 { text } else { String::new() });
            table.row([
                first(violation.code.clone()),
                first(violation.count.to_string()),
                Cell::new(&example.detail),
            ]);
        }
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Format, style::Style};

    fn part(after: u64, to: u64, count: u64, truncated: bool) -> VerifyAnswer {
        let example = json!({"document": "sha256:00", "position": to, "detail": format!("number {to}\u{1b}[2J")});
        serde_json::from_value(json!({
            "window": {"after": after, "to": to},
            "log": if truncated { json!(null) } else { json!({"size": to, "root": "sha256:ab", "unsealed": 2}) },
            "checked": {"advisory": to - after},
            "violations": [{"code": "EVIDENCE_CORRUPT", "count": count, "examples": [example]}],
            "missing": [format!("sha256:{to}")],
            "truncated": truncated,
        }))
        .unwrap()
    }

    #[test]
    fn of_no_document_nothing_is_said() {
        let read = |count: u64| {
            let mut read = part(0, count, 0, false);
            read.violations.clear();
            read
        };
        assert_eq!(drawn(&read(0), false).unwrap_err().code, "NOTHING_VERIFIED");
        let told = |of_all| {
            drawn(&read(2), of_all)
                .unwrap()
                .render(Format::Table, Style::default())
        };
        assert_ne!(told(true).unwrap(), told(false).unwrap());
        assert_eq!(drawn(&read(0), true).unwrap().exit_code(), ExitCode::Ok);
    }

    #[test]
    fn parts_are_told_as_one() {
        let sum = joined(part(0, 10, 1, true), part(10, 15, 3, false), 2);
        assert_eq!(
            (sum.window.after, sum.window.to, sum.truncated),
            (0, 15, false)
        );
        assert_eq!((count(&sum), sum.violations[0].count), (15, 4));
        assert_eq!(
            (sum.missing.len(), sum.violations[0].examples.len()),
            (2, 2)
        );
        let answer = drawn(&sum, true).unwrap();
        assert_eq!(answer.exit_code(), ExitCode::VerificationFailed);
        let text = answer.render(Format::Table, Style::default());
        insta::assert_snapshot!(text.unwrap());
    }

    #[test]
    fn all_that_holds_is_said_in_two_lines() {
        let mut holds = part(0, 10, 0, false);
        holds.violations.clear();
        holds.log.as_mut().unwrap().unsealed = 0;
        let answer = drawn(&holds, true).unwrap();
        assert_eq!(answer.exit_code(), ExitCode::Ok);
        let text = answer.render(Format::Table, Style::default());
        insta::assert_snapshot!(text.unwrap());
    }
}
