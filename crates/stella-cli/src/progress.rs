//! How far long work is: a line on a person's terminal that replaces itself and goes with the work;
//! nothing for scripts.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::session::Session;

/// Often enough that it is seen to live.
const TICK: Duration = Duration::from_millis(100);

/// What a label can say: each name, and what is drawn in its place.
const PARTS: [(&str, &str); 10] = [
    ("bar", "[{bar:24}]"),
    ("spinner", "{spinner}"),
    ("percent", "{percent}"),
    ("done", "{pos}"),
    ("total", "{len}"),
    ("rate", "{rate}"),
    ("left", "{left}"),
    ("bytes", "{bytes}"),
    ("totalBytes", "{total_bytes}"),
    ("speed", "{bytes_per_sec}"),
];

/// Work under way; its line is gone with it.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Draws the line of a label at once, for work of so many steps, or of nobody knows how many.
    #[must_use]
    pub fn begin(session: &Session, key: &str, total: Option<u64>) -> Self {
        let terminal = session.io.stderr_terminal;
        let target = match terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(total, target).with_style(style(session, key));
        if terminal {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Tells something of it, above its line.
    pub fn say(&self, session: &Session, key: &str) {
        self.0.println(session.labels.text(key));
    }

    /// So many steps are done.
    pub fn at(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A label that makes no template is drawn as the library draws.
fn style(session: &Session, key: &str) -> ProgressStyle {
    let parts = PARTS.map(|(name, part)| (name, part.into()));
    let text = session.labels.format(key, &parts);
    let style = ProgressStyle::with_template(&text);
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // Nobody can be told that telling failed.
        let _ = write!(out, "{:.0}", state.per_sec());
    };
    let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // Before anything is done nobody can tell.
        let _ = match state.pos() {
            0 => write!(out, "?"),
            _ => write!(out, "{:#}", HumanDuration(state.eta())),
        };
    };
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key("rate", rate)
        .with_key("left", left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_locale::Labels;

    #[test]
    fn every_line_is_a_template() {
        let parts = PARTS.map(|(name, part)| (name, part.into()));
        for key in [
            "collect",
            "evidence-verify",
            "export",
            "ingest",
            "scores",
            "storage",
        ] {
            let text = Labels::english().format(&format!("progress-{key}"), &parts);
            assert!(text.contains('{') && !text.contains("$"), "{text}");
            assert!(ProgressStyle::with_template(&text).is_ok(), "{text}");
        }
    }
}
