//! What stands before every route that demands a scope: who calls, how often, whether he may, and
//! whether the same was asked before.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stella_api::{Code, Scope};
use stella_client::{InProcess, Principal};
use stella_context::{Clock, OpContext};
use tracing::Span;

use crate::audit::Audited;
use crate::conditional::Known;
use crate::rate::{Rates, Standing};
use crate::room::Room;
use crate::sentinel::agree_on_tenant;
use crate::{Failure, RequestLimits, Sentinel, idempotency, lines};

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
    let known = Known::of(&request);
    let (parts, body) = request.into_parts();
    let principal = match caller(&parts).await {
        Ok(principal) => principal,
        Err(failure) => return failure.into_response(),
    };
    if let Err(failure) = agree_on_tenant(&parts.headers, &principal) {
        refused(&parts, &principal, &failure).await;
        return failure.into_response();
    }
    if let Some(tenant) = &principal.tenant {
        Span::current().record("stella.tenant", tenant.as_str());
    }
    let standing = counted(&parts, &principal);
    let answered = match standing.as_ref().map_or(Ok(()), Standing::demand) {
        Ok(()) => permitted(gate, &principal, (parts, body), next).await,
        Err(too_much) => Err(too_much),
    };
    let mut response = known.or(answered.unwrap_or_else(Failure::into_response));
    if let Some(standing) = standing {
        standing.tell(response.headers_mut());
    }
    response
}

async fn caller(parts: &Parts) -> Result<Principal, Failure> {
    let sentinel = parts.extensions.get::<Sentinel>().cloned();
    let sentinel = sentinel
        .ok_or_else(|| Failure::new(Code::Internal).because("no sentinel in this house"))?;
    sentinel.principal(parts).await
}

/// Whoever asks for what is not theirs is recorded.
async fn refused(parts: &Parts, principal: &Principal, failure: &Failure) {
    let clock = parts.extensions.get::<Clock>().copied();
    if let Some(audited) = parts.extensions.get::<Audited>() {
        let who = (principal, clock.unwrap_or(Clock::System));
        let what = (&parts.method, parts.uri.path());
        audited.refused(who, what, failure).await;
    }
}

/// How much room a body takes that is read whole. A batch takes its own.
fn room(parts: &Parts, body: &Body) -> Option<(Room, u64)> {
    if lines::is_batch(&parts.headers) {
        return None;
    }
    let limit = RequestLimits::of(&parts.extensions).body;
    let bytes = match body.is_end_stream() {
        true => 0,
        false => body.size_hint().upper().unwrap_or(limit),
    };
    // Nothing is read of what is declared longer.
    let room = Room::for_request(&parts.extensions).filter(|_| bytes <= limit)?;
    Some((room, bytes))
}

/// What services ask one another for a caller is not counted: the caller asked once.
fn counted(parts: &Parts, principal: &Principal) -> Option<Standing> {
    if parts.extensions.get::<InProcess>().is_some() {
        return None;
    }
    let rates = parts.extensions.get::<Arc<Rates>>()?;
    Some(rates.count(principal, Clock::System.now()))
}

async fn permitted(
    gate: Gate,
    principal: &Principal,
    (mut parts, body): (Parts, Body),
    next: Next,
) -> Result<Response, Failure> {
    let clock = parts.extensions.get::<Clock>().copied();
    let op = match permit(principal, gate.any_of, clock.unwrap_or(Clock::System)) {
        Ok(op) => op,
        Err(failure) => {
            refused(&parts, principal, &failure).await;
            return Err(failure);
        }
    };
    parts.extensions.insert(Permitted(op.clone()));
    // Until the answer is there.
    let _room = match room(&parts, &body) {
        Some((room, bytes)) => Some(room.take(bytes).await?),
        None => None,
    };
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
        .operation(crate::watch::current_trace(), clock)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_body_that_is_read_whole_takes_the_room_of_all_of_it() {
        let of = |body: Body, media: &str| {
            let request = Request::post("/").header("content-type", media);
            let mut parts = request.body(()).unwrap().into_parts().0;
            parts.extensions.insert(Room::of(1 << 30));
            room(&parts, &body).map(|(_, bytes)| bytes)
        };
        let undeclared = || Body::from_stream(stream::pending::<std::io::Result<&str>>());
        let limit = RequestLimits::default().body;
        let json = "application/json";
        assert_eq!(of(Body::empty(), json), Some(0));
        assert_eq!(of(Body::from("{}"), json), Some(2));
        assert_eq!(of(undeclared(), json), Some(limit));
        assert_eq!(of(undeclared(), "application/x-ndjson"), None);
    }
}
