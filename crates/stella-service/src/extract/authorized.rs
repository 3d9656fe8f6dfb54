//! Who may call.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use stella_api::Code;
use stella_api::scope::Permit;
use stella_context::OpContext;

use crate::Failure;
use crate::gate::{Permitted, demand};

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
        // `Routes::add` reads `P` in the handler's signature and puts the gate before it.
        let Some(Permitted(op)) = parts.extensions.get().cloned() else {
            return Err(Failure::new(Code::Internal).because("no gate before this route"));
        };
        // It asked for the first argument's scope; should a handler have two, for no other.
        demand(op.scopes(), P::ANY_OF)?;
        Ok(Self {
            op,
            scope: PhantomData,
        })
    }
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
