//! The context of an operation.

use std::collections::BTreeSet;
use std::fmt;

use stella_api::{Scope, TenantId};

use crate::{Clock, IdSource};

/// Names one request in logs and problems: 32 lower-case hex digits (W3C trace context).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(String);

impl TraceId {
    /// A new random trace id.
    #[must_use]
    pub fn generate() -> Self {
        // The id of a trace is never stored in what is hashed, so chance may enter here.
        Self(IdSource.next(&Clock::System).simple().to_string())
    }

    /// The trace id of a W3C `traceparent` header; none where it is malformed or all zero.
    #[must_use]
    pub fn of_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (span, flags) = (parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            text.len() == length && text.bytes().all(digit)
        };
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        let well_formed = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        let one_more = version == "00" && parts.next().is_some();
        let valid = well_formed && !one_more && version != "ff" && !zero(trace) && !zero(span);
        valid.then(|| Self(trace.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The client that asked for the token.
    pub client_id: String,
    /// The person, or the client itself.
    pub subject: String,
    /// The roles of the token, sorted.
    pub roles: Vec<String>,
}

/// One operation of one tenant. It is made from a verified token (or by the test kit) and goes
/// first, from the handler to the store.
#[derive(Clone, Debug)]
pub struct OpContext {
    tenant: TenantId,
    actor: Actor,
    scopes: BTreeSet<Scope>,
    trace: TraceId,
    clock: Clock,
}

impl OpContext {
    /// The context of an operation whose token was verified to say just this.
    #[must_use]
    pub fn verified(
        tenant: TenantId,
        actor: Actor,
        scopes: BTreeSet<Scope>,
        trace: TraceId,
        clock: Clock,
    ) -> Self {
        Self {
            tenant,
            actor,
            scopes,
            trace,
            clock,
        }
    }

    /// The one tenant whose data the operation may touch.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What the token permits.
    #[must_use]
    pub fn scopes(&self) -> &BTreeSet<Scope> {
        &self.scopes
    }

    /// Whether the token permits this.
    #[must_use]
    pub fn permits(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The request in logs.
    #[must_use]
    pub fn trace(&self) -> &TraceId {
        &self.trace
    }

    /// The clock of recorded times.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// Work of the installation itself: migrations, reconcilers, the first tenant. Only functions
/// that say so take it.
#[derive(Clone, Debug)]
pub struct SystemContext {
    purpose: &'static str,
    clock: Clock,
}

impl SystemContext {
    /// The context of an installation's own work, with what it is for.
    #[must_use]
    pub fn new(purpose: &'static str, clock: Clock) -> Self {
        Self { purpose, clock }
    }

    /// What the work is for, for logs.
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// The clock of recorded times.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
