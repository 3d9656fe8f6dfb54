//! Clients: programs that ask for tokens of their own.

use stella_api::TenantId;
use stella_api::authority::PublicJwk;
use stella_api::scope::Role;
use stella_context::SystemContext;

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
        Ok(store::ensure_client(system, &self.db, client).await?)
    }
}
