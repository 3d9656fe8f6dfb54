//! `stella audit verify`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use stella_api::audit::{AuditVerifyAnswer, AuditVerifyRequest};

use super::{Service, offline};
use crate::answer::Answer;
use crate::commands::evidence::both;
use crate::connection::connect;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Column, Table};

/// How many examples of each violation are shown.
const EXAMPLES: usize = 10;

/// `stella audit verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// An export; none means what the server holds.
    #[arg(value_name = "FILE", help = label("help-audit-verify-file"))]
    file: Option<PathBuf>,
    /// Only of this service.
    #[arg(long, value_name = "SERVICE", help = label("help-audit-service"))]
    service: Option<Service>,
    /// The keys that may have signed an export; the id of a key may begin with `-`.
    #[arg(long, value_name = "KID", allow_hyphen_values = true, requires = "file", help = label("help-audit-verify-key"))]
    key: Vec<String>,
}

/// A log as it was verified.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verified {
    pub(super) service: String,
    /// Whose log an export says that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    /// The key that signed its end, where that was seen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(flatten)]
    pub(super) answer: AuditVerifyAnswer,
}

pub(crate) async fn run(arguments: &VerifyArgs, session: &mut Session) -> Result<Answer, Failure> {
    if let Some(file) = &arguments.file {
        return drawn(&offline::verify(file, &arguments.key, arguments.service)?);
    }
    let client = connect(session, scopes::AUDIT)?;
    let mut logs = Vec::new();
    for service in Service::asked(arguments.service) {
        let path = format!("{}/verify", service.path());
        let mut asked = AuditVerifyRequest::default();
        let mut found = Vec::new();
        let answer = loop {
            let mut part: AuditVerifyAnswer = client.post(&path, &asked).await?;
            part.violations = both(found, part.violations, EXAMPLES);
            if part.resume.is_none() {
                break part;
            }
            asked.resume = part.resume;
            found = part.violations;
        };
        logs.push(Verified {
            service: service.name().to_owned(),
            tenant: None,
            key: None,
            answer,
        });
    }
    drawn(&logs)
}

fn drawn(logs: &[Verified]) -> Result<Answer, Failure> {
    let holds = logs.iter().all(|log| log.answer.violations.is_empty());
    let (word, tone, exit) = match holds {
        true => ("audit-verified", Tone::Good, ExitCode::Ok),
        false => (
            "audit-not-verified",
            Tone::Bad,
            ExitCode::VerificationFailed,
        ),
    };
    let mut table = Table::new([
        Column::new(label("column-service")).whole(),
        Column::new(label("column-code")).whole(),
        Column::new(label("column-why")).prose(),
    ]);
    for log in logs {
        for violation in &log.answer.violations {
            for example in &violation.examples {
                table.row([
                    Cell::new(&log.service),
                    Cell::new(&violation.code),
                    Cell::new(&example.detail),
                ]);
            }
        }
    }
    let headline = Cell::new(label(word)).tone(tone);
    let value = serde_json::json!({ "items": logs });
    let mut answer = Answer::new(&value)?
        .table(Table::paragraphs([headline]))
        .exit(exit);
    if !holds {
        answer = answer.line("").table(table).line("");
    }
    if let Some(tenant) = logs.first().and_then(|log| log.tenant.as_deref()) {
        answer = answer.line(filled("audit-tenant", &[("tenant", tenant.into())]));
    }
    for log in logs {
        let found = &log.answer.log;
        let values = [
            ("service", log.service.as_str().into()),
            ("count", found.size.into()),
            ("root", found.root.as_str().into()),
        ];
        answer = answer.line(filled("audit-log", &values));
        if let Some(key) = &log.key {
            let key = [("key", key.as_str().into())];
            answer = answer.line(filled("audit-log-key", &key));
        }
    }
    Ok(answer)
}
