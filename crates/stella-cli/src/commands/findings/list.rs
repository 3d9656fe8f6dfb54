//! `stella findings list`

use clap::Args;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::findings::{self, Filter};
use crate::id::Id;
use crate::label::label;
use crate::moment::Moment;
use crate::pages;
use crate::scopes;
use crate::session::Session;

/// `stella findings list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only of this SBOM.
    #[arg(long, value_name = "ID", help = label("help-findings-list-sbom"))]
    sbom: Option<Id>,
    /// Only of this vulnerability.
    #[arg(long, value_name = "ID", help = label("help-findings-list-vulnerability"))]
    vulnerability: Option<String>,
    /// Only of this component.
    #[arg(long, value_name = "PURL", help = label("help-findings-list-purl"))]
    purl: Option<String>,
    /// From what had been fetched and received by then.
    #[command(flatten)]
    moment: Moment,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = pages::limit, help = label("help-limit"))]
    limit: usize,
    /// As many as there are.
    #[arg(long, conflicts_with = "limit", help = label("help-findings-list-all"))]
    all: bool,
    /// Without asking for scores.
    #[arg(long, help = label("help-findings-list-no-score"))]
    no_score: bool,
}

pub(crate) async fn run(arguments: ListArgs, session: &mut Session) -> Result<Answer, Failure> {
    // A score is of now: it would rest on documents that came since.
    let no_score = arguments.no_score || arguments.moment.is_said();
    let scopes = if no_score {
        scopes::FINDINGS
    } else {
        scopes::EVALUATE
    };
    let client = connect(session, scopes)?;
    let limit = (!arguments.all).then_some(arguments.limit);
    let filter = Filter {
        sbom: arguments.sbom.map(|id| id.to_string()),
        vulnerability: arguments.vulnerability,
        purl: arguments.purl,
        moment: arguments.moment,
    };
    let found = if no_score {
        findings::unscored(&client, session, &filter, limit).await?
    } else {
        findings::scored(&client, session, &filter, limit).await?
    };
    findings::listed(&found)
}
