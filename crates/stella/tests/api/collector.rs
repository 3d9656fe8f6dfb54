//! A collector of telemetry that keeps what a process exports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// What was received of one process, in order.
#[derive(Clone, Default)]
pub struct Collector {
    received: Arc<Mutex<Received>>,
    pub url: String,
}

#[derive(Default)]
struct Received {
    /// Everything as it came, headers too.
    raw: Vec<u8>,
    headers: Vec<HeaderMap>,
    traces: Vec<ExportTraceServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            received: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    pub fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let resources = received.traces.iter().flat_map(|one| &one.resource_spans);
        let scopes = resources.flat_map(|one| &one.scope_spans);
        scopes.flat_map(|one| one.spans.clone()).collect()
    }

    /// The names of the metrics.
    pub fn metrics(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let resources = received
            .metrics
            .iter()
            .flat_map(|one| &one.resource_metrics);
        let scopes = resources.flat_map(|one| &one.scope_metrics);
        let metrics = scopes.flat_map(|one| &one.metrics);
        metrics.map(|metric| metric.name.clone()).collect()
    }

    /// What is known of the process, by its spans.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let received = self.received.lock().unwrap();
        let first = &received.traces[0].resource_spans[0];
        attributes(&first.resource.as_ref().unwrap().attributes)
    }

    pub fn headers(&self) -> Vec<HeaderMap> {
        self.received.lock().unwrap().headers.clone()
    }

    /// Every byte of every body.
    pub fn raw(&self) -> Vec<u8> {
        self.received.lock().unwrap().raw.clone()
    }

    fn take(&self, headers: HeaderMap, body: &Bytes, keep: impl FnOnce(&mut Received)) {
        let mut received = self.received.lock().unwrap();
        received.raw.extend_from_slice(body);
        received.headers.push(headers);
        keep(&mut received);
    }
}

async fn traces(State(to): State<Collector>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let read = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    to.take(headers, &body, |received| received.traces.push(read));
    StatusCode::OK
}

async fn metrics(State(to): State<Collector>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let read = ExportMetricsServiceRequest::decode(body.clone()).unwrap();
    to.take(headers, &body, |received| received.metrics.push(read));
    StatusCode::OK
}

/// Attributes as texts.
pub fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|one| one.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = pairs.iter();
    pairs
        .map(|one| (one.key.clone(), text(&one.value)))
        .collect()
}
