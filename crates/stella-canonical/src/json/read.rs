//! The reader itself: serde_json's parser under a visitor that adds the strict rules.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use super::{JsonError, MAX_DEPTH, MAX_SAFE_INTEGER, prints_as_unsafe_integer, push_token};

/// Reads one JSON value from text, strictly.
///
/// The value is that of the canonical form: `1.0` is read as the integer 1, and `-0` as 0.
///
/// # Errors
/// Where the text is not I-JSON, with the code and the place; see [`JsonError`].
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = utf8(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    let mut state = State::default();
    let result = Strict(&mut state).deserialize(&mut deserializer);
    let value = result.map_err(|error| state.refusal(text, &error))?;
    deserializer
        .end()
        .map_err(|error| refusal(JsonError::TRAILING, String::new(), text, &error))?;
    Ok(value)
}

/// Reads one JSON value strictly, then as a type; an error of shape tells the place as well.
///
/// # Errors
/// As [`parse`], and `JSON_SHAPE` where the value is not of the type.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    shape(parse(text)?).map_err(|mut error| {
        (error.line, error.column) = super::place(text, &error.pointer).unwrap_or_default();
        error
    })
}

/// Reads a value as a type; the error tells the pointer, not the line.
///
/// # Errors
/// `JSON_SHAPE` where the value is not of the type.
pub fn shape<T: DeserializeOwned>(value: Value) -> Result<T, JsonError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        use serde_path_to_error::Segment;
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => push_token(&mut pointer, &index.to_string()),
                Segment::Map { key } => push_token(&mut pointer, key),
                // The name of an enum's variant is no level of its own where it is a tag.
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let message = error.into_inner().to_string();
        JsonError {
            code: JsonError::SHAPE,
            pointer,
            line: 0,
            column: 0,
            message,
        }
    })
}

fn utf8(text: &[u8]) -> Result<&str, JsonError> {
    let refuse = |offset: usize, message: &str| {
        let before = &text[..offset];
        let line = before.split(|byte| *byte == b'\n');
        let (lines, last) = line.fold((0, 0), |(lines, _), line| (lines + 1, line.len()));
        let message = message.to_owned();
        JsonError {
            code: JsonError::ENCODING,
            pointer: String::new(),
            line: lines,
            column: last + 1,
            message,
        }
    };
    let read =
        std::str::from_utf8(text).map_err(|error| refuse(error.valid_up_to(), "not UTF-8"))?;
    if read.starts_with('\u{feff}') {
        return Err(refuse(0, "a byte order mark is no part of JSON"));
    }
    Ok(read)
}

enum Step {
    Key(String),
    Index(usize),
}

/// Where the reader is. The path is not unwound on failure: it then is the place.
#[derive(Default)]
struct State {
    path: Vec<Step>,
    refused: Option<&'static str>,
}

impl State {
    fn refusal(self, text: &str, error: &serde_json::Error) -> JsonError {
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => push_token(&mut pointer, key),
                Step::Index(index) => push_token(&mut pointer, &index.to_string()),
            }
        }
        refusal(
            self.refused.unwrap_or_else(|| code_of(error)),
            pointer,
            text,
            error,
        )
    }

    fn refuse<E: serde::de::Error>(&mut self, code: &'static str, message: impl fmt::Display) -> E {
        self.refused = Some(code);
        E::custom(message)
    }
}

fn refusal(
    code: &'static str,
    pointer: String,
    text: &str,
    error: &serde_json::Error,
) -> JsonError {
    let (line, column) = match (error.line(), error.column()) {
        // A line break at fault is told as what comes behind it: nothing, a line further down.
        (next @ 2.., 0) => {
            let line = text.split('\n').nth(next - 2).unwrap_or_default();
            (next - 1, line.len() + 1)
        }
        (line, column) => (line, column.max(1)),
    };
    let told = error.to_string();
    let message = told
        .strip_suffix(&format!(
            " at line {} column {}",
            error.line(),
            error.column()
        ))
        .unwrap_or(&told);
    JsonError {
        code,
        pointer,
        line,
        column,
        message: message.to_owned(),
    }
}

/// serde_json tells its own refusals apart by text only.
fn code_of(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with("number out of range") {
        JsonError::NUMBER_RANGE
    } else if text.contains("surrogate") || text.starts_with("unexpected end of hex escape") {
        JsonError::ENCODING
    } else {
        JsonError::SYNTAX
    }
}

struct Strict<'a>(&'a mut State);

impl Strict<'_> {
    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.0.path.len() >= MAX_DEPTH {
            return Err(self.0.refuse(
                JsonError::DEPTH,
                format!("nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn too_great<E: serde::de::Error>(self) -> E {
        let message = format!("an integer beyond ±{MAX_SAFE_INTEGER} must travel as a string");
        self.0.refuse(JsonError::NUMBER_RANGE, message)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_SAFE_INTEGER {
            Err(self.too_great())
        } else {
            Ok(Value::from(value))
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_SAFE_INTEGER {
            Err(self.too_great())
        } else {
            Ok(Value::from(value))
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if prints_as_unsafe_integer(value) {
            return Err(self.too_great());
        }
        // What prints as an integer is read as one: `1.0`, `10e-1` and `1` are the same value.
        if value.fract() == 0.0 && value.abs() <= MAX_SAFE_INTEGER as f64 {
            return Ok(Value::from(value as i64));
        }
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self
                .0
                .refuse(JsonError::NUMBER_RANGE, "number out of range")),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut values = Vec::new();
        loop {
            self.0.path.push(Step::Index(values.len()));
            let Some(value) = seq.next_element_seed(Strict(self.0))? else {
                break;
            };
            values.push(value);
            self.0.path.pop();
        }
        self.0.path.pop();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let twice = members.contains_key(&key);
            self.0.path.push(Step::Key(key));
            if twice {
                return Err(self.0.refuse(
                    JsonError::DUPLICATE_KEY,
                    "the key stands twice in its object",
                ));
            }
            let value = map.next_value_seed(Strict(self.0))?;
            // What was pushed above; moved in and out of the path, so that no key is copied.
            let Some(Step::Key(key)) = self.0.path.pop() else {
                return Err(A::Error::custom("lost the path"));
            };
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests;
