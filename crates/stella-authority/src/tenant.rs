//! Tenants and their settings.

use stella_api::TenantId;
use stella_api::authority::TenantSettings;
use stella_context::{OpContext, SystemContext};
use stella_service::Act;
use stella_storage::StoreError;

use crate::{Authority, AuthorityError, store};

impl Authority {
    /// Makes sure that a tenant is there; doing it again changes nothing.
    ///
    /// # Errors
    /// The database is away.
    pub async fn ensure_tenant(
        &self,
        system: &SystemContext,
        tenant: &TenantId,
    ) -> Result<(), AuthorityError> {
        let mut tx = self.db.system_in(system, tenant).await?;
        if store::ensure_tenant(system, &mut tx, tenant).await? {
            let act = Act::done("authority.tenant.created", tenant);
            self.logs.audit_system(&mut tx, system, tenant, act).await?;
        }
        tx.commit().await?;
        self.logs.committed();
        Ok(())
    }

    /// Refuses a tenant that is not there.
    ///
    /// # Errors
    /// There is no such tenant, or the database is away.
    pub async fn demand_tenant(
        &self,
        system: &SystemContext,
        tenant: &TenantId,
    ) -> Result<(), AuthorityError> {
        match store::has_tenant(system, &self.db, tenant).await? {
            true => Ok(()),
            false => Err(AuthorityError::TenantUnknown(tenant.to_string())),
        }
    }

    /// The settings of the operation's tenant.
    ///
    /// # Errors
    /// There is no such tenant, or the database is away.
    pub async fn settings(&self, op: &OpContext) -> Result<TenantSettings, AuthorityError> {
        read(store::settings(op, &self.db).await?, op.tenant())
    }

    /// Adds publishers whose VEX statements move the scores of a tenant.
    ///
    /// # Errors
    /// There is no such tenant, or the database is away.
    pub async fn trust_vex_publisher(
        &self,
        system: &SystemContext,
        tenant: &TenantId,
        publisher: &str,
    ) -> Result<(), AuthorityError> {
        let mut tx = self.db.system_in(system, tenant).await?;
        let mut settings = read(store::settings_for_update(&mut tx, tenant).await?, tenant)?;
        if settings
            .trusted_vex_publishers
            .iter()
            .any(|known| known == publisher)
        {
            return Ok(());
        }
        settings.trusted_vex_publishers.push(publisher.to_owned());
        settings.trusted_vex_publishers.sort();
        let body = stella_canonical::canonical(&settings).map_err(|e| unreadable(tenant, e))?;
        store::put_settings(&mut tx, tenant, &String::from_utf8_lossy(&body)).await?;
        let act = Act::done("authority.publisher.trusted", publisher);
        self.logs.audit_system(&mut tx, system, tenant, act).await?;
        tx.commit().await?;
        self.logs.committed();
        Ok(())
    }
}

fn read(row: Option<String>, tenant: &TenantId) -> Result<TenantSettings, AuthorityError> {
    let body = row.ok_or_else(|| AuthorityError::TenantUnknown(tenant.to_string()))?;
    serde_json::from_str(&body).map_err(|error| unreadable(tenant, error))
}

fn unreadable(tenant: &TenantId, reason: impl ToString) -> AuthorityError {
    StoreError::unreadable(format!("settings of tenant {tenant}"), reason).into()
}
