//! `stella audit list`

use clap::Args;
use serde::Serialize;
use stella_api::audit::{AuditOutcome, AuditRecord};

use super::Service;
use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::moment;
use crate::pages;
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// `stella audit list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only of this service.
    #[arg(long, value_name = "SERVICE", help = label("help-audit-service"))]
    service: Option<Service>,
    /// Only acts of this name.
    #[arg(long, value_name = "ACTION", help = label("help-audit-list-action"))]
    action: Option<String>,
    /// Only acts of then or later.
    #[arg(long, value_name = "TIME", value_parser = moment::time, help = label("help-audit-list-since"))]
    since: Option<String>,
    /// Only acts of before.
    #[arg(long, value_name = "TIME", value_parser = moment::time, help = label("help-audit-list-until"))]
    until: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = pages::limit, help = label("help-limit"))]
    limit: usize,
}

#[derive(Serialize)]
struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

pub(crate) async fn run(arguments: ListArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::AUDIT)?;
    let filter = Filter {
        action: arguments.action,
        since: arguments.since,
        until: arguments.until,
    };
    let limit = arguments.limit;
    let (mut records, mut more): (Vec<AuditRecord>, bool) = (Vec::new(), false);
    for service in Service::asked(arguments.service) {
        let listed = pages::list(&client, service.path(), &filter, Some(limit)).await?;
        records.extend(listed.items);
        more |= listed.more;
    }
    // Of all services the newest first, as each of them lists.
    records.sort_by(|a, b| (&b.at, &b.action, b.position).cmp(&(&a.at, &a.action, a.position)));
    more |= records.len() > limit;
    records.truncate(limit);
    drawn(&records, more)
}

fn drawn(records: &[AuditRecord], more: bool) -> Result<Answer, Failure> {
    let mut table = Table::new([
        Column::new(label("column-time")).whole(),
        Column::new(label("column-action")),
        Column::new(label("column-outcome")),
        Column::new(label("column-actor")),
        Column::new(label("column-target")).long(),
        Column::new(label("column-reason")),
    ]);
    for record in records {
        let at = record.at.get(..19).unwrap_or(&record.at);
        let entry = &record.entry;
        let tone = match entry.outcome {
            AuditOutcome::Success => Tone::Good,
            _ => Tone::Bad,
        };
        table.row([
            Cell::new(at.replace('T', " ")),
            Cell::new(&record.action),
            Cell::new(entry.outcome.as_str()).tone(tone),
            Cell::new(entry.actor.client.as_ref().unwrap_or(&entry.actor.subject)),
            Cell::new(&entry.target),
            Cell::maybe(entry.reason.as_ref()),
        ]);
    }
    let value = serde_json::json!({ "items": records, "more": more });
    let mut answer = Answer::new(&value)?.table(table);
    if records.is_empty() {
        answer = answer.line(label("audit-none"));
    }
    if more {
        let shown = [("shown", records.len().into())];
        answer = answer.line("").line(filled("audit-more", &shown));
    }
    Ok(answer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn acts_for_people() {
        let record = |position: u64, action: &str, rest: serde_json::Value| {
            let mut record = json!({"position": position, "at": "2026-11-27T13:00:00.123456Z", "action": action});
            let rest = rest.as_object().unwrap().clone();
            record.as_object_mut().unwrap().extend(rest);
            serde_json::from_value(record).unwrap()
        };
        let records: [AuditRecord; 2] = [
            record(
                2,
                "replay.run.finished",
                json!({"actor": {"client": "ci", "subject": "ci"},
                "outcome": "failure", "reason": "tamper", "target": format!("sha256:{}", "0".repeat(64))}),
            ),
            record(
                1,
                "authority.tenant.created",
                json!({"actor": {"subject": "operator"},
                "outcome": "success", "target": "acme\u{1b}[2J"}),
            ),
        ];
        let style = Style {
            width: Some(80),
            colour: false,
        };
        let text = drawn(&records, true).unwrap().render(Format::Table, style);
        insta::assert_snapshot!(text.unwrap());
    }
}
