//! Who may call.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use stella_api::scope::Permit;
use stella_api::{Code, Scope};
use stella_context::{Clock, OpContext};

use crate::{Failure, Sentinel};

/// The operation of a caller whose verified token holds the demanded scope and a tenant.
#[derive(Debug)]
pub struct Authorized<P> {
    op: OpContext,
    scope: PhantomData<P>,
}

impl<P> Deref for Authorized<P> {
    type Target = OpContext;

    fn deref(&self) -> &OpContext {
        &self.op
    }
}

impl<S: Sync, P: Permit> FromRequestParts<S> for Authorized<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let sentinel = parts.extensions.get::<Sentinel>().cloned();
        let sentinel = sentinel
            .ok_or_else(|| Failure::new(Code::Internal).because("no sentinel in this house"))?;
        let principal = sentinel.principal(parts).await?;
        if !P::ANY_OF
            .iter()
            .any(|scope| principal.scopes.contains(scope))
        {
            return Err(missing(P::ANY_OF));
        }
        let unpaired = principal.scopes.iter().find_map(|scope| {
            scope
                .paired_with()
                .filter(|other| !principal.scopes.contains(other))
        });
        if let Some(other) = unpaired {
            return Err(missing(&[other]));
        }
        let clock = parts
            .extensions
            .get::<Clock>()
            .copied()
            .unwrap_or(Clock::System);
        let op = principal
            .operation(crate::house::current_trace(), clock)
            .ok_or_else(|| Failure::new(Code::TenantRequired))?;
        Ok(Self {
            op,
            scope: PhantomData,
        })
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

/// Marks a route that is open to all.
#[derive(Clone, Copy, Debug)]
pub struct Public;

impl<S: Sync> FromRequestParts<S> for Public {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}
