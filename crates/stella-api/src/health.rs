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
}
