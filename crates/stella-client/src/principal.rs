//! Who calls, once a token was verified.

use std::collections::BTreeSet;

use stella_api::{Scope, TenantId};
use stella_context::{Actor, Clock, OpContext, TraceId};

/// What a verified token says. It is made by the token check of `stella-service` alone and
/// travels within the process in a request extension, never in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The one tenant; none for the installation's administrators.
    pub tenant: Option<TenantId>,
    /// Who acts.
    pub actor: Actor,
    /// What the token permits.
    pub scopes: BTreeSet<Scope>,
}

impl Principal {
    /// The principal behind an operation, for calls that the operation makes.
    #[must_use]
    pub fn of(op: &OpContext) -> Self {
        Self {
            tenant: Some(op.tenant().clone()),
            actor: op.actor().clone(),
            scopes: op.scopes().clone(),
        }
    }

    /// The context of an operation of this principal; none where it has no tenant.
    #[must_use]
    pub fn operation(&self, trace: TraceId, clock: Clock) -> Option<OpContext> {
        let tenant = self.tenant.clone()?;
        let (actor, scopes) = (self.actor.clone(), self.scopes.clone());
        Some(OpContext::verified(tenant, actor, scopes, trace, clock))
    }
}
