#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;

use stella_api::VexStatus;

use super::*;
use crate::tests::json_files;
use crate::{Body, Document, Format, Reason, VexStatement, read};

fn csaf(document: &Document) -> &Csaf {
    let Body::Csaf(csaf) = &document.body else {
        panic!("no CSAF")
    };
    csaf
}

const EXAMPLE: &str = r#"{
  "document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t", "publisher": {"name": "Example Vendor"},
    "references": [{"category": "self", "url": "https://example.org/a"}],
    "tracking": {"id": "EX-1", "version": "2", "status": "final", "current_release_date": "2024-02-01T00:00:00Z"}},
  "product_tree": {
    "branches": [{"category": "vendor", "name": "v", "branches": [
      {"category": "product_version", "name": "1", "product": {"product_id": "lib", "name": "lib 1",
        "product_identification_helper": {"purl": "pkg:cargo/lib@1.0.0"}}},
      {"category": "product_name", "name": "os", "product": {"product_id": "os", "name": "os",
        "product_identification_helper": {"cpe": "cpe:/o:v:os:9", "purl": "pkg:oci/os"}}}]}],
    "full_product_names": [{"product_id": "app", "name": "app", "product_identification_helper":
      {"purls": ["pkg:cargo/app@1.0.0", "pkg:cargo/app@1.0.0?arch=x"]}}],
    "relationships": [{"category": "default_component_of", "product_reference": "lib",
      "relates_to_product_reference": "os", "full_product_name": {"product_id": "lib-os", "name": "lib in os"}}],
    "product_groups": [{"group_id": "all", "product_ids": ["app", "lib-os"]}]},
  "vulnerabilities": [{"cve": "CVE-2024-1", "ids": [{"system_name": "bugs", "text": "7"}], "title": "a hole",
    "references": [{"url": "https://example.org/b"}],
    "notes": [{"category": "description", "text": "words"}],
    "product_status": {"known_not_affected": ["app", "lib-os"], "known_affected": ["lib"], "recommended": ["os"]},
    "flags": [{"label": "vulnerable_code_not_present", "group_ids": ["all"]}],
    "remediations": [{"category": "vendor_fix", "details": "update", "product_ids": ["lib"]}],
    "scores": [{"products": ["lib"], "cvss_v3": {"vectorString": "CVSS:3.1/AV:N", "baseScore": 9.8}}]}]
}"#;

#[test]
fn reads_products_and_what_is_said_of_them() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::Csaf, Some("2.0"))
    );
    assert_eq!(
        (document.kind().as_str(), &document.notices[..]),
        ("vex", &[][..])
    );
    assert_eq!(document.identifiers(), ["EX-1", "CVE-2024-1"]);
    let urls = document
        .references()
        .into_iter()
        .map(|one| one.pointer.as_str());
    assert_eq!(
        urls.collect::<Vec<_>>(),
        ["/document/references/0", "/vulnerabilities/0/references/0"]
    );
    let csaf = csaf(&document);
    let lib = &csaf.products["lib"];
    assert_eq!(lib.pointer, "/product_tree/branches/0/branches/0/product");
    assert_eq!(
        csaf.products["app"].purls,
        ["pkg:cargo/app@1.0.0", "pkg:cargo/app@1.0.0?arch=x"]
    );
    let vulnerability = &csaf.vulnerabilities[0];
    assert_eq!(vulnerability.flags[0].products, ["app", "lib-os"]);
    assert_eq!(
        vulnerability.scores[0].score.base_score.as_deref(),
        Some("9.8")
    );
    assert_eq!(
        vulnerability.scores[0].score.severity().unwrap().pointer,
        "/vulnerabilities/0/scores/0/cvss_v3/vectorString"
    );
    let upstream = document.upstream();
    assert_eq!(
        (
            upstream.publisher.as_deref(),
            upstream.id.as_deref(),
            upstream.version.as_deref()
        ),
        (Some("Example Vendor"), Some("EX-1"), Some("2"))
    );
}

/// A status, why, and the first package URL of each product with those of its parts.
type Told<'a> = (VexStatus, Option<&'a str>, Vec<(&'a str, Vec<&'a str>)>);

fn told(statement: &VexStatement) -> Told<'_> {
    let products = statement.products.iter().map(|product| {
        let parts = product.subcomponents.iter().flat_map(|part| part.purls());
        (product.purls()[0], parts.collect())
    });
    (
        statement.status,
        statement.justification.as_deref(),
        products.collect(),
    )
}

