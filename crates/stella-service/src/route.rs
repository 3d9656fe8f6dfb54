//! Routes whose permission stands in the handler's signature.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use stella_api::Scope;
use stella_api::scope::Permit;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::answer::Answers;
use crate::extract::{Authorized, Public, known_only};
use crate::gate::{Gate, pass};

/// Handlers whose first argument says who may call: [`Authorized`] or [`Public`]. A handler
/// without one is no `Guarded`, and [`route!`](crate::route!) does not compile with it.
pub trait Guarded<Arguments> {
    /// The scopes of which one is demanded; none where the route is open to all.
    const SCOPES: Option<&'static [Scope]>;

    /// Whether the handler's answer may be kept for an `Idempotency-Key`.
    const REPEATABLE: bool;

    /// Adds the schemas that the handler's answer refers to.
    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>);
}

macro_rules! guarded {
    ($($argument:ident)*) => {
        impl<F, R, P: Permit, $($argument),*> Guarded<(Authorized<P>, $($argument,)*)> for F
        where
            F: Fn(Authorized<P>, $($argument),*) -> R,
            R: Future<Output: Answers>,
        {
            const SCOPES: Option<&'static [Scope]> = Some(P::ANY_OF);
            const REPEATABLE: bool = R::Output::REPEATABLE;

            fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
                R::Output::schemas(into);
            }
        }

        impl<F, R, $($argument),*> Guarded<(Public, $($argument,)*)> for F
        where
            F: Fn(Public, $($argument),*) -> R,
            R: Future<Output: Answers>,
        {
            const SCOPES: Option<&'static [Scope]> = None;
            const REPEATABLE: bool = R::Output::REPEATABLE;

            fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
                R::Output::schemas(into);
            }
        }
    };
}

guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);
guarded!(A B C D E);

/// What a handler's signature says: the scopes that it demands, and the schemas of its answer.
#[derive(Debug)]
pub struct Signature {
    scopes: Option<&'static [Scope]>,
    repeatable: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// Reads a handler's signature.
pub fn signature_of<A, H: Guarded<A>>(_handler: &H) -> Signature {
    let mut schemas = Vec::new();
    H::schemas(&mut schemas);
    Signature {
        scopes: H::SCOPES,
        repeatable: H::REPEATABLE,
        schemas,
    }
}

/// Adds a handler to [`Routes`]; its path, method and schemas come from `#[utoipa::path]`, its
/// scopes from its signature.
#[macro_export]
macro_rules! route {
    ($routes:expr, $handler:path) => {{
        use $crate::utoipa_axum;
        $routes.add(
            utoipa_axum::routes!($handler),
            $crate::signature_of(&$handler),
        )
    }};
}

/// What the OpenAPI document says of some routes.
#[derive(Clone, Debug, Default)]
pub struct Described {
    pub(crate) paths: BTreeMap<String, PathItem>,
    pub(crate) schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Described {
    /// Keeps a schema. Of two types with one name the later would stand for both.
    pub(crate) fn name(&mut self, name: String, schema: RefOr<Schema>) {
        let said = format!("{name}: two types have this name; `#[schema(as = …)]` gives another");
        let other = self.schemas.insert(name, schema.clone());
        debug_assert!(other.is_none_or(|other| other == schema), "{said}");
    }
}

/// The routes of one service, with what the OpenAPI document says of them.
#[derive(Debug)]
pub struct Routes<S = ()> {
    /// Where they stand and whose they are, where each does not say so itself.
    place: Option<(&'static str, &'static str)>,
    pub(crate) router: Router<S>,
    pub(crate) described: Described,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            place: None,
            router: Router::new(),
            described: Described::default(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Routes that several services have: what is added stands below the first path of this one.
    pub(crate) fn below(first: &'static str, service: &'static str) -> Self {
        Self {
            place: Some((first, service)),
            ..Self::default()
        }
    }

    /// Adds what [`route!`](crate::route!) made of a handler.
    #[must_use]
    pub fn add(
        mut self,
        (schemas, paths, methods): UtoipaMethodRouter<S>,
        signature: Signature,
    ) -> Self {
        for (name, schema) in schemas.into_iter().chain(signature.schemas) {
            self.described.name(name, schema);
        }
        for (path, mut item) in paths.paths {
            let writes = item.get.is_none() && item.head.is_none();
            let gate = signature.scopes.map(|any_of| Gate {
                any_of,
                keyed: writes && signature.repeatable,
            });
            let methods = match gate {
                // The one that is added last stands before the other: first it matters who asks.
                Some(gate) => methods
                    .clone()
                    .route_layer(from_fn_with_state(queries(&mut item), known_only))
                    .route_layer(from_fn_with_state(gate, pass)),
                // Who probes or signs in may say more (RFC 6749, section 3.2).
                None => methods.clone(),
            };
            let path = match self.place {
                Some((first, service)) => {
                    operations(&mut item)
                        .into_iter()
                        .for_each(|operation| own(operation, service));
                    format!("{first}{path}")
                }
                None => path,
            };
            self.router = self.router.route(&path, methods);
            operations(&mut item)
                .into_iter()
                .for_each(|operation| crate::openapi::complete(operation, gate.as_ref()));
            match self.described.paths.get_mut(&path) {
                Some(there) => there.merge_operations(item),
                None => drop(self.described.paths.insert(path, item)),
            }
        }
        self
    }

    /// What the OpenAPI document says of them.
    #[must_use]
    pub fn described(self) -> Described {
        self.described
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes<()> {
        Routes {
            place: None,
            router: self.router.with_state(state),
            described: self.described,
        }
    }
}

/// An operation that several services have, as the one of this service.
fn own(operation: &mut Operation, service: &str) {
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{}_{name}", service.replace('-', "_")));
    operation.tags = Some(vec![service.to_owned()]);
}

/// The parameters of the query that an item knows.
fn queries(item: &mut PathItem) -> Arc<[String]> {
    let each = operations(item).into_iter();
    let each = each.filter_map(|operation| operation.parameters.as_ref());
    let of_query = each.flatten().filter_map(|one| match one {
        RefOr::T(one) if one.parameter_in == ParameterIn::Query => Some(one.name.clone()),
        _ => None,
    });
    of_query.collect()
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
