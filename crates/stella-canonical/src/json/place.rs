//! The line and column of a JSON pointer.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Finds the line and column, both from 1, at which the value of a JSON pointer begins.
///
/// For messages about text that was read before: it reads the text again up to that place. Columns
/// count bytes. `None` where the pointer leads nowhere.
#[must_use]
pub fn place(text: &[u8], pointer: &str) -> Option<(usize, usize)> {
    if pointer.is_empty() {
        return Some((1, 1));
    }
    let tokens: Vec<String> = pointer
        .strip_prefix('/')?
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    let mut found = false;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let result = Seek {
        tokens: &tokens,
        found: &mut found,
    }
    .deserialize(&mut deserializer);
    let error = result.err()?;
    found.then(|| (error.line(), error.column() + 1))
}

/// Descends along the tokens and fails on purpose at the end: the error carries the place.
struct Seek<'a> {
    tokens: &'a [String],
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.tokens.is_empty() {
            *self.found = true;
            return Err(D::Error::custom("found"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let index: usize = self.tokens[0].parse().map_err(A::Error::custom)?;
        for _ in 0..index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Err(A::Error::custom("no such element"));
            }
        }
        seq.next_element_seed(Seek {
            tokens: &self.tokens[1..],
            found: self.found,
        })
        .map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.tokens[0] {
                return map.next_value_seed(Seek {
                    tokens: &self.tokens[1..],
                    found: self.found,
                });
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(A::Error::custom("no such member"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::place;

    #[test]
    fn finds_lines_and_columns() {
        let text = b"{\n  \"a\": [1,\n    {\"x/y\": {\"~\": null}}],\n  \"b\": 2\n}";
        assert_eq!(place(text, ""), Some((1, 1)));
        assert_eq!(place(text, "/a").unwrap().0, 2);
        assert_eq!(place(text, "/a/0"), Some((2, 9)));
        assert_eq!(place(text, "/a/1/x~1y"), Some((3, 13)));
        assert_eq!(place(b"{\"a\":\n\n  [ [] ]}", "/a"), Some((3, 3)));
        assert_eq!(place(b"{\"a\":\n\n  [ [] ]}", "/a/0"), Some((3, 5)));
        assert_eq!(place(text, "/a/1/x~1y/~0").unwrap().0, 3);
        assert_eq!(place(text, "/b"), Some((4, 8)));
        for nowhere in ["a", "/c", "/a/2", "/a/x", "/b/0", "/a/1/x/y"] {
            assert_eq!(place(text, nowhere), None, "{nowhere}");
        }
    }
}
