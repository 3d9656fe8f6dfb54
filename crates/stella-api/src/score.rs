//! The score and explain contract: what RiskEngine, Replay and the CLI answer for one score.
//!
//! Numbers are integers: scores, weights and fractions in basis points (0 to 10,000), CVSS in
//! tenths. Every digest is `sha256:` followed by 64 lower-case hexadecimal digits. Field names
//! follow design page 06, "Result". Lists come in the order of the ledger or sorted, never in the
//! order of arrival.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One score with its explanation: append-only, named by [`ScoreResult::score_id`].
///
/// `output_digest` covers everything here but `scoreId`, `subject.findingId`, `profile.id`,
/// `profile.version`, `engine.version`, `outputDigest` itself, `evaluatedAt` and `proofRef`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreResult {
    /// Digest of the canonical array `["score", findingId or null, inputDigest, outputDigest]`.
    pub score_id: String,
    /// What was scored.
    pub subject: ScoreSubject,
    /// The risk profile that decided.
    pub profile: ProfileRef,
    /// The engine that computed.
    pub engine: EngineRef,
    /// The score in basis points, 0 to 10,000; null where no weighted signal is present.
    #[schema(required, minimum = 0, maximum = 10_000)]
    pub score_bps: Option<u32>,
    /// The lowest score that the missing weighted signals still allow; equals `scoreBps` when
    /// none is missing.
    #[schema(minimum = 0, maximum = 10_000)]
    pub score_low_bps: u32,
    /// The highest score that the missing weighted signals still allow.
    #[schema(minimum = 0, maximum = 10_000)]
    pub score_high_bps: u32,
    /// Band of `scoreBps`; `Unknown` exactly where that is null.
    pub band: Band,
    /// What to do, read from `scoreHighBps`, so that missing data never lowers urgency.
    pub bucket: Bucket,
    /// The ledger. Starting from 0 and adding every `deltaBps` gives `scoreBps` exactly, or
    /// `scoreLowBps` where `scoreBps` is null.
    pub steps: Vec<Step>,
    /// What each present signal brought: a view of the steps.
    pub contributions: Vec<Contribution>,
    /// Floors and caps that were looked at, with or without effect: a view of the steps.
    pub gates: Vec<Gate>,
    /// What was not known, and how much it matters.
    pub unknowns: Unknowns,
    /// Sources that disagree with what was used, side by side.
    pub conflicts: Vec<Conflict>,
    /// Inputs older than their budget when this was computed.
    pub stale_inputs: Vec<StaleInput>,
    /// Digest of the canonical inputs: profile, policy, subject and each input value by document.
    pub input_digest: String,
    /// Digest of the canonical outcome; equal inputs under equal semantics give an equal one.
    pub output_digest: String,
    /// When this was computed, RFC 3339 in UTC; in no digest unless the profile decays or expires.
    pub evaluated_at: String,
    /// Where the proof of this score is to be had (a replay manifest digest or path), if any yet.
    #[schema(required)]
    pub proof_ref: Option<String>,
}

/// What a score is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreSubject {
    /// Identifier of the vulnerability as the matched advisory gives it.
    pub vulnerability: String,
    /// Package URL of the affected component, with its version.
    pub purl: String,
    /// Digest name of the finding, where the score belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding_id: Option<String>,
}

/// Names a risk profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileRef {
    /// Identifier, such as `cvss-kev-v1`.
    pub id: String,
    /// Version of the published document, such as `1.0.0`.
    pub version: String,
    /// Digest of the profile's canonical JSON; this alone enters digests.
    pub digest: String,
}

/// Names the engine that computed a score.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EngineRef {
    /// Release that ran; observed, in no digest.
    pub version: String,
    /// Moves only when results do; enters `outputDigest`.
    pub semantics: u32,
}

/// The band of a score: Critical from 9,000, High from 7,000, Medium from 4,000, Low from 100,
/// Info below; `Unknown` where there is no score.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Band {
    /// From 9,000 basis points.
    Critical,
    /// From 7,000 basis points.
    High,
    /// From 4,000 basis points.
    Medium,
    /// From 100 basis points.
    Low,
    /// Below 100 basis points.
    Info,
    /// No weighted signal is present.
    Unknown,
}

/// What to do about a score, read from its upper end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Bucket {
    /// From 9,000 basis points.
    ActNow,
    /// From 7,000 basis points.
    ScheduleNext,
    /// From 4,000 basis points.
    Investigate,
    /// Below 4,000 basis points.
    Watchlist,
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What kind of operation this is.
    pub op: StepOp,
    /// Reason code from the closed list, SCREAMING_SNAKE.
    pub code: String,
    /// What went in: the signal's own unit for `transform`, else basis points.
    pub input: i64,
    /// What came out, in basis points.
    pub output: i64,
    /// What this step adds to the running score, in basis points; negative for a cap.
    pub delta_bps: i64,
    /// Digest of the document that this step rests on, if it rests on one.
    #[schema(required)]
    pub evidence_digest: Option<String>,
    /// Key of the sentence in every locale: `reason-` and the code in kebab case.
    pub label_key: String,
}

