//! What holds of any bytes, for the property tests, the replay of published documents and the fuzz
//! targets. Each panics where it does not.

use serde_json::Value;
use stella_canonical::json;

use crate::{Body, Document, Format, FormatError, epss, format, osv, read, yaml};

/// Reads bytes as whatever they are: JSON reads the same in any order of members and with any
/// spaces, YAML the same as the JSON that says the same, and a table is lost nothing of.
pub fn fuzz(data: &[u8]) {
    let Some(document) = told(read(data)) else {
        return;
    };
    let same_but = |media_type, bytes: &[u8]| {
        let other = read(bytes).map(|other| Document {
            media_type: document.media_type,
            ..other
        });
        assert_eq!(
            other.as_ref(),
            Ok(&document),
            "not the same as {media_type}"
        );
    };
    match (&document.body, osv::yaml(data)) {
        (Body::Epss(_), _) => table_laws(&document),
        (_, Some(text)) => {
            let value = yaml::parse(text).map(|value| value.to_string());
            same_but("JSON", value.unwrap_or_default().as_bytes());
        }
        _ => {
            let canonical = stella_canonical::canonicalize(data);
            same_but("canonical JSON", &canonical.unwrap_or_default());
        }
    }
}

/// Reads bytes as YAML: what is read is JSON too, and a value has its place where its error would.
pub fn fuzz_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match yaml::parse(text) {
        Ok(value) => {
            assert_eq!(
                json::parse(value.to_string().as_bytes()).as_ref(),
                Ok(&value)
            );
            assert!(yaml::place(text, "/a/0").0 > 0);
        }
        Err(error) => assert!(error.line > 0 && !error.message.is_empty(), "{error:?}"),
    }
}

impl Format {
    /// Reads bytes as a document of this format, by whatever they would be recognised as: so its
    /// reader sees also what no other lets through. All that it names is there.
    pub fn fuzz(self, data: &[u8]) {
        let Some(reader) = self.json() else {
            told(epss::read(data)).iter().for_each(table_laws);
            return;
        };
        let Ok(value) = json::parse(data) else {
            return;
        };
        let document = format::read_as(self, reader, &value);
        if let Some(document) = told(document.map_err(|error| error.with_place(data))) {
            let told = serde_json::to_value(&document).unwrap_or_default();
            pointers_lead_somewhere(&told, &value);
            let _ = (document.kind(), document.upstream(), document.revised());
            let _ = (
                document.identifiers(),
                document.references(),
                document.vex(),
            );
        }
    }
}

/// A refusal says where and why.
fn told(read: Result<Document, FormatError>) -> Option<Document> {
    if let Err(error) = &read {
        assert!(error.line > 0 && !error.message.is_empty(), "{error:?}");
    }
    read.ok()
}

fn table_laws(document: &Document) {
    if let Body::Epss(scores) = &document.body {
        let again = epss::read(epss::written(scores).as_bytes());
        assert_eq!(
            again.map(|again| again.body).as_ref(),
            Ok(&document.body),
            "a table changes as it is written"
        );
    }
}

fn pointers_lead_somewhere(told: &Value, document: &Value) {
    match told {
        Value::Array(items) => {
            for item in items {
                pointers_lead_somewhere(item, document);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if let ("pointer", Value::String(pointer)) = (name.as_str(), member) {
                    assert!(
                        document.pointer(pointer).is_some(),
                        "{pointer} leads nowhere"
                    );
                }
                pointers_lead_somewhere(member, document);
            }
        }
        _ => {}
    }
}
