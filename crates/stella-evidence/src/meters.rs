//! What is counted of documents that come in (page 05).

use bytes::Bytes;
use stella_api::TenantId;
use stella_api::evidence::{Envelope, EvidenceKind};
use stella_context::OpContext;
use stella_telemetry::{Counter, Histogram, KeyValue, Metrics, Stopwatch};

use crate::guard::{Accepted, Violation, judge};

/// The instruments of a process.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    writes: Counter<u64>,
    violations: Counter<u64>,
    latency: Histogram<f64>,
    metrics: Metrics,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            writes: metrics.counter("ingestion_write_total", "Documents that came in"),
            violations: metrics.counter(
                "aoc_violation_total",
                "Rules of the Aggregation-Only Contract that documents broke",
            ),
            latency: metrics.seconds("ingestion_latency", "Duration of each phase of taking in"),
            metrics: metrics.clone(),
        }
    }

    /// Counts a document with what became of it.
    pub(crate) fn written(&self, tenant: &TenantId, source: &str, result: &'static str) {
        let [source, tenant] = self.whose(tenant, source);
        let result = KeyValue::new("result", result);
        self.writes.add(1, &[source, tenant, result]);
    }

    /// Judges a document, and counts it and each rule that it broke where it is refused.
    pub(crate) fn judge(
        &self,
        op: &OpContext,
        kind: EvidenceKind,
        envelope: Result<Envelope, Vec<Violation>>,
        bytes: Bytes,
    ) -> Result<Accepted, Vec<Violation>> {
        let tenant = op.tenant();
        let watch = Stopwatch::start();
        let source = envelope.as_ref().ok();
        let source = source.map(|envelope| envelope.source.publisher.clone());
        let judged = judge(kind, envelope, bytes, &op.actor().client_id);
        self.phase("judge", watch);
        if let Err(violations) = &judged {
            let source = source.as_deref().unwrap_or("unknown");
            self.written(tenant, source, "refused");
            for violation in violations {
                let [source, tenant] = self.whose(tenant, source);
                let code = KeyValue::new("code", violation.code.as_str());
                self.violations.add(1, &[source, tenant, code]);
            }
        }
        judged
    }

    /// Notes how long a phase took.
    pub(crate) fn phase(&self, phase: &'static str, watch: Stopwatch) {
        let phase = KeyValue::new("phase", phase);
        self.latency.record(watch.seconds(), &[phase]);
    }

    fn whose(&self, tenant: &TenantId, source: &str) -> [KeyValue; 2] {
        [
            self.metrics.label("source", source),
            self.metrics.label("tenant", tenant.as_str()),
        ]
    }
}
