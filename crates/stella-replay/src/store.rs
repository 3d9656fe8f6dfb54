//! Every SQL statement of Replay.

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_context::{OpContext, SystemContext};
use stella_service::{Act, Logs};
use stella_storage::{Db, DbTime, StoreError, execute, on};

/// A manifest as the index knows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct ManifestRow {
    pub(crate) digest: String,
    pub(crate) snapshot_id: String,
    pub(crate) observed: String,
    /// The DSSE envelope; none of a manifest of before there were any.
    pub(crate) envelope: Option<String>,
}

/// A manifest that is to be kept.
pub(crate) struct NewManifest<'a> {
    pub(crate) digest: &'a str,
    pub(crate) score_id: &'a str,
    pub(crate) snapshot_id: &'a str,
    pub(crate) observed: &'a str,
    pub(crate) envelope: &'a str,
}

pub(crate) async fn of_score(
    op: &OpContext,
    db: &Db,
    score_id: &str,
) -> Result<Option<ManifestRow>, StoreError> {
    let mut tx = db.read(op).await?;
    let row = on!(&mut tx, c => query_as(
        "SELECT digest, snapshot_id, observed, envelope FROM replay.manifests WHERE tenant = $1 AND score_id = $2",
    ).bind(op.tenant().as_str()).bind(score_id).fetch_optional(c))?;
    tx.commit().await?;
    Ok(row)
}

pub(crate) async fn of_digest(
    op: &OpContext,
    db: &Db,
    digest: &str,
) -> Result<Option<ManifestRow>, StoreError> {
    let mut tx = db.read(op).await?;
    let row = on!(&mut tx, c => query_as(
        "SELECT digest, snapshot_id, observed, envelope FROM replay.manifests WHERE tenant = $1 AND digest = $2",
    ).bind(op.tenant().as_str()).bind(digest).fetch_optional(c))?;
    tx.commit().await?;
    Ok(row)
}

/// Keeps a manifest and its snapshot; false where another process kept one of the score first.
pub(crate) async fn add(
    op: &OpContext,
    (db, logs): (&Db, &Logs),
    manifest: &NewManifest<'_>,
) -> Result<bool, StoreError> {
    let mut tx = db.write(op).await?;
    let now = DbTime(op.clock().now());
    let frozen = execute!(
        &mut tx,
        query(
            "INSERT INTO replay.snapshots (tenant, id, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
        )
        .bind(op.tenant().as_str())
        .bind(manifest.snapshot_id)
        .bind(now)
    )?;
    let added = execute!(
        &mut tx,
        query(
            "INSERT INTO replay.manifests (tenant, digest, score_id, snapshot_id, observed, \
             envelope, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(op.tenant().as_str())
        .bind(manifest.digest)
        .bind(manifest.score_id)
        .bind(manifest.snapshot_id)
        .bind(manifest.observed)
        .bind(manifest.envelope)
        .bind(now)
    )?;
    if frozen == 1 {
        let act = Act::done("replay.snapshot.taken", manifest.snapshot_id);
        logs.audit(&mut tx, op, act).await?;
    }
    if added == 1 {
        let act = Act::done("replay.manifest.made", manifest.digest);
        let act = act.with("score", manifest.score_id);
        logs.audit(&mut tx, op, act.with("snapshot", manifest.snapshot_id))
            .await?;
    }
    tx.commit().await?;
    logs.committed();
    Ok(added == 1)
}

pub(crate) async fn snapshot_time(
    op: &OpContext,
    db: &Db,
    id: &str,
) -> Result<Option<DbTime>, StoreError> {
    let mut tx = db.read(op).await?;
    let row = on!(&mut tx, c => query_scalar(
        "SELECT created_at FROM replay.snapshots WHERE tenant = $1 AND id = $2",
    ).bind(op.tenant().as_str()).bind(id).fetch_optional(c))?;
    tx.commit().await?;
    Ok(row)
}

/// The digests of a tenant's manifests, and of its snapshots.
pub(crate) async fn named(
    system: &SystemContext,
    db: &Db,
    tenant: &TenantId,
) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut tx = db.system_in(system, tenant).await?;
    let manifests = on!(&mut tx, c => query_scalar(
        "SELECT digest FROM replay.manifests WHERE tenant = $1",
    ).bind(tenant.as_str()).fetch_all(c))?;
    let snapshots = on!(&mut tx, c => query_scalar(
        "SELECT id FROM replay.snapshots WHERE tenant = $1",
    ).bind(tenant.as_str()).fetch_all(c))?;
    tx.commit().await?;
    Ok((manifests, snapshots))
}
