//! `stella findings`: components that advisories cover, with their scores.

mod list;
mod show;

use clap::Subcommand;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::session::Session;

/// The verbs of `stella findings`.
#[derive(Debug, Subcommand)]
pub enum FindingsCommand {
    /// `findings list`
    #[command(about = label("help-findings-list-about"), after_help = example("help-findings-list-example"))]
    List(list::ListArgs),
    /// `findings show`
    #[command(about = label("help-findings-show-about"), after_help = example("help-findings-show-example"))]
    Show(show::ShowArgs),
}

pub(crate) async fn run(
    command: FindingsCommand,
    session: &mut Session,
) -> Result<Answer, Failure> {
    match command {
        FindingsCommand::List(arguments) => list::run(arguments, session).await,
        FindingsCommand::Show(arguments) => show::run(&arguments, session).await,
    }
}
