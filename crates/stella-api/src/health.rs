//! Liveness and readiness.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of `GET /healthz`: the process lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alive {
    /// Always `alive`.
    pub status: String,
}

/// The answer of `GET /readyz`: what the process needs to serve, and whether it has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether every check holds.
    pub ready: bool,
    /// Each check, ordered by service and name.
    pub checks: Vec<ReadinessCheck>,
}

/// One thing that a service needs to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessCheck {
    /// The service's id, such as `evidence`.
    pub service: String,
    /// What is checked, such as `database`.
    pub name: String,
    /// Whether it holds.
    pub ready: bool,
    /// Why it does not, and what mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is left to do, where anything is: the service serves meanwhile, from what is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Backlog>,
}

/// Work that is left to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// How many documents or entries wait.
    pub count: u64,
    /// For how long the first of them has waited, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// Why the first that was tried could not be done: its code. Anybody may ask, so that which
    /// document it is, of which tenant, stands in the log alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
}
