//! `stella score`: how urgent a finding is, and why.

mod evaluate;
mod explain;
mod show;

use clap::Subcommand;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::session::Session;

/// The verbs of `stella score`.
#[derive(Debug, Subcommand)]
pub enum ScoreCommand {
    /// `score evaluate`
    #[command(about = label("help-score-evaluate-about"), after_help = example("help-score-evaluate-example"))]
    Evaluate(evaluate::EvaluateArgs),
    /// `score show`
    #[command(about = label("help-score-show-about"), after_help = example("help-score-show-example"))]
    Show(show::ShowArgs),
    /// `score explain`
    #[command(about = label("help-score-explain-about"), after_help = example("help-score-explain-example"))]
    Explain(explain::ExplainArgs),
}

pub(crate) async fn run(command: ScoreCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        ScoreCommand::Evaluate(arguments) => evaluate::run(&arguments, session).await,
        ScoreCommand::Show(arguments) => show::run(&arguments, session).await,
        ScoreCommand::Explain(arguments) => explain::run(&arguments, session).await,
    }
}
