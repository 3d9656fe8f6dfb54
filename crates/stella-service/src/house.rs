//! Several services behind one listener.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use futures_util::FutureExt as _;
use stella_api::{Code, MAX_BODY};
use stella_client::{InProcess, Peers};
use stella_context::{Clock, TraceId};
use utoipa::openapi::OpenApi;

use crate::health::{self, Check};
use crate::{Described, Failure, Routes, Sentinel, route};

const MAX_TIME: Duration = Duration::from_secs(60);
const TRACE_HEADER: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    pub(crate) static TRACE: TraceId;
}

/// The trace of the request that runs now; a new one outside of any.
pub(crate) fn current_trace() -> TraceId {
    TRACE
        .try_with(Clone::clone)
        .unwrap_or_else(|_| TraceId::generate())
}

/// All that the root needs to know of a service.
#[derive(Debug)]
pub struct Service {
    /// Its CLI id, such as `risk-engine`.
    pub name: &'static str,
    /// Its routes, with their state.
    pub routes: Routes,
    /// What it needs to serve.
    pub checks: Vec<Check>,
}

/// What a house is told.
#[derive(Clone, Debug)]
pub struct HouseOptions {
    /// Decides who calls.
    pub sentinel: Sentinel,
    /// The clock of recorded times.
    pub clock: Clock,
}

/// The router of several services, and the document that describes it.
#[derive(Debug)]
pub struct House {
    /// The router, with every layer.
    pub router: Router,
    /// The OpenAPI document.
    pub openapi: OpenApi,
}

impl House {
    /// Puts services together and connects them to one another.
    #[must_use]
    pub fn build(services: Vec<Service>, options: &HouseOptions, peers: &Peers) -> Self {
        let mut router = Router::new();
        let mut described = Vec::new();
        let mut checks = Vec::new();
        for service in services {
            router = router.merge(service.routes.router);
            described.push(service.routes.described);
            checks.push((service.name, service.checks));
        }
        let openapi = describe(described);
        let open = health_routes().with_state(std::sync::Arc::new(checks));
        let router = router.merge(open.router).merge(published(&openapi));
        let router = layered(router, options);
        peers.connect(router.clone());
        Self { router, openapi }
    }
}

/// The OpenAPI document of services; no database is needed for it.
#[must_use]
pub fn describe(services: Vec<Described>) -> OpenApi {
    let mut paths = BTreeMap::new();
    let mut schemas = BTreeMap::new();
    for described in services.into_iter().chain([health_routes().described]) {
        paths.extend(described.paths);
        schemas.extend(described.schemas);
    }
    schemas.extend(problem_schemas());
    crate::openapi::document(paths, schemas)
}

fn health_routes() -> Routes<health::Checks> {
    route!(route!(Routes::default(), health::alive), health::ready)
}

fn problem_schemas() -> Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
    use utoipa::{PartialSchema as _, ToSchema as _};
    let mut schemas = Vec::new();
    stella_api::Problem::schemas(&mut schemas);
    schemas.push(("Problem".to_owned(), stella_api::Problem::schema()));
    schemas
}

/// `GET /openapi.json`, which describes itself no more than the OCI route does.
fn published(openapi: &OpenApi) -> Router {
    let text = openapi.to_json().unwrap_or_default();
    let answer = move || {
        let text = text.clone();
        async move { ([("content-type", "application/json")], text) }
    };
    Router::new().route("/openapi.json", axum::routing::get(answer))
}

fn layered(router: Router, options: &HouseOptions) -> Router {
    router
        .fallback(async |request: Request| {
            Failure::new(Code::RouteUnknown).with("what", request.uri().path())
        })
        .method_not_allowed_fallback(async |request: Request| {
            Failure::new(Code::MethodNotAllowed).with("what", request.method())
        })
        .layer(Extension(options.sentinel.clone()))
        .layer(Extension(options.clock))
        .layer(DefaultBodyLimit::max(MAX_BODY as usize))
        .layer(from_fn_with_state((), guard))
}

/// Around every request: its trace, its time limit, its log line, and panics contained.
async fn guard(State(()): State<()>, request: Request, next: Next) -> Response {
    let trace = trace_of(&request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    TRACE
        .scope(trace.clone(), async move {
            observed(request, next, method, &path, trace).await
        })
        .await
}

async fn observed(
    request: Request<Body>,
    next: Next,
    method: Method,
    path: &str,
    trace: TraceId,
) -> Response {
    let run = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match tokio::time::timeout(MAX_TIME, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Failure::new(Code::Internal)
            .because(panicked(&panic))
            .into_response(),
        Err(_) => Failure::new(Code::Timeout)
            .with("limit", MAX_TIME.as_secs())
            .into_response(),
    };
    tracing::info!(%method, path, status = response.status().as_u16(), %trace, "request");
    with_trace(response, &trace)
}

pub(crate) fn panicked(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

fn trace_of(request: &Request) -> TraceId {
    if let Some(local) = request.extensions().get::<InProcess>() {
        return local.trace().clone();
    }
    let header = request
        .headers()
        .get(TRACE_HEADER)
        .and_then(|value| value.to_str().ok());
    header
        .and_then(TraceId::of_traceparent)
        .unwrap_or_else(TraceId::generate)
}

fn with_trace(mut response: Response, trace: &TraceId) -> Response {
    if let Ok(value) = HeaderValue::from_str(trace.as_str()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-trace-id"), value);
    }
    response
}
