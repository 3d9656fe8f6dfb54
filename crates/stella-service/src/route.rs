//! Routes whose permission stands in the handler's signature.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::Router;
use axum::routing::MethodRouter;
use stella_api::Scope;
use stella_api::scope::Permit;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::{RefOr, Schema};

use crate::extract::{Authorized, Public};

/// Handlers whose first argument says who may call: [`Authorized`] or [`Public`]. A handler
/// without one is no `Guarded`, and [`route!`](crate::route) does not compile with it.
pub trait Guarded<Arguments> {
    /// The scopes of which one is demanded; none where the route is open to all.
    const SCOPES: Option<&'static [Scope]>;
}

macro_rules! guarded {
    ($($argument:ident)*) => {
        impl<F, R, P: Permit, $($argument),*> Guarded<(Authorized<P>, $($argument,)*)> for F
        where
            F: Fn(Authorized<P>, $($argument),*) -> R,
        {
            const SCOPES: Option<&'static [Scope]> = Some(P::ANY_OF);
        }

        impl<F, R, $($argument),*> Guarded<(Public, $($argument,)*)> for F
        where
            F: Fn(Public, $($argument),*) -> R,
        {
            const SCOPES: Option<&'static [Scope]> = None;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);
guarded!(A B C D E);

/// The scopes that a handler's signature demands.
pub fn scopes_of<A, H: Guarded<A>>(_handler: &H) -> Option<&'static [Scope]> {
    H::SCOPES
}

/// Adds a handler to [`Routes`]; its path, method and schemas come from `#[utoipa::path]`, its
/// scopes from its signature.
#[macro_export]
macro_rules! route {
    ($routes:expr, $handler:path) => {{
        use $crate::utoipa_axum;
        $routes.add(utoipa_axum::routes!($handler), $crate::scopes_of(&$handler))
    }};
}

/// The routes of one service, with what the OpenAPI document says of them.
#[derive(Debug)]
pub struct Routes<S = ()> {
    pub(crate) router: Router<S>,
    pub(crate) paths: BTreeMap<String, PathItem>,
    pub(crate) schemas: BTreeMap<String, RefOr<Schema>>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            paths: BTreeMap::new(),
            schemas: BTreeMap::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Adds what [`route!`](crate::route) made of a handler.
    #[must_use]
    pub fn add(
        mut self,
        (schemas, paths, methods): (
            Vec<(String, RefOr<Schema>)>,
            Paths,
            MethodRouter<S, Infallible>,
        ),
        scopes: Option<&'static [Scope]>,
    ) -> Self {
        self.schemas.extend(schemas);
        for (path, mut item) in paths.paths {
            self.router = self.router.route(&path, methods.clone());
            operations(&mut item)
                .into_iter()
                .for_each(|operation| crate::openapi::complete(operation, scopes));
            match self.paths.get_mut(&path) {
                Some(there) => there.merge_operations(item),
                None => drop(self.paths.insert(path, item)),
            }
        }
        self
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes<()> {
        Routes {
            router: self.router.with_state(state),
            paths: self.paths,
            schemas: self.schemas,
        }
    }
}

fn operations(item: &mut PathItem) -> Vec<&mut Operation> {
    let methods = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
        &mut item.trace,
    ];
    methods.into_iter().filter_map(Option::as_mut).collect()
}
