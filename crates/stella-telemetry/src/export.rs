//! Export by OTLP over HTTP. It happens beside the requests: what cannot be sent is dropped.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{Status, TraceState};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;

use crate::{Metrics, Redactor, TelemetryError, trace};

/// Where spans and metrics go, and how.
#[derive(Clone)]
pub struct Export {
    /// The URL that takes spans.
    pub traces: Option<String>,
    /// The URL that takes metrics.
    pub metrics: Option<String>,
    /// Headers of each request; their values may be secrets.
    pub headers: BTreeMap<String, String>,
    /// How long one request may take.
    pub timeout: Duration,
    /// What the process is called and what else is known of it.
    pub resource: BTreeMap<String, String>,
    /// Which traces are exported.
    pub sampling: Sampling,
}

/// Values of headers and the resource are not shown.
impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({:?}, {:?})", self.traces, self.metrics)
    }
}

/// Which traces are exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// The part of those that begin here, 0 to 1.
    pub ratio: f64,
    /// Whether of others' traces those are exported that they said.
    pub follow_parent: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        let (ratio, follow_parent) = (1.0, true);
        Self {
            ratio,
            follow_parent,
        }
    }
}

impl From<Sampling> for Sampler {
    fn from(sampling: Sampling) -> Self {
        let root = Self::TraceIdRatioBased(sampling.ratio);
        match sampling.follow_parent {
            true => Self::ParentBased(Box::new(root)),
            false => root,
        }
    }
}

impl Export {
    /// Starts to export. Nothing is sent before there is something to tell.
    pub(crate) fn open(
        self,
        redactor: &Redactor,
    ) -> Result<(SdkTracerProvider, Metrics), TelemetryError> {
        let client = Arc::new(Client::new(self.timeout)?);
        let clean = |(key, value): (&String, &String)| {
            KeyValue::new(key.clone(), redactor.clean_value(key, value))
        };
        let resource = Resource::builder_empty()
            .with_attributes(self.resource.iter().map(clean))
            .build();
        let mut spans = trace::builder(self.sampling.into(), resource.clone());
        if let Some(endpoint) = &self.traces {
            let exporter = opentelemetry_otlp::SpanExporter::builder().with_http();
            let exporter = self
                .over(&client, endpoint, exporter)
                .build()
                .map_err(|error| TelemetryError::export(endpoint, error))?;
            spans = spans.with_batch_exporter(Spans {
                inner: exporter,
                redactor: redactor.clone(),
                peer: Peer::of(endpoint),
            });
        }
        let mut metrics = None;
        if let Some(endpoint) = &self.metrics {
            let exporter = opentelemetry_otlp::MetricExporter::builder().with_http();
            let exporter = self
                .over(&client, endpoint, exporter)
                .build()
                .map_err(|error| TelemetryError::export(endpoint, error))?;
            let (inner, peer) = (exporter, Peer::of(endpoint));
            metrics = Some((MetricExporter { inner, peer }, resource));
        }
        Ok((spans.build(), Metrics::new(redactor.clone(), metrics)?))
    }

    /// How either exporter sends.
    fn over<B>(&self, client: &Arc<Client>, endpoint: &str, exporter: B) -> B
    where
        B: WithExportConfig + WithHttpConfig,
    {
        let headers: HashMap<String, String> = self.headers.clone().into_iter().collect();
        exporter
            .with_http_client(Shared(client.clone()))
            .with_headers(headers)
            .with_endpoint(endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(self.timeout)
    }
}

impl TelemetryError {
    fn export(endpoint: &str, reason: impl fmt::Display) -> Self {
        Self::Export {
            endpoint: endpoint.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Sends what the exporter made. Its threads are its own, so the runtime's do the sending.
#[derive(Debug)]
struct Client {
    inner: reqwest::Client,
    runtime: Handle,
}

#[derive(Debug)]
struct Shared(Arc<Client>);

impl Client {
    fn new(timeout: Duration) -> Result<Self, TelemetryError> {
        #[allow(clippy::disallowed_methods)] // the exporter's own, so that no call waits for it
        let builder = reqwest::Client::builder();
        let inner = builder
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| TelemetryError::export("the collector", error))?;
        let runtime = Handle::try_current()
            .map_err(|error| TelemetryError::export("the collector", error))?;
        Ok(Self { inner, runtime })
    }
}

#[async_trait]
impl HttpClient for Shared {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.0.inner.clone();
        let sending = async move {
            let response = client.execute(request.try_into()?).await?;
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            // What a collector has to say beyond its status, nobody here reads.
            Ok(answer)
        };
        self.0.runtime.spawn(sending).await?
    }
}

/// Whether the other side took the last record: its going away and coming back is told once each.
struct Peer {
    endpoint: String,
    away: AtomicBool,
}

impl Peer {
    fn of(endpoint: &str) -> Self {
        let (endpoint, away) = (endpoint.to_owned(), AtomicBool::new(false));
        Self { endpoint, away }
    }

    fn note(&self, result: OTelSdkResult) -> OTelSdkResult {
        let away = result.is_err();
        let before = self.away.swap(away, Ordering::Relaxed);
        let endpoint = &self.endpoint;
        match (&result, before) {
            (Err(error), false) => {
                tracing::warn!(endpoint, %error, "telemetry cannot be exported and is dropped until it can");
            }
            (Ok(()), true) => tracing::info!(endpoint, "telemetry is exported again"),
            _ => {}
        }
        result
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.endpoint)
    }
}

/// Exports spans without what must not be told.
#[derive(Debug)]
struct Spans {
    inner: opentelemetry_otlp::SpanExporter,
    redactor: Redactor,
    peer: Peer,
}

impl SpanExporter for Spans {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            self.redactor.clean_span(span);
        }
        self.peer.note(self.inner.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl Redactor {
    fn clean_span(&self, span: &mut SpanData) {
        span.name = self.clean(&span.name).into_owned().into();
        self.clean_all(&mut span.attributes);
        for event in &mut span.events.events {
            event.name = self.clean(&event.name).into_owned().into();
            self.clean_all(&mut event.attributes);
        }
        if let Status::Error { description } = &span.status {
            span.status = Status::error(self.clean(description).into_owned());
        }
        // The state is the caller's text; where it holds what it must not, it goes no further.
        let context = &span.span_context;
        let state = context.trace_state().header();
        if self.clean(&state) != state {
            span.span_context = opentelemetry::trace::SpanContext::new(
                context.trace_id(),
                context.span_id(),
                context.trace_flags(),
                context.is_remote(),
                TraceState::default(),
            );
        }
    }

    fn clean_all(&self, attributes: &mut [KeyValue]) {
        for KeyValue { key, value, .. } in attributes {
            let clean = |text: &StringValue| {
                StringValue::from(self.clean_value(key.as_str(), text.as_str()))
            };
            match value {
                Value::String(text) => *text = clean(text),
                Value::Array(Array::String(texts)) => {
                    *texts = texts.iter().map(clean).collect();
                }
                _ => {}
            }
        }
    }
}

/// Exports metrics, whose labels were cleaned when they were made.
#[derive(Debug)]
pub(crate) struct MetricExporter {
    inner: opentelemetry_otlp::MetricExporter,
    peer: Peer,
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.peer.note(self.inner.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
