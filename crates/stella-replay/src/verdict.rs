//! Replaying: everything that an answer rested on is read again by digest, and the answer
//! computed again.

mod difference;
mod inspect;

use jiff::Timestamp;
use stella_api::ReplayToken;
use stella_api::audit::AuditOutcome;
use stella_api::replay::{
    Determined, Difference, ReplayCause, ReplayOutcome, ReplayRequest, ReplayVerdict, ScoreProof,
    State,
};
use stella_api::score::ScoreResult;
use stella_assess::{AssessError, Case, CaseDocument, assess};
use stella_canonical::Digest;
use stella_context::{Clock, OpContext};
use stella_scoring::{Observed, Profile, SEMANTICS, TrustPolicy};
use stella_service::Act;

use crate::manifest::{demand_id, demand_reads};
use crate::store::{self, ManifestRow};
use crate::{Replay, ReplayError};
use inspect::{Findings, check_index, signature_of};

impl Replay {
    /// Gives an answer again and compares; what came of it is recorded before it is told.
    pub(crate) async fn replay(
        &self,
        op: &OpContext,
        request: &ReplayRequest,
    ) -> Result<ReplayVerdict, ReplayError> {
        let verdict = self.compared(op, request).await?;
        self.logs.audit_alone(op, told(&verdict)).await?;
        Ok(verdict)
    }

    async fn compared(
        &self,
        op: &OpContext,
        request: &ReplayRequest,
    ) -> Result<ReplayVerdict, ReplayError> {
        demand_reads(op)?;
        let row = self.asked(op, request).await?;
        let mut found = Findings::default();
        let manifest: Option<Determined> =
            self.blob(op, "manifest", &row.digest, &mut found).await?;
        if let Some(manifest) = &manifest {
            check_index(&row, request, manifest, &mut found);
        }
        self.check_envelope(&row, &mut found).await?;
        self.check_snapshot(op, &row, manifest.as_ref(), &mut found)
            .await?;
        let Some(manifest) = manifest else {
            return Ok(verdict(&row, String::new(), found, None, Vec::new()));
        };
        let documents = self.documents(op, &manifest, &mut found).await?;
        let proof = self.stored(op, &manifest, &mut found).await?;
        let (Some(proof), true) = (proof, found.tampered.is_empty() && found.missing.is_empty())
        else {
            return Ok(verdict(&row, manifest.score_id, found, None, Vec::new()));
        };
        self.recompute(row, manifest, proof, documents).await
    }

    async fn asked(
        &self,
        op: &OpContext,
        request: &ReplayRequest,
    ) -> Result<ManifestRow, ReplayError> {
        match (&request.manifest, &request.token, &request.score_id) {
            (Some(manifest), None, None) => {
                let digest: Digest = manifest
                    .parse()
                    .map_err(|_| ReplayError::NoManifest(manifest.clone()))?;
                self.of_digest(op, &digest.to_string()).await
            }
            (None, Some(token), None) => {
                let token: ReplayToken = token.parse()?;
                let end = Timestamp::constant(token.expires.into(), 0);
                if token.expires != 0 && end.as_second() < Clock::System.now().as_second() {
                    return Err(ReplayError::Expired(end));
                }
                let digest = Digest::from_bytes(token.manifest).to_string();
                self.of_digest(op, &digest).await
            }
            (None, None, Some(score)) => {
                demand_id(score)?;
                let row = store::of_score(op, &self.db, score).await?;
                row.ok_or_else(|| ReplayError::Unknown(format!("manifest of score {score}")))
            }
            _ => Err(ReplayError::Ambiguous),
        }
    }

    /// The manifest of a digest as the index knows it.
    pub(crate) async fn of_digest(
        &self,
        op: &OpContext,
        digest: &str,
    ) -> Result<ManifestRow, ReplayError> {
        let row = store::of_digest(op, &self.db, digest).await?;
        row.ok_or_else(|| ReplayError::Unknown(format!("manifest {digest}")))
    }

