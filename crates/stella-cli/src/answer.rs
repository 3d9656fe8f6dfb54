//! What a command has to say: a value for scripts and a drawing of it for people.

use serde::Serialize;
use serde_json::Value;

use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::kind::UNEXPECTED;
use crate::plain::{escaped, is_harmless};
use crate::style::Style;
use crate::table::{Cell, Table};

/// The answer of a command, printed in one place in the format that was asked for.
#[derive(Clone, Debug)]
pub struct Answer {
    value: Value,
    parts: Vec<Part>,
    exit: ExitCode,
    silent: bool,
    text: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Table(Table),
    Line(String),
}

/// The formats of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One document, indented.
    Json,
    /// One line an item of a list; one line for anything else.
    Ndjson,
    /// One document.
    Yaml,
}

impl Answer {
    /// The value that scripts get; it needs a drawing as well.
    ///
    /// # Errors
    /// Where the value cannot be represented in JSON: a fault of the program.
    pub fn new(value: &impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(value).map_err(|error| unwritable(&error))?;
        Ok(Self {
            value,
            parts: Vec::new(),
            exit: ExitCode::Ok,
            silent: false,
            text: false,
        })
    }

    /// For a command that has written its output itself.
    #[must_use]
    pub fn done(exit: ExitCode) -> Self {
        Self {
            value: Value::Null,
            parts: Vec::new(),
            exit,
            silent: true,
            text: false,
        }
    }

    /// Values of a line each, whatever the format: what is written is read by machines alone.
    pub(crate) fn lines(values: Vec<Value>) -> Result<Self, Failure> {
        let mut answer = Self::new(&values)?.text();
        for value in &values {
            let line = serde_json::to_string(value).map_err(|error| unwritable(&error))?;
            answer.parts.push(Part::Line(escaped(&line)));
        }
        Ok(answer)
    }

    /// A value as scripts get it.
    pub(crate) fn value_of(value: &impl Serialize) -> Result<Value, Failure> {
        serde_json::to_value(value).map_err(|error| unwritable(&error))
    }

    /// Adds a table to the drawing.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.parts.push(Part::Table(table));
        self
    }

    /// Adds a line to the drawing, never wrapped, as it may hold what is copied; an empty one
    /// parts what stands above from what follows.
    #[must_use]
    pub fn line(mut self, line: impl AsRef<str>) -> Self {
        self.parts
            .push(Part::Line(crate::plain::plain(line.as_ref()).into_owned()));
        self
    }

    /// Adds a sentence to the drawing, wrapped between words.
    #[must_use]
    pub(crate) fn sentence(self, text: impl AsRef<str>) -> Self {
        self.table(Table::paragraphs([Cell::new(text)]))
    }

    /// The same answer with another end of the process, as 9 where the answer is no.
    #[must_use]
    pub fn exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    /// The same answer, drawn for people also where it is piped, unless a format was asked for.
    #[must_use]
    pub fn text(mut self) -> Self {
        self.text = true;
        self
    }

    /// Whether it is drawn also where it is piped.
    pub(crate) fn is_text(&self) -> bool {
        self.text
    }

    /// The value that scripts get.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Adds the drawing of another answer below; its value is not taken.
    #[must_use]
    pub(crate) fn below(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// How the process ends.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit
    }

    /// All of it as text, with a line break at its end unless there is nothing.
    ///
    /// # Errors
    /// Where the value cannot be written in this format: a fault of the program.
    pub fn render(&self, format: Format, style: Style) -> Result<String, Failure> {
        if self.silent {
            return Ok(String::new());
        }
        match format {
            Format::Table => Ok(self.drawing(style)),
            Format::Json => pretty(&self.value).map_err(|error| unwritable(&error)),
            Format::Ndjson => {
                let line = |value| {
                    serde_json::to_string(value)
                        .map_err(|error| unwritable(&error))
                        .map(json_line)
                };
                self.items().into_iter().map(line).collect()
            }
            Format::Yaml => {
                let yaml =
                    serde_saphyr::to_string(&self.value).map_err(|error| unwritable(&error))?;
                // JSON is YAML too, and has an escape for every character.
                if is_harmless(&yaml) {
                    Ok(yaml)
                } else {
                    pretty(&self.value).map_err(|error| unwritable(&error))
                }
            }
        }
    }

    fn drawing(&self, style: Style) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Table(table) if table.is_empty() => continue,
                Part::Table(table) => text.push_str(&table.draw(style)),
                Part::Line(line) => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }

    fn items(&self) -> Vec<&Value> {
        match self.value.get("items").unwrap_or(&self.value) {
            Value::Array(items) => items.iter().collect(),
            _ => vec![&self.value],
        }
    }
}

fn unwritable(error: &dyn std::fmt::Display) -> Failure {
    Failure::of(&UNEXPECTED, &[("reason", &error.to_string())])
}

fn pretty(value: &Value) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(json_line)
}

fn json_line(json: String) -> String {
    escaped(&json) + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::table::Column;

    fn list() -> Answer {
        let mut table = Table::new([Column::new("NAME"), Column::new("BAND")]);
        table.row([Cell::new("a"), Cell::band("High")]);
        table.row([Cell::new("b\u{1b}[1m"), Cell::band("Low")]);
        let value = json!({"items": [{"name": "a", "band": "High"}, {"name": "b\u{9b}1m", "band": "Low"}], "nextPageToken": null});
        Answer::new(&value)
            .unwrap()
            .table(table)
            .line("")
            .line("more: stella next")
    }

    fn render(format: Format) -> String {
        list().render(format, Style::default()).unwrap()
    }

    #[test]
    fn people_see_a_table() {
        insta::assert_snapshot!(render(Format::Table), @r"
        NAME  BAND
        a     High
        b     Low

        more: stella next
        ");
    }

    #[test]
    fn scripts_get_the_whole_value() {
        insta::assert_snapshot!(render(Format::Json), @r#"
        {
          "items": [
            {
              "band": "High",
              "name": "a"
            },
            {
              "band": "Low",
              "name": "b\u009b1m"
            }
          ],
          "nextPageToken": null
        }
        "#);
        insta::assert_snapshot!(render(Format::Ndjson), @r#"
        {"band":"High","name":"a"}
        {"band":"Low","name":"b\u009b1m"}
        "#);
        insta::assert_snapshot!(render(Format::Yaml));
    }

    #[test]
    fn a_value_that_is_no_list_is_one_line() {
        let answer = Answer::new(&json!({"a": [1, 2]})).unwrap();
        assert_eq!(
            answer.render(Format::Ndjson, Style::default()).unwrap(),
            "{\"a\":[1,2]}\n"
        );
    }

    proptest! {
        #[test]
        fn yaml_says_the_same_as_json(text in any::<String>(), word in "(yes|no|null|~|1e3|0x1f|1:30|2020-01-01|- a|#b|a: b)") {
            let value = json!({"text": text, "word": word, "list": [text, 1, 1.5, true, null]});
            let yaml = Answer::new(&value).unwrap().render(Format::Yaml, Style::default()).unwrap();
            prop_assert!(is_harmless(&yaml), "{yaml:?}");
            let back: Value = serde_saphyr::from_str(&yaml).unwrap();
            prop_assert_eq!(back, value);
        }
    }
}
