//! What stands before every route that demands a scope: who calls, whether he may, and whether
//! the same was asked before.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stella_api::{Code, Scope};
use stella_client::Principal;
use stella_context::{Clock, OpContext};

use crate::{Failure, Sentinel, idempotency};

/// What a route's signature demands of a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// The scopes of which the token must hold one.
    pub(crate) any_of: &'static [Scope],
    /// Whether the route takes an `Idempotency-Key`.
    pub(crate) keyed: bool,
}

/// The operation of a caller who passed. Only [`pass`] puts it into a request.
#[derive(Clone, Debug)]
pub(crate) struct Permitted(pub(crate) OpContext);

/// Lets a request through to its handler, or answers in its place.
pub(crate) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let passed = permitted(gate, request, next).await;
    passed.unwrap_or_else(|failure| failure.into_response())
}

async fn permitted(gate: Gate, request: Request, next: Next) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    let sentinel = parts.extensions.get::<Sentinel>().cloned();
    let sentinel = sentinel
        .ok_or_else(|| Failure::new(Code::Internal).because("no sentinel in this house"))?;
    let principal = sentinel.principal(&parts).await?;
    let clock = parts.extensions.get::<Clock>().copied();
    let op = permit(&principal, gate.any_of, clock.unwrap_or(Clock::System))?;
    parts.extensions.insert(Permitted(op.clone()));
    let request = Request::from_parts(parts, body);
    match gate.keyed {
        true => idempotency::once(&op, request, next).await,
        false => Ok(next.run(request).await),
    }
}

fn permit(principal: &Principal, any_of: &[Scope], clock: Clock) -> Result<OpContext, Failure> {
    demand(&principal.scopes, any_of)?;
    let unpaired = principal.scopes.iter().find_map(|scope| {
        scope
            .paired_with()
            .filter(|other| !principal.scopes.contains(other))
    });
    if let Some(other) = unpaired {
        return Err(missing(&[other]));
    }
    principal
        .operation(crate::house::current_trace(), clock)
        .ok_or_else(|| Failure::new(Code::TenantRequired))
}

/// Refuses a caller who holds none of these scopes.
pub(crate) fn demand(held: &BTreeSet<Scope>, any_of: &[Scope]) -> Result<(), Failure> {
    match any_of.iter().any(|scope| held.contains(scope)) {
        true => Ok(()),
        false => Err(missing(any_of)),
    }
}

fn missing(any_of: &[Scope]) -> Failure {
    let names: Vec<&str> = any_of.iter().map(|scope| scope.as_str()).collect();
    let scope = names.join(" ");
    let challenge = format!("DPoP algs=\"EdDSA\", error=\"insufficient_scope\", scope=\"{scope}\"");
    Failure::new(Code::ScopeMissing)
        .with("scope", scope)
        .challenged(challenge)
}
