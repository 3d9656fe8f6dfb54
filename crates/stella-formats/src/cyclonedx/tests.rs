#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use stella_api::VexStatus;

use super::*;
use crate::tests::json_files;
use crate::{Document, Format, Reason, read};

fn sbom(document: &Document) -> &Sbom {
    let Body::Sbom(sbom) = &document.body else {
        panic!("no SBOM")
    };
    sbom
}

const EXAMPLE: &str = r#"{
  "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1", "version": 2,
  "metadata": {"timestamp": "2024-01-01T00:00:00Z", "supplier": {"name": "Supplier"}, "manufacturer": {"name": "Maker"},
    "authors": [{"email": "x@example.org"}, {"name": "Author"}],
    "component": {"bom-ref": "root", "type": "application", "name": "app", "components": [{"type": "file", "name": "part"}]}},
  "components": [
    {"bom-ref": "a", "type": "library", "group": "g", "name": "a", "version": "1", "purl": "pkg:npm/a@1", "licenses": []},
    {"bom-ref": "b", "type": "library", "name": "b", "cpe": "cpe:2.3:a:b", "components": [
      {"type": "library", "name": "c", "components": [{"bom-ref": "d", "type": "library", "name": "d"}]}]}
  ],
  "dependencies": []
}"#;

#[test]
fn flattens_components_each_before_those_in_it() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::CycloneDx, Some("1.6"))
    );
    assert_eq!(document.notices, []);
    let sbom = sbom(&document);
    let places: Vec<(&str, &str)> = sbom
        .components
        .iter()
        .map(|component| (component.name.as_str(), component.pointer.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            ("app", "/metadata/component"),
            ("part", "/metadata/component/components/0"),
            ("a", "/components/0"),
            ("b", "/components/1"),
            ("c", "/components/1/components/0"),
            ("d", "/components/1/components/0/components/0"),
        ]
    );
    let a = &sbom.components[2];
    assert_eq!(
        (a.group.as_deref(), a.purl.as_deref(), a.version.as_deref()),
        (Some("g"), Some("pkg:npm/a@1"), Some("1"))
    );
    assert_eq!(
        (sbom.supplier.as_deref(), sbom.manufacturer.as_deref()),
        (Some("Supplier"), Some("Maker"))
    );
    assert_eq!(sbom.author.as_deref(), Some("Author"));
}

#[test]
fn names_supplier_serial_number_and_revision_as_upstream() {
    let upstream = read(EXAMPLE.as_bytes()).unwrap().upstream();
    assert_eq!(upstream.publisher.as_deref(), Some("Supplier"));
    assert_eq!(
        (upstream.id.as_deref(), upstream.version.as_deref()),
        (Some("urn:uuid:1"), Some("2"))
    );
    let bare = read(br#"{"bomFormat":"CycloneDX","specVersion":"1.2"}"#)
        .unwrap()
        .upstream();
    assert_eq!(
        (bare.publisher.as_deref(), bare.id, bare.version),
        (Some("unknown"), None, None)
    );
    let before_1_6 = EXAMPLE.replace("\"manufacturer\"", "\"manufacture\"");
    assert_eq!(
        sbom(&read(before_1_6.as_bytes()).unwrap())
            .manufacturer
            .as_deref(),
        Some("Maker")
    );
}

#[test]
fn notices_and_refuses_with_the_place() {
    let swap = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from));
        read(EXAMPLE.replacen(from, to, 1).as_bytes())
    };
    let notice = |from: &str, to: &str| {
        let notices = swap(from, to).unwrap().notices;
        assert_eq!(notices.len(), 1);
        (notices[0].code, notices[0].pointer.clone())
    };
    let d = "/components/1/components/0/components/0".to_owned();
    assert_eq!(
        notice(r#""bom-ref": "d""#, r#""bom-ref": "root""#),
        ("DUPLICATE_BOM_REF", d.clone())
    );
    assert_eq!(
        notice(r#""name": "d""#, r#""name": """#),
        ("COMPONENT_WITHOUT_NAME", d)
    );
    assert_eq!(
        notice(
            r#""dependencies""#,
            r#""vulnerabilities": [{}], "dependencies""#
        ),
        ("VULNERABILITY_WITHOUT_ID", "/vulnerabilities/0".into())
    );
    let refused = |from: &str, to: &str| {
        let error = swap(from, to).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    assert_eq!(
        refused("\"1.6\"", "\"2.0\""),
        (Reason::Unsupported, "/specVersion".into(), 2)
    );
    assert_eq!(
        refused("CycloneDX", "Other"),
        (Reason::Unsupported, "/bomFormat".into(), 2)
    );
    assert_eq!(
        refused("\"pkg:npm/a@1\"", "[]"),
        (Reason::Malformed, "/components/0/purl".into(), 7)
    );
    assert_eq!(
        refused("\"version\": 2", "\"version\": \"2\""),
        (Reason::Malformed, "/version".into(), 2)
    );
    assert_eq!(
        refused("\"specVersion\": \"1.6\",", ""),
        (Reason::Malformed, "/specVersion".into(), 1)
    );
}

#[test]
fn reads_every_published_bom() {
    let Some(dir) = stella_testdata::dir("sbom") else {
        return;
    };
    let (mut boms, mut components, mut refused) = (0, 0, Vec::new());
    for path in json_files(&dir) {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match read(&bytes) {
            Ok(document) if document.format == Format::CycloneDx => {
                boms += 1;
                components += sbom(&document).components.len();
            }
            Ok(_) => {}
            Err(_) if String::from_utf8_lossy(&bytes).contains("\"bomFormat\"") => {
                refused.push(name)
            }
            Err(_) => {}
        }
    }
    assert_eq!(refused, ["invalid-bomformat-1.4.json"]);
    // Counted by another program.
    assert_eq!((boms, components), (196, 7246));
}

const VEX: &str = r#"{
  "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:2", "version": 3,
  "metadata": {"timestamp": "2024-01-01T00:00:00Z", "supplier": {"name": "Supplier"},
    "component": {"bom-ref": "app", "name": "app", "purl": "pkg:cargo/app@1.0.0", "cpe": "cpe:2.3:a:app"}},
  "vulnerabilities": [
    {"id": "CVE-2024-1", "references": [{"id": "GHSA-1"}], "affects": [{"ref": "app"}],
     "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "words",
       "lastUpdated": "2024-02-01T00:00:00Z"}},
    {"id": "CVE-2024-2", "analysis": {"state": "resolved"}, "affects": [
      {"ref": "urn:cdx:1/2#a"}, {"ref": "pkg:npm/a@1"}]}
  ]}"#;

