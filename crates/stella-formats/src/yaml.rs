//! YAML as publishers write advisories in it: one document, every scalar the text that stands
//! there.
//!
//! Whether `2021-12-13T06:35:02Z` is a time and `1.10` a number is for the format to say, not for
//! YAML, so no type is guessed; only nothing, `~` and `null` mean that a member is not there.
//! Aliases are refused: no publisher needs them, and a few can stand for gigabytes.

use granit_parser::{ErrorKind, Event, Marker, Options, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};
use stella_canonical::json::{MAX_DEPTH, push_token};

use crate::error::{FormatError, Reason};

/// Reads the one document of a text.
pub(crate) fn parse(text: &str) -> Result<Value, FormatError> {
    Loader::default().load(text)
}

/// The line and column, from 1 and the column in characters, of the value of a pointer, or of
/// what has it where it is not there.
pub(crate) fn place(text: &str, pointer: &str) -> (usize, usize) {
    let mut loader = Loader {
        sought: Some(pointer.to_owned()),
        ..Loader::default()
    };
    let _ = loader.load(text);
    loader.found
}

/// An open mapping or sequence. Its value is built beside it: nothing here recurses.
enum Frame {
    Mapping(Map<String, Value>, Option<String>),
    Sequence(Vec<Value>),
}

struct Loader {
    open: Vec<Frame>,
    /// The pointer to what comes next, with its length before each open frame.
    pointer: String,
    lengths: Vec<usize>,
    root: Option<Value>,
    sought: Option<String>,
    found: (usize, usize),
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            pointer: String::new(),
            lengths: Vec::new(),
            root: None,
            sought: None,
            found: (1, 1),
        }
    }
}

