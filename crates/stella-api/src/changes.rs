//! Wire types of the feed of what was taken in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authority::PublicJwk;
use crate::dsse;
use crate::evidence::EvidenceKind;
use crate::log::Checkpoint;

/// That a document was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// What happened, with its version: `advisory.observation.updated@1` where a document was taken
    /// in, `advisory.observation.seen@1` where the same bytes came again from the same source with
    /// another time, and so for each kind.
    #[serde(rename = "type")]
    pub event: String,
    /// What the document is evidence of.
    pub kind: EvidenceKind,
    /// Its bytes, counted.
    pub size: u64,
    /// Who publishes it.
    pub publisher: String,
    /// Which of the publisher's feeds it came by.
    pub stream: String,
    /// What the publisher calls it.
    pub upstream_id: String,
    /// The digest of its record as it is stored. What was kept before there was a log has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// When a document that came again was fetched, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<String>,
}

/// An entry of the feed: it has the same position for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// From 1. Kinds that the token may not read leave gaps, and nothing else does.
    pub position: u64,
    /// The document's id: the digest of its bytes.
    pub document: String,
    /// When it was taken in, RFC 3339 in UTC.
    pub recorded_at: String,
    /// What was taken in.
    #[serde(flatten)]
    pub observed: Observation,
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePage {
    /// In the order of their positions.
    pub changes: Vec<Change>,
    /// Where to go on: the next `after`.
    pub next: u64,
}

/// The answer of `GET /api/v1/evidence/log`: where the log of what was taken in ends, signed. Kept
/// elsewhere it proves later that the log has only grown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogAnswer {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// Its signature: DSSE over an in-toto Statement.
    pub envelope: dsse::Envelope,
    /// The public keys that verify it, newest first.
    pub keys: Vec<PublicJwk>,
}
