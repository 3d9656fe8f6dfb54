//! Wire types of verifying what is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dsse;
use crate::evidence::EvidenceKind;

/// What `POST /api/v1/evidence/verify` is asked. The log is verified as a whole, whatever narrows
/// the documents that are read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// Only documents that were taken in then or later, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only documents that were taken in before, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only documents of these publishers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    /// Only documents behind this position of the log: `window.to` of an answer that was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many examples of each violation are told: 1 to 500, 10 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The envelope of a checkpoint that was kept elsewhere: the log must only have grown since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<dsse::Envelope>,
    /// The `resume` of an answer that was cut short, with the same checkpoint: the log is gone over
    /// from there, and not from its first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<dsse::Envelope>,
    /// After how many seconds it is cut short: 0 to 40, 40 if not said; at 0 after one document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 40)]
    pub seconds: Option<u32>,
}

/// What was verified and what does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAnswer {
    /// Which documents were read again.
    pub window: VerifyWindow,
    /// The log; none where time ran out before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<VerifiedLog>,
    /// How many documents were read again, by kind.
    pub checked: BTreeMap<EvidenceKind, u64>,
    /// What does not hold, by code.
    pub violations: Vec<VerifyViolation>,
    /// The documents that were taken in and are not there, as many as the limit says.
    pub missing: Vec<String>,
    /// Whether time ran out: ask again with `after` and `resume` for the rest.
    pub truncated: bool,
    /// Where the log is to be gone on with, where time ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<dsse::Envelope>,
}

/// Which documents were read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyWindow {
    /// Taken in then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Taken in before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Behind this position of the log.
    pub after: u64,
    /// Up to this one.
    pub to: u64,
}

/// The log as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedLog {
    /// How many entries it has.
    pub size: u64,
    /// The root of the Merkle tree over what is there.
    pub root: String,
    /// How many entries have no place yet.
    pub unsealed: u64,
}

/// One way in which something does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyViolation {
    /// The code of the registry.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The first of them, as many as the limit says.
    pub examples: Vec<VerifyExample>,
}

/// Where something does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyExample {
    /// Which document, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Which position of the log, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What is wrong.
    pub detail: String,
}