    async fn recompute(
        &self,
        row: ManifestRow,
        manifest: Determined,
        proof: ScoreProof,
        documents: Vec<CaseDocument>,
    ) -> Result<ReplayVerdict, ReplayError> {
        let mut profiles = Profile::built_in().into_iter();
        let profile = profiles.find(|profile| profile.id == manifest.profile_id);
        let digest = profile
            .as_ref()
            .map(|profile| profile.digest())
            .transpose()?;
        let actual = digest.map_or_else(|| State::Missing.to_string(), |digest| digest.to_string());
        let (Some(profile), true) = (profile, actual == manifest.profile_digest) else {
            let subject = format!("profile {}", manifest.profile_id);
            let differences = vec![difference::one(
                &subject,
                "",
                &manifest.profile_digest,
                &actual,
            )];
            return Ok(mismatch(
                &row,
                manifest.score_id,
                ReplayCause::Profile,
                differences,
            ));
        };
        let stored = proof.result;
        let asked = manifest.clone();
        let observed = Observed {
            finding_id: stored.subject.finding_id.clone(),
            engine_version: stored.engine.version.clone(),
            evaluated_at: stored.evaluated_at.clone(),
            proof_ref: stored.proof_ref.clone(),
        };
        let again = move || again(&asked, &profile, &documents, observed);
        let again: ScoreResult = match tokio::task::spawn_blocking(again).await? {
            Ok(again) => again,
            // The inputs are what they were, so it is this engine that cannot follow them.
            Err(ReplayError::Assess(error)) => {
                let subject = format!("engine {}", manifest.engine);
                let (expected, actual) = (State::Scored.as_str(), unable(&error).as_str());
                let there = difference::one(&subject, "", expected, actual);
                return Ok(mismatch(
                    &row,
                    manifest.score_id,
                    ReplayCause::Engine,
                    vec![there],
                ));
            }
            Err(other) => return Err(other),
        };
        let subject = format!("score {}", manifest.score_id);
        let mut differences = difference::between(&subject, &stored, &again)?;
        for (name, expected, actual) in [
            (
                "/engineSemantics",
                manifest.engine_semantics.to_string(),
                again.engine.semantics.to_string(),
            ),
            (
                "/inputDigest",
                manifest.input_digest.clone(),
                again.input_digest.clone(),
            ),
            (
                "/outputDigest",
                manifest.output_digest.clone(),
                again.output_digest.clone(),
            ),
        ] {
            if expected != actual {
                let subject = format!("manifest {}", row.digest);
                differences.push(difference::one(&subject, name, &expected, &actual));
            }
        }
        if differences.is_empty() {
            let found = Findings::default();
            return Ok(verdict(
                &row,
                manifest.score_id,
                found,
                Some(again),
                Vec::new(),
            ));
        }
        // Every stored part was sound and the profile is the same: what is left is the engine,
        // or else a row that was rewritten in itself consistently.
        let cause = match manifest.engine_semantics == SEMANTICS {
            true => ReplayCause::Tamper,
            false => ReplayCause::Engine,
        };
        Ok(ReplayVerdict {
            recomputed: Some(again),
            ..mismatch(&row, manifest.score_id, cause, differences)
        })
    }
}

/// A run as it is recorded: an answer that came out otherwise is a failure.
fn told(verdict: &ReplayVerdict) -> Act {
    let outcome = verdict.outcome.as_str();
    let act = Act::done("replay.run.finished", &verdict.manifest_digest)
        .with("score", &verdict.score_id)
        .with("verdict", outcome);
    match verdict.cause {
        Some(cause) => act.ended(AuditOutcome::Failure, cause.as_str()),
        None => act,
    }
}

fn unable(error: &AssessError) -> State {
    match error {
        AssessError::DocumentMissing(_) => State::InputMissing,
        AssessError::ComponentMissing(_) => State::ComponentMissing,
        AssessError::NotCovered { .. } => State::NotCovered,
        AssessError::Informational(_) => State::Informational,
        AssessError::Scoring(_) => State::NotScored,
    }
}

fn again(
    manifest: &Determined,
    profile: &Profile,
    documents: &[CaseDocument],
    observed: Observed,
) -> Result<ScoreResult, ReplayError> {
    let policy = TrustPolicy {
        vex_publishers: manifest.trusted_vex_publishers.iter().cloned().collect(),
    };
    let evaluation = assess(&Case {
        vulnerability: &manifest.vulnerability,
        component_pointer: &manifest.component_pointer,
        documents,
        profile,
        policy: &policy,
    })?;
    Ok(evaluation.into_result(observed)?)
}

fn verdict(
    row: &ManifestRow,
    score_id: String,
    found: Findings,
    recomputed: Option<ScoreResult>,
    mut differences: Vec<Difference>,
) -> ReplayVerdict {
    // Changed bytes are told before missing ones: they are the graver news.
    let (outcome, cause) = match (found.tampered.is_empty(), found.missing.is_empty()) {
        (false, _) => (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)),
        (true, false) => (ReplayOutcome::CannotReplay, Some(ReplayCause::Missing)),
        (true, true) => (ReplayOutcome::Match, None),
    };
    differences.extend(found.tampered);
    differences.extend(found.missing);
    let signature = signature_of(row);
    let signed = differences.iter().all(|one| one.subject != signature);
    ReplayVerdict {
        outcome,
        cause,
        manifest_digest: row.digest.clone(),
        score_id,
        snapshot_id: row.snapshot_id.clone(),
        differences,
        recomputed,
        signed,
    }
}

fn mismatch(
    row: &ManifestRow,
    score_id: String,
    cause: ReplayCause,
    differences: Vec<Difference>,
) -> ReplayVerdict {
    ReplayVerdict {
        outcome: ReplayOutcome::Mismatch,
        cause: Some(cause),
        ..verdict(row, score_id, Findings::default(), None, differences)
    }
}
