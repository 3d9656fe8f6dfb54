//! Clients: programs that ask for tokens of their own.

use stella_api::TenantId;
use stella_api::authority::PublicJwk;
use stella_api::scope::Role;
use stella_context::SystemContext;
use stella_service::Act;

use crate::{Authority, AuthorityError, store};

/// A client as it is registered.
#[derive(Clone, Debug)]
pub struct NewClient<'a> {
    /// Its id.
    pub id: &'a str,
    /// The tenant that it may act in.
    pub tenant: &'a TenantId,
    /// What it may do there.
    pub roles: &'a [Role],
    /// The key that it signs its assertions with.
    pub key: &'a PublicJwk,
}

impl Authority {
    /// Makes sure that a client is there with these roles in this tenant and this key beside
    /// those it has; doing it again changes nothing.
    ///
    /// # Errors
    /// There is no such tenant, or the database is away.
    pub async fn ensure_client(
        &self,
        system: &SystemContext,
        client: &NewClient<'_>,
    ) -> Result<(), AuthorityError> {
        let mut tx = self.db.system_in(system, client.tenant).await?;
        let added = store::ensure_client(system, &mut tx, client).await?;
        let mut acts = Vec::new();
        if added.client {
            acts.push(Act::done("authority.client.created", client.id));
        }
        if added.key {
            let kid = client.key.kid.as_deref().unwrap_or_default();
            acts.push(Act::done("authority.client.key-added", client.id).with("kid", kid));
        }
        for role in added.roles {
            let act = Act::done("authority.client.role-added", client.id);
            acts.push(act.with("role", role.as_str()));
        }
        for act in acts {
            self.logs
                .audit_system(&mut tx, system, client.tenant, act)
                .await?;
        }
        tx.commit().await?;
        self.logs.committed();
        Ok(())
    }
}
