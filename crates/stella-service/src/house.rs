//! Several services behind one listener.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use stella_api::Code;
use stella_client::Peers;
use stella_context::Clock;
use stella_telemetry::Metrics;
use utoipa::openapi::OpenApi;

use crate::health::{self, Check};
use crate::rate::Rates;
use crate::room::Room;
use crate::watch::{Owners, Watch, guard};
use crate::{
    Described, Failure, FirstAnswers, RateLimits, RequestLimits, Routes, Sentinel, Streams,
    TrustedProxies, Worker, admin, route,
};

/// All that the root needs to know of a service.
#[derive(Debug)]
pub struct Service {
    /// Its CLI id, such as `risk-engine`.
    pub name: &'static str,
    /// Its routes, with their state.
    pub routes: Routes,
    /// What it needs to serve.
    pub checks: Vec<Check>,
    /// Where it keeps its first answers; none where no route takes an `Idempotency-Key`.
    pub first_answers: Option<FirstAnswers>,
    /// What it does beside the requests.
    pub workers: Vec<Worker>,
}

/// What a house is told.
#[derive(Clone, Debug)]
pub struct HouseOptions {
    /// Decides who calls.
    pub sentinel: Sentinel,
    /// The clock of recorded times.
    pub clock: Clock,
    /// How often callers may ask.
    pub limits: RateLimits,
    /// What one request may take.
    pub requests: RequestLimits,
    /// Whom to believe in whom they stand for.
    pub proxies: TrustedProxies,
    /// Where requests are counted.
    pub metrics: Metrics,
}

/// The router of several services, and the document that describes it.
#[derive(Debug)]
pub struct House {
    /// The router, with every layer.
    pub router: Router,
    /// The router of the admin address, which answers only who may reach it.
    pub admin: Router,
    /// The OpenAPI document.
    pub openapi: OpenApi,
    /// The streams that are open; whoever stops the house ends them first.
    pub streams: Streams,
    /// What is to be done beside the requests, once somebody starts it.
    pub workers: Vec<Worker>,
}

impl House {
    /// Puts services together and connects them to one another.
    #[must_use]
    pub fn build(services: Vec<Service>, options: &HouseOptions, peers: &Peers) -> Self {
        let mut router = Router::new();
        let mut described = Vec::new();
        let mut checks = Vec::new();
        let mut workers = Vec::new();
        let mut owners = BTreeMap::new();
        for service in services {
            router = router.merge(match service.first_answers {
                Some(answers) => service.routes.router.layer(Extension(answers)),
                None => service.routes.router,
            });
            let paths = service.routes.described.paths.keys().cloned();
            owners.extend(paths.map(|path| (path, service.name)));
            described.push(service.routes.described);
            checks.push((service.name, service.checks));
            workers.extend(service.workers);
        }
        let openapi = describe(described);
        let checks = Arc::new(checks);
        let admin = admin::router(checks.clone(), options.metrics.clone());
        let open = health_routes().with_state(checks);
        let router = router.merge(open.router).merge(published(&openapi));
        let streams = Streams::default();
        let router = layered(router, options, owners).layer(Extension(streams.clone()));
        peers.connect(router.clone());
        Self {
            router,
            admin,
            openapi,
            streams,
            workers,
        }
    }
}

/// The OpenAPI document of services; no database is needed for it.
#[must_use]
pub fn describe(services: Vec<Described>) -> OpenApi {
    let mut all = Described::default();
    for described in services.into_iter().chain([health_routes().described]) {
        all.paths.extend(described.paths);
        for (name, schema) in described.schemas {
            all.name(name, schema);
        }
    }
    for (name, schema) in problem_schemas() {
        all.name(name, schema);
    }
    crate::openapi::document(all.paths, all.schemas)
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

fn layered(router: Router, options: &HouseOptions, owners: Owners) -> Router {
    let watch = Arc::new(Watch::new(
        &options.metrics,
        owners,
        options.proxies.clone(),
        options.requests.time,
        options.sentinel.issuer(),
    ));
    router
        .fallback(async |request: Request| {
            Failure::new(Code::RouteUnknown).with("what", request.uri().path())
        })
        .method_not_allowed_fallback(async |request: Request| {
            Failure::new(Code::MethodNotAllowed).with("what", request.method())
        })
        .layer(Extension(options.sentinel.clone()))
        .layer(Extension(options.clock))
        .layer(Extension(Arc::new(Rates::new(options.limits))))
        .layer(Extension(options.requests))
        .layer(Extension(Room::of(options.requests.bodies)))
        .layer(from_fn_with_state(watch, guard))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use stella_api::Problem;
    use tower::ServiceExt as _;

    use super::*;
    use crate::KeySource;

    fn house(router: Router) -> Router {
        let keys = KeySource::of_peers(Peers::default());
        let options = HouseOptions {
            sentinel: Sentinel::new("http://localhost", keys),
            clock: Clock::System,
            limits: RateLimits::default(),
            requests: RequestLimits::default(),
            proxies: TrustedProxies::default(),
            metrics: Metrics::local().unwrap(),
        };
        layered(router, &options, Owners::default())
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_with_a_trace_and_the_house_stands() {
        async fn slip(request: Request) -> &'static str {
            match request.uri().query() {
                None => "well",
                Some(text) => panic!("a secret: {text}"),
            }
        }
        let house = house(Router::new().route("/", get(slip)));
        let ask = async |path: &str| {
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
            let parent = format!("00-{trace}-00f067aa0ba902b7-01");
            let request = Request::get(path).header("traceparent", parent);
            let request = request.body(Body::empty()).unwrap();
            let reply = house.clone().oneshot(request).await.unwrap();
            assert_eq!(reply.headers()["x-trace-id"], trace);
            let status = reply.status().as_u16();
            (status, to_bytes(reply.into_body(), 4096).await.unwrap())
        };
        let (status, body) = ask("/?hunter2").await;
        let told: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, told.code.as_str()), (500, "INTERNAL"));
        assert_eq!(told.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(!String::from_utf8_lossy(&body).contains("hunter2"));
        assert_eq!(ask("/").await, (200, "well".into()));
    }
}
