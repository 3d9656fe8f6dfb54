//! A record as one line of JSON: what it says itself, and what is known of the request it belongs to.

use std::fmt::Debug;
use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::{Map, Value};
use stella_context::Clock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::Redactor;

/// Writes records to standard error. Each value is cleaned before it becomes JSON, so that a line
/// is well formed whatever is taken out of it.
pub(crate) struct JsonLines(pub(crate) Redactor);

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    target: &'a str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// The fields of a span, cleaned.
struct Known(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Map::new();
        attributes.record(&mut self.cleaned(&mut fields));
        span.extensions_mut().insert(Known(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Known(fields)) = span.extensions_mut().get_mut() {
            values.record(&mut self.cleaned(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            // An inner span knows better.
            if let Some(Known(known)) = span.extensions().get() {
                fields.extend(known.clone());
            }
        }
        event.record(&mut self.cleaned(&mut fields));
        let line = Line {
            timestamp: Clock::System.now().to_string(),
            level: event.metadata().level().as_str(),
            target: event.metadata().target(),
            fields,
        };
        // Nobody is left to be told that the log is away.
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            let _ = io::stderr().write_all(&line);
        }
    }
}

impl JsonLines {
    fn cleaned<'a>(&'a self, fields: &'a mut Map<String, Value>) -> Cleaned<'a> {
        let redactor = &self.0;
        Cleaned { redactor, fields }
    }
}

struct Cleaned<'a> {
    redactor: &'a Redactor,
    fields: &'a mut Map<String, Value>,
}

impl Cleaned<'_> {
    fn set(&mut self, field: &Field, value: Value) {
        let name = field.name();
        // What speaks to the exporter of spans, and the names that every line has.
        if !name.starts_with("otel.") && !["timestamp", "level", "target"].contains(&name) {
            self.fields.insert(name.to_owned(), value);
        }
    }
}

impl Visit for Cleaned<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let clean = self.redactor.clean_value(field.name(), value);
        self.set(field, clean.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
