//! Why a command did not do what it was asked, for people and for scripts.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use serde::Serialize;
use stella_locale::{Labels, Value};

use crate::exit::ExitCode;
use crate::kind::{Kind, OUTPUT_NOT_WRITTEN, READ_FAILED};
use crate::plain::{escaped, plain};

/// Where in the input it went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Counted from 1; of the whole input, also where it is read line by line.
    pub line: u64,
    /// Counted from 1, in bytes or characters as the parser counts them.
    pub column: u64,
    /// RFC 6901, where the parser knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// One of several faults of the same input, as a problem response tells them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// RFC 6901.
    pub pointer: String,
    /// Stable, in SCREAMING_SNAKE.
    pub code: String,
    /// What is wrong there.
    pub detail: String,
}

/// One thing that is wrong with a configuration.
///
/// As text one line: the code, `name=value` words, the hint. As JSON an object of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Stable, in SCREAMING_SNAKE.
    pub code: &'static str,
    /// Where it is and what is accepted; never a value that may be secret.
    pub words: Vec<(&'static str, String)>,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        for (word, value) in &self.words {
            write!(f, " {word}={value}")?;
        }
        write!(f, " hint=\"{}\"", self.hint)
    }
}

impl Serialize for Setting {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let code = [("code", self.code)].into_iter();
        let words = self
            .words
            .iter()
            .map(|(word, value)| (*word, value.as_str()));
        let hint = [("hint", self.hint.as_str())];
        serializer.collect_map(code.chain(words).chain(hint))
    }
}

/// What is told on standard error when a command fails, and how the process ends.
///
/// A box, because it is carried by every result; its fields are those of [`Told`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Failure(Box<Told>);

/// What a [`Failure`] tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Stable, in SCREAMING_SNAKE.
    pub code: Cow<'static, str>,
    /// What happened and why: lower case, no full stop.
    pub message: String,
    /// The next thing to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where in the input.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// All that is wrong with the input, where more than one thing may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// All that is wrong with a configuration, a line each that says what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Setting>,
    /// The server's name for this request, to find it in the logs.
    #[serde(rename = "traceId", skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Whether whoever reads the log is told as well, and reads JSON.
    #[serde(skip)]
    pub logged: bool,
    /// How the process ends.
    #[serde(serialize_with = "as_number")]
    pub exit: ExitCode,
}

fn as_number<S: serde::Serializer>(exit: &ExitCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8((*exit).into())
}

impl Failure {
    /// A failure in words that came from elsewhere, such as a server's problem response.
    #[must_use]
    pub fn told(
        code: impl Into<Cow<'static, str>>,
        exit: ExitCode,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Told {
            code: code.into(),
            message: message.into(),
            hint: None,
            place: None,
            errors: Vec::new(),
            problems: Vec::new(),
            trace_id: None,
            logged: false,
            exit,
        }))
    }

    /// A failure of a known kind, in the words of its labels.
    #[must_use]
    pub fn of(kind: &Kind, values: &[(&str, &str)]) -> Self {
        let labels = Labels::english();
        let values: Vec<(&str, Value<'_>)> = values
            .iter()
            .map(|(name, value)| (*name, Value::from(*value)))
            .collect();
        let mut failure = Self::told(kind.code, kind.exit, labels.format(&kind.label(), &values));
        failure.hint = labels.find(&format!("{}-hint", kind.label()), &values);
        failure
    }

    /// The same failure with the next thing to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, told to people and as a line of JSON, as the log of the process is.
    #[must_use]
    pub fn logged(mut self) -> Self {
        self.logged = true;
        self
    }

    /// The same failure with the place in the input.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// A write to standard output or a file that failed. A reader that went away (`| head`) is
    /// no failure: there is nobody left to write for.
    #[must_use]
    pub fn write(error: &io::Error, target: Option<&Path>) -> Self {
        let target = target.map_or_else(
            || Labels::english().text("standard-output"),
            |path| path.display().to_string(),
        );
        let mut failure = Self::of(
            &OUTPUT_NOT_WRITTEN,
            &[("target", &target), ("reason", &error.to_string())],
        );
        if error.kind() == io::ErrorKind::BrokenPipe {
            failure.exit = ExitCode::Ok;
        }
        failure
    }

    /// A read from standard input that failed.
    #[must_use]
    pub fn read(error: &io::Error) -> Self {
        Self::of(&READ_FAILED, &[("reason", &error.to_string())])
    }

    /// For people: what happened, all that is wrong, what to try.
    #[must_use]
    pub fn text(&self) -> String {
        let labels = Labels::english();
        let mut lines = vec![format!(
            "{}[{}]: {}",
            labels.text("error"),
            plain(&self.code),
            plain(&self.message)
        )];
        if let Some(place) = &self.place {
            lines.push(format!("  {}", place.text(labels)));
        }
        for fault in &self.errors {
            lines.push(format!(
                "  {} {}: {}",
                plain(&fault.pointer),
                plain(&fault.code),
                plain(&fault.detail)
            ));
        }
        let problems = self.problems.iter();
        lines.extend(problems.map(|problem| plain(&problem.to_string()).into_owned()));
        if let Some(hint) = &self.hint {
            lines.push(format!("{}: {}", labels.text("hint"), plain(hint)));
        }
        if let Some(trace) = &self.trace_id {
            lines.push(format!("{}: {}", labels.text("trace"), plain(trace)));
        }
        lines.join("\n")
    }

    /// For scripts: one line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and numbers under string keys: serialising them cannot fail.
        escaped(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Place {
    fn text(&self, labels: &Labels) -> String {
        let line = self.line.to_string();
        let column = self.column.to_string();
        let pointer = self.pointer.as_deref().map(plain).unwrap_or_default();
        let key = if pointer.is_empty() {
            "place"
        } else {
            "place-pointer"
        };
        labels.format(
            key,
            &[
                ("line", line.into()),
                ("column", column.into()),
                ("pointer", pointer.into()),
            ],
        )
    }
}

impl Deref for Failure {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        let mut failure = Failure::told(
            "SCHEMA_INVALID",
            ExitCode::InvalidInput,
            "not a \u{1b}[31mdocument",
        )
        .hint("see `stella evidence ingest --help`")
        .at(Place {
            line: 3,
            column: 7,
            pointer: Some("/a/0".into()),
        });
        failure.errors = vec![Fault {
            pointer: "/a".into(),
            code: "MISSING".into(),
            detail: "is missing".into(),
        }];
        failure
    }

    #[test]
    fn people_read_what_where_and_what_next() {
        insta::assert_snapshot!(failure().text(), @r"
        error[SCHEMA_INVALID]: not a document
          at line 3, column 7, pointer /a/0
          /a MISSING: is missing
        hint: see `stella evidence ingest --help`
        ");
    }

    #[test]
    fn scripts_read_one_line_of_json() {
        insta::assert_snapshot!(failure().json(), @r#"{"code":"SCHEMA_INVALID","message":"not a \u001b[31mdocument","hint":"see `stella evidence ingest --help`","line":3,"column":7,"pointer":"/a/0","errors":[{"pointer":"/a","code":"MISSING","detail":"is missing"}],"exit":2}"#);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = Failure::write(&io::Error::from(io::ErrorKind::BrokenPipe), None);
        assert_eq!(gone.exit, ExitCode::Ok);
    }
}
