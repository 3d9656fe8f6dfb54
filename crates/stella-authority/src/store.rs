//! Every SQL statement of Authority.

mod client;

use sqlx::query;
use stella_api::TenantId;
use stella_context::{OpContext, SystemContext};
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

pub use client::tenants;
pub(crate) use client::*;

/// Whether it is new.
pub(crate) async fn ensure_tenant(
    system: &SystemContext,
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<bool, StoreError> {
    let now = DbTime(system.clock().now());
    let added = execute!(
        &mut *tx,
        query(
            "INSERT INTO authority.tenants (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(now)
    )?;
    execute!(
        tx,
        query(
            "INSERT INTO authority.tenant_settings (tenant, body, revision) VALUES ($1, '{}', 1) \
         ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
    )?;
    Ok(added == 1)
}

pub(crate) async fn has_tenant(
    system: &SystemContext,
    db: &Db,
    tenant: &TenantId,
) -> Result<bool, StoreError> {
    let mut tx = db.system_in(system, tenant).await?;
    let found: Option<i64> = on!(&mut tx, c => sqlx::query_scalar(
        "SELECT CAST(1 AS bigint) FROM authority.tenants WHERE id = $1",
    ).bind(tenant.as_str()).fetch_optional(c))?;
    tx.commit().await?;
    Ok(found.is_some())
}

pub(crate) async fn settings(op: &OpContext, db: &Db) -> Result<Option<String>, StoreError> {
    let mut tx = db.read(op).await?;
    let row: Option<String> = on!(&mut tx, c => sqlx::query_scalar(
        "SELECT body FROM authority.tenant_settings WHERE tenant = $1",
    ).bind(op.tenant().as_str()).fetch_optional(c))?;
    tx.commit().await?;
    Ok(row)
}

/// SQLite writes one transaction at a time, so there the row needs no lock.
pub(crate) async fn settings_for_update(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Option<String>, StoreError> {
    Ok(on!(tx,
        postgres c => sqlx::query_scalar(
            "SELECT body FROM authority.tenant_settings WHERE tenant = $1 FOR UPDATE",
        ).bind(tenant.as_str()).fetch_optional(c),
        sqlite c => sqlx::query_scalar(
            "SELECT body FROM authority.tenant_settings WHERE tenant = $1",
        ).bind(tenant.as_str()).fetch_optional(c),
    )?)
}

pub(crate) async fn put_settings(
    tx: &mut Tx,
    tenant: &TenantId,
    body: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "UPDATE authority.tenant_settings SET body = $2, revision = revision + 1 \
         WHERE tenant = $1",
        )
        .bind(tenant.as_str())
        .bind(body)
    )?;
    Ok(())
}
