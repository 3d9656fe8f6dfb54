//! Clients: programs that ask for tokens of their own.

use serde::Serialize;
use stella_api::TenantId;
use stella_api::authority::PublicJwk;
use stella_api::scope::Role;
use stella_context::SystemContext;
use stella_service::Act;
use stella_storage::Tx;

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

/// A client and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Its id.
    pub client: String,
    /// Since when it is there.
    pub created_at: String,
    /// What it may do, and where.
    pub roles: Vec<Held>,
    /// Its keys, those that were revoked last.
    pub keys: Vec<ClientKey>,
}

/// A role in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Where.
    pub tenant: String,
    /// What.
    pub role: String,
}

/// A key of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientKey {
    /// Its thumbprint.
    pub key_id: String,
    /// Since when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_at: Option<String>,
    /// Since when it counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

impl Client {
    /// The keys that count.
    pub fn active(&self) -> impl Iterator<Item = &ClientKey> {
        self.keys.iter().filter(|key| key.revoked_at.is_none())
    }
}

impl Authority {
    /// Registers a client with these roles in this tenant; doing it again changes nothing. Whoever
    /// has the name already keeps it: another key would have the roles of that one, in every tenant.
    ///
    /// # Errors
    /// The client is there with other keys; else as [`Authority::ensure_client`].
    pub async fn create_client(
        &self,
        system: &SystemContext,
        client: &NewClient<'_>,
    ) -> Result<(), AuthorityError> {
        let mut tx = self.db.system_in(system, client.tenant).await?;
        let there = store::clients(&mut tx, Some(client.id)).await?;
        let kid = client.key.kid.as_deref().unwrap_or_default();
        let has = |one: &Client| one.keys.iter().any(|key| key.key_id == kid);
        if !there.iter().all(has) {
            return Err(AuthorityError::ClientTaken(client.id.to_owned()));
        }
        self.ensure_in(tx, system, client).await
    }

    /// Makes sure that a client is there with these roles in this tenant and this key beside
    /// those it has; doing it again changes nothing.
    ///
    /// # Errors
    /// There is no such tenant, the key was revoked, or the database is away.
    pub async fn ensure_client(
        &self,
        system: &SystemContext,
        client: &NewClient<'_>,
    ) -> Result<(), AuthorityError> {
        let tx = self.db.system_in(system, client.tenant).await?;
        self.ensure_in(tx, system, client).await
    }

