//! Replaying: everything that an answer rested on is read again by digest, and the answer
//! computed again.

mod difference;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use stella_api::Code;
use stella_api::replay::{
    Determined, Difference, ReplayCause, ReplayOutcome, ReplayRequest, ReplayVerdict, ScoreProof,
    Snapshot,
};
use stella_api::score::ScoreResult;
use stella_assess::{Case, CaseDocument, assess};
use stella_canonical::trie::{self, TrieError};
use stella_canonical::{Digest, DigestError};
use stella_client::ClientError;
use stella_context::{Clock, OpContext};
use stella_scoring::{Observed, Profile, SEMANTICS, TrustPolicy};
use stella_storage::{ObjectError, ObjectStore};

use crate::manifest::demand_reads;
use crate::store::{self, ManifestRow};
use crate::token::Token;
use crate::{BUCKET, Replay, ReplayError};

/// What was found while reading everything again.
#[derive(Debug, Default)]
struct Findings {
    tampered: Vec<Difference>,
    missing: Vec<Difference>,
}

impl Findings {
    fn blob(&mut self, subject: &str, error: ObjectError) -> Result<(), ReplayError> {
        match error {
            ObjectError::Missing(digest) => self.gone(&format!("{subject} {digest}")),
            ObjectError::Corrupt {
                expected, actual, ..
            } => {
                self.changed(&format!("{subject} {expected}"), "", &expected, &actual);
            }
            other => return Err(other.into()),
        }
        Ok(())
    }

    fn gone(&mut self, subject: &str) {
        self.missing
            .push(difference::one(subject, "", "present", "missing"));
    }

    fn changed(
        &mut self,
        subject: &str,
        pointer: &str,
        expected: &dyn ToString,
        actual: &dyn ToString,
    ) {
        let (expected, actual) = (expected.to_string(), actual.to_string());
        self.tampered
            .push(difference::one(subject, pointer, &expected, &actual));
    }
}

impl Replay {
    /// Gives an answer again and compares.
    pub(crate) async fn replay(
        &self,
        op: &OpContext,
        request: &ReplayRequest,
    ) -> Result<ReplayVerdict, ReplayError> {
        demand_reads(op)?;
        let row = self.asked(op, request).await?;
        let mut found = Findings::default();
        let manifest: Option<Determined> =
            self.blob(op, "manifest", &row.digest, &mut found).await?;
        self.check_snapshot(op, &row, manifest.as_ref(), &mut found)
            .await?;
        let Some(manifest) = manifest else {
            return Ok(verdict(&row, String::new(), found, None, Vec::new()));
        };
        let documents = self.documents(op, &manifest, &mut found).await?;
        let proof = self.stored(op, &manifest, &mut found).await?;
        if !found.tampered.is_empty() || !found.missing.is_empty() {
            return Ok(verdict(&row, manifest.score_id, found, None, Vec::new()));
        }
        let Some(proof) = proof else {
            return Err(ReplayError::unreadable(
                "score",
                "neither there nor missing",
            ));
        };
        self.recompute(row, manifest, proof, documents).await
    }

    async fn asked(
        &self,
        op: &OpContext,
        request: &ReplayRequest,
    ) -> Result<ManifestRow, ReplayError> {
        match (&request.token, &request.score_id) {
            (Some(token), None) => {
                let token: Token = token.parse()?;
                let now = Clock::System.now().as_second();
                if token.expires != 0 && i64::from(token.expires) < now {
                    return Err(ReplayError::Expired(token.expires.to_string()));
                }
                let digest = token.manifest.to_string();
                let row = store::of_digest(op, &self.db, &digest).await?;
                row.ok_or_else(|| ReplayError::Unknown(format!("manifest {digest}")))
            }
            (None, Some(score)) => {
                let row = store::of_score(op, &self.db, score).await?;
                row.ok_or_else(|| ReplayError::Unknown(format!("manifest of score {score}")))
            }
            _ => Err(ReplayError::Ambiguous),
        }
    }

