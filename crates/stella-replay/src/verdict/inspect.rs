//! Reading everything again that an answer rested on, and telling what was changed or is gone.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use stella_api::Code;
use stella_api::replay::{Determined, Difference, ReplayRequest, ScoreProof, Snapshot, State};
use stella_assess::CaseDocument;
use stella_canonical::Digest;
use stella_canonical::trie::{self, TrieError};
use stella_client::ClientError;
use stella_context::OpContext;
use stella_storage::{ObjectError, ObjectStore};

use super::difference;
use crate::error::digest_of;
use crate::store::ManifestRow;
use crate::{BUCKET, Replay, ReplayError};

/// What was found while reading everything again.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) tampered: Vec<Difference>,
    pub(super) missing: Vec<Difference>,
    /// The digest of the whole result, as it was signed.
    result: Option<String>,
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

    fn node(&mut self, fault: TrieError<ObjectError>) -> Result<(), ReplayError> {
        match fault {
            TrieError::Load { source, .. } => self.blob("snapshot node", source),
            TrieError::Altered { node, found } => {
                self.changed(&format!("snapshot node {node}"), "", &node, &found);
                Ok(())
            }
            TrieError::Malformed { node, .. } => {
                let subject = format!("snapshot node {node}");
                self.changed(&subject, "", &State::Sound, &State::Malformed);
                Ok(())
            }
        }
    }

    fn gone(&mut self, subject: &str) {
        let (expected, actual) = (State::Present.as_str(), State::Missing.as_str());
        self.missing
            .push(difference::one(subject, "", expected, actual));
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
    pub(super) async fn blob<T: DeserializeOwned>(
        &self,
        op: &OpContext,
        subject: &'static str,
        digest: &str,
        found: &mut Findings,
    ) -> Result<Option<T>, ReplayError> {
        // The index says where to look, and may have been changed to say anything.
        let named = format!("{subject} {digest}");
        let Ok(digest) = digest.parse() else {
            found.changed(&named, "", &"a digest", &digest);
            return Ok(None);
        };
        match self.objects.get(BUCKET, op.tenant(), &digest).await {
            Ok(bytes) => {
                let read = serde_json::from_slice(&bytes);
                Ok(read
                    .map_err(|error| found.changed(&named, "", &format!("a {subject}"), &error))
                    .ok())
            }
            Err(error) => found.blob(subject, error).map(|()| None),
        }
    }

    /// The signature, and the part of the manifest that only it covers.
    pub(super) async fn check_envelope(
        &self,
        row: &ManifestRow,
        found: &mut Findings,
    ) -> Result<(), ReplayError> {
        let subject = signature_of(row);
        let Some(envelope) = &row.envelope else {
            found.changed(&subject, "", &State::Sound, &State::Unsigned);
            return Ok(());
        };
        // The index may have been changed to say anything.
        let Ok(digest) = row.digest.parse() else {
            found.changed(&subject, "", &State::Sound, &State::SignedOther);
            return Ok(());
        };
        match self.signed(envelope, &digest).await? {
            Err(state) => found.changed(&subject, "", &State::Sound, &state),
            Ok(signed) => {
                let observed = serde_json::to_string(&signed.observed)
                    .map_err(|error| ReplayError::unreadable("manifest", error))?;
                if observed != row.observed {
                    found.changed(&subject, "/observed", &observed, &row.observed);
                }
                found.result = Some(signed.observed.result_digest);
            }
        }
        Ok(())
    }

    /// The whole snapshot is read, not only the way to the inputs: what was changed in it is
    /// told, whoever it concerns. Costs grow with the documents of the tenant.
    pub(super) async fn check_snapshot(
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
        let subject = format!("snapshot {}", row.snapshot_id);
        let mut held = Vec::new();
        for (kind, provider) in snapshot.providers {
            let root = digest_of(&provider.root)?;
            let (objects, tenant) = (self.objects.clone(), op.tenant().clone());
            let read = tokio::task::spawn_blocking(move || nodes(&objects, &tenant, root)).await?;
            match read {
                Ok(digests) => {
                    let (told, there) = (provider.count, digests.len() as u64);
                    if told != there {
                        let pointer = format!("/providers/{kind}/count");
                        found.changed(&subject, &pointer, &told, &there);
                    }
                    held.extend(digests.into_iter().map(|digest| (kind.clone(), digest)));
                }
                Err(faults) => {
                    if faults.len() == trie::FAULTS_MAX {
                        let subject = format!("snapshot root {root}");
                        let (expected, actual) = (State::Sound, State::MoreFaults);
                        // Beside the others: what they are decides the verdict.
                        found.missing.push(difference::one(
                            &subject,
                            "",
                            expected.as_str(),
                            actual.as_str(),
                        ));
                    }
                    for fault in faults {
                        found.node(fault)?;
                    }
                }
            }
        }
        // With a node gone or changed nobody can say what is in it: that is told already.
        let sound = found.tampered.is_empty() && found.missing.is_empty();
        let inputs = manifest
            .filter(|_| sound)
            .map(|manifest| manifest.inputs.as_slice());
        held.sort();
        for input in inputs.unwrap_or_default() {
            let digest = digest_of(&input.document)?;
            if held
                .binary_search(&(input.kind.to_string(), digest))
                .is_err()
            {
                let pointer = format!("/providers/{}", input.kind);
                found.changed(&subject, &pointer, &digest, &State::Missing);
            }
        }
        Ok(())
    }

    pub(super) async fn documents(
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
                        document: Arc::new(document.into()),
                    });
                }
                Err(error) => match error.code() {
                    Some(Code::EvidenceCorrupt | Code::RecordCorrupt) => {
                        found.changed(&subject, "", &digest, &first_detail(&error));
                    }
                    Some(Code::NotFound | Code::ObjectMissing) => found.gone(&subject),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(documents)
    }

    pub(super) async fn stored(
        &self,
        op: &OpContext,
        manifest: &Determined,
        found: &mut Findings,
    ) -> Result<Option<ScoreProof>, ReplayError> {
        let subject = format!("score {}", manifest.score_id);
        let path = format!("/api/v1/score/{}/replay", manifest.score_id);
        match self.peers.acting_for(op).get::<ScoreProof>(&path).await {
            Ok(proof) => {
                found.tampered.extend(beside(&subject, manifest, &proof)?);
                let actual = Digest::of_canonical(&proof.result)?.to_string();
                if let Some(signed) = found.result.take().filter(|signed| *signed != actual) {
                    found.changed(&subject, "", &signed, &actual);
                }
                Ok(Some(proof))
            }
            Err(error) => {
                match error.code() {
                    Some(Code::ScoreCorrupt | Code::RecordCorrupt) => {
                        let pointer = first_pointer(&error);
                        let actual = first_detail(&error);
                        found.changed(&subject, &pointer, &State::AsGiven, &actual);
                    }
                    Some(Code::NotFound) => found.gone(&subject),
                    _ => return Err(error.into()),
                }
                Ok(None)
            }
        }
    }
}

