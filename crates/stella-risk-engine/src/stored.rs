//! A score as it is kept: a row that can be checked against itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stella_api::findings::FindingSource;
use stella_api::replay::{ManifestInput, ScoreProof};
use stella_api::score::ScoreResult;
use stella_canonical::{CanonicalError, Digest, canonical, json};
use stella_scoring::{Profile, ScoringError, TrustPolicy, verify_result};
use stella_storage::DbTime;

use crate::RiskError;
use crate::store::ScoreRow;

/// The rank of an unknown score: before all others.
const UNKNOWN_RANK: i64 = 0;
/// The rank of the score 0: behind all others.
const LAST_RANK: i64 = 10_001;

/// A score with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored {
    pub(crate) result: ScoreResult,
    pub(crate) sbom: String,
    pub(crate) component_pointer: String,
    pub(crate) policy: TrustPolicy,
    pub(crate) sources: Vec<FindingSource>,
}

impl Stored {
    /// The row of the score. Every column follows from the content, so that an edited one shows.
    pub(crate) fn row(&self) -> Result<ScoreRow, CanonicalError> {
        let result = &self.result;
        let time: Timestamp = result
            .evaluated_at
            .parse()
            .map_err(|error: jiff::Error| CanonicalError(error.to_string()))?;
        Ok(ScoreRow {
            score_id: result.score_id.clone(),
            finding_id: result.subject.finding_id.clone().unwrap_or_default(),
            sbom: self.sbom.clone(),
            vulnerability: result.subject.vulnerability.clone(),
            purl: result.subject.purl.clone(),
            profile_id: result.profile.id.clone(),
            score_bps: result.score_bps.map(i64::from),
            band: format!("{:?}", result.band),
            rank: rank(result.score_bps),
            component_pointer: self.component_pointer.clone(),
            policy: text(&self.policy)?,
            inputs: text(&self.sources)?,
            result: text(result)?,
            content_digest: Digest::of_canonical(self)?.to_string(),
            // A column holds whole microseconds.
            evaluated_at: DbTime(
                time.round(jiff::Unit::Microsecond)
                    .map_err(|error| CanonicalError(error.to_string()))?,
            ),
        })
    }

    /// The score of a row, if the row still holds what was stored.
    pub(crate) fn checked(row: ScoreRow) -> Result<Self, RiskError> {
        let stored = Self {
            result: part(&row, "", &row.result)?,
            sbom: row.sbom.clone(),
            component_pointer: row.component_pointer.clone(),
            policy: part::<Policy>(&row, "/policy", &row.policy)?.into(),
            sources: part(&row, "/inputs", &row.inputs)?,
        };
        verify_result(&stored.result).map_err(|error| inconsistent(&row, error))?;
        profile_named(&row, &stored.result)?;
        let expected = stored.row()?;
        for ((pointer, expected), (_, actual)) in columns(&expected).iter().zip(columns(&row)) {
            if *expected != actual {
                return Err(corrupt(&row, pointer, expected, &actual));
            }
        }
        Ok(stored)
    }

    /// What a manifest is made of.
    pub(crate) fn proof(self) -> ScoreProof {
        let mut inputs: Vec<_> = self
            .sources
            .into_iter()
            .map(|source| ManifestInput {
                role: source.role,
                kind: source.kind,
                document: source.document,
                publisher: source.publisher,
            })
            .collect();
        // The same bytes under two upstream ids are one input; they stand side by side.
        inputs.dedup();
        ScoreProof {
            result: self.result,
            sbom: self.sbom,
            component_pointer: self.component_pointer,
            trusted_vex_publishers: self.policy.vex_publishers.into_iter().collect(),
            inputs,
        }
    }
}

/// Every column by the place in the result that it repeats, the most telling first; whole
/// documents by their digest.
fn columns(row: &ScoreRow) -> [(&'static str, String); 13] {
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    let score = row.score_bps.map(|score| score.to_string());
    [
        ("/scoreId", row.score_id.clone()),
        ("/subject/findingId", row.finding_id.clone()),
        ("/subject/vulnerability", row.vulnerability.clone()),
        ("/subject/purl", row.purl.clone()),
        ("/profile/id", row.profile_id.clone()),
        ("/scoreBps", score.unwrap_or_else(|| "null".to_owned())),
        ("/band", row.band.clone()),
        ("/rank", row.rank.to_string()),
        ("/evaluatedAt", row.evaluated_at.0.to_string()),
        ("", digest(&row.result)),
        ("/policy", digest(&row.policy)),
        ("/inputs", digest(&row.inputs)),
        // Only this one repeats the SBOM and the component's place in it.
        ("", row.content_digest.clone()),
    ]
}

/// Unknown scores come first, then the highest.
fn rank(score: Option<u32>) -> i64 {
    score.map_or(UNKNOWN_RANK, |score| LAST_RANK - i64::from(score))
}

fn text(value: &impl Serialize) -> Result<String, CanonicalError> {
    String::from_utf8(canonical(value)?).map_err(|error| CanonicalError(error.to_string()))
}

fn part<T: serde::de::DeserializeOwned>(
    row: &ScoreRow,
    pointer: &str,
    text: &str,
) -> Result<T, RiskError> {
    json::from_slice(text.as_bytes()).map_err(|error| {
        let place = format!("{pointer}{}", error.pointer);
        corrupt(row, &place, "readable", &error.to_string())
    })
}

/// A trust policy as it is read back; scoring itself only ever writes one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Policy {
    vex_publishers: BTreeSet<String>,
}

impl From<Policy> for TrustPolicy {
    fn from(Policy { vex_publishers }: Policy) -> Self {
        Self { vex_publishers }
    }
}

/// The digest names the profile; its id and version beside it may not say otherwise.
fn profile_named(row: &ScoreRow, result: &ScoreResult) -> Result<(), RiskError> {
    for profile in Profile::built_in() {
        let known = profile.reference()?;
        if known.digest != result.profile.digest {
            continue;
        }
        let pairs = [
            ("/profile/id", &known.id, &result.profile.id),
            ("/profile/version", &known.version, &result.profile.version),
        ];
        for (pointer, expected, actual) in pairs {
            if expected != actual {
                return Err(corrupt(row, pointer, expected, actual));
            }
        }
    }
    Ok(())
}

fn inconsistent(row: &ScoreRow, error: ScoringError) -> RiskError {
    match error {
        ScoringError::Inconsistent {
            pointer,
            expected,
            actual,
        } => corrupt(row, &pointer, &expected, &actual),
        other => other.into(),
    }
}

fn corrupt(row: &ScoreRow, pointer: &str, expected: &str, actual: &str) -> RiskError {
    RiskError::ScoreCorrupt {
        score: row.score_id.clone(),
        pointer: pointer.to_owned(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
    }
}