#[test]
fn only_vulnerabilities_make_it_vex() {
    let document = read(VEX.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.kind().as_str()),
        (Format::CycloneDx, "vex")
    );
    assert_eq!(document.notices, []);
    assert_eq!(
        document.identifiers(),
        ["CVE-2024-1", "GHSA-1", "CVE-2024-2"]
    );
    let upstream = document.upstream();
    assert_eq!(
        (
            upstream.publisher.as_deref(),
            upstream.id.as_deref(),
            upstream.version.as_deref()
        ),
        (Some("Supplier"), Some("urn:uuid:2"), Some("3"))
    );
    let vex = document.vex().unwrap();
    let [first, second] = vex.statements.as_slice() else {
        panic!("two statements")
    };
    assert_eq!(
        (
            first.status,
            first.justification.as_deref(),
            first.impact_statement.as_deref()
        ),
        (
            VexStatus::NotAffected,
            Some("code_not_reachable"),
            Some("words")
        )
    );
    assert_eq!(vex.stated_at(first), Some("2024-02-01T00:00:00Z"));
    assert_eq!(vex.stated_at(second), Some("2024-01-01T00:00:00Z"));
    let product = &first.products[0];
    assert_eq!(
        (product.bom_ref.as_deref(), product.purls()),
        (Some("app"), vec!["pkg:cargo/app@1.0.0"])
    );
    assert_eq!(
        (first.pointer.as_str(), product.pointer.as_str()),
        ("/vulnerabilities/0", "/vulnerabilities/0/affects/0")
    );
    assert_eq!(
        (second.status, second.products[1].purls()),
        (VexStatus::Fixed, vec!["pkg:npm/a@1"])
    );
    let listed = VEX.replace(
        "\"vulnerabilities\"",
        "\"components\": [{\"name\": \"x\"}], \"vulnerabilities\"",
    );
    let listed = read(listed.as_bytes()).unwrap();
    assert_eq!(listed.kind().as_str(), "sbom");
    let Body::Sbom(sbom) = &listed.body else {
        panic!("no SBOM")
    };
    assert_eq!(sbom.vex.as_ref(), Some(vex), "what it states is the same");
    let empty = VEX.replace(
        "\"vulnerabilities\"",
        "\"components\": [], \"vulnerabilities\"",
    );
    assert_eq!(read(empty.as_bytes()).unwrap().kind().as_str(), "vex");
}

#[test]
fn notices_what_is_not_stated() {
    let notices = |from: &str, to: &str| {
        assert!(VEX.contains(from));
        let read = read(VEX.replacen(from, to, 1).as_bytes()).unwrap();
        let told = read
            .notices
            .into_iter()
            .map(|notice| (notice.code, notice.pointer));
        told.collect::<Vec<_>>()
    };
    let first = |code, rest: &str| (code, format!("/vulnerabilities/0{rest}"));
    assert_eq!(
        notices("\"not_affected\"", "\"odd\""),
        [first("ANALYSIS_MISSING", "")]
    );
    assert_eq!(
        notices("\"analysis\"", "\"x\""),
        [first("ANALYSIS_MISSING", "")]
    );
    let none = VEX.replace("\"analysis\"", "\"x\"");
    let told = read(none.as_bytes()).unwrap().notices;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("of 2:"), "{told:?}");
    assert_eq!(
        notices("code_not_reachable", "odd"),
        [first("UNKNOWN_JUSTIFICATION", "")]
    );
    assert_eq!(
        notices(
            r#""justification": "code_not_reachable", "detail": "words""#,
            r#""x": 1"#
        ),
        [first("JUSTIFICATION_MISSING", "")]
    );
    assert_eq!(
        notices(r#"{"ref": "app"}"#, r#"{"ref": "other"}"#),
        [first("UNDEFINED_REF", "/affects/0")]
    );
    assert_eq!(
        notices(r#"{"ref": "app"}"#, r#"{"ref": "app", "versions": []}"#),
        [first("AFFECTED_VERSIONS_NOT_READ", "/affects/0")]
    );
    assert_eq!(
        notices(r#""supplier": {"name": "Supplier"}"#, r#""x": 1"#),
        [("AUTHOR_MISSING", String::new())]
    );
}

#[test]
fn reads_every_published_vex_document() {
    let Some(dir) = stella_testdata::dir("vex") else {
        return;
    };
    let (mut documents, mut statements) = (0, 0);
    for path in json_files(&dir.join("cyclonedx-vex")) {
        let document = read(&fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let vex = path
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("vex");
        assert_eq!(document.kind().as_str() == "vex", vex, "{}", path.display());
        documents += usize::from(vex);
        statements += document.vex().map_or(0, |vex| vex.statements.len());
    }
    // Counted by another program.
    assert_eq!((documents, statements), (25, 112));
}