/// What a difference calls the signature of a manifest.
pub(super) fn signature_of(row: &ManifestRow) -> String {
    format!("manifest signature {}", row.digest)
}

/// The index only says where to look: what it says must be what the manifest says.
pub(super) fn check_index(
    row: &ManifestRow,
    request: &ReplayRequest,
    manifest: &Determined,
    found: &mut Findings,
) {
    let subject = format!("manifest row {}", row.digest);
    if row.snapshot_id != manifest.snapshot_id {
        found.changed(
            &subject,
            "/snapshotId",
            &manifest.snapshot_id,
            &row.snapshot_id,
        );
    }
    let asked = request
        .score_id
        .as_ref()
        .filter(|asked| **asked != manifest.score_id);
    if let Some(asked) = asked {
        found.changed(&subject, "/scoreId", &manifest.score_id, asked);
    }
}

/// Where what is stored beside a score is not what the manifest recorded.
fn beside(
    subject: &str,
    manifest: &Determined,
    proof: &ScoreProof,
) -> Result<Vec<Difference>, ReplayError> {
    let recorded = serde_json::json!({
        "sbom": manifest.sbom,
        "componentPointer": manifest.component_pointer,
        "trustedVexPublishers": manifest.trusted_vex_publishers,
        "inputs": manifest.inputs,
    });
    let stored = serde_json::json!({
        "sbom": proof.sbom,
        "componentPointer": proof.component_pointer,
        "trustedVexPublishers": proof.trusted_vex_publishers,
        "inputs": proof.inputs,
    });
    difference::between(subject, &recorded, &stored)
}

fn nodes(
    objects: &ObjectStore,
    tenant: &stella_api::TenantId,
    root: Digest,
) -> Result<Vec<Digest>, Vec<TrieError<ObjectError>>> {
    trie::verify(&root, |digest| objects.get_blocking(BUCKET, tenant, digest))
}

/// What the first item of a problem found there; where something is corrupt, that is a value.
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
