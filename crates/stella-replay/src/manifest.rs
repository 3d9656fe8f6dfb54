//! Manifests: what an answer rested on, so that it can be given again.

use stella_api::evidence::EvidenceKind;
use stella_api::replay::{
    Determined, Manifest, ManifestAnswer, ManifestRecord, Observed, ScoreProof,
};
use stella_api::{ReplayToken, Scope};
use stella_canonical::{Digest, canonical};
use stella_context::OpContext;
use stella_service::IdRange;

use crate::store::{self, ManifestRow, NewManifest};
use crate::{BUCKET, Replay, ReplayError};

const SCHEMA: &str = "stella.replay/v1";
pub(crate) const ENGINE: &str = "stella-risk-engine";

/// Refuses a token that lacks a scope which reading the inputs of a score needs: without it an
/// input would seem gone.
pub(crate) fn demand_reads(op: &OpContext) -> Result<(), ReplayError> {
    let kinds = EvidenceKind::ALL.iter().map(|kind| kind.read_scope());
    let mut needed = kinds.chain([Scope::RiskRead]);
    match needed.find(|scope| !op.permits(*scope)) {
        Some(scope) => Err(ReplayError::ScopeMissing(scope)),
        None => Ok(()),
    }
}

/// Refuses what can be no score's id before it becomes part of a neighbour's path or of a
/// statement.
pub(crate) fn demand_id(score: &str) -> Result<(), ReplayError> {
    match IdRange::read(score) {
        Ok(_) => Ok(()),
        Err(_) => Err(ReplayError::NoScoreId(score.to_owned())),
    }
}

impl Replay {
    /// The manifest of a score; made once, with a snapshot of the evidence then, and answered
    /// as it was ever after. Tells whether it is new.
    pub(crate) async fn manifest(
        &self,
        op: &OpContext,
        score: &str,
    ) -> Result<(bool, ManifestAnswer), ReplayError> {
        demand_reads(op)?;
        demand_id(score)?;
        let client = self.peers.acting_for(op);
        let proof: ScoreProof = client.get(&format!("/api/v1/score/{score}/replay")).await?;
        let score_id = proof.result.score_id.clone();
        if let Some(row) = store::of_score(op, &self.db, &score_id).await? {
            return Ok((false, answer(&row)?));
        }
        let snapshot_id = self.freeze(op).await?;
        let result_digest = Digest::of_canonical(&proof.result)?;
        let determined = determined(proof, snapshot_id.clone());
        let blob = canonical(&determined)?;
        let digest = self.objects.put(BUCKET, op.tenant(), blob).await?;
        let observed = Observed {
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: op.clock().now().to_string(),
            result_digest: result_digest.to_string(),
        };
        let signed = Manifest {
            determined,
            observed,
        };
        let json = |value: Result<String, serde_json::Error>| {
            value.map_err(|error| ReplayError::unreadable("manifest", error))
        };
        let manifest = NewManifest {
            digest: &digest.to_string(),
            score_id: &score_id,
            snapshot_id: &snapshot_id,
            observed: &json(serde_json::to_string(&signed.observed))?,
            envelope: &json(serde_json::to_string(&self.sign(&digest, &signed).await?))?,
        };
        let new = store::add(op, (&self.db, &self.logs), &manifest).await?;
        let row = store::of_score(op, &self.db, &score_id).await?;
        let row = row.ok_or_else(|| ReplayError::unreadable("manifest", "it is gone again"))?;
        Ok((new, answer(&row)?))
    }
}

impl Replay {
    /// A manifest as it is stored, with its signature.
    pub(crate) async fn stored_manifest(
        &self,
        op: &OpContext,
        digest: &str,
    ) -> Result<ManifestRecord, ReplayError> {
        let digest: Digest = digest
            .parse()
            .map_err(|_| ReplayError::NoManifest(digest.to_owned()))?;
        let row = self.of_digest(op, &digest.to_string()).await?;
        let unreadable = |error| ReplayError::unreadable("manifest", error);
        let blob = self.objects.get(BUCKET, op.tenant(), &digest).await?;
        let manifest = Manifest {
            determined: serde_json::from_slice(&blob).map_err(unreadable)?,
            observed: serde_json::from_str(&row.observed).map_err(unreadable)?,
        };
        let envelope = row.envelope.as_deref().map(serde_json::from_str);
        Ok(ManifestRecord {
            digest: row.digest,
            manifest,
            envelope: envelope.transpose().map_err(unreadable)?,
        })
    }
}

fn determined(proof: ScoreProof, snapshot_id: String) -> Determined {
    let result = proof.result;
    Determined {
        schema: SCHEMA.to_owned(),
        kind: "score".to_owned(),
        score_id: result.score_id,
        finding_id: result.subject.finding_id.unwrap_or_default(),
        vulnerability: result.subject.vulnerability,
        purl: result.subject.purl,
        sbom: proof.sbom,
        component_pointer: proof.component_pointer,
        profile_id: result.profile.id,
        profile_digest: result.profile.digest,
        trusted_vex_publishers: proof.trusted_vex_publishers,
        snapshot_id,
        inputs: proof.inputs,
        engine: ENGINE.to_owned(),
        engine_semantics: result.engine.semantics,
        input_digest: result.input_digest,
        output_digest: result.output_digest,
    }
}

fn answer(row: &ManifestRow) -> Result<ManifestAnswer, ReplayError> {
    let manifest: Digest = row
        .digest
        .parse()
        .map_err(|error| ReplayError::unreadable("index row of a manifest", error))?;
    Ok(ManifestAnswer {
        token: ReplayToken {
            manifest: *manifest.as_bytes(),
            expires: 0,
        }
        .to_string(),
        manifest_digest: row.digest.clone(),
        snapshot_id: row.snapshot_id.clone(),
        signed: row.envelope.is_some(),
    })
}
