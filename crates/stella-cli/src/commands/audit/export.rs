//! `stella audit export`: each log as a line with its signed end and a line for each record, from the
//! first to that end. The same log gives the same bytes.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stella_api::Page;
use stella_api::changes::LogAnswer;
use stella_client::Client;

use super::Service;
use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::scopes;
use crate::session::Session;

/// `stella audit export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only of this service.
    #[arg(long, value_name = "SERVICE", help = crate::label::label("help-audit-service"))]
    service: Option<Service>,
}

/// The first line of a log.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) service: String,
    #[serde(flatten)]
    pub(super) end: LogAnswer,
}

pub(crate) async fn run(arguments: &ExportArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::AUDIT)?;
    let mut lines = Vec::new();
    for service in Service::asked(arguments.service) {
        export(&client, service, &mut lines).await?;
    }
    Answer::lines(lines)
}

async fn export(client: &Client, service: Service, lines: &mut Vec<Value>) -> Result<(), Failure> {
    let path = service.path();
    let end: LogAnswer = client.get(&format!("{path}/log")).await?;
    let size = end.checkpoint.size;
    let service = service.name().to_owned();
    lines.push(Answer::value_of(&Head { service, end })?);
    // A list that has nothing to show is an error.
    if size == 0 {
        return Ok(());
    }
    let mut token: Option<String> = None;
    loop {
        let mut asked = format!("{path}?order=oldest&pageSize=500");
        if let Some(token) = &token {
            asked += &format!("&pageToken={token}");
        }
        // As they come: what a newer server tells besides is signed too.
        let page: Page<Value> = client.get(&asked).await?;
        let within = |record: &Value| record["position"].as_u64().is_some_and(|at| at <= size);
        let records: Vec<Value> = page.items.into_iter().filter(within).collect();
        let last = records
            .last()
            .and_then(|record| record["position"].as_u64());
        lines.extend(records);
        token = page.next_page_token;
        if token.is_none() || last.is_none_or(|last| last >= size) {
            return Ok(());
        }
    }
}
