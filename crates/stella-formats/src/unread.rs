//! What lies beside evidence and is none, or is some that cannot be read yet: refused by name, so
//! that whoever sent a whole folder knows that nothing of it is lost.

use serde_json::Value;

use crate::error::{FormatError, Reason};

/// The refusal of a JSON value of no known format.
pub(crate) fn value(value: &Value) -> FormatError {
    let name = name_of(value).unwrap_or("a document of no known format");
    FormatError::new(
        Reason::Unsupported,
        "",
        format!("{name}, which cannot be read"),
    )
}

/// Tells by members; the first that fit count.
fn name_of(value: &Value) -> Option<&'static str> {
    let has = |key: &str| value.get(key).is_some();
    let is = |key: &str, text: &str| value.get(key).is_some_and(|value| value == text);
    let schema = value
        .get("$schema")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let ssvc = has("schemaVersion") || schema.contains("SSVC") || has("decision_tree_url");
    let known = [
        (
            schema.contains("json-schema.org") || (has("$defs") && has("properties")),
            "a JSON Schema",
        ),
        (
            has("tests") && has("testschema_version"),
            "a list of test cases of CSAF",
        ),
        (
            has("metadata_version") && has("canonical_url"),
            "the metadata of a CSAF provider, a directory of advisories",
        ),
        (
            has("aggregator") && has("csaf_providers"),
            "a CSAF aggregator, a directory of providers",
        ),
        (
            value.pointer("/feed/entry").is_some(),
            "a ROLIE feed, a directory of advisories",
        ),
        (
            value.pointer("/service/workspace").is_some(),
            "a ROLIE service, a directory of feeds",
        ),
        (
            value.pointer("/categories/category").is_some(),
            "a list of categories of a ROLIE feed",
        ),
        (
            has("updated_at") && has("packages"),
            "the index of a VEX hub",
        ),
        (
            has("ID") && has("Sources"),
            "the manifest of a package in a VEX hub",
        ),
        (
            has("decision_points") && has("mapping"),
            "an SSVC decision table",
        ),
        (
            has("namespace") && has("key") && has("values"),
            "an SSVC decision point",
        ),
        (
            has("types") && has("schemaVersion"),
            "a registry of SSVC objects",
        ),
        (
            ssvc && (has("selections") || has("options")),
            "an SSVC decision outside a CVE record",
        ),
        (has("runs") && has("version"), "a SARIF report"),
        (has("payloadType") && has("signatures"), "a DSSE envelope"),
        (
            has("predicateType") && has("subject"),
            "an in-toto statement",
        ),
        (has("scorecard") && has("checks"), "an OpenSSF Scorecard"),
        (
            has("licensed") && has("described"),
            "a ClearlyDefined definition",
        ),
        (
            has("ghsaId"),
            "an advisory of GitHub in another form than OSV",
        ),
        (
            is("@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"),
            "an SPDX 3 document",
        ),
        (
            has("@graph") && has("@context"),
            "an SPDX 3 document or other JSON-LD",
        ),
        (
            has("SPDXVersion"),
            "a document in a form that SPDX never had",
        ),
        (has("xsd") && has("openvex"), "the vocabulary of OpenVEX"),
    ];
    let found = known.iter().find(|(is, _)| *is);
    found.map(|(_, name)| *name)
}

/// The refusal of bytes that do not begin as JSON does, unless they may be broken JSON.
pub(crate) fn bytes(bytes: &[u8]) -> Option<FormatError> {
    let refusal = |name: &str| {
        let message = format!("{name}, which cannot be read");
        Some(FormatError::at_line(Reason::Unsupported, 1, message))
    };
    let packed: [(&[u8], &str); 4] = [
        (b"\xfd7zXZ", "a file packed with xz"),
        (b"BZh", "a file packed with bzip2"),
        (b"\x28\xb5\x2f\xfd", "a file packed with zstd"),
        (b"PK\x03\x04", "a zip archive"),
    ];
    if let Some((_, name)) = packed.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let message = format!("{name}, which cannot be read; send what is in it");
        return Some(FormatError::at_line(Reason::Unsupported, 1, message));
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start();
    let first = text.lines().next()?;
    // A byte order mark before JSON is for the JSON reader to refuse.
    if first.starts_with(['{', '[', '\u{feff}']) || serde_json::from_str::<Value>(text).is_ok() {
        return None;
    }
    let columns = first.split(',').count();
    let names_document = |field: &str| {
        let name = field.trim_matches('"').strip_suffix(".json");
        name.is_some_and(|name| !name.contains('*'))
    };
    let name = if first.starts_with("-----BEGIN PGP") {
        "an OpenPGP signature or key"
    } else if is_checksum(first) {
        "a checksum"
    } else if columns == 2 && first.split(',').any(names_document) {
        "a list of changed documents, a directory of advisories"
    } else if names_document(first) {
        "a list of documents, a directory of advisories"
    } else if first.starts_with("row,") {
        "an SSVC decision table"
    } else if first.starts_with('<') {
        "XML or HTML"
    } else {
        "text that is neither JSON, an advisory in YAML nor an EPSS table"
    };
    refusal(name)
}

/// A digest in hex, and the name of the file.
fn is_checksum(line: &str) -> bool {
    let digest = line.split_ascii_whitespace().next().unwrap_or_default();
    let hex = |byte: u8| byte.is_ascii_hexdigit();
    [40, 64, 96, 128].contains(&digest.len()) && digest.bytes().all(hex)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::{Reason, read};

    /// What real folders hold is in the snapshots of `published`; here is what they do not.
    #[test]
    fn says_what_it_is() {
        for (text, name) in [
            (
                "a.json,2024-01-01T00:00:00Z\n",
                "a list of changed documents",
            ),
            (
                "\"2024/a.json\",\"2024-01-01T00:00:00Z\"",
                "a list of changed documents",
            ),
            ("2024/a.json\n2024/b.json\n", "a list of documents"),
            ("<?xml version=\"1.0\"?><bom/>", "XML"),
            ("# A title\n", "text that is neither"),
            ("PK\u{3}\u{4}", "a zip archive"),
            ("BZh91AY", "a file packed with bzip2"),
            (r#"{"payloadType":"x","signatures":[]}"#, "a DSSE envelope"),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                "an SPDX 3",
            ),
            (r#"{"feed":{"entry":[]}}"#, "a ROLIE feed"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(
                (error.reason, error.line),
                (Reason::Unsupported, 1),
                "{text}"
            );
            assert!(error.message.starts_with(name), "{text}: {}", error.message);
        }
    }
}
