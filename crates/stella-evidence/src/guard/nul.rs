//! U+0000 in the texts of a document (the envelope refuses all control characters). JSON can say
//! it and PostgreSQL's texts cannot hold it: a document with it would be taken on one engine and
//! fail on the other, or be kept and never be derived from.

use serde_json::Value;
use stella_canonical::json::{self, push_token};

const ESCAPED: &[u8] = b"\\u0000";

/// The pointer of the first text of a JSON document that holds U+0000.
pub(super) fn in_document(bytes: &[u8]) -> Option<String> {
    // Only the escape can say it, and hardly any document does: nothing is read twice for the rest.
    let said = bytes.windows(ESCAPED.len()).any(|part| part == ESCAPED);
    let value = said.then(|| json::parse(bytes).ok()).flatten()?;
    let mut pointer = String::new();
    search(&value, &mut pointer).then_some(pointer)
}

/// A key that holds it is told by the place of what has the key.
fn search(value: &Value, pointer: &mut String) -> bool {
    let mut below = |token: &str, value: &Value| {
        let end = pointer.len();
        push_token(pointer, token);
        let found = search(value, pointer);
        if !found {
            pointer.truncate(end);
        }
        found
    };
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.any(|(index, item)| below(&index.to_string(), item))
        }
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains('\0') || below(key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_first_is_told() {
        let told = |text: &str| in_document(text.as_bytes());
        assert_eq!(
            told(r#"{"a": ["x", {"b/c": "y\u0000"}]}"#).unwrap(),
            "/a/1/b~1c"
        );
        assert_eq!(told(r#"{"a": {"k\u0000": 1}}"#).unwrap(), "/a");
        assert_eq!(told(r#"{"a": "\u0001", "b": ["\\u0000", "u0000"]}"#), None);
        assert_eq!(told(r#"{"a": 0}"#), None);
    }
}
