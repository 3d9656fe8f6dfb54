//! Every SQL statement of Authority.

use sqlx::query;
use stella_api::TenantId;
use stella_api::scope::Role;
use stella_context::{OpContext, SystemContext};
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

use crate::client::NewClient;

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

/// What of a client was not there before.
pub(crate) struct Added {
    pub(crate) client: bool,
    pub(crate) key: bool,
    pub(crate) roles: Vec<Role>,
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

/// What of it is new.
pub(crate) async fn ensure_client(
    system: &SystemContext,
    tx: &mut Tx,
    client: &NewClient<'_>,
) -> Result<Added, StoreError> {
    let now = DbTime(system.clock().now());
    let added = execute!(
        &mut *tx,
        query(
            "INSERT INTO authority.clients (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(client.id)
        .bind(now)
    )?;
    let key = execute!(
        &mut *tx,
        query(
            "INSERT INTO authority.client_keys (client_id, kid, x, created_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(client.id)
        .bind(client.key.kid.as_deref())
        .bind(&client.key.x)
        .bind(now)
    )?;
    let mut roles = Vec::new();
    for role in client.roles {
        let added = execute!(
            &mut *tx,
            query(
                "INSERT INTO authority.client_roles (client_id, tenant, role) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
            )
            .bind(client.id)
            .bind(client.tenant.as_str())
            .bind(role.as_str())
        )?;
        if added == 1 {
            roles.push(*role);
        }
    }
    Ok(Added {
        client: added == 1,
        key: key == 1,
        roles,
    })
}

/// The x coordinate of a client's key.
pub(crate) async fn client_key(
    system: &SystemContext,
    db: &Db,
    client: &str,
    kid: &str,
) -> Result<Option<String>, StoreError> {
    let mut tx = db.system(system).await?;
    let row = on!(&mut tx, c => sqlx::query_scalar(
        "SELECT x FROM authority.client_keys WHERE client_id = $1 AND kid = $2",
    ).bind(client).bind(kid).fetch_optional(c))?;
    tx.commit().await?;
    Ok(row)
}

/// The (tenant, role) pairs of a client in tenants that are not suspended, sorted.
pub(crate) async fn client_roles(
    system: &SystemContext,
    db: &Db,
    client: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut tx = db.system(system).await?;
    let rows = on!(&mut tx, c => sqlx::query_as(
        "SELECT r.tenant, r.role FROM authority.client_roles r \
         JOIN authority.tenants t ON t.id = r.tenant \
         WHERE r.client_id = $1 AND t.suspended_at IS NULL ORDER BY r.tenant, r.role",
    ).bind(client).fetch_all(c))?;
    tx.commit().await?;
    Ok(rows)
}
