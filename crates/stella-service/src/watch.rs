//! Around every request: its trace and span, its time limit, its log line, its metrics, and panics
//! contained.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use stella_api::Code;
use stella_client::InProcess;
use stella_context::TraceId;
use stella_telemetry::{
    Histogram, KeyValue, Metrics, Parent, Stopwatch, UpDownCounter, in_trace, under,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::{Failure, Peer, TrustedProxies};

/// Whoever calls chooses how long a path is, and records that wait for their export hold it.
const LONGEST_PATH: usize = 512;

/// Which service has the routes of a path.
pub(crate) type Owners = BTreeMap<String, &'static str>;

/// The trace of the request that runs now; a new one outside of any.
pub(crate) fn current_trace() -> TraceId {
    stella_telemetry::current_trace().unwrap_or_else(TraceId::generate)
}

/// What a house counts of its requests, by the semantic conventions of OpenTelemetry.
pub(crate) struct Watch {
    owners: Owners,
    proxies: TrustedProxies,
    /// No request is worked on for longer.
    time: Duration,
    scheme: &'static str,
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl Watch {
    /// Clients reach the house by its public URL, also where a proxy ends their TLS.
    pub(crate) fn new(
        metrics: &Metrics,
        owners: Owners,
        proxies: TrustedProxies,
        time: Duration,
        public_url: &str,
    ) -> Self {
        Self {
            owners,
            proxies,
            time,
            scheme: match public_url.starts_with("https://") {
                true => "https",
                false => "http",
            },
            duration: metrics.seconds(
                "http.server.request.duration",
                "Duration of HTTP requests until their answer begins",
            ),
            active: metrics.level(
                "http.server.active_requests",
                "HTTP requests whose answer has not begun",
            ),
        }
    }
}

/// Stands around every request, also around those of a service to its neighbour.
pub(crate) async fn guard(
    State(watch): State<Arc<Watch>>,
    request: Request,
    next: Next,
) -> Response {
    let asked = Asked::of(&request, &watch);
    // What a service asks another belongs to the request that made it ask, and is not counted.
    let caller = request.extensions().get::<InProcess>();
    let inner = caller.map(|caller| caller.trace().clone());
    let inner = inner.or_else(stella_telemetry::current_trace);
    let parent = match inner {
        Some(_) => None,
        None => parent_of(request.headers()),
    };
    let limit = watch.time;
    let counted = inner.is_none().then(|| Counted::begin(watch, &asked));
    let outer = || parent.as_ref().map(|parent| parent.trace().clone());
    let trace = inner.clone().or_else(outer);
    let trace = trace.unwrap_or_else(TraceId::generate);
    let told = trace.clone();
    in_trace(trace, async move {
        let span = asked.span(&told, inner.is_some());
        if inner.is_none() {
            under(&span, parent.as_ref());
        }
        let run = answered(request, next, limit);
        observed(run, counted, told).instrument(span).await
    })
    .await
}

async fn answered(request: Request, next: Next, limit: Duration) -> Response {
    let run = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Failure::new(Code::Internal)
            .because(panicked(&panic))
            .into_response(),
        Err(_) => Failure::new(Code::Timeout)
            .with("limit", limit.as_secs())
            .into_response(),
    }
}

async fn observed(
    run: impl Future<Output = Response>,
    counted: Option<Counted>,
    trace: TraceId,
) -> Response {
    let response = run.await;
    let status = response.status();
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    tracing::info!(status = status.as_u16(), "request");
    if let Some(counted) = counted {
        counted.answered(status);
    }
    with_trace(response, &trace)
}

pub(crate) fn panicked(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// What was asked for.
struct Asked {
    /// One of those that HTTP has, or `_OTHER`.
    method: &'static str,
    path: String,
    /// The path with names for what varies; none where nothing is there.
    route: Option<String>,
    service: Option<&'static str>,
    /// Who asked; nobody where a service asks another.
    client: Option<IpAddr>,
}

impl Asked {
    fn of(request: &Request, watch: &Watch) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map(|route| route.as_str().to_owned());
        let service = route.as_ref().and_then(|route| watch.owners.get(route));
        let peer = request.extensions().get::<Peer>();
        let client = peer.map(|peer| watch.proxies.client(*peer, request.headers()));
        Self {
            method: known(request.method()),
            path: request.uri().path().chars().take(LONGEST_PATH).collect(),
            service: service.copied(),
            client,
            route,
        }
    }

    fn span(&self, trace: &TraceId, inner: bool) -> Span {
        let route = self.route.as_deref().unwrap_or_default();
        let name = format!("{} {route}", self.method);
        tracing::info_span!(
            "request",
            otel.name = name.trim_end(),
            otel.kind = if inner { "internal" } else { "server" },
            otel.status_code = Empty,
            http.request.method = self.method,
            http.route = self.route,
            http.response.status_code = Empty,
            url.path = self.path,
            stella.service = self.service,
            stella.tenant = Empty,
            client.address = self.client.map(tracing::field::display),
            %trace,
        )
    }
}

/// Whoever calls chooses the method, and each value is a row in every store of metrics.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// A request that is being counted; one that is dropped before its answer is counted as such.
struct Counted {
    watch: Arc<Watch>,
    watched: Stopwatch,
    labels: Vec<KeyValue>,
    active: [KeyValue; 2],
}

impl Counted {
    fn begin(watch: Arc<Watch>, asked: &Asked) -> Self {
        let active = [
            KeyValue::new("http.request.method", asked.method),
            KeyValue::new("url.scheme", watch.scheme),
        ];
        let mut labels = active.to_vec();
        let route = asked.route.clone();
        labels.extend(route.map(|route| KeyValue::new("http.route", route)));
        labels.extend(
            asked
                .service
                .map(|name| KeyValue::new("stella.service", name)),
        );
        watch.active.add(1, &active);
        Self {
            watch,
            watched: Stopwatch::start(),
            labels,
            active,
        }
    }

    fn answered(mut self, status: StatusCode) {
        let code = i64::from(status.as_u16());
        self.labels
            .push(KeyValue::new("http.response.status_code", code));
        if status.is_server_error() {
            self.labels
                .push(KeyValue::new("error.type", code.to_string()));
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let answered = |label: &KeyValue| label.key.as_str() == "http.response.status_code";
        if !self.labels.iter().any(answered) {
            self.labels.push(KeyValue::new("error.type", "cancelled"));
        }
        let seconds = self.watched.seconds();
        self.watch.duration.record(seconds, &self.labels);
        self.watch.active.add(-1, &self.active);
    }
}

fn parent_of(headers: &HeaderMap) -> Option<Parent> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Parent::of(text("traceparent")?, text("tracestate"))
}

fn with_trace(mut response: Response, trace: &TraceId) -> Response {
    if let Ok(value) = HeaderValue::from_str(trace.as_str()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-trace-id"), value);
    }
    response
}
