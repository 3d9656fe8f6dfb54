//! `stella evidence ingest`

use std::path::{Path, PathBuf};

use clap::Args;

use crate::answer::Answer;
use crate::connection::connect;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::ingest::{End, Origin, Source, collect, send_all};
use crate::kind::NOTHING_TO_INGEST;
use crate::label::label;
use crate::progress::Progress;
use crate::scopes;
use crate::session::Session;

/// `stella evidence ingest`
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files and folders, or `-`.
    #[arg(required = true, value_name = "PATH", help = label("help-evidence-ingest-paths"))]
    paths: Vec<PathBuf>,
    /// Instead of what the documents say.
    #[arg(long, value_name = "NAME", help = label("help-evidence-ingest-publisher"))]
    publisher: Option<String>,
    /// Which of the publisher's feeds.
    #[arg(long, value_name = "NAME", default_value = "local", help = label("help-evidence-ingest-stream"))]
    stream: String,
}

pub(crate) async fn run(arguments: &IngestArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::INGEST)?;
    let origin = Origin {
        publisher: arguments.publisher.clone(),
        stream: arguments.stream.clone(),
        fetched_at: session.clock.now().to_string(),
    };
    let (stdin, paths): (Vec<&PathBuf>, Vec<&PathBuf>) = arguments
        .paths
        .iter()
        .partition(|path| *path == Path::new("-"));
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    let looking = Progress::begin(session, "progress-collect", None);
    let mut found = collect(&paths)?;
    drop(looking);
    if !stdin.is_empty() {
        found
            .sources
            .insert(0, Source::stdin(&mut session.io.stdin)?);
    }
    if found.sources.is_empty() {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(Failure::of(
            &NOTHING_TO_INGEST,
            &[("paths", &paths.join(", "))],
        ));
    }
    let total = found.sources.len() as u64;
    let progress = Progress::begin(session, "progress-ingest", Some(total));
    let stopped = async || {
        interrupted().await;
        progress.say(session, "ingest-stopping");
    };
    let told = |done: usize| progress.at(done as u64);
    let (mut tally, end) = send_all(&client, found.sources, &origin, stopped, told).await;
    drop(progress);
    tally.skip(&found.skipped);
    finish(&tally.answer()?, end, session)
}

/// What was done is told also where something came between.
fn finish(answer: &Answer, end: End, session: &mut Session) -> Result<Answer, Failure> {
    match end {
        End::Complete => Ok(answer.clone()),
        End::Interrupted => Ok(answer.clone().exit(ExitCode::Interrupted)),
        End::Stopped(failure) => {
            session.print(answer)?;
            Err(failure)
        }
    }
}

/// Waits for Ctrl-C; where the system cannot tell of it, for ever.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::problem::of_code;

    #[test]
    fn what_was_done_is_printed_before_the_failure() {
        let (io, stdout, _) = crate::Io::captured("");
        let options =
            <crate::arguments::Arguments as clap::Parser>::parse_from(["stella", "whoami"]).options;
        let labels = stella_locale::Labels::english();
        let mut session = Session {
            io,
            options,
            clock: stella_context::Clock::System,
            labels,
        };
        let gone = End::Stopped(of_code(stella_api::Code::ServerUnreachable, "gone"));
        let answer = Answer::new(&serde_json::json!({"taken": 7})).unwrap();
        let failure = finish(&answer, gone, &mut session).unwrap_err();
        assert_eq!(failure.exit, ExitCode::TryAgain);
        assert!(stdout.text().contains("\"taken\": 7"), "{}", stdout.text());
        let stopped = finish(&answer, End::Interrupted, &mut session).unwrap();
        assert_eq!(stopped.exit_code(), ExitCode::Interrupted);
    }
}
