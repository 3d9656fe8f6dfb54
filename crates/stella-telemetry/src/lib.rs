//! What a process tells of itself: logs, traces and metrics, with a guard on what they may hold.
//! Nothing here decides anything, and nothing that fails here fails a request.

mod export;
mod json;
mod labels;
mod log;
mod metrics;
mod redact;
mod trace;

use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

pub use export::{Export, Sampling};
pub use log::{Form, Level, tell_panics};
pub use metrics::{Metrics, Stopwatch};
pub use opentelemetry::KeyValue;
pub use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};
pub use redact::Redactor;
pub use trace::{Parent, current_trace, in_trace, outgoing, under};

/// How long a stop waits for what is not exported yet.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Telemetry that cannot be started as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter cannot be made.
    #[error("exporting to {endpoint}: {reason}")]
    Export {
        /// Where to.
        endpoint: String,
        /// Why not.
        reason: String,
    },
    /// The metrics cannot be collected.
    #[error("collecting metrics: {0}")]
    Metrics(String),
}

/// How a process tells of itself.
#[derive(Debug)]
pub struct Options {
    /// How log lines look.
    pub form: Form,
    /// Which log lines there are.
    pub level: Level,
    /// Values that must never be told, such as the passwords of the configuration.
    pub secrets: Vec<String>,
    /// Where spans and metrics go; nowhere if not said.
    pub export: Option<Export>,
}

/// The telemetry of a process.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Its metrics.
    pub metrics: Metrics,
    spans: SdkTracerProvider,
}

impl Telemetry {
    /// Starts logs, traces and metrics. Of the logs and traces of a process that has them already,
    /// as a test does, nothing changes.
    ///
    /// # Errors
    /// The exporter cannot be made. That its peer is away is no error.
    pub fn start(options: Options) -> Result<Self, TelemetryError> {
        let redactor = Redactor::new(options.secrets);
        let (spans, metrics) = match options.export {
            Some(export) => export.open(&redactor)?,
            None => (trace::provider(), Metrics::new(redactor.clone(), None)?),
        };
        log::subscribe(options.form, options.level, redactor, &spans);
        Ok(Self { metrics, spans })
    }

    /// Exports what is left. It waits, so it must not be called where others want to go on.
    pub fn stop(&self) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.metrics.stop(LAST_WORDS));
            // A peer that is away was told of in the log before.
            let _ = self.spans.shutdown_with_timeout(LAST_WORDS);
        });
    }
}
