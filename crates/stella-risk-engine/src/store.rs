//! Every SQL statement of RiskEngine.

use sqlx::{query, query_as};
use stella_api::TenantId;
use stella_context::OpContext;
use stella_service::{IdRange, Paging};
use stella_storage::{DbTime, StoreError, Tx, execute, on};

/// A score as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct ScoreRow {
    pub(crate) score_id: String,
    pub(crate) finding_id: String,
    pub(crate) sbom: String,
    pub(crate) vulnerability: String,
    pub(crate) purl: String,
    pub(crate) profile_id: String,
    pub(crate) score_bps: Option<i64>,
    pub(crate) band: String,
    pub(crate) rank: i64,
    pub(crate) component_pointer: String,
    pub(crate) policy: String,
    pub(crate) inputs: String,
    pub(crate) result: String,
    pub(crate) content_digest: String,
    pub(crate) evaluated_at: DbTime,
}

macro_rules! columns {
    () => {
        "score_id, finding_id, sbom, vulnerability, purl, profile_id, score_bps, band, rank, \
         component_pointer, policy, inputs, result, content_digest, evaluated_at"
    };
}

/// Adds a score; false where it is there already.
pub(crate) async fn add(tx: &mut Tx, op: &OpContext, row: &ScoreRow) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        query(concat!(
            "INSERT INTO riskengine.risk_score_results (tenant, ",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             ON CONFLICT DO NOTHING",
        ))
        .bind(op.tenant().as_str())
        .bind(&row.score_id)
        .bind(&row.finding_id)
        .bind(&row.sbom)
        .bind(&row.vulnerability)
        .bind(&row.purl)
        .bind(&row.profile_id)
        .bind(row.score_bps)
        .bind(&row.band)
        .bind(row.rank)
        .bind(&row.component_pointer)
        .bind(&row.policy)
        .bind(&row.inputs)
        .bind(&row.result)
        .bind(&row.content_digest)
        .bind(row.evaluated_at)
    )?;
    Ok(added == 1)
}

/// Makes a score the latest of its finding, unless it is.
pub(crate) async fn note_evaluation(
    tx: &mut Tx,
    op: &OpContext,
    row: &ScoreRow,
) -> Result<(), StoreError> {
    loop {
        let last: Option<(i64, String)> = on!(&mut *tx, c => query_as(
            "SELECT position, score_id FROM riskengine.evaluations \
             WHERE tenant = $1 AND finding_id = $2 ORDER BY position DESC LIMIT 1",
        ).bind(op.tenant().as_str()).bind(&row.finding_id).fetch_optional(c))?;
        let position = match last {
            Some((_, score)) if score == row.score_id => return Ok(()),
            Some((position, _)) => position + 1,
            None => 1,
        };
        let added = execute!(
            &mut *tx,
            query(
                "INSERT INTO riskengine.evaluations (tenant, finding_id, position, score_id, \
                 evaluated_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(op.tenant().as_str())
            .bind(&row.finding_id)
            .bind(position)
            .bind(&row.score_id)
            .bind(row.evaluated_at)
        )?;
        if added == 1 {
            return Ok(());
        }
        // Another process took the position; each turn, one that wanted it is served.
    }
}

pub(crate) async fn score(
    tx: &mut Tx,
    tenant: &TenantId,
    score_id: &str,
) -> Result<Option<ScoreRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM riskengine.risk_score_results \
         WHERE tenant = $1 AND score_id = $2",
    )).bind(tenant.as_str()).bind(score_id).fetch_optional(c))?)
}

/// At most two scores whose ids lie in a range.
pub(crate) async fn scores_between(
    tx: &mut Tx,
    tenant: &TenantId,
    range: &IdRange,
) -> Result<Vec<ScoreRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM riskengine.risk_score_results \
         WHERE tenant = $1 AND score_id >= $2 AND score_id < $3 ORDER BY score_id LIMIT 2",
    )).bind(tenant.as_str()).bind(&range.from).bind(&range.to).fetch_all(c))?)
}

/// The latest scores of at most two findings whose ids lie in a range.
pub(crate) async fn latest_between(
    tx: &mut Tx,
    tenant: &TenantId,
    range: &IdRange,
) -> Result<Vec<ScoreRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM riskengine.risk_scores_latest \
         WHERE tenant = $1 AND finding_id >= $2 AND finding_id < $3 ORDER BY finding_id LIMIT 2",
    )).bind(tenant.as_str()).bind(&range.from).bind(&range.to).fetch_all(c))?)
}

/// Which scores a list shows; what is not said does not narrow it.
#[derive(Debug, Default)]
pub(crate) struct ScoreFilter {
    pub(crate) sbom: Option<String>,
    pub(crate) band: Option<String>,
    pub(crate) vulnerability: Option<String>,
}

/// The latest score of each finding, by rank, then id.
pub(crate) async fn latest(
    tx: &mut Tx,
    tenant: &TenantId,
    filter: &ScoreFilter,
    paging: &Paging<(i64, String)>,
) -> Result<Vec<ScoreRow>, StoreError> {
    let (rank, score_id) = paging.after.clone().unwrap_or((-1, String::new()));
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM riskengine.risk_scores_latest \
         WHERE tenant = $1 AND (rank, score_id) > ($2, $3) \
         AND ($4 IS NULL OR sbom = $4) AND ($5 IS NULL OR band = $5) \
         AND ($6 IS NULL OR vulnerability = $6) ORDER BY rank, score_id LIMIT $7",
    )).bind(tenant.as_str()).bind(rank).bind(&score_id)
        .bind(filter.sbom.as_deref()).bind(filter.band.as_deref())
        .bind(filter.vulnerability.as_deref()).bind(paging.limit()).fetch_all(c))?)
}