    async fn ensure_in(
        &self,
        mut tx: Tx,
        system: &SystemContext,
        client: &NewClient<'_>,
    ) -> Result<(), AuthorityError> {
        let mut acts = Vec::new();
        if store::ensure_client(system, &mut tx, client.id).await? {
            acts.push(Act::done("authority.client.created", client.id));
        }
        acts.extend(ensure_key(system, &mut tx, client.id, client.key).await?);
        for role in client.roles {
            if store::ensure_role(&mut tx, client.id, client.tenant, role.as_str()).await? {
                acts.push(role_act("added", client.id, role.as_str()));
            }
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

    /// Every client, by id.
    ///
    /// # Errors
    /// The database is away.
    pub async fn clients(&self, system: &SystemContext) -> Result<Vec<Client>, AuthorityError> {
        let mut tx = self.db.system_read(system).await?;
        Ok(store::clients(&mut tx, None).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// It is not there, or the database is away.
    pub async fn client(&self, system: &SystemContext, id: &str) -> Result<Client, AuthorityError> {
        let mut tx = self.db.system_read(system).await?;
        known(&mut tx, id).await
    }

    /// Gives a client another key beside those it has.
    ///
    /// # Errors
    /// It is not there, the key was revoked, or the database is away.
    pub async fn add_client_key(
        &self,
        system: &SystemContext,
        id: &str,
        key: &PublicJwk,
    ) -> Result<(), AuthorityError> {
        let mut tx = self.db.system(system).await?;
        known(&mut tx, id).await?;
        let act = ensure_key(system, &mut tx, id, key).await?;
        self.audit_client(tx, system, id, act.as_slice()).await
    }

    /// Takes a key from a client for ever, or all that it has; says which. It gets no token from
    /// then on, and those it has end within [`crate::TOKENS_END_WITHIN`] seconds.
    ///
    /// # Errors
    /// The client or the key is not there, or the database is away.
    pub async fn revoke_client_keys(
        &self,
        system: &SystemContext,
        id: &str,
        kid: Option<&str>,
    ) -> Result<Vec<String>, AuthorityError> {
        let mut tx = self.db.system(system).await?;
        let client = known(&mut tx, id).await?;
        if let Some(kid) = kid
            && !client.keys.iter().any(|key| key.key_id == kid)
        {
            return Err(AuthorityError::ClientKeyUnknown(kid.to_owned()));
        }
        let of = client.active().map(|key| key.key_id.clone());
        let revoked: Vec<String> = of.filter(|own| kid.is_none_or(|kid| kid == own)).collect();
        let mut acts = Vec::new();
        for kid in &revoked {
            store::revoke_key(system, &mut tx, id, kid).await?;
            acts.push(key_act("revoked", id, kid));
        }
        self.audit_client(tx, system, id, &acts).await?;
        Ok(revoked)
    }

    /// Gives a client these roles in a tenant and no others; none takes it out of the tenant.
    /// They count from its next token on.
    ///
    /// # Errors
    /// The client or the tenant is not there, or the database is away.
    pub async fn set_client_roles(
        &self,
        system: &SystemContext,
        id: &str,
        tenant: &TenantId,
        roles: &[Role],
    ) -> Result<(), AuthorityError> {
        self.demand_tenant(system, tenant).await?;
        let mut tx = self.db.system_in(system, tenant).await?;
        let had = known(&mut tx, id).await?.roles;
        let mut acts = Vec::new();
        for held in had.iter().filter(|held| held.tenant == tenant.as_str()) {
            if !roles.iter().any(|role| role.as_str() == held.role) {
                store::drop_role(&mut tx, id, tenant, &held.role).await?;
                acts.push(role_act("removed", id, &held.role));
            }
        }
        for role in roles {
            if store::ensure_role(&mut tx, id, tenant, role.as_str()).await? {
                acts.push(role_act("added", id, role.as_str()));
            }
        }
        for act in acts {
            self.logs.audit_system(&mut tx, system, tenant, act).await?;
        }
        tx.commit().await?;
        self.logs.committed();
        Ok(())
    }

    /// Commits what was done to a client as such: told in the log of every tenant that it has a
    /// role in, and where there is none in that of the installation.
    async fn audit_client(
        &self,
        mut tx: Tx,
        system: &SystemContext,
        id: &str,
        acts: &[Act],
    ) -> Result<(), AuthorityError> {
        let mut tenants = store::tenants_of(&mut tx, id).await?;
        if tenants.is_empty() {
            tenants.insert(TenantId::installation());
        }
        for tenant in &tenants {
            tx.go_on_in(system, tenant).await?;
            for act in acts {
                let act = act.clone();
                self.logs.audit_system(&mut tx, system, tenant, act).await?;
            }
        }
        tx.commit().await?;
        self.logs.committed();
        Ok(())
    }
}

async fn known(tx: &mut Tx, id: &str) -> Result<Client, AuthorityError> {
    let found = store::clients(tx, Some(id)).await?.pop();
    found.ok_or_else(|| AuthorityError::ClientUnknown(id.to_owned()))
}

/// What is to be recorded, where the key is new.
async fn ensure_key(
    system: &SystemContext,
    tx: &mut Tx,
    id: &str,
    key: &PublicJwk,
) -> Result<Option<Act>, AuthorityError> {
    let kid = key.kid.as_deref().unwrap_or_default();
    let keys = known(tx, id).await?.keys;
    if keys
        .iter()
        .any(|key| key.key_id == kid && key.revoked_at.is_some())
    {
        return Err(AuthorityError::ClientKeyRevoked(kid.to_owned()));
    }
    let added = store::ensure_key(system, tx, id, key).await?;
    Ok(added.then(|| key_act("added", id, kid)))
}

fn key_act(what: &str, id: &str, kid: &str) -> Act {
    Act::done(format!("authority.client.key-{what}"), id).with("kid", kid)
}

fn role_act(what: &str, id: &str, role: &str) -> Act {
    Act::done(format!("authority.client.role-{what}"), id).with("role", role)
}
