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
  "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "n",
  "documentNamespace": "https://example.org/spdx/1",
  "creationInfo": {"created": "2024-01-01T00:00:00Z", "creators": ["Tool: t", "Organization: Author ()"]},
  "packages": [
    {"SPDXID": "SPDXRef-app", "name": "app", "supplier": "Organization: Example (ACME) (mail@example.org)",
     "originator": "Person: Maker", "primaryPackagePurpose": "APPLICATION"},
    {"SPDXID": "SPDXRef-lib", "name": "lib", "versionInfo": "1.0", "supplier": "NOASSERTION", "externalRefs": [
      {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:cargo/lib@1.0"},
      {"referenceCategory": "SECURITY", "referenceType": "cpe22Type", "referenceLocator": "cpe:/a:lib"},
      {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:lib"}]}
  ],
  "files": [{"SPDXID": "SPDXRef-file"}],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-app"},
    {"spdxElementId": "SPDXRef-app", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-lib"},
    {"spdxElementId": "SPDXRef-lib", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-file"},
    {"spdxElementId": "SPDXRef-lib", "relationshipType": "VARIANT_OF", "relatedSpdxElement": "DocumentRef-x:SPDXRef-y"}
  ]
}"#;

#[test]
fn packages_are_components() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::Spdx, Some("2.3"))
    );
    assert_eq!(
        (document.kind().as_str(), &document.notices[..]),
        ("sbom", &[][..])
    );
    let sbom = sbom(&document);
    assert_eq!(sbom.subject, Some(0));
    assert_eq!(sbom.components[0].kind.as_deref(), Some("APPLICATION"));
    let lib = &sbom.components[1];
    assert_eq!(
        (
            lib.bom_ref.as_deref(),
            lib.pointer.as_str(),
            lib.version.as_deref()
        ),
        (Some("SPDXRef-lib"), "/packages/1", Some("1.0"))
    );
    assert_eq!(
        (lib.purl.as_deref(), lib.cpe.as_deref()),
        (Some("pkg:cargo/lib@1.0"), Some("cpe:2.3:a:lib"))
    );
    let depends = &sbom.relationships[1];
    assert_eq!(
        (
            depends.from.as_str(),
            depends.kind.as_str(),
            depends.to.as_str()
        ),
        ("SPDXRef-app", "DEPENDS_ON", "SPDXRef-lib")
    );
    assert_eq!(depends.pointer, "/relationships/1");
    let people = [&sbom.supplier, &sbom.manufacturer, &sbom.author].map(|name| name.as_deref());
    assert_eq!(
        people,
        [Some("Example (ACME)"), Some("Maker"), Some("Author")]
    );
    let upstream = document.upstream();
    assert_eq!(
        (
            upstream.publisher.as_deref(),
            upstream.id.as_deref(),
            upstream.version
        ),
        (
            Some("Example (ACME)"),
            Some("https://example.org/spdx/1"),
            None
        )
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
        assert_eq!(notices.len(), 1, "{notices:?}");
        (notices[0].code, notices[0].pointer.clone())
    };
    assert_eq!(
        notice("\"name\": \"lib\"", "\"name\": \"\""),
        ("COMPONENT_WITHOUT_NAME", "/packages/1".into())
    );
    assert_eq!(
        notice("\"SPDXRef-file\"}]", "\"SPDXRef-other\"}]"),
        ("UNDEFINED_SPDX_ID", "/relationships/2".into())
    );
    assert_eq!(
        notice("cpe22Type", "purl"),
        (
            "FURTHER_PURLS_NOT_READ",
            "/packages/1/externalRefs/1".into()
        )
    );
    let twice = swap(
        "{\"SPDXID\": \"SPDXRef-lib\"",
        "{\"SPDXID\": \"SPDXRef-app\"",
    )
    .unwrap();
    assert_eq!(twice.notices[0].code, "DUPLICATE_SPDX_ID");
    assert_eq!(sbom(&twice).subject, None);
    let described = swap("\"DESCRIBES\"", "\"AMENDS\"").unwrap();
    assert_eq!(described.upstream().publisher.as_deref(), Some("unknown"));
    let refused = |from: &str, to: &str| {
        let error = swap(from, to).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    assert_eq!(
        refused("SPDX-2.3", "SPDX-2.1"),
        (Reason::Unsupported, "/spdxVersion".into(), 2)
    );
    assert_eq!(
        refused("{\"SPDXID\": \"SPDXRef-lib\",", "{"),
        (Reason::Malformed, "/packages/1/SPDXID".into(), 8)
    );
}

#[test]
fn reads_every_published_document() {
    let Some(dir) = stella_testdata::dir("sbom") else {
        return;
    };
    let (mut documents, mut components, mut purls, mut relationships) = (0, 0, 0, 0);
    for path in json_files(&dir) {
        let bytes = fs::read(&path).unwrap();
        match read(&bytes) {
            Ok(document) if document.format == Format::Spdx => {
                let sbom = sbom(&document);
                documents += 1;
                components += sbom.components.len();
                purls += sbom
                    .components
                    .iter()
                    .filter(|one| one.purl.is_some())
                    .count();
                relationships += sbom.relationships.len();
            }
            Ok(_) => {}
            Err(error) => {
                let text = String::from_utf8_lossy(&bytes);
                assert!(
                    !text.contains("\"spdxVersion\""),
                    "{}: {error}",
                    path.display()
                );
            }
        }
    }
    // Counted by another program.
    assert_eq!(
        (documents, components, purls, relationships),
        (19, 1024, 1017, 1205)
    );
}
