//! From a finding to its score.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use stella_api::authority::TenantSettings;
use stella_api::explain::EvaluateRequest;
use stella_api::findings::{Finding, FindingSource};
use stella_api::score::ScoreResult;
use stella_assess::{Case, CaseDocument, assess};
use stella_canonical::{Digest, DigestError};
use stella_client::Client;
use stella_context::OpContext;
use stella_locale::Labels;
use stella_scoring::{Evaluation, Observed, Profile, TrustPolicy};
use stella_service::{Act, Failure, IntoFailure as _};

use crate::stored::Stored;
use crate::{RiskEngine, RiskError, store};

const DEFAULT_PROFILE: &str = "cvss-kev-v1";
/// How many documents are read at a time.
const AT_ONCE: usize = 4;

impl RiskEngine {
    /// Scores a finding by what is known now. A score that was given before is answered as it
    /// was; tells whether this one is new.
    pub(crate) async fn evaluate(
        &self,
        op: &OpContext,
        request: &EvaluateRequest,
    ) -> Result<(bool, ScoreResult), Failure> {
        if request.finding_id.parse::<Digest>().is_err() {
            let values = [("id", request.finding_id.as_str().into())];
            let reason = Labels::english().format("refused-finding-id", &values);
            return Err(Failure::invalid("/findingId", reason));
        }
        let score = async {
            let stored = self.assessed(op, request).await?;
            self.keep(op, stored).await
        };
        score.await.map_err(RiskError::into_failure)
    }

    async fn assessed(
        &self,
        op: &OpContext,
        request: &EvaluateRequest,
    ) -> Result<Stored, RiskError> {
        let profile = profile(request.profile.as_deref())?;
        let client = self.peers.acting_for(op);
        let path = format!("/api/v1/findings/{}", request.finding_id);
        let finding: Finding = client.get(&path).await?;
        if let Some(class) = finding.informational {
            return Err(RiskError::Informational(class));
        }
        let settings: TenantSettings = client.get("/api/v1/authority/settings").await?;
        let policy = TrustPolicy {
            vex_publishers: settings.trusted_vex_publishers.into_iter().collect(),
        };
        let documents = self.documents(op, &client, &finding.sources).await?;
        let (vulnerability, pointer) = (finding.vulnerability, finding.component.pointer);
        let asked = (vulnerability, pointer.clone(), policy.clone());
        // Matching again goes through the whole SBOM.
        let evaluation =
            tokio::task::spawn_blocking(move || assessment(&profile, &asked, &documents)).await??;
        let result = evaluation.into_result(Observed {
            finding_id: Some(finding.id),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            evaluated_at: op.clock().now().to_string(),
            proof_ref: None,
        })?;
        Ok(Stored {
            result,
            sbom: finding.component.sbom,
            component_pointer: pointer,
            policy,
            sources: finding.sources,
        })
    }

    async fn documents(
        &self,
        op: &OpContext,
        client: &Client,
        sources: &[FindingSource],
    ) -> Result<Vec<CaseDocument>, RiskError> {
        // One publisher may call the same bytes by two names; they speak once. Owned, since what
        // is borrowed for every lifetime is no future that another thread can run.
        let distinct: BTreeSet<_> = sources
            .iter()
            .map(|source| {
                let digest = digest(&source.document)?;
                Ok((source.role, digest, source.kind, source.publisher.clone()))
            })
            .collect::<Result<_, RiskError>>()?;
        let read = distinct
            .into_iter()
            .map(|(role, digest, kind, publisher)| async move {
                let document = self.library.document(op, client, kind, digest).await?;
                Ok::<_, RiskError>(CaseDocument {
                    role,
                    digest,
                    publisher,
                    document,
                })
            });
        stream::iter(read).buffered(AT_ONCE).try_collect().await
    }

    async fn keep(&self, op: &OpContext, stored: Stored) -> Result<(bool, ScoreResult), RiskError> {
        let row = stored.row()?;
        let mut tx = self.db.write(op).await?;
        let new = store::add(&mut tx, op, &row).await?;
        let kept = if new {
            stored
        } else {
            let first = store::score(&mut tx, op.tenant(), &row.score_id).await?;
            first.map_or(Ok(stored), Stored::checked)?
        };
        store::note_evaluation(&mut tx, op, &row).await?;
        if new {
            let act = Act::done("risk-engine.score.evaluated", &row.score_id);
            let act = act.with("finding", &row.finding_id);
            self.logs.audit(&mut tx, op, act).await?;
        }
        tx.commit().await?;
        self.logs.committed();
        Ok((new, kept.result))
    }
}

fn profile(asked: Option<&str>) -> Result<Profile, RiskError> {
    let id = asked.unwrap_or(DEFAULT_PROFILE);
    let mut known = Profile::built_in().into_iter();
    known
        .find(|profile| profile.id == id)
        .ok_or_else(|| RiskError::ProfileUnknown(id.to_owned()))
}

fn digest(document: &str) -> Result<Digest, RiskError> {
    document
        .parse()
        .map_err(|error: DigestError| RiskError::DocumentUnreadable {
            document: document.to_owned(),
            reason: error.to_string(),
        })
}

fn assessment(
    profile: &Profile,
    (vulnerability, component_pointer, policy): &(String, String, TrustPolicy),
    documents: &[CaseDocument],
) -> Result<Evaluation, RiskError> {
    Ok(assess(&Case {
        vulnerability,
        component_pointer,
        documents,
        profile,
        policy,
    })?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_default_profile_exists_and_others_are_refused() {
        assert_eq!(profile(None).unwrap().id, DEFAULT_PROFILE);
        let refused = profile(Some("ews-v9")).unwrap_err();
        assert!(matches!(refused, RiskError::ProfileUnknown(id) if id == "ews-v9"));
    }
}
