//! The digests of a score: of what went in, of what came out, and its name.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use stella_api::score::{
    Band, Bucket, Conflict, Contribution, Gate, ScoreResult, StaleInput, Step, Unknowns,
};
use stella_canonical::{Digest, canonical};

use crate::error::ScoringError;
use crate::signals::{Signals, Source, Subject, TrustPolicy};

#[derive(Serialize)]
struct Inputs<'a> {
    profile: &'a str,
    policy: Digest,
    subject: &'a Subject,
    inputs: Vec<Value>,
}

/// Digests the canonical JSON of `{profile, policy, subject, inputs}`: two digests, vulnerability
/// and purl, and the list of `{signal, documentDigest, pointer, value}`, each once, sorted by the
/// bytes of their canonical JSON.
pub(crate) fn of_inputs(
    subject: &Subject,
    profile_digest: &str,
    signals: &Signals,
    policy: &TrustPolicy,
) -> Result<Digest, ScoringError> {
    let mut lines = BTreeMap::new();
    for input in inputs(signals) {
        lines.insert(canonical(&input)?, input);
    }
    let inputs = lines.into_values().collect();
    let policy = policy.digest()?;
    let document = Inputs {
        profile: profile_digest,
        policy,
        subject,
        inputs,
    };
    Ok(Digest::of_canonical(&document)?)
}

fn inputs(signals: &Signals) -> Vec<Value> {
    let mut inputs = Vec::new();
    for cvss in &signals.cvss {
        let mut value = json!({"own": cvss.own, "vector": cvss.vector});
        if let Some(beside) = &cvss.beside {
            value["beside"] = json!(beside);
        }
        inputs.push(stated("cvss", &cvss.source, value));
    }
    for kev in signals.kev.iter().flatten() {
        inputs.push(stated(
            "kev",
            &kev.source,
            json!({"cve": kev.cve, "dateAdded": kev.date_added}),
        ));
    }
    if signals.kev.as_ref().is_some_and(Vec::is_empty) {
        // That a catalogue was there and lists nothing is an input; which edition of it is not,
        // or every finding would change with every edition.
        inputs.push(observed("kev", Value::Null));
    }
    for vex in &signals.vex {
        let value = json!({
            "justification": vex.justification,
            "publisher": vex.publisher,
            "status": vex.status.as_str(),
        });
        inputs.push(stated("vex", &vex.source, value));
    }
    for StaleInput {
        content,
        level,
        as_of,
    } in &signals.stale
    {
        inputs.push(observed(
            "stale",
            json!({"asOf": as_of, "content": content, "level": level}),
        ));
    }
    inputs
}

fn stated(signal: &str, source: &Source, value: Value) -> Value {
    json!({
        "signal": signal,
        "documentDigest": source.document,
        "pointer": source.pointer,
        "value": value,
    })
}

fn observed(signal: &str, value: Value) -> Value {
    json!({"signal": signal, "documentDigest": null, "pointer": null, "value": value})
}

/// Digests what a score came to: the canonical JSON of the result less `scoreId`,
/// `subject.findingId`, `profile.id`, `profile.version`, `engine.version`, `outputDigest`,
/// `evaluatedAt` and `proofRef` (design page 06).
///
/// # Errors
/// Where a number in the result has no canonical form.
pub fn output_digest_of(result: &ScoreResult) -> Result<Digest, ScoringError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Outcome<'a> {
        subject: Value,
        profile: Value,
        engine: Value,
        score_bps: Option<u32>,
        score_low_bps: u32,
        score_high_bps: u32,
        band: Band,
        bucket: Bucket,
        steps: &'a [Step],
        contributions: &'a [Contribution],
        gates: &'a [Gate],
        unknowns: &'a Unknowns,
        conflicts: &'a [Conflict],
        stale_inputs: &'a [StaleInput],
        input_digest: &'a str,
    }
    let outcome = Outcome {
        subject: json!({"purl": result.subject.purl, "vulnerability": result.subject.vulnerability}),
        profile: json!({"digest": result.profile.digest}),
        engine: json!({"semantics": result.engine.semantics}),
        score_bps: result.score_bps,
        score_low_bps: result.score_low_bps,
        score_high_bps: result.score_high_bps,
        band: result.band,
        bucket: result.bucket,
        steps: &result.steps,
        contributions: &result.contributions,
        gates: &result.gates,
        unknowns: &result.unknowns,
        conflicts: &result.conflicts,
        stale_inputs: &result.stale_inputs,
        input_digest: &result.input_digest,
    };
    Ok(Digest::of_canonical(&outcome)?)
}

/// Names a score: the digest of the canonical array `["score", findingId or null, inputDigest,
/// outputDigest]`.
///
/// # Errors
/// None that texts can cause.
pub fn score_id_of(
    finding_id: Option<&str>,
    input_digest: &str,
    output_digest: &str,
) -> Result<Digest, ScoringError> {
    Ok(Digest::of_canonical(&json!([
        "score",
        finding_id,
        input_digest,
        output_digest
    ]))?)
}
