//! Logs: a line of JSON in Production, text for people elsewhere; always on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line of JSON a record.
    Json,
    /// Text for a terminal.
    Text,
}

/// Starts logging; a second call changes nothing.
pub fn start(form: Form, level: &str) {
    let filter = EnvFilter::new(level);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Colours are for a terminal; where there is one, `NO_COLOR` turns them off.
    let builder = match std::io::stderr().is_terminal() {
        true => builder,
        false => builder.with_ansi(false),
    };
    // A process that already logs, as a test does, keeps its own way.
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).try_init(),
        Form::Text => builder.with_target(false).try_init(),
    };
}
