//! Wire types of deriving again from what is stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::findings::Stuck;

/// What `POST /api/v1/evidence/rebuild` is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebuildRequest {
    /// Only documents behind this one: `next` of an answer that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What was derived again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RebuildAnswer {
    /// How many documents were compared with what is derived from them.
    pub compared: u64,
    /// How many of them were derived from again, for it did not fit.
    pub mended: u64,
    /// How many derived rows were taken away that no stored document stands for.
    pub dropped: u64,
    /// How many documents could not be derived from.
    pub failed: u64,
    /// The first of them, ten at the most.
    pub examples: Vec<Stuck>,
    /// Where to go on, where time ran out: the next `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
