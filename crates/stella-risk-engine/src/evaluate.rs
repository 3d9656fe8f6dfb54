//! From findings to their scores.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use stella_api::Code;
use stella_api::authority::TenantSettings;
use stella_api::explain::EvaluateRequest;
use stella_api::findings::{Finding, FindingRef, FindingSource};
use stella_api::score::ScoreResult;
use stella_assess::{Case, CaseDocument, assess};
use stella_canonical::{Digest, DigestError};
use stella_client::{Client, ClientError};
use stella_context::OpContext;
use stella_locale::Labels;
use stella_scoring::{Evaluation, Observed, Profile, TrustPolicy};
use stella_service::{Act, Chunk, Failure, IntoFailure as _, Line};

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
        let mut scored = self.evaluate_all(op, vec![Ok(request.clone())]).await?;
        scored
            .pop()
            .unwrap_or_else(|| Err(Failure::new(Code::Internal)))
    }

    /// The same for the lines of a batch.
    pub(crate) async fn evaluate_lines(
        self: Arc<Self>,
        op: OpContext,
        lines: Vec<Line>,
    ) -> Chunk<ScoreResult> {
        let requests = lines.iter().map(Line::object).collect();
        let scored = self.evaluate_all(&op, requests).await?;
        let told = |one: Result<(bool, ScoreResult), Failure>| one.map(|(_, result)| result);
        Ok(scored.into_iter().map(told).collect())
    }

    /// What is the same for all is asked once; what becomes of one finding touches no other.
    async fn evaluate_all(
        &self,
        op: &OpContext,
        requests: Vec<Result<EvaluateRequest, Failure>>,
    ) -> Chunk<(bool, ScoreResult)> {
        let asked = requests.into_iter().map(|request| asked(request?));
        let asked: Vec<Result<Asked, Failure>> = asked.collect();
        let cases = self.cases(op, asked);
        let cases = cases.await.map_err(RiskError::into_failure)?;
        // Matching again takes its time, and other calls are under way.
        let assessed = tokio::task::spawn_blocking(move || {
            let each = cases.into_iter().map(|case| case?.assessed());
            each.collect::<Vec<_>>()
        });
        let assessed = assessed
            .await
            .map_err(|error| RiskError::from(error).into_failure())?;
        let now = op.clock().now().to_string();
        let stored = assessed.into_iter().map(|one| {
            let (finding, policy, evaluation) = one?;
            stored(finding, policy, evaluation, &now).map_err(RiskError::into_failure)
        });
        let stored = stored.collect();
        self.keep(op, stored).await.map_err(RiskError::into_failure)
    }

    /// All that the scores follow from.
    async fn cases(
        &self,
        op: &OpContext,
        asked: Vec<Result<Asked, Failure>>,
    ) -> Result<Vec<Result<ReadCase, Failure>>, RiskError> {
        let client = &self.peers.acting_for(op);
        let named: Vec<&FindingRef> = asked.iter().flatten().map(|asked| &asked.finding).collect();
        let findings = client.post_each("/api/v1/findings/batch", &named).await?;
        let mut findings = findings.into_iter();
        let settings: TenantSettings = client.get("/api/v1/authority/settings").await?;
        let policy = Arc::new(TrustPolicy {
            vex_publishers: settings.trusted_vex_publishers.into_iter().collect(),
        });
        let pairs = asked.into_iter().map(|asked| {
            let asked = asked?;
            let missing = || Err(ClientError::answer("/api/v1/findings/batch", &"no answer"));
            let finding = findings.next().unwrap_or_else(missing);
            finding
                .map(|finding| (asked.profile, finding))
                .map_err(|error| RiskError::from(error).into_failure())
        });
        let pairs: Vec<Result<(Arc<Profile>, Finding), Failure>> = pairs.collect();
        let read = pairs.into_iter().map(|pair| {
            let policy = policy.clone();
            async move {
                let (profile, finding) = pair?;
                self.case(op, client, profile, finding, policy)
                    .await
                    .map_err(RiskError::into_failure)
            }
        });
        Ok(stream::iter(read).buffered(AT_ONCE).collect().await)
    }

    async fn case(
        &self,
        op: &OpContext,
        client: &Client,
        profile: Arc<Profile>,
        finding: Finding,
        policy: Arc<TrustPolicy>,
    ) -> Result<ReadCase, RiskError> {
        if let Some(class) = finding.informational {
            return Err(RiskError::Informational(class));
        }
        let documents = self.documents(op, client, &finding.sources).await?;
        Ok(ReadCase {
            profile,
            finding,
            policy,
            documents,
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

    /// Keeps scores in one transaction, in the order of their ids: two batches of the same ones
    /// never wait for each other in a circle.
    async fn keep(
        &self,
        op: &OpContext,
        mut scored: Vec<Result<Stored, Failure>>,
    ) -> Result<Vec<Result<(bool, ScoreResult), Failure>>, RiskError> {
        let id =
            |one: &Result<Stored, Failure>| one.as_ref().ok().map(|it| it.result.score_id.clone());
        let mut order: Vec<usize> = (0..scored.len()).filter(|n| scored[*n].is_ok()).collect();
        order.sort_by_key(|n| id(&scored[*n]));
        let mut new = vec![false; scored.len()];
        let mut tx = self.db.write(op).await?;
        for n in order {
            let Ok(stored) = &mut scored[n] else { continue };
            let row = stored.row()?;
            new[n] = store::add(&mut tx, op, &row).await?;
            if new[n] {
                let act = Act::done("risk-engine.score.evaluated", &row.score_id);
                let act = act.with("finding", &row.finding_id);
                self.logs.audit(&mut tx, op, act).await?;
            } else if let Some(first) = store::score(&mut tx, op.tenant(), &row.score_id).await? {
                match Stored::checked(first) {
                    Ok(first) => *stored = first,
                    Err(error) => {
                        scored[n] = Err(error.into_failure());
                        continue;
                    }
                }
            }
            store::note_evaluation(&mut tx, op, &row).await?;
        }
        tx.commit().await?;
        self.logs.committed();
        let told = scored.into_iter().zip(new);
        let told = told.map(|(stored, new)| stored.map(|stored| (new, stored.result)));
        Ok(told.collect())
    }
}

/// What a request names, as far as that is known without asking anybody.
struct Asked {
    finding: FindingRef,
    profile: Arc<Profile>,
}

fn asked(request: EvaluateRequest) -> Result<Asked, Failure> {
    let finding_id = request.finding_id;
    if finding_id.parse::<Digest>().is_err() {
        let values = [("id", finding_id.as_str().into())];
        let reason = Labels::english().format("refused-finding-id", &values);
        return Err(Failure::invalid("/findingId", reason));
    }
    let profile = profile(request.profile.as_deref()).map_err(RiskError::into_failure)?;
    Ok(Asked {
        finding: FindingRef { finding_id },
        profile: Arc::new(profile),
    })
}

/// A finding and all that its score follows from.
struct ReadCase {
    profile: Arc<Profile>,
    finding: Finding,
    policy: Arc<TrustPolicy>,
    documents: Vec<CaseDocument>,
}

type Assessed = (Finding, Arc<TrustPolicy>, Evaluation);

impl ReadCase {
    fn assessed(self) -> Result<Assessed, Failure> {
        let evaluation = assess(&Case {
            vulnerability: &self.finding.vulnerability,
            component_pointer: &self.finding.component.pointer,
            documents: &self.documents,
            profile: &self.profile,
            policy: &self.policy,
        });
        let evaluation = evaluation.map_err(|error| RiskError::from(error).into_failure())?;
        Ok((self.finding, self.policy, evaluation))
    }
}

fn stored(
    finding: Finding,
    policy: Arc<TrustPolicy>,
    evaluation: Evaluation,
    now: &str,
) -> Result<Stored, RiskError> {
    let result = evaluation.into_result(Observed {
        finding_id: Some(finding.id),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        evaluated_at: now.to_owned(),
        proof_ref: None,
    })?;
    Ok(Stored {
        result,
        sbom: finding.component.sbom,
        component_pointer: finding.component.pointer,
        policy: TrustPolicy::clone(&policy),
        sources: finding.sources,
    })
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
