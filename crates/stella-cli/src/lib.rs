//! The command-line face of StellaOps: what people and scripts type and read.
//!
//! [`run`] is all a binary needs. Every verb is a file below `commands/`; it gives an
//! [`Answer`] or a [`Failure`], and [`Session`] is the one place that prints either.

pub mod answer;
pub mod arguments;
mod commands;
pub mod connection;
pub mod contexts;
pub mod destination;
pub mod environment;
pub mod exit;
pub mod failure;
mod findings;
mod id;
mod ingest;
pub mod io;
pub mod kind;
mod label;
mod lines;
mod moment;
mod newcomer;
mod pages;
mod plain;
mod points;
mod private_file;
mod problem;
mod progress;
mod replays;
pub mod sample;
pub mod scopes;
mod scores;
pub mod session;
pub mod style;
pub mod table;
mod usage;

use std::ffi::OsString;

use stella_context::Clock;

pub use answer::{Answer, Format};
pub use arguments::ServerCommand;
pub use exit::ExitCode;
pub use failure::{Failure, Setting};
pub use io::Io;
pub use newcomer::newcomer_report;
pub use plain::plain;
pub use progress::Progress;
pub use replays::replay_token;
pub use session::Session;

/// Runs one command line, the program's name its first word, and says how the process ends.
///
/// `server` runs the verbs that need the services themselves.
pub async fn run<S>(words: impl IntoIterator<Item = OsString>, mut io: Io, server: S) -> ExitCode
where
    S: AsyncFnOnce(ServerCommand, &mut Session) -> Result<Answer, Failure>,
{
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match usage::read(&words, &mut io) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let labels = stella_locale::Labels::english();
    let recorded = environment::recorded_clock(arguments.options.clock, &io.environment);
    let mut session = Session {
        io,
        options: arguments.options,
        clock: *recorded.as_ref().unwrap_or(&Clock::System),
        labels,
    };
    let answer = match recorded {
        Ok(_) => commands::run(arguments.command, &mut session, server).await,
        Err(failure) => Err(failure),
    };
    match answer.and_then(|answer| session.print(&answer)) {
        Ok(exit) => exit,
        Err(failure) => session.report(&failure),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
