//! Canonical JSON of RFC 8785 (JCS), under the rules of [`crate::json`].

use serde::Serialize;

use crate::json::{self, JsonError};
use crate::strict::Strict;

/// Why a value has no canonical form: a number is not finite or is an integer beyond ±(2^53−1), a
/// key is no string or stands twice, the nesting is too deep, or the value's own serialisation
/// failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("writing canonical JSON: {0}")]
pub struct CanonicalError(pub String);

/// Writes the canonical JSON of a value (RFC 8785).
///
/// Whatever this returns [`json::parse`] reads.
///
/// # Errors
/// Where a number is not finite or is an integer beyond ±(2^53−1), where a key stands twice in an
/// object, where the value is nested deeper than [`json::MAX_DEPTH`], and where the value's own
/// serialisation fails.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(&Strict { value, depth: 0 })
        .map_err(|error| CanonicalError(error.to_string()))
}

/// Reads JSON text strictly and writes its canonical form (RFC 8785).
///
/// # Errors
/// As [`json::parse`].
pub fn canonicalize(text: &[u8]) -> Result<Vec<u8>, JsonError> {
    canonical(&json::parse(text)?).map_err(|error| JsonError::unwritable(error.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &impl Serialize) -> String {
        String::from_utf8(canonical(value).unwrap()).unwrap()
    }

    #[derive(Serialize)]
    enum Shape {
        Unit,
        Newtype(f64),
        Tuple(f64, u8),
        Struct { n: f64 },
    }

    #[test]
    fn writes_every_shape_as_serde_json_does() {
        let shapes = (
            Shape::Unit,
            Shape::Newtype(0.5),
            Shape::Tuple(1.5, 1),
            Shape::Struct { n: 2.5 },
            'c',
            Some(1),
            (),
        );
        assert_eq!(
            text(&shapes),
            r#"["Unit",{"Newtype":0.5},{"Tuple":[1.5,1]},{"Struct":{"n":2.5}},"c",1,null]"#
        );
    }

    #[test]
    fn sorts_keys_by_utf16_and_prints_numbers_as_ecmascript() {
        let value =
            json!({"\u{fb33}": 1, "\u{1f600}": 2, "b": [1.0, 1e21, -0.0, 0.1], "a": "\u{7f}\n/"});
        assert_eq!(
            text(&value),
            "{\"a\":\"\u{7f}\\n/\",\"b\":[1,1e+21,0,0.1],\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn refuses_what_is_not_finite() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refused = Err(CanonicalError("a number is not finite".to_owned()));
            assert_eq!(canonical(&number), refused);
            assert_eq!(
                canonical(&BTreeMap::from([("score", vec![Some(number)])])),
                refused
            );
            assert_eq!(canonical(&Shape::Tuple(number, 1)), refused);
            assert_eq!(canonical(&Shape::Struct { n: number }), refused);
            assert_eq!(canonical(&Shape::Newtype(number)), refused);
        }
        assert!(canonical(&f32::NAN).is_err());
    }

    #[test]
    fn refuses_integers_that_a_double_cannot_hold() {
        assert_eq!(text(&9_007_199_254_740_991_u64), "9007199254740991");
        assert_eq!(text(&-9_007_199_254_740_991_i64), "-9007199254740991");
        assert_eq!(text(&1e30), "1e+30");
        assert_eq!(
            text(&json!({"digest": "90071992547409929007199254740992"})).len(),
            45
        );
        assert!(canonical(&json!({"a": [0, 9_007_199_254_740_992_u64]})).is_err());
        assert!(
            canonical(&BTreeMap::from([(9_007_199_254_740_993_u64, ())])).is_err(),
            "as a key"
        );
        assert!(canonical(&u128::MAX).is_err());
        assert!(canonical(&u64::MAX).is_err());
        assert!(canonical(&i64::MIN).is_err());
        assert!(canonical(&1e20).is_err());
    }

    #[test]
    fn refuses_what_the_reader_would_find_too_deep() {
        let nested =
            |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(canonical(&nested(json::MAX_DEPTH)).is_ok());
        assert!(
            canonical(&nested(json::MAX_DEPTH + 1))
                .unwrap_err()
                .to_string()
                .contains("deeper than 128")
        );
        assert!(canonical(&Shape::Newtype(0.0)).is_ok_and(|bytes| json::parse(&bytes).is_ok()));
    }

    #[test]
    fn agrees_with_the_published_jcs_vectors() {
        let Some(dir) = stella_testdata::dir("canon") else {
            return;
        };
        let mut tried = 0;
        for entry in fs::read_dir(dir.join("jcs/input")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let got = canonicalize(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(
                got,
                fs::read(dir.join(format!("jcs/output/{name}.json"))).unwrap(),
                "{name}"
            );
            let hex = fs::read_to_string(dir.join(format!("jcs/outhex/{name}.txt"))).unwrap();
            let hex: Vec<u8> = hex
                .split_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                .collect();
            assert_eq!(got, hex, "{name}");
            tried += 1;
        }
        assert_eq!(tried, 6);
    }

    #[test]
    fn prints_every_double_as_ecmascript_does() {
        let Some(dir) = stella_testdata::dir("canon") else {
            return;
        };
        let (mut tried, mut refused) = (0, 0);
        for line in fs::read_to_string(dir.join("derived/es6-numbers-10k.txt"))
            .unwrap()
            .lines()
        {
            let (bits, expected) = line.split_once(',').unwrap();
            let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
            assert_eq!(
                serde_json_canonicalizer::to_string(&number).unwrap(),
                expected
            );
            // Beyond the safe integers the strict rule applies, with and without a reader.
            let unsafe_integer =
                !expected.contains(['e', '.']) && number.abs() > 9_007_199_254_740_991.0;
            assert_eq!(canonical(&number).is_err(), unsafe_integer, "{line}");
            match canonicalize(expected.as_bytes()) {
                Ok(bytes) => assert_eq!(bytes, expected.as_bytes(), "{line}"),
                Err(error) => assert_eq!(
                    (error.code, unsafe_integer),
                    ("JSON_NUMBER_RANGE", true),
                    "{line}"
                ),
            }
            tried += 1;
            refused += usize::from(unsafe_integer);
        }
        assert!(tried >= 10_000 && refused < tried / 10, "{tried} {refused}");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonicalising_twice_changes_nothing(value in any_json()) {
            if let Ok(once) = canonical(&value) {
                prop_assert_eq!(&canonicalize(&once).unwrap(), &once);
                let pretty = serde_json::to_vec_pretty(&value).unwrap();
                prop_assert_eq!(canonicalize(&pretty).unwrap(), once);
            }
        }
    }
}
