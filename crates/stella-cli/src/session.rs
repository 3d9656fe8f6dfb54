//! One run of one command: its streams, its options, and the one place where things are printed.

use std::io::Write;

use stella_context::Clock;
use stella_locale::Labels;

use crate::answer::{Answer, Format};
use crate::arguments::{ColorChoice, Options};
use crate::destination::Destination;
use crate::environment::Environment;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::io::Io;
use crate::plain::plain;
use crate::style::Style;

/// What every command is given.
pub struct Session {
    /// The streams.
    pub io: Io,
    /// The options that every command has.
    pub options: Options,
    /// The time that records carry.
    pub clock: Clock,
    /// The words, in the language of the person.
    pub labels: &'static Labels,
}

impl Session {
    /// The format that was asked for, else a table for people and JSON for everything else.
    #[must_use]
    pub fn format(&self) -> Format {
        let people = self.io.terminal.is_some() && self.options.out.is_none();
        self.options
            .output
            .unwrap_or(if people { Format::Table } else { Format::Json })
    }

    /// How output is drawn.
    #[must_use]
    pub fn style(&self) -> Style {
        let width = self.io.terminal.filter(|_| self.options.out.is_none());
        Style {
            width,
            colour: coloured(self.options.color, width.is_some(), &self.io.environment),
        }
    }

    /// Prints an answer in the format that was asked for; gives its exit code.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn print(&mut self, answer: &Answer) -> Result<ExitCode, Failure> {
        let format = if answer.is_text() && self.options.output.is_none() {
            Format::Table
        } else {
            self.format()
        };
        self.print_as(answer, format)
    }

    /// The same for commands that choose another format where none was asked for.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn print_as(&mut self, answer: &Answer, format: Format) -> Result<ExitCode, Failure> {
        let text = answer.render(format, self.style())?;
        // A command that wrote its output itself has also made its file.
        if !text.is_empty() {
            let mut destination =
                Destination::open(&mut *self.io.stdout, self.options.out.as_deref())?;
            destination.put(text.as_bytes())?;
            destination.finish()?;
        }
        Ok(answer.exit_code())
    }

    /// Tells on standard error what belongs into a log too, so that standard output stays the
    /// answer.
    pub fn tell(&mut self, text: &str) {
        for line in text.lines() {
            // Nobody can be told that telling failed.
            let _ = writeln!(self.io.stderr, "{}", plain(line));
        }
    }

    /// Tells people on a terminal how long work goes on; says nothing to scripts.
    pub fn progress(&mut self, line: &str) {
        if self.io.stderr_terminal {
            self.tell(line);
        }
    }

    /// Tells on standard error why the command failed; gives its exit code.
    pub fn report(&mut self, failure: &Failure) -> ExitCode {
        // What was printed before the failure comes before it.
        let _ = self.io.stdout.flush();
        if failure.exit != ExitCode::Ok {
            let people = matches!(self.options.output, None | Some(Format::Table));
            if people {
                let _ = writeln!(self.io.stderr, "{}", failure.text());
            }
            if !people || failure.logged {
                let _ = writeln!(self.io.stderr, "{}", failure.json());
            }
        }
        failure.exit
    }
}

/// Whether a stream gets colours. <https://no-color.org>
pub(crate) fn coloured(choice: ColorChoice, terminal: bool, environment: &Environment) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
            terminal && !dumb && environment.get("NO_COLOR").is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let plain = Environment::default();
        assert!(coloured(ColorChoice::Auto, true, &plain));
        assert!(!coloured(ColorChoice::Auto, false, &plain));
        assert!(!coloured(
            ColorChoice::Auto,
            true,
            &Environment::of([("NO_COLOR", "1")])
        ));
        assert!(!coloured(
            ColorChoice::Auto,
            true,
            &Environment::of([("TERM", "dumb")])
        ));
        assert!(coloured(
            ColorChoice::Always,
            false,
            &Environment::of([("NO_COLOR", "1")])
        ));
        assert!(!coloured(ColorChoice::Never, true, &plain));
    }
}
