//! Wire types of the audit logs: who did what, whom for, and how it ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dsse;
use crate::verify::{VerifiedLog, VerifyViolation};

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused, or found what must not be.
    Failure,
    /// Whoever tried is locked out.
    LockedOut,
    /// Whoever tried did so too often.
    RateLimited,
    /// It could not be done.
    Error,
}

impl AuditOutcome {
    /// The outcome as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::LockedOut => "locked-out",
            Self::RateLimited => "rate-limited",
            Self::Error => "error",
        }
    }
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditActor {
    /// The client; none where the installation itself acted, by whoever holds its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The person or the client itself; of the installation, what it was at.
    pub subject: String,
    /// Whom for, where it was not for themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
}

/// What is chained of an act, beside its position, time and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Who.
    pub actor: AuditActor,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What it was done to.
    pub target: String,
    /// Why it was done, or the code of the error for which it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket that it was done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The request in logs and traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What else is to be known, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// A record of an audit log: it has the same position for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// From 1, without a gap.
    pub position: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What was done: `<service>.<surface>.<action>`.
    pub action: String,
    /// The rest.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// What `POST …/audit/verify` is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditVerifyRequest {
    /// The envelope of a checkpoint that was kept elsewhere: the log must only have grown since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<dsse::Envelope>,
    /// The `resume` of an answer that has one, with the same checkpoint: goes on there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<dsse::Envelope>,
}

/// What was verified of an audit log and what does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerifyAnswer {
    /// The log as it was found.
    pub log: VerifiedLog,
    /// What does not hold, by code.
    pub violations: Vec<VerifyViolation>,
    /// Where to go on, where time ran out before the log's end: the next request's `resume`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<dsse::Envelope>,
}
