#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;

fn refused(text: impl AsRef<[u8]>) -> (&'static str, String, usize) {
    let error = parse(text.as_ref()).unwrap_err();
    (error.code, error.pointer, error.line)
}

fn at(code: &'static str, pointer: &str, line: usize) -> (&'static str, String, usize) {
    (code, pointer.to_owned(), line)
}

#[test]
fn reads_what_it_should() {
    let value = parse(b" {\"a\" : [1, -2.5, 1E30, true, null, \"\\ud83d\\ude00\"]}\n").unwrap();
    assert_eq!(
        value,
        json!({"a": [1, -2.5, 1e30, true, null, "\u{1f600}"]})
    );
}

#[test]
fn reads_a_number_as_its_canonical_form_has_it() {
    assert_eq!(
        parse(b"[1.0, 10e-1, -0, -0.0, 1e2, -5.0]").unwrap(),
        json!([1, 1, 0, 0, 100, -5])
    );
    assert_eq!(from_slice::<u8>(b"7.0"), Ok(7));
    assert!(parse(b"1.5").unwrap().is_f64());
}

#[test]
fn refuses_with_code_and_place() {
    assert_eq!(
        refused("{\"a\":1,\n\"b\":{\"x/y\":[0,{\"c\":1,\n\"c\":2}]}}"),
        at("JSON_DUPLICATE_KEY", "/b/x~1y/1/c", 3)
    );
    assert_eq!(
        refused("{\"a\":1,\"\\u0061\":2}"),
        at("JSON_DUPLICATE_KEY", "/a", 1)
    );
    assert_eq!(refused("[1,\n 1e400]"), at("JSON_NUMBER_RANGE", "/1", 2));
    assert_eq!(
        refused("{\"n\":-9007199254740992}"),
        at("JSON_NUMBER_RANGE", "/n", 1)
    );
    assert_eq!(refused("[1,2"), at("JSON_SYNTAX", "/2", 1));
    assert_eq!(refused("{\"a\":\n{\"b\" 1}}"), at("JSON_SYNTAX", "/a/b", 2));
    assert_eq!(refused(""), at("JSON_SYNTAX", "", 1));
    assert_eq!(refused("{}\n{}"), at("JSON_TRAILING", "", 2));
    assert_eq!(refused("[\"\\ud800\"]"), at("JSON_ENCODING", "/0", 1));
    assert_eq!(refused("[\"\\udc00\"]"), at("JSON_ENCODING", "/0", 1));
    assert_eq!(
        refused("[\"\\ud800\\u0041\"]"),
        at("JSON_ENCODING", "/0", 1)
    );
    assert_eq!(refused("\u{feff}{}"), at("JSON_ENCODING", "", 1));
    assert_eq!(refused(b"{\n\"a\":\"\xff\"}"), at("JSON_ENCODING", "", 2));
    assert_eq!(refused(b"\xff\xfe{\0}\0"), at("JSON_ENCODING", "", 1));
    let error = parse(b"{\n\"a\":\"\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "not UTF-8 (line 2 column 6)");
    assert_eq!(
        parse(b"[nul]").unwrap_err().to_string(),
        "expected ident at /0 (line 1 column 5)"
    );
}

#[test]
fn a_text_that_ends_early_is_told_where_it_ended() {
    let pretty = "{\n  \"a\": [\n    true,\n\n    {\"b\": \"c\"}\n  ]\n}";
    for end in 1..pretty.len() {
        let (cut, last) = (&pretty[..end], end - 1);
        let error = parse(cut.as_bytes()).unwrap_err();
        let before = &cut[..last];
        let line = before.matches('\n').count() + 1;
        let column = last - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{cut:?}: {error}"
        );
    }
    let error = parse(b"{\n  \"a\": 1,\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "EOF while parsing a value (line 2 column 10)"
    );
    assert_eq!((parse(b"").unwrap_err().line, refused("[1,\n").2), (1, 1));
}

