//! `stella audit`: who did what, as each service recorded it.

mod export;
mod list;
mod offline;
mod verify;

use clap::{Subcommand, ValueEnum};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::label::{example, label};
use crate::session::Session;

/// The verbs of `stella audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// `audit export`
    #[command(about = label("help-audit-export-about"), after_help = example("help-audit-export-example"))]
    Export(export::ExportArgs),
    /// `audit list`
    #[command(about = label("help-audit-list-about"), after_help = example("help-audit-list-example"))]
    List(list::ListArgs),
    /// `audit verify`
    #[command(about = label("help-audit-verify-about"), after_help = example("help-audit-verify-example"))]
    Verify(verify::VerifyArgs),
}

/// A service, by its CLI id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Service {
    Authority,
    Evidence,
    Replay,
    RiskEngine,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Evidence => "evidence",
            Self::Replay => "replay",
            Self::RiskEngine => "risk-engine",
        }
    }

    /// The schema that holds its audit log, as the signed end of it says.
    fn schema(self) -> &'static str {
        match self {
            Self::RiskEngine => "riskengine",
            other => other.name(),
        }
    }

    /// Where its audit log is.
    fn path(self) -> &'static str {
        match self {
            Self::Authority => "/api/v1/authority/audit",
            Self::Evidence => "/api/v1/evidence/audit",
            Self::Replay => "/api/v1/replay/audit",
            Self::RiskEngine => "/api/v1/score/audit",
        }
    }

    /// The one that was asked for, or all.
    fn asked(one: Option<Self>) -> Vec<Self> {
        one.map_or_else(|| Self::value_variants().to_vec(), |one| vec![one])
    }
}

pub(crate) async fn run(command: AuditCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        AuditCommand::Export(arguments) => export::run(&arguments, session).await,
        AuditCommand::List(arguments) => list::run(arguments, session).await,
        AuditCommand::Verify(arguments) => verify::run(&arguments, session).await,
    }
}
