//! Where two answers differ, as JSON pointers.

use serde::Serialize;
use serde_json::Value;
use stella_api::replay::Difference;
use stella_canonical::json::push_token;

use crate::ReplayError;

/// One place.
pub(super) fn one(subject: &str, pointer: &str, expected: &str, actual: &str) -> Difference {
    Difference {
        subject: subject.to_owned(),
        pointer: pointer.to_owned(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
    }
}

/// Every place where the JSON forms of two values differ, in their order.
pub(super) fn between<T: Serialize>(
    subject: &str,
    expected: &T,
    actual: &T,
) -> Result<Vec<Difference>, ReplayError> {
    let json = |value: &T| {
        serde_json::to_value(value).map_err(|error| ReplayError::unreadable("answer", error))
    };
    let mut found = Vec::new();
    compare(subject, "", &json(expected)?, &json(actual)?, &mut found);
    Ok(found)
}

fn compare(subject: &str, at: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
    let below = |token: &str| {
        let mut pointer = at.to_owned();
        push_token(&mut pointer, token);
        pointer
    };
    match (expected, actual) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (x, y) = (a.get(name), b.get(name));
                let absent = Value::Null;
                let (x, y) = (x.unwrap_or(&absent), y.unwrap_or(&absent));
                compare(subject, &below(name), x, y, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (x, y)) in a.iter().zip(b).enumerate() {
                compare(subject, &below(&index.to_string()), x, y, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(one(subject, at, &a.to_string(), &b.to_string())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::between;

    #[test]
    fn every_place_is_told_once() {
        let a = json!({"a": [1, 2], "b": {"c/d": 1}, "e": 1, "same": true});
        let b = json!({"a": [1, 3], "b": {"c/d": 2}, "same": true});
        let told = between("x", &a, &b).unwrap();
        let pointers: Vec<&str> = told.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/1", "/b/c~1d", "/e"]);
        assert!(between("x", &a, &a).unwrap().is_empty());
    }
}
