//! Metrics: instruments are parts of a service's own state; Prometheus reads them, and where it is
//! asked for they are exported.

use std::fmt;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider as _, UpDownCounter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use crate::export::MetricExporter;
use crate::labels::Guard;
use crate::{Redactor, TelemetryError};

/// The buckets that the semantic conventions say for durations in seconds.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The metrics of a process.
#[derive(Clone)]
pub struct Metrics {
    meter: Meter,
    provider: SdkMeterProvider,
    registry: Registry,
    guard: Guard,
}

impl Metrics {
    /// Metrics that are read where they are made, and nowhere exported.
    ///
    /// # Errors
    /// They cannot be collected.
    pub fn local() -> Result<Self, TelemetryError> {
        Self::new(Redactor::default(), None)
    }

    pub(crate) fn new(
        redactor: Redactor,
        exporter: Option<(MetricExporter, Resource)>,
    ) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        // Each label is a row in every store behind it: those that say the same on every line go.
        let prometheus = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_counter_suffixes()
            .without_target_info()
            .build()
            .map_err(|error| TelemetryError::Metrics(error.to_string()))?;
        let builder = SdkMeterProvider::builder().with_reader(prometheus);
        let provider = match exporter {
            Some((exporter, resource)) => builder
                .with_periodic_exporter(exporter)
                .with_resource(resource)
                .build(),
            None => builder
                .with_resource(Resource::builder_empty().build())
                .build(),
        };
        Ok(Self {
            meter: provider.meter("stella"),
            provider,
            registry,
            guard: Guard::new(redactor),
        })
    }

    /// A number that only grows.
    #[must_use]
    pub fn counter(&self, name: &'static str, about: &'static str) -> Counter<u64> {
        self.meter.u64_counter(name).with_description(about).build()
    }

    /// A number that grows and shrinks.
    #[must_use]
    pub fn level(&self, name: &'static str, about: &'static str) -> UpDownCounter<i64> {
        let builder = self.meter.i64_up_down_counter(name);
        builder.with_description(about).build()
    }

    /// A number as it was last looked at.
    #[must_use]
    pub fn gauge(&self, name: &'static str, about: &'static str) -> Gauge<u64> {
        self.meter.u64_gauge(name).with_description(about).build()
    }

    /// Durations, in seconds; for Prometheus the name ends in `_seconds`.
    #[must_use]
    pub fn seconds(&self, name: &'static str, about: &'static str) -> Histogram<f64> {
        let builder = self.meter.f64_histogram(name).with_unit("s");
        builder
            .with_description(about)
            .with_boundaries(SECONDS.to_vec())
            .build()
    }

    /// A label whose value comes from outside: bounded in length and in number, and without
    /// secrets.
    #[must_use]
    pub fn label(&self, key: &'static str, value: &str) -> KeyValue {
        self.guard.label(key, value)
    }

    /// All of them, in the text format 0.0.4 of Prometheus.
    ///
    /// # Errors
    /// They have no such form.
    pub fn text(&self) -> Result<String, TelemetryError> {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|error| TelemetryError::Metrics(error.to_string()))
    }

    pub(crate) fn stop(&self, within: Duration) {
        // A peer that is away was told of in the log before.
        let _ = self.provider.shutdown_with_timeout(within);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// How long something takes, for people: no outcome rests on it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // a duration for people
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The seconds so far.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_and_buckets_are_those_that_prometheus_knows() {
        let metrics = Metrics::local().unwrap();
        let tenant = metrics.label("tenant", "acme");
        let duration = metrics.seconds("http.server.request.duration", "How long");
        duration.record(0.06, std::slice::from_ref(&tenant));
        metrics
            .counter("ingestion_write_total", "Writes")
            .add(2, std::slice::from_ref(&tenant));
        metrics
            .seconds("ingestion_latency", "How long")
            .record(0.06, &[]);
        let level = metrics.level("http.server.active_requests", "Now");
        level.add(2, &[]);
        level.add(-1, &[]);
        let text = metrics.text().unwrap();
        for line in [
            "# TYPE http_server_request_duration_seconds histogram",
            r#"http_server_request_duration_seconds_bucket{tenant="acme",le="0.05"} 0"#,
            r#"http_server_request_duration_seconds_bucket{tenant="acme",le="0.075"} 1"#,
            r#"ingestion_write_total{tenant="acme"} 2"#,
            "http_server_active_requests 1",
            "ingestion_latency_seconds_count 1",
        ] {
            assert!(
                text.lines().any(|one| one == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("otel_scope") && !text.contains("target_info"));
    }
}