impl Loader {
    fn load(&mut self, text: &str) -> Result<Value, FormatError> {
        let mut options = Options::default();
        options.emit_comments = false;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| {
                // It looks ahead, and has a limit of its own.
                if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
                    return self.too_deep(*error.marker());
                }
                let message = error.kind().to_string();
                self.refusal(Reason::Malformed, *error.marker(), message)
            })?;
            self.take(event, span)?;
        }
        self.root.take().ok_or_else(|| {
            let message = "no YAML document";
            FormatError::at_line(Reason::Malformed, 1, message)
        })
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), FormatError> {
        match event {
            Event::Scalar(text, style, ..) => {
                if text.contains('\0') {
                    return Err(self.malformed(span, "a text holds U+0000"));
                }
                if let Some(Frame::Mapping(members, key @ None)) = self.open.last_mut() {
                    if members.contains_key(text.as_ref()) {
                        let message = format!("key {text:?} stands twice");
                        return Err(self.malformed(span, message));
                    }
                    push_token(&mut self.pointer, &text);
                    *key = Some(text.into_owned());
                    return Ok(());
                }
                self.begin(span)?;
                let absent = style == ScalarStyle::Plain
                    && ["", "~", "null", "Null", "NULL"].contains(&text.as_ref());
                self.end(if absent { Value::Null } else { text.into() });
            }
            Event::MappingStart(..) => {
                self.begin(span)?;
                self.open(Frame::Mapping(Map::new(), None), span)?;
            }
            Event::SequenceStart(..) => {
                self.begin(span)?;
                self.open(Frame::Sequence(Vec::new()), span)?;
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return Err(self.malformed(span, "an alias: write out what it stands for"));
            }
            _ => {}
        }
        Ok(())
    }

    /// A value begins here.
    fn begin(&mut self, span: Span) -> Result<(), FormatError> {
        match self.open.last() {
            None if self.root.is_some() => {
                let message = "several documents one after the other; send each by itself";
                return Err(self.refusal(Reason::Merge, span.start, message));
            }
            Some(Frame::Mapping(_, None)) => {
                return Err(self.malformed(span, "a key that is no text"));
            }
            Some(Frame::Sequence(items)) => {
                push_token(&mut self.pointer, &items.len().to_string());
            }
            None | Some(Frame::Mapping(..)) => {}
        }
        let leads_there = |sought: &String| {
            let rest = sought.strip_prefix(self.pointer.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.sought.as_ref().is_some_and(leads_there) {
            self.found = (span.start.line(), span.start.col() + 1);
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame, span: Span) -> Result<(), FormatError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(span.start));
        }
        self.open.push(frame);
        self.lengths.push(self.pointer.len());
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        self.pointer
            .truncate(self.lengths.pop().unwrap_or_default());
        self.end(match frame {
            Frame::Mapping(members, _) => Value::Object(members),
            Frame::Sequence(items) => Value::Array(items),
        });
    }

    /// A value is there: it goes into what is open around it.
    fn end(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Frame::Mapping(members, key)) => {
                members.extend(key.take().map(|key| (key, value)));
            }
            Some(Frame::Sequence(items)) => items.push(value),
            None => self.root = Some(value),
        }
        self.pointer
            .truncate(self.lengths.last().copied().unwrap_or_default());
    }

    fn too_deep(&self, at: Marker) -> FormatError {
        let message = format!("nested deeper than {MAX_DEPTH}");
        self.refusal(Reason::Depth, at, message)
    }

    fn malformed(&self, span: Span, message: impl Into<String>) -> FormatError {
        self.refusal(Reason::Malformed, span.start, message)
    }

    fn refusal(&self, reason: Reason, at: Marker, message: impl Into<String>) -> FormatError {
        FormatError {
            line: at.line().max(1),
            column: at.col() + 1,
            ..FormatError::new(reason, &self.pointer, message)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_scalar_is_text() {
        let text = "id: PYSEC-1\nmodified: 2021-12-13T06:35:02Z\nn: 1.10\nb: yes\nnone:\n\
                    nil: ~\nquoted: 'null'\nlist: [0x1, {a: |\n  two\n  lines\n  }]\n";
        let text = text.replace("{a: |\n  two\n  lines\n  }", "{a: \"two\\nlines\"}");
        let expected = json!({
            "id": "PYSEC-1", "modified": "2021-12-13T06:35:02Z", "n": "1.10", "b": "yes",
            "none": null, "nil": null, "quoted": "null", "list": ["0x1", {"a": "two\nlines"}],
        });
        assert_eq!(parse(&text).unwrap(), expected);
    }

    #[test]
    fn what_is_ambiguous_or_large_is_refused_with_its_place() {
        let refused = |text: &str| {
            let error = parse(text).unwrap_err();
            (error.reason, error.pointer, error.line)
        };
        let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
        assert_eq!(
            refused("a: 1\nb:\n  - c: 1\n    c: 2"),
            malformed("/b/0", 4)
        );
        assert_eq!(refused("a: &x 1\nb: *x"), malformed("/b", 2));
        assert_eq!(refused("? [a]\n: 1"), malformed("", 1));
        assert_eq!(refused("a: \"\\0\""), malformed("/a", 1));
        assert_eq!(refused("\"\\0\": a"), malformed("", 1));
        assert_eq!(refused("a: [1").0, Reason::Malformed);
        assert_eq!(refused("").0, Reason::Malformed);
        assert_eq!(refused("a: 1\n---\na: 2").0, Reason::Merge);
        let deep = format!("a: {}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert_eq!(refused(&deep).0, Reason::Depth);
        assert_eq!(
            refused(&format!("a: {}", "[".repeat(100_000))).0,
            Reason::Depth
        );
    }

    #[test]
    fn places_are_found() {
        let text = "a: 1\nb:\n  - x\n  - c/d: 2\n";
        assert_eq!(place(text, "/b/1/c~1d"), (4, 10));
        assert_eq!(place(text, "/b/0"), (3, 5));
        assert_eq!(place(text, "/b/7"), (3, 3));
        assert_eq!(place(text, "/none"), (1, 1));
    }
}
