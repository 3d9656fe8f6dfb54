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
        // The id of a trace is never stored in what is hashed, so chance may enter here. All of it
        // is chance: samplers compare its second half, which in an id of records is time.
        let half = || {
            let id = IdSource.next(&Clock::System).into_bytes();
            let [.., b, _, c, d, e, f, g, h, i] = id;
            u64::from_be_bytes([b, c, d, e, f, g, h, i])
        };
        Self(format!("{:016x}{:016x}", half(), half()))
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

/// Who asked, by a W3C `traceparent` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace that it belongs to.
    pub trace: TraceId,
    /// The span that asked.
    pub span: [u8; 8],
    /// Whether it is recorded there.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads the header; none where it is malformed or an id is all zero.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
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
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        valid.then_some(Self {
            trace: TraceId(trace.to_owned()),
            span: number(span)?.to_be_bytes(),
            sampled: number(flags)? & 1 == 1,
        })
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_specification_says_or_not_at_all() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let sampled = |header: String| TraceParent::read(&header).map(|read| read.sampled);
        let read = TraceParent::read(&format!("00-{trace}-{span}-01")).unwrap();
        assert_eq!(read.trace.as_str(), trace);
        assert_eq!(read.span, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert_eq!(sampled(format!("00-{trace}-{span}-02")), Some(false));
        // A later version may say more.
        assert_eq!(sampled(format!("cc-{trace}-{span}-03-more")), Some(true));
        for header in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}-1"),
        ] {
            assert_eq!(sampled(header.clone()), None, "{header}");
        }
    }

    #[test]
    fn a_new_trace_is_chance_in_its_second_half_too() {
        let halves = |_| TraceId::generate().as_str().split_at(16).1[..2].to_owned();
        let distinct: BTreeSet<String> = (0..200).map(halves).collect();
        assert!(distinct.len() > 64, "{}", distinct.len());
    }
}
