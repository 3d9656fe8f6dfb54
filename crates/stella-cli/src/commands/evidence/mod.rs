//! `stella evidence`: what others publish, taken in and kept exactly so.

mod affected;
mod checkpoint;
mod export;
mod ingest;
mod list;
mod rebuild;
mod show;
mod verify;

use clap::Subcommand;

pub(crate) use verify::both;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::session::Session;

/// The verbs of `stella evidence`.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// `evidence affected`
    #[command(about = label("help-evidence-affected-about"), after_help = example("help-evidence-affected-example"))]
    Affected(affected::AffectedArgs),
    /// `evidence checkpoint`
    #[command(about = label("help-evidence-checkpoint-about"), after_help = example("help-evidence-checkpoint-example"))]
    Checkpoint,
    /// `evidence export`
    #[command(about = label("help-evidence-export-about"), after_help = example("help-evidence-export-example"))]
    Export(export::ExportArgs),
    /// `evidence ingest`
    #[command(about = label("help-evidence-ingest-about"), after_help = example("help-evidence-ingest-example"))]
    Ingest(ingest::IngestArgs),
    /// `evidence list`
    #[command(about = label("help-evidence-list-about"), after_help = example("help-evidence-list-example"))]
    List(list::ListArgs),
    /// `evidence rebuild`
    #[command(about = label("help-evidence-rebuild-about"), after_help = example("help-evidence-rebuild-example"))]
    Rebuild,
    /// `evidence show`
    #[command(about = label("help-evidence-show-about"), after_help = example("help-evidence-show-example"))]
    Show(show::ShowArgs),
    /// `evidence verify`
    #[command(about = label("help-evidence-verify-about"), after_help = example("help-evidence-verify-example"))]
    Verify(verify::VerifyArgs),
}

pub(crate) async fn run(
    command: EvidenceCommand,
    session: &mut Session,
) -> Result<Answer, Failure> {
    match command {
        EvidenceCommand::Affected(arguments) => affected::run(&arguments, session),
        EvidenceCommand::Checkpoint => checkpoint::run(session).await,
        EvidenceCommand::Export(arguments) => export::run(&arguments, session).await,
        EvidenceCommand::Ingest(arguments) => ingest::run(&arguments, session).await,
        EvidenceCommand::List(arguments) => list::run(arguments, session).await,
        EvidenceCommand::Rebuild => rebuild::run(session).await,
        EvidenceCommand::Show(arguments) => show::run(&arguments, session).await,
        EvidenceCommand::Verify(arguments) => verify::run(&arguments, session).await,
    }
}
