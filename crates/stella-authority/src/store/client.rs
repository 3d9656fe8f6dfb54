//! Clients, their keys and their roles.

use std::collections::BTreeSet;

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::authority::PublicJwk;
use stella_context::SystemContext;
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

use crate::client::{Client, ClientKey, Held};

/// Whether it is new.
pub(crate) async fn ensure_client(
    system: &SystemContext,
    tx: &mut Tx,
    client: &str,
) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        query(
            "INSERT INTO authority.clients (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(client)
        .bind(DbTime(system.clock().now()))
    )?;
    Ok(added == 1)
}

/// Whether it is new.
pub(crate) async fn ensure_key(
    system: &SystemContext,
    tx: &mut Tx,
    client: &str,
    key: &PublicJwk,
) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        query(
            "INSERT INTO authority.client_keys (client_id, kid, x, created_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(client)
        .bind(key.kid.as_deref())
        .bind(&key.x)
        .bind(DbTime(system.clock().now()))
    )?;
    Ok(added == 1)
}

/// Takes a key away for ever.
pub(crate) async fn revoke_key(
    system: &SystemContext,
    tx: &mut Tx,
    client: &str,
    kid: &str,
) -> Result<(), StoreError> {
    execute!(
        &mut *tx,
        query("DELETE FROM authority.client_keys WHERE client_id = $1 AND kid = $2")
            .bind(client)
            .bind(kid)
    )?;
    execute!(
        tx,
        query(
            "INSERT INTO authority.revoked_client_keys (client_id, kid, revoked_at) \
         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(client)
        .bind(kid)
        .bind(DbTime(system.clock().now()))
    )?;
    Ok(())
}

/// Whether it is new.
pub(crate) async fn ensure_role(
    tx: &mut Tx,
    client: &str,
    tenant: &TenantId,
    role: &str,
) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        query(
            "INSERT INTO authority.client_roles (client_id, tenant, role) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
        )
        .bind(client)
        .bind(tenant.as_str())
        .bind(role)
    )?;
    Ok(added == 1)
}

pub(crate) async fn drop_role(
    tx: &mut Tx,
    client: &str,
    tenant: &TenantId,
    role: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "DELETE FROM authority.client_roles \
         WHERE client_id = $1 AND tenant = $2 AND role = $3",
        )
        .bind(client)
        .bind(tenant.as_str())
        .bind(role)
    )?;
    Ok(())
}

/// Everything of every client, or of one, by id.
pub(crate) async fn clients(tx: &mut Tx, only: Option<&str>) -> Result<Vec<Client>, StoreError> {
    let clients: Vec<(String, DbTime)> = on!(&mut *tx, c => query_as(
        "SELECT id, created_at FROM authority.clients \
         WHERE id = $1 OR CAST($1 AS text) IS NULL ORDER BY id",
    ).bind(only).fetch_all(c))?;
    let mut all = Vec::new();
    for (client, created_at) in clients {
        let roles: Vec<(String, String)> = on!(&mut *tx, c => query_as(
            "SELECT tenant, role FROM authority.client_roles WHERE client_id = $1 ORDER BY tenant, role",
        ).bind(&client).fetch_all(c))?;
        let keys: Vec<(String, DbTime)> = on!(&mut *tx, c => query_as(
            "SELECT kid, created_at FROM authority.client_keys k WHERE client_id = $1 AND NOT EXISTS \
             (SELECT 1 FROM authority.revoked_client_keys r WHERE r.client_id = k.client_id \
              AND r.kid = k.kid) ORDER BY created_at, kid",
        ).bind(&client).fetch_all(c))?;
        let revoked: Vec<(String, DbTime)> = on!(&mut *tx, c => query_as(
            "SELECT kid, revoked_at FROM authority.revoked_client_keys WHERE client_id = $1 \
             ORDER BY revoked_at, kid",
        ).bind(&client).fetch_all(c))?;
        let held = |(tenant, role)| Held { tenant, role };
        let active = |(key_id, at): (String, DbTime)| ClientKey {
            key_id,
            added_at: Some(at.0.to_string()),
            revoked_at: None,
        };
        let gone = |(key_id, at): (String, DbTime)| ClientKey {
            key_id,
            added_at: None,
            revoked_at: Some(at.0.to_string()),
        };
        all.push(Client {
            client,
            created_at: created_at.0.to_string(),
            roles: roles.into_iter().map(held).collect(),
            keys: keys
                .into_iter()
                .map(active)
                .chain(revoked.into_iter().map(gone))
                .collect(),
        });
    }
    Ok(all)
}

/// The tenants that have a client, as work of the installation sees them.
///
/// # Errors
/// The database is away.
pub async fn tenants(system: &SystemContext, db: &Db) -> Result<BTreeSet<TenantId>, StoreError> {
    let mut tx = db.system_read(system).await?;
    let rows: Vec<String> = on!(&mut tx, c => query_scalar(
        "SELECT DISTINCT tenant FROM authority.client_roles",
    ).fetch_all(c))?;
    tx.commit().await?;
    rows.into_iter().map(tenant).collect()
}

/// The tenants that a client has a role in.
pub(crate) async fn tenants_of(
    tx: &mut Tx,
    client: &str,
) -> Result<BTreeSet<TenantId>, StoreError> {
    let rows: Vec<String> = on!(tx, c => query_scalar(
        "SELECT DISTINCT tenant FROM authority.client_roles WHERE client_id = $1",
    ).bind(client).fetch_all(c))?;
    rows.into_iter().map(tenant).collect()
}

fn tenant(row: String) -> Result<TenantId, StoreError> {
    row.parse()
        .map_err(|_| StoreError::unreadable("client role", format!("`{row}` is no tenant id")))
}

/// The x coordinate of a client's key. One that was revoked counts no more, whoever puts its row
/// back.
pub(crate) async fn client_key(
    system: &SystemContext,
    db: &Db,
    client: &str,
    kid: &str,
) -> Result<Option<String>, StoreError> {
    let mut tx = db.system(system).await?;
    let row = on!(&mut tx, c => query_scalar(
        "SELECT x FROM authority.client_keys WHERE client_id = $1 AND kid = $2 AND NOT EXISTS \
         (SELECT 1 FROM authority.revoked_client_keys WHERE client_id = $1 AND kid = $2)",
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
    let rows = on!(&mut tx, c => query_as(
        "SELECT r.tenant, r.role FROM authority.client_roles r \
         JOIN authority.tenants t ON t.id = r.tenant \
         WHERE r.client_id = $1 AND t.suspended_at IS NULL ORDER BY r.tenant, r.role",
    ).bind(client).fetch_all(c))?;
    tx.commit().await?;
    Ok(rows)
}
