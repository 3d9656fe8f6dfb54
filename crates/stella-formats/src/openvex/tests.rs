#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use super::*;
use crate::tests::json_files;
use crate::{Body, Document, Format, Reason, read};

fn vex(document: &Document) -> &VexDocument {
    let Body::Vex(vex) = &document.body else {
        panic!("no VEX document")
    };
    vex
}

const EXAMPLE: &str = r#"{
  "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Example Security",
  "timestamp": "2024-01-01T00:00:00Z", "version": 3, "tooling": "by hand",
  "statements": [
    {"vulnerability": {"name": "CVE-2024-1", "aliases": ["GHSA-a", "CVE-2024-1"]}, "status": "not_affected",
     "justification": "vulnerable_code_not_present", "timestamp": "2024-01-02T00:00:00Z",
     "products": [{"@id": "pkg:oci/app@sha256%3Aab", "identifiers": {"purl": "pkg:oci/app", "cpe23": "cpe:2.3:a:x:app:*"},
       "hashes": {"sha-256": "ab"}, "subcomponents": [{"@id": "pkg:npm/a@1"}, {"identifiers": {"purl": "pkg:npm/b@2"}}]}]},
    {"vulnerability": {"@id": "https://example.org/CVE-2024-2"}, "status": "fixed", "products": [{"@id": "https://example.org/app"}]}
  ]
}"#;

#[test]
fn reads_statements_as_published_with_their_places() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::OpenVex, Some("0.2.0"))
    );
    assert_eq!(document.notices, []);
    assert_eq!(
        document.identifiers(),
        ["CVE-2024-1", "GHSA-a", "https://example.org/CVE-2024-2"]
    );
    let vex = vex(&document);
    let [first, second] = &vex.statements[..] else {
        panic!("two statements")
    };
    assert_eq!(
        (first.status, first.justification.as_deref()),
        (VexStatus::NotAffected, Some("vulnerable_code_not_present"))
    );
    assert_eq!(
        first.products[0].purls(),
        ["pkg:oci/app@sha256%3Aab", "pkg:oci/app"]
    );
    assert_eq!(first.products[0].hashes["sha-256"], "ab");
    let parts: Vec<&str> = first
        .parts(&first.products[0])
        .flat_map(VexProduct::purls)
        .collect();
    assert_eq!(parts, ["pkg:npm/a@1", "pkg:npm/b@2"]);
    assert_eq!(
        first.products[0].subcomponents[1].pointer,
        "/statements/0/products/0/subcomponents/1"
    );
    assert_eq!(vex.stated_at(first), Some("2024-01-02T00:00:00Z"));
    assert_eq!(
        (second.status.as_str(), vex.stated_at(second)),
        ("fixed", Some("2024-01-01T00:00:00Z"))
    );
    assert!(second.products[0].purls().is_empty());
    let upstream = document.upstream();
    assert_eq!(upstream.publisher.as_deref(), Some("Example Security"));
    assert_eq!(
        (upstream.id.as_deref(), upstream.version.as_deref()),
        (Some("https://example.org/vex/1"), Some("3"))
    );
}

#[test]
fn reads_the_drafts() {
    let draft = br#"{"@context":"https://openvex.dev/ns","@id":"x","author":"a","version":"1","statements":[
        {"vulnerability":"CVE-2023-1","products":["pkg:apk/p","pkg:apk/q"],"subcomponents":["pkg:apk/r"],
         "status":"affected"}]}"#;
    let document = read(draft).unwrap();
    assert_eq!(
        (
            document.spec_version.as_deref(),
            document.upstream().version.as_deref()
        ),
        (None, Some("1"))
    );
    let statement = &vex(&document).statements[0];
    assert_eq!(statement.vulnerability.name, "CVE-2023-1");
    for product in &statement.products {
        assert_eq!(
            statement
                .parts(product)
                .flat_map(VexProduct::purls)
                .collect::<Vec<_>>(),
            ["pkg:apk/r"]
        );
    }
}

fn swapped(from: &str, to: &str) -> Result<Document, crate::FormatError> {
    assert!(EXAMPLE.contains(from));
    read(EXAMPLE.replacen(from, to, 1).as_bytes())
}

#[test]
fn notices_what_a_statement_lacks() {
    let notices = |from: &str, to: &str| -> Vec<(&'static str, String)> {
        swapped(from, to)
            .unwrap()
            .notices
            .into_iter()
            .map(|notice| (notice.code, notice.pointer))
            .collect()
    };
    let first = |code| [(code, "/statements/0".to_owned())];
    assert_eq!(
        notices(r#""justification": "vulnerable_code_not_present","#, ""),
        first("JUSTIFICATION_MISSING")
    );
    assert_eq!(
        notices(
            r#""justification": "vulnerable_code_not_present""#,
            r#""impact_statement": "not built""#
        ),
        []
    );
    assert_eq!(
        notices("vulnerable_code_not_present", "trust_me"),
        first("UNKNOWN_JUSTIFICATION")
    );
    assert_eq!(
        notices(
            r#""products": [{"@id": "pkg:oci"#,
            r#""goods": [{"@id": "pkg:oci"#
        ),
        first("PRODUCTS_MISSING")
    );
    let second = |code| [(code, "/statements/1".to_owned())];
    assert_eq!(
        notices(r#"[{"@id": "https://example.org/app"}]"#, "[{}]"),
        second("PRODUCT_WITHOUT_IDENTIFIER")
    );
    assert_eq!(
        notices("Example Security", " "),
        [("AUTHOR_MISSING", String::new())]
    );
}

#[test]
fn refuses_a_wrong_shape_with_its_place() {
    let refused = |from: &str, to: &str| {
        let error = swapped(from, to).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
    assert_eq!(
        refused("not_affected", "unaffected"),
        malformed("/statements/0/status", 5)
    );
    assert_eq!(
        refused(r#""vulnerability": {"name""#, r#""flaw": {"name""#),
        malformed("/statements/0/vulnerability", 5)
    );
    assert_eq!(
        refused(r#"[{"@id": "https://example.org/app"}]"#, "[1]"),
        malformed("/statements/1/products/0", 9)
    );
    assert_eq!(
        refused(r#""statements""#, r#""says""#),
        malformed("/statements", 1)
    );
    assert_eq!(
        refused("ns/v0.2.0", "ns/v1.0.0"),
        (Reason::Unsupported, "/@context".to_owned(), 2)
    );
}

#[test]
fn reads_every_published_document() {
    let Some(dir) = stella_testdata::dir("vex") else {
        return;
    };
    let (mut documents, mut statements, mut drafts) = (0, 0, 0);
    for path in json_files(&dir) {
        let bytes = fs::read(&path).unwrap();
        let Ok(document) = read(&bytes) else { continue };
        if document.format != Format::OpenVex {
            continue;
        }
        assert_eq!(document.notices, [], "{}", path.display());
        documents += 1;
        drafts += usize::from(document.spec_version.as_deref() != Some("0.2.0"));
        statements += vex(&document).statements.len();
        assert!(
            vex(&document)
                .statements
                .iter()
                .all(|statement| !statement.products.is_empty())
        );
    }
    // Counted by another program.
    assert_eq!((documents, drafts, statements), (43, 5, 9727));
    // No OpenVEX document is among those that were refused.
    let refused = json_files(&dir).into_iter().filter(|path| {
        let bytes = fs::read(path).unwrap();
        read(&bytes).is_err()
            && String::from_utf8_lossy(&bytes).contains("\"@context\": \"https://openvex.dev")
    });
    assert_eq!(refused.count(), 0);
}