#[test]
fn the_vex_profile_states_by_list_and_flag() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    let vex = document.vex().unwrap();
    assert_eq!(
        vex.stated_at(&vex.statements[0]),
        Some("2024-02-01T00:00:00Z")
    );
    let absent = Some("vulnerable_code_not_present");
    assert_eq!(
        vex.statements.iter().map(told).collect::<Vec<_>>(),
        [
            (
                VexStatus::Affected,
                None,
                vec![("pkg:cargo/lib@1.0.0", vec![])]
            ),
            (
                VexStatus::NotAffected,
                absent,
                vec![
                    ("pkg:cargo/app@1.0.0", vec![]),
                    ("pkg:cargo/app@1.0.0?arch=x", vec![]),
                    ("pkg:oci/os", vec!["pkg:cargo/lib@1.0.0"]),
                ]
            ),
        ]
    );
    let pointer = "/vulnerabilities/0/product_status/known_not_affected";
    assert_eq!(vex.statements[1].pointer, pointer);
    let advisory = read(
        EXAMPLE
            .replace("csaf_vex", "csaf_security_advisory")
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(
        (advisory.kind().as_str(), advisory.vex()),
        ("advisory", None)
    );
}

#[test]
fn scores_of_2_1_stand_under_metrics() {
    let text = EXAMPLE.replace("\"2.0\"", "\"2.1\"").replace(
        r#""scores": [{"products": ["lib"], "cvss_v3""#,
        r#""metrics": [{"products": ["lib"], "content": {"cvss_v4""#,
    );
    let document = read(text.replace("9.8}}]", "9.8}}}]").as_bytes()).unwrap();
    let scored = &csaf(&document).vulnerabilities[0].scores[0];
    assert_eq!(
        (scored.score.kind, scored.products.as_slice()),
        ("CVSS_V4", &["lib".to_owned()][..])
    );
}