/// The kind of a ledger step.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum StepOp {
    /// A signal's value becomes basis points; adds nothing by itself.
    Transform,
    /// A transformed signal is weighted into the score.
    Weight,
    /// A rule was looked at and changed nothing.
    Gate,
    /// The score was raised to a minimum.
    Floor,
    /// The score was lowered to a maximum.
    Cap,
    /// A person's override replaced the score.
    Override,
    /// A fraction was rounded half up.
    Round,
}

/// What one signal brought to a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contribution {
    /// Name of the signal: `cvss`, `kev`, `vex`, `epss`.
    pub signal: String,
    /// The value as published: a vector for `cvss`, the CVE id and the date added for `kev`, the
    /// status and any justification for `vex`, the parts set apart by one space.
    pub raw: String,
    /// Who says so, where that matters to the rule: the publisher of a VEX statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The value in basis points; null for a signal that has no scale of its own.
    #[schema(required)]
    pub normalized: Option<u32>,
    /// The signal's share of the score in basis points; 0 for gates and for what is only shown.
    pub weight: u32,
    /// What the signal added to the score in basis points, floors and caps included.
    pub points: i64,
    /// Why, from the closed list.
    pub reason_code: String,
    /// Every document that states this value, sorted by digest and pointer.
    pub sources: Vec<SourceRef>,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceRef {
    /// Id of the document, which is its digest: documents are named by nothing else.
    pub document_id: String,
    /// Digest of the document's raw bytes.
    pub digest: String,
    /// RFC 6901 pointer into the document; empty for the whole of it.
    pub pointer: String,
}

/// A floor or cap and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// Identifier of the rule in the profile, such as `kev-floor`.
    pub id: String,
    /// What it did.
    pub effect: GateEffect,
    /// The running score before, in basis points (`scoreLowBps` where there is no score).
    pub before: u32,
    /// The running score after, in basis points.
    pub after: u32,
    /// Why, from the closed list.
    pub reason_code: String,
}

/// What a gate did.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum GateEffect {
    /// Raised the score to its floor.
    Floor,
    /// Lowered the score to its cap.
    Cap,
    /// Applied or was looked at, and changed nothing.
    None,
}

/// What was not known when a score was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unknowns {
    /// Present weight over total weight, in basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    pub completeness_bps: u32,
    /// Band of the unknown fraction.
    pub band: UnknownsBand,
    /// Signals that brought nothing, each with the reason: here stands why there is no score.
    pub missing: Vec<MissingSignal>,
    /// The missing signal that could move the score most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_best: Option<String>,
    /// For each missing signal the range that the score would lie in were it there.
    pub delta_if_present: Vec<DeltaIfPresent>,
}

/// Band of the fraction of weight that is missing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum UnknownsBand {
    /// Up to 2,000 basis points missing.
    Complete,
    /// Up to 4,000 basis points missing.
    Adequate,
    /// Up to 6,000 basis points missing.
    Sparse,
    /// More is missing: review is asked for.
    Insufficient,
}

/// A signal that is not there, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingSignal {
    /// Name of the signal.
    pub signal: String,
    /// Why it is not there, from the closed list: `CVSS_NO_PUBLISHED_SEVERITY`,
    /// `CVSS_ALL_INVALID`, `KEV_NO_CATALOGUE`.
    pub reason_code: String,
    /// Documents that tried to state it, if any, sorted.
    pub sources: Vec<SourceRef>,
}

/// The range that a score would lie in were one missing signal there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeltaIfPresent {
    /// Name of the signal.
    pub signal: String,
    /// Lowest score in basis points.
    pub low: u32,
    /// Highest score in basis points.
    pub high: u32,
}

/// Values of one signal that differ between sources or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Name of the signal.
    pub signal: String,
    /// The value that was used first, then the others, sorted.
    pub values: Vec<ConflictValue>,
    /// The rule that picked, from the closed list of reason codes.
    pub resolution: String,
}

/// One value in a conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictValue {
    /// The value as published.
    pub raw: String,
    /// The value in basis points; null where it cannot be read.
    #[schema(required)]
    pub normalized: Option<u32>,
    /// Whether the score rests on this value.
    pub used: bool,
    /// Why the value cannot be read (a `CVSS_…` error code), where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Scores that documents state beside this vector and that are not its own, sorted. The score
    /// rests on the vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misstated: Vec<String>,
    /// Every document that states this value, sorted.
    pub sources: Vec<SourceRef>,
}

/// A kind of content that was older than its budget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaleInput {
    /// Kind of content: `advisories`, `vex`, `signals`.
    pub content: String,
    /// How stale: `warn` or `breach`.
    pub level: StaleLevel,
    /// Time of the newest content of this kind, RFC 3339 in UTC.
    pub as_of: String,
}

/// How far beyond its budget content is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum StaleLevel {
    /// Beyond the budget's warning.
    Warn,
    /// Beyond the budget.
    Breach,
}
