//! The trace of what runs now. By W3C trace context it comes in, and goes out again; problems, log
//! lines and spans say the same one.

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId as SpanTraceId, TraceState,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SdkTracerProvider, TracerProviderBuilder,
};
use stella_context::{TraceId, TraceParent};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// So much of a state is passed on at least (W3C trace context, 3.3.1.5), and here at most: spans
/// that wait for their export hold it.
const LONGEST_STATE: usize = 512;

tokio::task_local! {
    static TRACE: TraceId;
}

/// The trace of the task that runs now, where it belongs to one.
#[must_use]
pub fn current_trace() -> Option<TraceId> {
    TRACE.try_with(Clone::clone).ok()
}

/// Runs work as a part of a trace.
pub async fn in_trace<T>(trace: TraceId, work: impl Future<Output = T>) -> T {
    TRACE.scope(trace, work).await
}

/// The span of somebody else that asked for something.
#[derive(Clone, Debug)]
pub struct Parent {
    trace: TraceId,
    span: SpanContext,
}

impl Parent {
    /// What the headers `traceparent` and `tracestate` say; none where the first is malformed.
    #[must_use]
    pub fn of(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let parent = TraceParent::read(traceparent)?;
        // A state that cannot be read or is long is left out, and the trace goes on.
        let state = tracestate.filter(|state| state.len() <= LONGEST_STATE);
        let state = state.and_then(|state| state.parse::<TraceState>().ok());
        let flags = TraceFlags::default().with_sampled(parent.sampled);
        let span = SpanContext::new(
            span_trace(&parent.trace),
            SpanId::from_bytes(parent.span),
            flags,
            true,
            state.unwrap_or_default(),
        );
        let trace = parent.trace;
        Some(Self { trace, span })
    }

    /// The trace that it belongs to.
    #[must_use]
    pub fn trace(&self) -> &TraceId {
        &self.trace
    }
}

/// Hangs a new span below who asked, or makes it the first of its trace.
pub fn under(span: &Span, parent: Option<&Parent>) {
    let context = match parent {
        Some(parent) => Context::new().with_remote_span_context(parent.span.clone()),
        None => Context::new(),
    };
    // A span that nobody listens to has no parent either.
    let _ = span.set_parent(context);
}

/// The headers `traceparent` and `tracestate` for what the current span asks others.
#[must_use]
pub fn outgoing() -> Option<(String, Option<String>)> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return None;
    }
    let flags = u8::from(span.is_sampled());
    let parent = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    let state = span.trace_state().header();
    Some((parent, (!state.is_empty()).then_some(state)))
}

fn span_trace(trace: &TraceId) -> SpanTraceId {
    SpanTraceId::from_hex(trace.as_str()).unwrap_or(SpanTraceId::INVALID)
}

/// The first span of a trace has the id that its task has already.
#[derive(Debug, Default)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> SpanTraceId {
        let current = current_trace().map(|trace| span_trace(&trace));
        current.unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

pub(crate) fn builder(sampler: Sampler, resource: Resource) -> TracerProviderBuilder {
    SdkTracerProvider::builder()
        .with_id_generator(Ids::default())
        .with_sampler(sampler)
        .with_resource(resource)
}

/// Spans that go nowhere: they name what goes out.
pub(crate) fn provider() -> SdkTracerProvider {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    builder(sampler, Resource::builder_empty().build()).build()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use tracing::Instrument as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    /// What goes out within a span that came in with these headers.
    fn passed_on(traceparent: &str, tracestate: Option<&str>) -> (String, Option<String>) {
        let layer = tracing_opentelemetry::layer().with_tracer(provider().tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        let _guard = tracing::subscriber::set_default(subscriber);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let parent = Parent::of(traceparent, tracestate);
            let trace = parent.as_ref().map(|parent| parent.trace().clone());
            let trace = trace.unwrap_or_else(TraceId::generate);
            let told = in_trace(trace.clone(), async {
                let span = tracing::info_span!("request");
                under(&span, parent.as_ref());
                let inner = async { outgoing().unwrap() };
                inner
                    .instrument(tracing::info_span!(parent: &span, "inner"))
                    .await
            });
            let told = told.await;
            assert_eq!(told.0.split('-').nth(1), Some(trace.as_str()));
            told
        })
    }

    #[test]
    fn what_comes_in_goes_out_as_another_span_of_its_trace() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let (told, state) = passed_on(&parent, Some("vendor=1, other=2"));
        assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"));
        assert!(!told.contains("00f067aa0ba902b7"), "{told}");
        assert_eq!(state.unwrap(), "vendor=1,other=2");
    }

    #[test]
    fn nothing_or_nonsense_starts_a_trace_and_an_unread_state_ends_none() {
        for parent in ["", "nonsense", "00-0-0-01"] {
            let (told, state) = passed_on(parent, Some("vendor=1"));
            assert!(!told.contains(TRACE) && told.ends_with("-00"), "{told}");
            assert_eq!(state, None, "a state belongs to its trace");
        }
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-00");
        let long = format!("vendor={}", "1".repeat(LONGEST_STATE));
        for unread in ["nonsense", &long] {
            let (told, state) = passed_on(&parent, Some(unread));
            assert!(told.contains(TRACE) && told.ends_with("-00"), "{told}");
            assert_eq!(state, None);
        }
    }

    #[test]
    fn outside_of_any_span_nothing_goes_out() {
        assert!(outgoing().is_none() && current_trace().is_none());
    }
}
