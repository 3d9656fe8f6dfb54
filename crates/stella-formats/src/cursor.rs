//! A place in a document: a value and the JSON pointer that leads to it.
//!
//! A member that is absent or `null` is not there; one of another type than its format gives it
//! is malformed.

use jiff::Timestamp;
use serde_json::{Map, Value};
use stella_canonical::json;

use crate::Notice;
use crate::error::{FormatError, Reason};

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) value: &'a Value,
    pub(crate) pointer: String,
}

impl<'a> Cursor<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            value,
            pointer: String::new(),
        }
    }

    pub(crate) fn pointer_to(&self, key: &str) -> String {
        let mut pointer = self.pointer.clone();
        json::push_token(&mut pointer, key);
        pointer
    }

    pub(crate) fn malformed(&self, key: &str, message: impl Into<String>) -> FormatError {
        FormatError::new(Reason::Malformed, self.pointer_to(key), message)
    }

    pub(crate) fn unsupported(&self, key: &str, message: impl Into<String>) -> FormatError {
        FormatError::new(Reason::Unsupported, self.pointer_to(key), message)
    }

    pub(crate) fn notice(&self, code: &'static str, message: impl Into<String>) -> Notice {
        Notice {
            code,
            pointer: self.pointer.clone(),
            message: message.into(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    /// The value itself as an object.
    pub(crate) fn members(&self) -> Result<&'a Map<String, Value>, FormatError> {
        let wrong = || FormatError::new(Reason::Malformed, &self.pointer, "expected an object");
        self.value.as_object().ok_or_else(wrong)
    }

    pub(crate) fn object(&self, key: &str) -> Result<Option<Self>, FormatError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let cursor = Self {
            value,
            pointer: self.pointer_to(key),
        };
        cursor.members().map(|_| Some(cursor))
    }

    /// An object without which the rest says nothing.
    pub(crate) fn required_object(&self, key: &str) -> Result<Self, FormatError> {
        self.object(key)?.ok_or_else(|| self.missing(key))
    }

    fn missing(&self, key: &str) -> FormatError {
        self.malformed(key, format!("`{key}` is missing"))
    }

    pub(crate) fn str(&self, key: &str) -> Result<Option<&'a str>, FormatError> {
        let text = |value: &'a Value| {
            value
                .as_str()
                .ok_or_else(|| self.malformed(key, "expected a string"))
        };
        self.get(key).map(text).transpose()
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, FormatError> {
        Ok(self.str(key)?.map(str::to_owned))
    }

    /// Whether there is a list that is not empty.
    pub(crate) fn lists(&self, key: &str) -> bool {
        let list = self.get(key).and_then(Value::as_array);
        list.is_some_and(|list| !list.is_empty())
    }

    /// A string where it is there and not empty.
    pub(crate) fn filled(&self, key: &str) -> Result<Option<String>, FormatError> {
        Ok(self.text(key)?.filter(|text| !text.trim().is_empty()))
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required(&self, key: &str) -> Result<String, FormatError> {
        match self.str(key)? {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            Some(_) => Err(self.malformed(key, format!("`{key}` is empty"))),
            None => Err(self.missing(key)),
        }
    }

    /// A time as published; a notice where it is not RFC 3339.
    pub(crate) fn time(
        &self,
        key: &str,
        notices: &mut Vec<Notice>,
    ) -> Result<Option<String>, FormatError> {
        let text = self.text(key)?;
        if let Some(bad) = text
            .as_deref()
            .filter(|text| text.parse::<Timestamp>().is_err())
        {
            let message = format!("{bad:?} is no time of RFC 3339");
            notices.push(Notice {
                code: "TIME_NOT_RFC3339",
                pointer: self.pointer_to(key),
                message,
            });
        }
        Ok(text)
    }

    pub(crate) fn array(&self, key: &str) -> Result<Vec<Self>, FormatError> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let items = value
            .as_array()
            .ok_or_else(|| self.malformed(key, "expected an array"))?;
        let base = self.pointer_to(key);
        let place = |(index, value)| Self {
            value,
            pointer: format!("{base}/{index}"),
        };
        Ok(items.iter().enumerate().map(place).collect())
    }

    /// An array of objects.
    pub(crate) fn objects(&self, key: &str) -> Result<Vec<Self>, FormatError> {
        let items = self.array(key)?;
        items.iter().try_for_each(|item| item.members().map(drop))?;
        Ok(items)
    }

    /// What is read of each object of an array.
    pub(crate) fn each<T>(
        &self,
        key: &str,
        read: impl FnMut(&Self) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, FormatError> {
        self.objects(key)?.iter().map(read).collect()
    }

    /// An array of strings.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>, FormatError> {
        self.array(key)?.iter().map(Self::as_text).collect()
    }

    pub(crate) fn as_text(&self) -> Result<String, FormatError> {
        let wrong = || FormatError::new(Reason::Malformed, &self.pointer, "expected a string");
        self.value.as_str().map(str::to_owned).ok_or_else(wrong)
    }
}
