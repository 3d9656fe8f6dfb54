//! `stella score show`

use clap::Args;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::id::Id;
use crate::label::label;
use crate::scopes;
use crate::scores::{of_finding_or_score, record};
use crate::session::Session;

/// `stella score show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The score or its finding.
    #[arg(value_name = "ID", help = label("help-id-finding-or-score"))]
    id: Id,
}

pub(crate) async fn run(arguments: &ShowArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::SCORE)?;
    record(&of_finding_or_score(&client, &arguments.id).await?)
}
