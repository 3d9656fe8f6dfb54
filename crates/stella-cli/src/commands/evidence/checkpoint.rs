//! `stella evidence checkpoint`

use stella_api::changes::LogAnswer;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::label::label;
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Table};

pub(crate) async fn run(session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::VERIFY)?;
    let log: LogAnswer = client.get("/api/v1/evidence/log").await?;
    let fields = [
        ("field-log-size", Cell::new(log.checkpoint.size.to_string())),
        (
            "field-log-root",
            Cell::new(&log.checkpoint.root).tone(Tone::Faint),
        ),
    ];
    let record = Table::record(fields.map(|(key, cell)| (label(key), cell)));
    Ok(Answer::new(&log)?
        .table(record)
        .line("")
        .line(label("checkpoint-keep")))
}
