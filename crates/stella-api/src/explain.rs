//! Wire types of an explanation: the ledger of a score as sentences.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::findings::FindingSource;
use crate::score::ScoreResult;

/// Asks for the score of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvaluateRequest {
    /// The finding's id, whole.
    pub finding_id: String,
    /// The risk profile's id; `cvss-kev-v1` if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Why a score is what it is, for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The score.
    pub score: ScoreResult,
    /// The language of the sentences, such as `en`.
    pub lang: String,
    /// One sentence that says it all.
    pub headline: String,
    /// A sentence for each step of the ledger, in its order.
    pub sentences: Vec<Sentence>,
    /// Every document that the score rests on, with its digest.
    pub sources: Vec<FindingSource>,
    /// The digest of what is explained: the same in every language.
    pub digest: String,
}

/// One step of the ledger in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sentence {
    /// The reason code of the step.
    pub code: String,
    /// What the step adds, in basis points.
    pub delta_bps: i64,
    /// The sentence.
    pub text: String,
    /// The digest of the document that the step rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_digest: Option<String>,
}
