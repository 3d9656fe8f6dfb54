//! The routes of RiskEngine.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use stella_api::Page;
use stella_api::explain::{EvaluateRequest, Explanation};
use stella_api::replay::ScoreProof;
use stella_api::scope::{RiskEvaluate, RiskRead};
use stella_api::score::{Band, ScoreResult};
use stella_service::{
    Answer, Authorized, Fail, Json, Kept, LineAnswers, Lines, Paging, Path, Query, Routes, Tagged,
    failures, route,
};
use utoipa::IntoParams;

use crate::store::ScoreFilter;
use crate::{RiskEngine, explain, score};

type Domain = State<Arc<RiskEngine>>;

failures!(Evaluate: NotFound, EvidenceCorrupt, ObjectMissing, ProfileUnknown, ScoreCorrupt, ScoreNotApplicable, Stale);
failures!(ListScores: PageTokenInvalid, ScoreCorrupt);
failures!(OneScore: NotFound, IdAmbiguous, ScoreCorrupt);

pub(crate) fn routes() -> Routes<Arc<RiskEngine>> {
    let routes = route!(Routes::default(), evaluate);
    let routes = route!(routes, evaluate_batch);
    let routes = route!(routes, list_scores);
    let routes = route!(routes, show_score);
    let routes = route!(routes, explain_score);
    route!(routes, prove_score)
}

/// Scores a finding by what is known now: 201 with a new score, 200 with one that was given
/// before, as it was given.
#[utoipa::path(post, path = "/api/v1/score/evaluate", tag = "risk-engine",
    request_body = EvaluateRequest)]
async fn evaluate(
    op: Authorized<RiskEvaluate>,
    State(risk_engine): Domain,
    Json(request): Json<EvaluateRequest>,
) -> Result<Kept<ScoreResult>, Fail<Evaluate>> {
    let (new, body) = risk_engine.evaluate(&op, &request).await?;
    let location = format!("/api/v1/score/{}", body.score_id);
    Ok(Kept {
        new,
        location,
        body,
    })
}

/// Scores findings by what is known now, one a line. A score that was given before is answered as
/// it was given; sending all again changes nothing.
#[utoipa::path(post, path = "/api/v1/score/evaluate/batch", tag = "risk-engine",
    request_body(content = EvaluateRequest, content_type = "application/x-ndjson",
        description = "a finding's id in each line, as many as there are"),
    params(("Prefer" = Option<String>, Header,
        description = "`respond-stream`: each chunk is answered at once, for whoever reads while it sends")))]
async fn evaluate_batch(
    op: Authorized<RiskEvaluate>,
    State(risk_engine): Domain,
    lines: Lines,
) -> Result<LineAnswers<ScoreResult, Evaluate>, Fail<()>> {
    let op = op.clone();
    Ok(lines.each(move |chunk| risk_engine.clone().evaluate_lines(op.clone(), chunk)))
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScoreQuery {
    /// Only scores of findings in this SBOM, by its digest.
    sbom: Option<String>,
    /// Only scores of this band.
    band: Option<Band>,
    /// Only scores of this vulnerability, by the matched advisory's own id.
    vulnerability: Option<String>,
    /// How many entries at the most: 1 to 500, 50 if not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    page_size: Option<String>,
    /// Where the page before ended, as it said.
    page_token: Option<String>,
}

/// Lists the latest score of each finding: unknown ones first, then the highest, then by id.
#[utoipa::path(get, path = "/api/v1/score", tag = "risk-engine", params(ScoreQuery))]
async fn list_scores(
    op: Authorized<RiskRead>,
    State(risk_engine): Domain,
    Query(query): Query<ScoreQuery>,
) -> Result<Answer<Page<ScoreResult>>, Fail<ListScores>> {
    let paging = Paging::read(
        score::LIST,
        query.page_size.as_deref(),
        query.page_token.as_deref(),
    )?;
    let filter = ScoreFilter {
        sbom: query.sbom,
        band: query.band.map(|band| format!("{band:?}")),
        vulnerability: query.vulnerability,
    };
    Ok(Answer(risk_engine.scores(&op, &filter, &paging).await?))
}

/// Shows a score by its id, or the latest of a finding by the finding's, or by an unambiguous
/// prefix of eight hex digits or more.
#[utoipa::path(get, path = "/api/v1/score/{id}", tag = "risk-engine",
    params(("id" = String, Path, description = "the id of a score or finding, or a prefix of it")))]
async fn show_score(
    op: Authorized<RiskRead>,
    State(risk_engine): Domain,
    Path(id): Path<String>,
) -> Result<Tagged<ScoreResult>, Fail<OneScore>> {
    Ok(Tagged(risk_engine.score(&op, &id).await?.result))
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExplainQuery {
    /// The language of the sentences; one that there is not falls back to `en`, and `lang` of
    /// the answer says so.
    lang: Option<String>,
}

/// Says in sentences why a score is what it is; takes the ids that `GET /api/v1/score/{id}` takes.
#[utoipa::path(get, path = "/api/v1/score/{id}/explain", tag = "risk-engine",
    params(("id" = String, Path, description = "the id of a score or finding, or a prefix of it"),
           ExplainQuery))]
async fn explain_score(
    op: Authorized<RiskRead>,
    State(risk_engine): Domain,
    Path(id): Path<String>,
    Query(query): Query<ExplainQuery>,
) -> Result<Answer<Explanation>, Fail<OneScore>> {
    let stored = risk_engine.score(&op, &id).await?;
    Ok(Answer(explain::explanation(stored, query.lang.as_deref())?))
}

/// Gives a score with all that it was computed from, documents by digest; takes the ids that
/// `GET /api/v1/score/{id}` takes.
#[utoipa::path(get, path = "/api/v1/score/{id}/replay", tag = "risk-engine",
    params(("id" = String, Path, description = "the id of a score or finding, or a prefix of it")))]
async fn prove_score(
    op: Authorized<RiskRead>,
    State(risk_engine): Domain,
    Path(id): Path<String>,
) -> Result<Tagged<ScoreProof>, Fail<OneScore>> {
    Ok(Tagged(risk_engine.proof(&op, &id).await?))
}
