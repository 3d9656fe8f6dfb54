//! `stella score explain`

use clap::Args;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::id::Id;
use crate::label::label;
use crate::replays::replay_token;
use crate::scopes;
use crate::scores::{explain, explained, of_finding_or_score};
use crate::session::Session;

/// `stella score explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The score or its finding.
    #[arg(value_name = "ID", help = label("help-id-finding-or-score"))]
    id: Id,
}

pub(crate) async fn run(arguments: &ExplainArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::EXPLAIN)?;
    let score = of_finding_or_score(&client, &arguments.id).await?;
    let explanation = explain(&client, &score.score_id).await?;
    let replay = replay_token(&client, &score.score_id).await?;
    explained(&explanation, &replay)
}
