//! The OpenAPI document: made from the routes, so that it cannot say what they do not do.

use std::collections::BTreeMap;

use stella_api::{Code, Problem, Scope};
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr,
    Response, ResponseBuilder, Schema, Type,
};

use crate::gate::Gate;
use crate::rate;

/// The name of the one security scheme: a sender-constrained OpTok.
pub(crate) const SCHEME: &str = "opTok";
pub(crate) const ETAG: &str = "ETag";
const RETRY_AFTER: &str = "Retry-After";

/// What any operation may answer, however it was made: a neighbour's problem is passed on.
const ANYWHERE: &[Code] = &[
    Code::Internal,
    Code::RecordCorrupt,
    Code::Unavailable,
    Code::Timeout,
    // No token can be checked, or nothing signed.
    Code::SigningKeyUnusable,
    Code::ObjectStoreUnreachable,
    Code::ObjectStoreFull,
    Code::ObjectStoreRefused,
];
const WITH_TOKEN: &[Code] = &[
    // A header that stands twice.
    Code::RequestInvalid,
    Code::RateLimited,
    Code::TokenMissing,
    Code::TokenInvalid,
    Code::DpopInvalid,
    Code::ScopeMissing,
    Code::TenantMismatch,
    Code::TenantHeadersDiffer,
    Code::TenantRequired,
];
const WITH_KEY: &[Code] = &[Code::IdempotencyConflict, Code::IdempotencyInProgress];
const WITH_BODY: &[Code] = &[
    Code::RequestInvalid,
    Code::BodyMalformed,
    Code::BodyTooLarge,
    Code::MediaTypeUnsupported,
];
const WITH_PARAMETERS: &[Code] = &[Code::RequestInvalid];

/// A reference to a type's schema.
pub(crate) fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

/// Problem responses of these codes, one a status; the description lists the codes.
pub(crate) fn problems(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_status
            .entry(code.status())
            .or_default()
            .push(code.as_str());
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(problem(&codes))))
        .collect()
}

fn problem(codes: &[&str]) -> Response {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes.dedup();
    let content = ContentBuilder::new()
        .schema(Some(reference::<Problem>()))
        .build();
    ResponseBuilder::new()
        .description(codes.join(", "))
        .content("application/problem+json", content)
        .build()
}

/// Adds to an operation what its signature implies: its scopes, the headers that it takes and the
/// failures of the house.
pub(crate) fn complete(operation: &mut Operation, gate: Option<&Gate>) {
    let mut codes = ANYWHERE.to_vec();
    if let Some(gate) = gate {
        let scopes = gate.any_of;
        codes.extend(WITH_TOKEN);
        if gate.keyed {
            codes.extend(WITH_KEY);
            let parameters = operation.parameters.get_or_insert_default();
            parameters.push(RefOr::T(crate::idempotency::parameter()));
        }
        let names = scopes.iter().map(|scope| scope.as_str());
        let any_of = if scopes.len() == Scope::ALL.len() {
            vec![SecurityRequirement::new(SCHEME, [] as [&str; 0])]
        } else {
            names
                .map(|name| SecurityRequirement::new(SCHEME, [name]))
                .collect()
        };
        operation.security = Some(any_of);
    }
    if operation.responses.responses.contains_key("304") {
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(RefOr::T(crate::conditional::parameter()));
    }
    if operation.request_body.is_some() {
        codes.extend(WITH_BODY);
    }
    if operation
        .parameters
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        codes.extend(WITH_PARAMETERS);
    }
    for (status, added) in problems(&codes) {
        match operation.responses.responses.get_mut(&status) {
            Some(RefOr::T(there)) => merge(there, &added),
            _ => drop(operation.responses.responses.insert(status, added)),
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            let names = headers_of(status, gate.is_some());
            let told = names
                .iter()
                .map(|name| ((*name).to_owned(), header_ref(name)));
            response.headers.extend(told);
        }
    }
}

/// The headers that every answer of a status carries, where there is a gate before the route.
fn headers_of(status: &str, gated: bool) -> &'static [&'static str] {
    match status {
        "429" => &[RETRY_AFTER, rate::LEFT, rate::POLICY],
        "503" => &[RETRY_AFTER],
        _ if gated && (status.starts_with('2') || status == "304") => &[rate::LEFT, rate::POLICY],
        _ => &[],
    }
}

/// A reference to a header of the document.
pub(crate) fn header_ref(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn headers() -> [(&'static str, Header); 4] {
    let header = |description: &str| {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description))
            .build()
    };
    [
        (ETAG, header("names these bytes; see `If-None-Match`")),
        (
            rate::LEFT,
            header("what is left of each quota: `r` requests, and one more in `t` seconds"),
        ),
        (
            rate::POLICY,
            header("the quotas of the client and of its tenant: `q` requests in `w` seconds"),
        ),
        (
            RETRY_AFTER,
            header("the same call may succeed after so many seconds"),
        ),
    ]
}

fn merge(there: &mut Response, added: &RefOr<Response>) {
    let RefOr::T(added) = added else { return };
    let both = format!("{}, {}", there.description, added.description);
    let mut codes: Vec<&str> = both.split(", ").collect();
    codes.sort_unstable();
    codes.dedup();
    there.description = codes.join(", ");
}

/// The whole document of a house.
pub(crate) fn document(
    items: BTreeMap<String, PathItem>,
    schemas: BTreeMap<String, RefOr<Schema>>,
) -> OpenApi {
    let mut paths = Paths::new();
    paths.paths.extend(items);
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("at+jwt")
        .description(Some("a sender-constrained OpTok (RFC 9068), sent by the DPoP scheme with a proof (RFC 9449)"))
        .build();
    let components = headers()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, header)| {
            components.header(name, header)
        });
    let components = components
        .schemas_from_iter(schemas)
        .security_scheme(SCHEME, SecurityScheme::Http(scheme))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("StellaOps")
                .version(env!("CARGO_PKG_VERSION"))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .build()
}
