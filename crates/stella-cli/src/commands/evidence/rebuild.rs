//! `stella evidence rebuild`

use stella_api::rebuild::{RebuildAnswer, RebuildRequest};

use crate::answer::Answer;
use crate::connection::connect;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::progress::Progress;
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// How many documents that could not be derived from are shown, as of one answer.
const EXAMPLES: usize = 10;

pub(crate) async fn run(session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::REBUILD)?;
    let mut asked = RebuildRequest::default();
    let mut whole = RebuildAnswer::default();
    let progress = Progress::begin(session, "progress-evidence-verify", None);
    loop {
        let part: RebuildAnswer = client.post("/api/v1/evidence/rebuild", &asked).await?;
        whole.compared += part.compared;
        whole.mended += part.mended;
        whole.dropped += part.dropped;
        whole.failed += part.failed;
        whole.examples.extend(part.examples);
        whole.examples.truncate(EXAMPLES);
        asked.after = part.next;
        if asked.after.is_none() {
            return drawn(&whole);
        }
        progress.at(whole.compared);
    }
}

fn drawn(rebuilt: &RebuildAnswer) -> Result<Answer, Failure> {
    let whole = rebuilt.failed == 0;
    let (word, tone, exit) = match whole {
        true => ("evidence-rebuilt", Tone::Good, ExitCode::Ok),
        false => (
            "evidence-not-rebuilt",
            Tone::Bad,
            ExitCode::VerificationFailed,
        ),
    };
    let headline = Cell::new(label(word)).tone(tone);
    let mut answer = Answer::new(rebuilt)?
        .table(Table::paragraphs([headline]))
        .exit(exit);
    if !whole {
        answer = answer.line("").table(failed(rebuilt)).line("");
    }
    let values = [
        ("compared", rebuilt.compared.into()),
        ("mended", rebuilt.mended.into()),
        ("dropped", rebuilt.dropped.into()),
        ("failed", rebuilt.failed.into()),
    ];
    Ok(answer.line(filled("evidence-rebuilt-counts", &values)))
}

fn failed(rebuilt: &RebuildAnswer) -> Table {
    let mut table = Table::new([
        Column::new(label("column-code")).whole(),
        Column::new(label("column-why")).prose(),
    ]);
    for one in &rebuilt.examples {
        table.row([Cell::new(&one.code), Cell::new(&one.detail)]);
    }
    table
}
