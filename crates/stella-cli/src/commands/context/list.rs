//! `stella context list`

use serde_json::json;

use crate::answer::Answer;
use crate::contexts::Contexts;
use crate::failure::Failure;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

pub(crate) fn run(session: &Session) -> Result<Answer, Failure> {
    let contexts = Contexts::load(&session.io.environment.config_dir()?)?;
    let title = |key| Column::new(session.labels.text(key));
    let mut table = Table::new([
        Column::new(""),
        title("column-name").whole(),
        title("column-server"),
        title("column-tenant"),
        title("column-client"),
    ]);
    let mut items = Vec::new();
    for (name, context, current) in contexts.iter() {
        table.row([
            Cell::new(if current { "*" } else { "" }).tone(Tone::Good),
            Cell::new(name),
            Cell::new(&context.server),
            Cell::new(&context.tenant),
            Cell::maybe(context.client.as_ref()),
        ]);
        items.push(json!({
            "name": name,
            "current": current,
            "server": context.server,
            "tenant": context.tenant,
            "client": context.client,
            "keyFile": context.key_file,
        }));
    }
    let empty = items.is_empty();
    let answer = Answer::new(&json!({ "items": items }))?.table(table);
    Ok(if empty {
        answer.line(session.labels.text("context-list-empty"))
    } else {
        answer
    })
}
