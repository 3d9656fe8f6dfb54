//! `--as-of` and `--known-at`: the time that evidence is asked for.

use clap::Args;
use serde::Serialize;
use stella_context::Clock;

use crate::label::label;

/// What had been published by one time and had arrived by another; all of it where neither is said.
#[derive(Clone, Debug, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moment {
    /// By when it was fetched.
    #[arg(long, value_name = "TIME", value_parser = time, help = label("help-as-of"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// By when it was received.
    #[arg(long, value_name = "TIME", value_parser = time, help = label("help-known-at"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<String>,
}

/// A time as it was written, where it is one (RFC 3339).
pub(crate) fn time(text: &str) -> Result<String, String> {
    match text.parse::<Clock>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(label("time-invalid")),
    }
}

impl Moment {
    /// Whether it is one of the past.
    pub(crate) fn is_said(&self) -> bool {
        self.as_of.is_some() || self.known_at.is_some()
    }
}
