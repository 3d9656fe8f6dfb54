//! `stella findings show`

use clap::Args;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::findings::{self, record};
use crate::id::Id;
use crate::label::label;
use crate::scopes;
use crate::session::Session;

/// `stella findings show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The finding.
    #[arg(value_name = "ID", help = label("help-id-finding"))]
    id: Id,
}

pub(crate) async fn run(arguments: &ShowArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::FINDINGS)?;
    record(&findings::one(&client, &arguments.id).await?)
}