#[test]
fn notices_and_refuses_with_the_place() {
    let swap = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        read(EXAMPLE.replacen(from, to, 1).as_bytes())
    };
    let notice = |from: &str, to: &str| {
        let notices = swap(from, to).unwrap().notices;
        assert_eq!(notices.len(), 1, "{notices:?}");
        (notices[0].code, notices[0].pointer.clone())
    };
    let first = |rest: &str| format!("/vulnerabilities/0{rest}");
    assert_eq!(
        notice(r#""recommended": ["os"]"#, r#""recommended": ["none"]"#),
        ("UNDEFINED_PRODUCT_ID", first("/product_status/recommended"))
    );
    assert_eq!(
        notice(r#""recommended""#, r#""best""#),
        ("UNKNOWN_PRODUCT_STATUS", first("/product_status"))
    );
    assert_eq!(
        notice(
            r#""group_ids": ["all"]"#,
            r#""product_ids": ["app", "lib-os"], "group_ids": ["x"]"#
        ),
        ("UNDEFINED_PRODUCT_GROUP", first("/flags/0"))
    );
    assert_eq!(
        notice(r#""flags""#, r#""flag""#),
        (
            "JUSTIFICATION_MISSING",
            first("/product_status/known_not_affected")
        )
    );
    let twice = |first: &str| {
        let both = format!("{first}, {{\"product_id\": \"app\"");
        let notices = swap(r#"{"product_id": "app""#, &both).unwrap().notices;
        let each = notices.into_iter().map(|one| (one.code, one.pointer));
        each.collect::<Vec<_>>()
    };
    let place = |number: u8| format!("/product_tree/full_product_names/{number}");
    let duplicate = ("DUPLICATE_PRODUCT_ID", place(1));
    let not_read = ("PRODUCT_NOT_READ", place(0));
    assert_eq!(
        twice(r#"{"product_id": "app"}"#),
        [duplicate.clone(), not_read]
    );
    let same = r#"{"product_id": "app", "name": "a", "product_identification_helper":
        {"purls": ["pkg:cargo/app@1.0.0", "pkg:cargo/app@1.0.0?arch=x"]}}"#;
    assert_eq!(twice(same), [duplicate]);
    let without = EXAMPLE.replace(
        r#""cve": "CVE-2024-1", "ids": [{"system_name": "bugs", "text": "7"}], "#,
        "",
    );
    let without = read(without.as_bytes()).unwrap();
    assert_eq!(without.notices[0].code, "VULNERABILITY_WITHOUT_ID");
    assert_eq!(without.vex().unwrap().statements, []);
    let refused = |from: &str, to: &str| {
        let error = swap(from, to).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
    assert_eq!(
        refused("\"2.0\"", "\"1.2\""),
        (Reason::Unsupported, "/document/csaf_version".into(), 2)
    );
    assert_eq!(
        refused("\"id\": \"EX-1\",", ""),
        malformed("/document/tracking/id", 4)
    );
    assert_eq!(
        refused("\"product_id\": \"os\",", ""),
        malformed("/product_tree/branches/0/branches/1/product/product_id", 9)
    );
    assert_eq!(
        refused("[\"os\"]}", "\"os\"}"),
        malformed("/vulnerabilities/0/product_status/recommended", 19)
    );
}

/// What a few bytes stand for is bounded, and so is how deep branches nest.
#[test]
fn what_stands_for_too_much_is_refused() {
    let ids: Vec<String> = (0..20_000).map(|id| format!("\"product-{id}\"")).collect();
    let group = format!(
        "[{{\"group_id\": \"all\", \"product_ids\": [{}]}}]",
        ids.join(",")
    );
    let text = EXAMPLE.replace(
        r#"[{"group_id": "all", "product_ids": ["app", "lib-os"]}]"#,
        &group,
    );
    let flags = vec![r#"{"label": "x", "group_ids": ["all"]}"#; 200].join(",");
    let text = text.replace(
        r#"{"label": "vulnerable_code_not_present", "group_ids": ["all"]}"#,
        &flags,
    );
    let error = read(text.as_bytes()).unwrap_err();
    assert_eq!(
        (error.reason, error.reason.code()),
        (Reason::Size, "ERR_AOC_010")
    );
    let long = "x".repeat(500_000);
    let branch = r#""branches": [{"category": "vendor", "name": "v""#;
    let children = vec![r#"{"category": "vendor", "name": "v"}"#; 200].join(",");
    let above = format!(
        r#""branches": [{{"category": "architecture", "name": "{long}", "branches": [{children}]}},"#
    );
    let (version, stated) = (
        r#""category": "product_version", "name": "1""#,
        r#""vulnerabilities": ["#,
    );
    let named = format!(r#""category": "product_version", "name": "{long}""#);
    let statement = r#"{"cve": "CVE-2024-2", "product_status": {"known_affected": ["lib"]}},"#;
    let statements = format!("{stated}{}", statement.repeat(200));
    for text in [
        EXAMPLE.replace(branch, &branch.replace(r#""branches": ["#, &above)),
        EXAMPLE
            .replace(version, &named)
            .replace("lib@1.0.0", "lib")
            .replace(stated, &statements),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err().reason, Reason::Size);
    }
    let deep = r#"{"branches": [{"branches": ["#.repeat(100_000);
    let text = EXAMPLE.replace("\"product_tree\": {", &format!("\"product_tree\": {deep}"));
    assert_eq!(read(text.as_bytes()).unwrap_err().reason, Reason::Depth);
}

#[test]
fn reads_every_published_document() {
    let Some(dir) = stella_testdata::dir("csaf") else {
        return;
    };
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |what, number: usize| *counted.entry(what).or_default() += number;
    for path in json_files(&dir) {
        let bytes = fs::read(&path).unwrap();
        let says = serde_json::from_slice::<serde_json::Value>(&bytes);
        let is = says.is_ok_and(|value| value.pointer("/document/csaf_version").is_some());
        let document = match read(&bytes) {
            Ok(document) => document,
            Err(error) if is => panic!("{}: {error}", path.display()),
            Err(_) => continue,
        };
        let csaf = csaf(&document);
        count("documents", 1);
        count("vex", usize::from(csaf.is_vex()));
        for vulnerability in &csaf.vulnerabilities {
            count("vulnerabilities", 1);
            count("scores", vulnerability.scores.len());
        }
        let purls = csaf.products.values().map(|product| product.purls.len());
        count("purls", purls.sum());
    }
    // Counted by another program.
    let expected = [
        ("documents", 1566),
        ("vex", 58),
        ("vulnerabilities", 3709),
        ("scores", 3581),
        ("purls", 9328),
    ];
    assert_eq!(counted, BTreeMap::from(expected));
}