    async fn blob<T: DeserializeOwned>(
        &self,
        op: &OpContext,
        subject: &'static str,
        digest: &str,
        found: &mut Findings,
    ) -> Result<Option<T>, ReplayError> {
        match self
            .objects
            .get(BUCKET, op.tenant(), &digest_of(digest)?)
            .await
        {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| ReplayError::unreadable(subject, error)),
            Err(error) => found.blob(subject, error).map(|()| None),
        }
    }

    /// The whole snapshot is read, not only the way to the inputs: what was changed in it is
    /// told, whoever it concerns. Costs grow with the documents of the tenant.
    async fn check_snapshot(
        &self,
        op: &OpContext,
        row: &ManifestRow,
        manifest: Option<&Determined>,
        found: &mut Findings,
    ) -> Result<(), ReplayError> {
        let snapshot: Option<Snapshot> = self.blob(op, "snapshot", &row.snapshot_id, found).await?;
        let Some(snapshot) = snapshot else {
            return Ok(());
        };
        for (kind, provider) in snapshot.providers {
            let root = digest_of(&provider.root)?;
            let (objects, tenant) = (self.objects.clone(), op.tenant().clone());
            let read = tokio::task::spawn_blocking(move || nodes(&objects, &tenant, root)).await?;
            let held = match read {
                Ok(held) => held,
                Err(TrieError::Load { source, .. }) => {
                    found.blob("snapshot node", source)?;
                    continue;
                }
                Err(other) => {
                    found.changed(&format!("snapshot node below {root}"), "", &"sound", &other);
                    continue;
                }
            };
            let inputs = manifest
                .map(|manifest| manifest.inputs.as_slice())
                .unwrap_or_default();
            for input in inputs.iter().filter(|input| input.kind.as_str() == kind) {
                let digest = digest_of(&input.document)?;
                if held.binary_search(&digest).is_err() {
                    let subject = format!("snapshot {}", row.snapshot_id);
                    found.changed(
                        &subject,
                        &format!("/providers/{kind}"),
                        &digest,
                        &"not in it",
                    );
                }
            }
        }
        Ok(())
    }

    async fn documents(
        &self,
        op: &OpContext,
        manifest: &Determined,
        found: &mut Findings,
    ) -> Result<Vec<CaseDocument>, ReplayError> {
        let client = self.peers.acting_for(op);
        let mut documents = Vec::with_capacity(manifest.inputs.len());
        for input in &manifest.inputs {
            let subject = format!("document {}", input.document);
            let digest = digest_of(&input.document)?;
            let path = format!("/api/v1/evidence/documents/{digest}/raw");
            match client.get_bytes(&path).await {
                Ok(bytes) => {
                    let actual = Digest::of(&bytes);
                    if actual != digest {
                        found.changed(&subject, "", &digest, &actual);
                        continue;
                    }
                    let document = stella_formats::read(&bytes)
                        .map_err(|error| ReplayError::unreadable("document", error))?;
                    documents.push(CaseDocument {
                        role: input.role,
                        digest,
                        publisher: input.publisher.clone(),
                        document: Arc::new(document),
                    });
                }
                Err(error) => match error.code() {
                    Some(Code::EvidenceCorrupt) => {
                        found.changed(&subject, "", &digest, &first_detail(&error));
                    }
                    Some(Code::NotFound) => found.gone(&subject),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(documents)
    }

    async fn stored(
        &self,
        op: &OpContext,
        manifest: &Determined,
        found: &mut Findings,
    ) -> Result<Option<ScoreProof>, ReplayError> {
        let subject = format!("score {}", manifest.score_id);
        let path = format!("/api/v1/score/{}/replay", manifest.score_id);
        match self.peers.acting_for(op).get::<ScoreProof>(&path).await {
            Ok(proof) => Ok(Some(proof)),
            Err(error) => {
                match error.code() {
                    Some(Code::ScoreCorrupt) => {
                        let pointer = first_pointer(&error);
                        found.changed(
                            &subject,
                            &pointer,
                            &"as it was given",
                            &first_detail(&error),
                        );
                    }
                    Some(Code::NotFound) => found.gone(&subject),
                    _ => return Err(error.into()),
                }
                Ok(None)
            }
        }
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
        let actual = digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
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
        let again: ScoreResult = tokio::task::spawn_blocking(again).await??;
        let subject = format!("score {}", manifest.score_id);
        let mut differences = difference::between(&subject, &stored, &again)?;
        for (name, expected, actual) in [
            ("/inputDigest", &manifest.input_digest, &again.input_digest),
            (
                "/outputDigest",
                &manifest.output_digest,
                &again.output_digest,
            ),
        ] {
            if expected != actual {
                let subject = format!("manifest {}", row.digest);
                differences.push(difference::one(&subject, name, expected, actual));
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

fn nodes(
    objects: &ObjectStore,
    tenant: &stella_api::TenantId,
    root: Digest,
) -> Result<Vec<Digest>, TrieError<ObjectError>> {
    trie::verify(&root, |digest| objects.get_blocking(BUCKET, tenant, digest))
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
    ReplayVerdict {
        outcome,
        cause,
        manifest_digest: row.digest.clone(),
        score_id,
        snapshot_id: row.snapshot_id.clone(),
        differences,
        recomputed,
        signed: false,
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

fn digest_of(text: &str) -> Result<Digest, ReplayError> {
    text.parse()
        .map_err(|error: DigestError| ReplayError::unreadable("digest", error))
}

fn first_detail(error: &ClientError) -> String {
    match error {
        ClientError::Problem(problem) => {
            let first = problem.errors.first().map(|item| item.detail.clone());
            first.unwrap_or_else(|| problem.detail.clone())
        }
        other => other.to_string(),
    }
}

fn first_pointer(error: &ClientError) -> String {
    match error {
        ClientError::Problem(problem) => problem
            .errors
            .first()
            .map(|item| item.pointer.clone())
            .unwrap_or_default(),
        _ => String::new(),
    }
}