#[test]
fn bounds_integers_but_not_what_prints_an_exponent() {
    for good in [
        "9007199254740991",
        "-9007199254740991",
        "1E30",
        "1000000000000000000000",
        "9007199254740991.0",
        "-0",
    ] {
        assert!(parse(good.as_bytes()).is_ok(), "{good}");
    }
    for bad in [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "1e20",
        "9007199254740993.0",
        "-1e400",
    ] {
        assert_eq!(refused(bad).0, "JSON_NUMBER_RANGE", "{bad}");
    }
}

#[test]
fn bounds_depth_without_a_deep_stack() {
    let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(
        refused(nested(MAX_DEPTH + 1)),
        at("JSON_DEPTH", &"/0".repeat(MAX_DEPTH), 1)
    );
    assert_eq!(refused(nested(100_000)).0, "JSON_DEPTH");
    assert_eq!(refused(vec![b'['; 100_000]).0, "JSON_DEPTH");
    assert_eq!(refused("{\"a\":".repeat(100_000)).0, "JSON_DEPTH");
}

#[test]
fn an_error_of_shape_tells_its_place() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        n: u32,
    }
    type Outer = BTreeMap<String, Vec<Inner>>;
    assert!(from_slice::<Outer>(b"{\"a\":[{\"n\":1}]}").is_ok());
    let error = from_slice::<Outer>(b"{\"a\":[{\"n\":1},\n{\"n\":\"x\"}]}").unwrap_err();
    assert_eq!(
        (error.code, error.pointer.as_str(), error.line),
        ("JSON_SHAPE", "/a/1/n", 2)
    );
    let error = from_slice::<Outer>(b"{\"a\":[{\"n\":1,\n\"m\":1}]}").unwrap_err();
    assert_eq!(
        (error.code, error.pointer.as_str(), error.line),
        ("JSON_SHAPE", "/a/0/m", 2)
    );
}

#[test]
fn agrees_with_json_test_suite() {
    let Some(dir) = stella_testdata::dir("canon") else {
        return;
    };
    let (mut read, mut refused) = (0, 0);
    for entry in fs::read_dir(dir.join("jsontestsuite/test_parsing")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read(&path).unwrap();
        let result = parse(&text);
        crate::json::fuzz(&text);
        if name.starts_with("y_object_duplicated_key") {
            assert_eq!(result.unwrap_err().code, "JSON_DUPLICATE_KEY", "{name}");
        } else if name.starts_with("y_") {
            assert!(result.is_ok(), "{name}: {result:?}");
            read += 1;
        } else if name.starts_with("n_") {
            assert!(result.is_err(), "{name}");
            refused += 1;
        }
    }
    assert_eq!((read, refused), (93, 188));
}

#[test]
fn its_corpus_breaks_no_law() {
    stella_testdata::replay("json", crate::json::fuzz);
}

proptest! {
    #[test]
    fn arbitrary_bytes_break_no_law(data in prop::collection::vec(any::<u8>(), 0..200)) {
        crate::json::fuzz(&data);
    }

    #[test]
    fn near_json_breaks_no_law(text in "[\\[\\]{}\",:0-9eE+.\\\\ud8-f truefalsn\\n-]{0,60}") {
        crate::json::fuzz(text.as_bytes());
    }

    #[test]
    fn refuses_exactly_what_serde_json_refuses_beside_the_strict_rules(text in "[\\[\\]{}\",:0-9e. \\n-]{0,24}") {
        let lax = serde_json::from_str::<Value>(&text);
        match parse(text.as_bytes()) {
            Ok(value) => prop_assert_eq!(crate::canonical(&lax.unwrap()), crate::canonical(&value)),
            Err(error) if lax.is_ok() =>
                prop_assert!([JsonError::DUPLICATE_KEY, JsonError::NUMBER_RANGE].contains(&error.code)),
            Err(_) => {}
        }
    }
}
