//! `stella evidence list`

use clap::Args;
use serde::Serialize;
use stella_api::evidence::{DocumentRecord, EvidenceKind};

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::id::short;
use crate::label::{filled, label};
use crate::moment::Moment;
use crate::pages::{self, Listed};
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// `stella evidence list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only of this kind.
    #[arg(long, value_name = "KIND", help = label("help-evidence-list-kind"))]
    kind: Option<EvidenceKind>,
    /// Only of this publisher.
    #[arg(long, value_name = "NAME", help = label("help-evidence-list-publisher"))]
    publisher: Option<String>,
    /// Only what speaks of this id.
    #[arg(long, value_name = "ID", help = label("help-evidence-list-id"))]
    id: Option<String>,
    /// Only what its publisher calls so.
    #[arg(long, value_name = "ID", help = label("help-evidence-list-upstream-id"))]
    upstream_id: Option<String>,
    /// Only what had been fetched and received by then.
    #[command(flatten)]
    moment: Moment,
    /// Only the newest revisions.
    #[arg(long, help = label("help-evidence-list-newest"))]
    newest: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = pages::limit, help = label("help-limit"))]
    limit: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<EvidenceKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_id: Option<String>,
    #[serde(flatten)]
    moment: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<bool>,
}

pub(crate) async fn run(arguments: ListArgs, session: &mut Session) -> Result<Answer, Failure> {
    let scopes = arguments.kind.map_or(scopes::EVIDENCE, scopes::reading);
    let client = connect(session, scopes)?;
    let filter = Filter {
        kind: arguments.kind,
        publisher: arguments.publisher,
        identifier: arguments.id,
        upstream_id: arguments.upstream_id,
        moment: arguments.moment,
        newest: arguments.newest.then_some(true),
    };
    let path = "/api/v1/evidence/documents";
    let limit = Some(arguments.limit);
    drawn(&pages::list(&client, path, &filter, limit).await?)
}

fn drawn(listed: &Listed<DocumentRecord>) -> Result<Answer, Failure> {
    let mut table = Table::new([
        Column::new(label("column-kind")).whole(),
        Column::new(label("column-publisher")),
        Column::new(label("column-document")).long(),
        Column::new(label("column-version")).long(),
        Column::new(label("column-format")),
        Column::new(label("column-outcome")),
        Column::new(label("column-received")),
        Column::new(label("column-id")).whole(),
    ]);
    for record in &listed.items {
        let version = record.upstream.document_version.as_ref();
        // The day and the time of day; a fraction of a second says nothing to people.
        let received = record.received_at.get(..19).unwrap_or(&record.received_at);
        table.row([
            Cell::new(record.kind.as_str()),
            Cell::new(&record.source.publisher),
            Cell::new(&record.upstream.id),
            Cell::maybe(version),
            Cell::new(&record.content.format),
            Cell::new(record.outcome.as_str()),
            Cell::new(received.replace('T', " ")),
            Cell::new(short(&record.id)).tone(Tone::Faint),
        ]);
    }
    let value = serde_json::json!({ "items": listed.items, "more": listed.more });
    let mut answer = Answer::new(&value)?.table(table);
    if listed.items.is_empty() {
        answer = answer.line(label("evidence-none"));
    }
    if listed.more {
        let shown = listed.items.len();
        answer = answer
            .line("")
            .line(filled("evidence-more", &[("shown", shown.into())]));
    }
    Ok(answer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::show::made_up;
    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn documents_for_people() {
        let listed = Listed {
            items: vec![made_up()],
            more: true,
        };
        for (name, width) in [("documents", None), ("documents_narrow", Some(80))] {
            let style = Style {
                width,
                colour: false,
            };
            let text = drawn(&listed).unwrap().render(Format::Table, style);
            insta::assert_snapshot!(name, text.unwrap());
        }
        let none = Listed {
            items: vec![],
            more: false,
        };
        let text = drawn(&none)
            .unwrap()
            .render(Format::Table, Style::default());
        insta::assert_snapshot!(text.unwrap(), @"no document fits; those that there are: stella evidence list");
    }
}
