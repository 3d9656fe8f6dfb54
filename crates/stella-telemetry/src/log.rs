//! Logs: a line of JSON in Production, text for people elsewhere; always on standard error.

use std::io::{self, IsTerminal as _, Write};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use tracing::Level;

use crate::Redactor;
use crate::json::JsonLines;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line of JSON a record.
    Json,
    /// Text for a terminal.
    Text,
}

/// Sends records to the log and, where anything is exported, to the spans that they belong to.
pub(crate) fn subscribe(form: Form, level: Level, redactor: Redactor, spans: &SdkTracerProvider) {
    let traced = tracing_opentelemetry::layer()
        .with_tracer(spans.tracer("stella"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(filter_fn(|record| {
            ours(record) && *record.level() <= Level::INFO
        }));
    let lines = match form {
        Form::Json => JsonLines(redactor).boxed(),
        // Colours are for a terminal; where there is one, `NO_COLOR` turns them off.
        Form::Text => match io::stderr().is_terminal() {
            true => fmt::layer(),
            false => fmt::layer().with_ansi(false),
        }
        .with_target(false)
        .with_writer(Redacted(redactor))
        .boxed(),
    };
    let told = filter_fn(move |record| match record.is_span() {
        // The spans of a line name its trace, however quiet the log is.
        true => ours(record) && *record.level() <= Level::INFO,
        // What the exporter says each time, `export.rs` says once; and a bucket that is away is
        // told by who asked for it, not by each try.
        false => {
            let target = record.target();
            let said = target.starts_with("opentelemetry")
                || (target.starts_with("object_store") && *record.level() > Level::WARN);
            *record.level() <= level && !said
        }
    });
    // A process that already logs, as a test does, keeps its own way.
    let _ = tracing_subscriber::registry()
        .with(traced)
        .with(lines.with_filter(told))
        .try_init();
}

fn ours(record: &Metadata<'_>) -> bool {
    record.target().starts_with("stella")
}

/// Tells panics as records, so that what they say passes the redaction too.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a panic")));
}

/// Standard error, which no line reaches with what must not be told.
struct Redacted(Redactor);

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Redactor);

impl Write for Line<'_> {
    /// The subscriber writes a whole record at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().write_all(self.0.clean(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
