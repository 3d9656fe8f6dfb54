//! `stella replay`: an answer given again from what it rested on.

mod run;
mod verify;

use clap::{Args, Subcommand};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::replays::Replayed;
use crate::session::Session;

/// The verbs of `stella replay`.
#[derive(Debug, Subcommand)]
pub enum ReplayCommand {
    /// `replay run`
    #[command(about = label("help-replay-run-about"), after_help = example("help-replay-run-example"))]
    Run(ReplayArgs),
    /// `replay verify`
    #[command(about = label("help-replay-verify-about"), after_help = example("help-replay-verify-example"))]
    Verify(ReplayArgs),
}

/// What both take.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The token or score.
    #[arg(value_name = "TOKEN|SCORE", help = label("help-replayed"))]
    what: Replayed,
}

pub(crate) async fn run(command: ReplayCommand, session: &mut Session) -> Result<Answer, Failure> {
    let (ReplayCommand::Run(arguments) | ReplayCommand::Verify(arguments)) = &command;
    arguments.what.check()?;
    match command {
        ReplayCommand::Run(arguments) => run::run(&arguments, session).await,
        ReplayCommand::Verify(arguments) => verify::run(&arguments, session).await,
    }
}
