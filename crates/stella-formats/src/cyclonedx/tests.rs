#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

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
        notice(r#""dependencies""#, r#""vulnerabilities""#),
        ("VULNERABILITIES_NOT_READ", "/vulnerabilities".into())
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
