//! `stella score evaluate`

use clap::Args;
use stella_api::findings::Finding;
use stella_client::Client;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::findings::{self, Filter};
use crate::id::Id;
use crate::label::label;
use crate::scopes;
use crate::scores::{evaluate_all, table};
use crate::session::Session;

/// `stella score evaluate`
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The findings.
    #[arg(required_unless_present = "all", value_name = "ID", help = label("help-score-evaluate-ids"))]
    ids: Vec<Id>,
    /// Every finding there is.
    #[arg(long, conflicts_with = "ids", help = label("help-score-evaluate-all"))]
    all: bool,
}

pub(crate) async fn run(
    arguments: &EvaluateArgs,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let client = connect(session, scopes::EVALUATE)?;
    let findings = if arguments.all {
        let (all, _) = findings::read(&client, session, &Filter::default(), None).await?;
        all.items
    } else {
        named(&client, &arguments.ids).await?
    };
    table(&evaluate_all(&client, session, findings).await?)
}

async fn named(client: &Client, ids: &[Id]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for id in ids {
        findings.push(findings::one(client, id).await?);
    }
    Ok(findings)
}
