//! `stella context`: which server one works with.

mod choose;
mod list;
mod set;

use clap::Subcommand;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::session::Session;

/// The verbs of `stella context`.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// `context list`
    #[command(about = label("help-context-list-about"), after_help = example("help-context-list-example"))]
    List,
    /// `context set`
    #[command(about = label("help-context-set-about"), after_help = example("help-context-set-example"))]
    Set(set::SetArgs),
    /// `context use`
    #[command(about = label("help-context-use-about"), after_help = example("help-context-use-example"))]
    Use(choose::UseArgs),
}

pub(crate) fn run(command: ContextCommand, session: &Session) -> Result<Answer, Failure> {
    match command {
        ContextCommand::List => list::run(session),
        ContextCommand::Set(arguments) => set::run(arguments, session),
        ContextCommand::Use(arguments) => choose::run(&arguments, session),
    }
}
