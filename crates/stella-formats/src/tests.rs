#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

pub(crate) fn json_files(dir: &Path) -> Vec<PathBuf> {
    stella_testdata::files(dir, ".json")
}

fn refused(bytes: impl AsRef<[u8]>) -> (Reason, &'static str) {
    let error = read(bytes.as_ref()).unwrap_err();
    (error.reason, error.reason.code())
}

const OSV: &str = r#"{"id":"GO-1","modified":"2024-01-01T00:00:00Z"}"#;

#[test]
fn refuses_several_documents_in_one() {
    let merge = (Reason::Merge, "ERR_AOC_002");
    assert_eq!(refused(format!("[{OSV}]")), merge);
    assert_eq!(refused(format!("[1,{OSV},{OSV}]")), merge);
    assert_eq!(refused(format!("{OSV}\n{OSV}\n")), merge);
    assert_eq!(refused(format!("{OSV}{{\"id\":")), merge);
    assert_eq!(
        refused(format!("{OSV} x")),
        (Reason::Malformed, "ERR_AOC_009")
    );
}

#[test]
fn refuses_what_it_does_not_know_by_name_where_it_can() {
    let unsupported = |text: &str| {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(
            (error.reason, error.reason.code(), error.line),
            (Reason::Unsupported, "ERR_AOC_009", 1)
        );
        error.message
    };
    assert_eq!(
        unsupported("[]"),
        "a document of no known format, which cannot be read"
    );
    assert_eq!(unsupported("1"), unsupported("{}"));
}

#[test]
fn refuses_what_is_no_strict_json() {
    let malformed = (Reason::Malformed, "ERR_AOC_009");
    for text in [
        "",
        "{",
        "{\"id\":1,\"id\":2}",
        "\u{feff}{}",
        "{\"n\":1e400}",
        "{\"n\":9007199254740993}",
    ] {
        assert_eq!(refused(text), malformed, "{text}");
    }
    assert_eq!(refused(b"\xff"), malformed);
    assert_eq!(refused("[".repeat(100_000)), (Reason::Depth, "ERR_AOC_010"));
}

#[test]
fn knows_the_name_of_every_format() {
    let all = Format::ALL.map(Format::as_str);
    assert_eq!(
        all,
        [
            "osv",
            "csaf",
            "cve",
            "openvex",
            "cyclonedx",
            "spdx",
            "kev",
            "epss"
        ]
    );
    assert_eq!(
        serde_json::to_value(Format::CycloneDx).unwrap(),
        "cyclonedx"
    );
    assert_eq!(
        Format::CycloneDx.media_type(),
        "application/vnd.cyclonedx+json"
    );
}

#[test]
fn an_error_reads_as_a_sentence() {
    let error = read(b"{\n\"id\":\"a\",\n\"modified\":1}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a string at /modified (line 3 column 12)"
    );
}

#[test]
fn published_documents_break_no_law() {
    for topic in ["vex", "sbom", "cve5", "csaf"] {
        let Some(dir) = stella_testdata::dir(topic) else {
            return;
        };
        for path in json_files(&dir) {
            fuzz(&fs::read(&path).unwrap());
        }
    }
}

/// What a format's reader is given is not recognised first.
#[test]
fn the_corpora_of_formats_break_no_law() {
    for format in Format::ALL {
        stella_testdata::replay(format.as_str(), |data| format.fuzz(data));
    }
}

#[test]
fn the_corpora_of_documents_and_yaml_break_no_law() {
    stella_testdata::replay("document", fuzz);
    stella_testdata::replay("yaml", fuzz_yaml);
}

/// JSON of known members with values of any type, so that shapes go wrong in every place.
fn near_document() -> impl Strategy<Value = serde_json::Value> {
    let keys = [
        "id",
        "modified",
        "affected",
        "ranges",
        "events",
        "introduced",
        "type",
        "severity",
        "score",
        "references",
        "url",
        "@context",
        "@id",
        "statements",
        "status",
        "vulnerability",
        "products",
        "subcomponents",
        "identifiers",
        "bomFormat",
        "specVersion",
        "metadata",
        "component",
        "components",
        "name",
        "bom-ref",
        "version",
        "supplier",
        "catalogVersion",
        "vulnerabilities",
        "cveID",
        "count",
        "database_specific",
        "cvss",
        "package",
        "ecosystem",
        "document",
        "csaf_version",
        "category",
        "publisher",
        "tracking",
        "product_tree",
        "branches",
        "product",
        "product_id",
        "relationships",
        "product_status",
        "known_affected",
        "scores",
        "cvss_v3",
        "cve",
        "spdxVersion",
        "SPDXID",
        "packages",
        "externalRefs",
        "spdxElementId",
        "relationshipType",
        "relatedSpdxElement",
        "analysis",
        "state",
        "affects",
        "ref",
        "dataType",
        "dataVersion",
        "cveMetadata",
        "cveId",
        "containers",
        "cna",
        "adp",
        "metrics",
        "cvssV3_1",
        "baseScore",
        "other",
        "content",
        "options",
        "versions",
        "changes",
    ];
    let texts = [
        "",
        "a",
        "CycloneDX",
        "1.5",
        "https://openvex.dev/ns/v0.2.0",
        "affected",
        "SEMVER",
        "pkg:npm/a",
        "~/",
        "2.0",
        "csaf_vex",
        "SPDX-2.3",
        "not_affected",
        "exploitable",
        "CVE_RECORD",
        "5.1",
        "ssvc",
    ];
    let leaf = prop_oneof![
        4 => prop::sample::select(texts.to_vec()).prop_map(serde_json::Value::from),
        1 => prop::sample::select(&[0.0, 1.0, 1.5, -7.0][..]).prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    let keys = prop::sample::select(keys.to_vec());
    leaf.prop_recursive(6, 80, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            3 => prop::collection::btree_map(keys.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_break_no_law(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz(&data);
    }

    #[test]
    fn wrong_shapes_break_no_law(value in near_document()) {
        let text = value.to_string();
        fuzz(text.as_bytes());
        Format::ALL.into_iter().for_each(|format| format.fuzz(text.as_bytes()));
    }

    #[test]
    fn yaml_breaks_no_law(value in near_document(), odd in "[\\PC\n]{0,40}") {
        fuzz(format!("id: x\nmodified: 2024\naffected:\n- {value}\n{odd}").as_bytes());
    }

    #[test]
    fn tables_break_no_law(
        told in "(#model_version:[a-z:,]{0,9}\r?\n)?(cve,epss,percentile)?",
        rows in prop::collection::vec("\r?\n[A-Z0-9,.\\-]{0,20}|\nCVE-[0-9],[01]\\.[0-9]{0,3},(0\\.[0-9])?", 0..9),
    ) {
        let table = format!("{told}{}", rows.concat());
        fuzz(table.as_bytes());
        prop_assert_eq!(
            read(&gzip::packed(table.as_bytes())).ok().map(|packed| packed.body),
            read(table.as_bytes()).ok().map(|table| table.body)
        );
    }

    #[test]
    fn cut_documents_are_malformed(cut in 0..OSV.len()) {
        prop_assert_eq!(read(&OSV.as_bytes()[..cut]).unwrap_err().reason, Reason::Malformed);
    }
}
