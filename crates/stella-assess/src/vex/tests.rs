use std::sync::Arc;

use serde_json::{Value, json};
use stella_canonical::Digest;

use super::*;
use crate::newest::newest;

fn stated(publisher: &str, status: VexStatus, at: &str) -> Stated {
    let pointer = format!("/{at}");
    let source = Source {
        document: Digest::of(publisher.as_bytes()),
        pointer,
    };
    Stated {
        signal: VexSignal {
            status,
            justification: None,
            publisher: publisher.to_owned(),
            source,
        },
        at: at.parse().ok(),
        names: BTreeSet::from(["X-1".to_owned()]),
        doubtful: false,
    }
}

#[test]
fn a_link_leads_to_one_component_of_one_revision() {
    let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:1-2",
        "version": 3, "components": [{"name": "a", "bom-ref": "x", "purl": "pkg:cargo/a@1.0.0"}]}"#;
    let sbom = Shared::from(stella_formats::read(text.as_bytes()).unwrap());
    let component = sbom.component_at("/components/0").unwrap();
    let linked = |id: &str| {
        let (own, sbom) = (false, &sbom);
        let asked = Asked {
            own,
            sbom,
            component,
        };
        let product = VexProduct {
            id: Some(id.to_owned()),
            ..VexProduct::default()
        };
        product.link().is_some_and(|link| asked.is_linked(link))
    };
    assert!(linked("urn:cdx:1-2/3#x"));
    for other in [
        "urn:cdx:1-2/4#x",
        "urn:cdx:1-3/3#x",
        "urn:cdx:1-2/3#y",
        "urn:cdx:1-2/3",
        "x",
    ] {
        assert!(!linked(other), "{other}");
    }
}

#[test]
fn of_a_publisher_the_last_statement_counts() {
    let (old, new) = ("2023-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00");
    let other = "2024-01-01T00:00:00Z";
    let all = || {
        vec![
            stated("a", VexStatus::NotAffected, old),
            stated("a", VexStatus::Affected, new),
            stated("a", VexStatus::Fixed, other),
            stated("b", VexStatus::NotAffected, old),
            stated("c", VexStatus::NotAffected, "some time"),
            stated("c", VexStatus::Affected, old),
        ]
    };
    let told = |stated: Vec<Stated>| -> Vec<_> {
        let mut told: Vec<_> = newest(stated, &["X-1".to_owned()])
            .into_iter()
            .map(|one| (one.publisher, one.status))
            .collect();
        told.sort();
        told
    };
    let of = |publisher: &str, status| (publisher.to_owned(), status);
    let mut expected = vec![
        of("a", VexStatus::Affected),
        of("a", VexStatus::Fixed),
        of("b", VexStatus::NotAffected),
        of("c", VexStatus::NotAffected),
        of("c", VexStatus::Affected),
    ];
    expected.sort();
    assert_eq!(told(all()), expected);
    let mut turned = all();
    turned.reverse();
    assert_eq!(told(turned), expected);
}

/// What a document states, that speaks to the component at a place of an SBOM, as a trusted
/// publisher's.
fn speaking(vex: &Value, sbom: &Value, place: &str) -> Vec<VexStatus> {
    let (sbom, vex) = (sbom.to_string(), vex.to_string());
    let read = Shared::from(stella_formats::read(sbom.as_bytes()).unwrap());
    let component = read.component_at(place).unwrap();
    let document = stella_formats::read(vex.as_bytes()).unwrap();
    let own = vex == sbom;
    let source = CaseDocument {
        role: if own {
            SourceRole::Sbom
        } else {
            SourceRole::Vex
        },
        digest: Digest::of(vex.as_bytes()),
        publisher: "a".to_owned(),
        document: Arc::new(document.into()),
    };
    let ids = ["CVE-2024-1".to_owned()];
    let stated = statements(&source, &ids, &read, component);
    let newest = newest(stated, &ids).into_iter();
    newest.map(|one| one.status).collect()
}

fn sbom(components: &Value, affects: &Value) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.7", "serialNumber": "urn:uuid:1-2", "version": 1,
        "components": components, "vulnerabilities": [{"id": "CVE-2024-1", "affects": affects,
        "analysis": {"state": "not_affected", "detail": "no"}}]})
}

/// `bom-ref` is a name within the document and nothing else.
#[test]
fn an_sbom_speaks_of_the_component_that_it_refers_to() {
    let cleared = [VexStatus::NotAffected];
    let component =
        |bom_ref: &str, purl: &str| json!({"name": "a", "bom-ref": bom_ref, "purl": purl});
    let speaks = |components: Value, of: &str, place: u8| {
        let sbom = sbom(&components, &json!([{"ref": of}]));
        speaking(&sbom, &sbom, &format!("/components/{place}"))
    };
    let twins = || {
        json!([
            component("x", "pkg:cargo/a@1.0.0"),
            component("y", "pkg:cargo/a@1.0.0")
        ])
    };
    assert_eq!(speaks(twins(), "x", 0), cleared);
    assert_eq!(speaks(twins(), "x", 1), []);
    let named = || {
        json!([
            component("pkg:cargo/a", "pkg:cargo/a@1.0.0"),
            component("y", "pkg:cargo/a@2.0.0")
        ])
    };
    assert_eq!(speaks(named(), "pkg:cargo/a", 0), cleared);
    assert_eq!(speaks(named(), "pkg:cargo/a", 1), []);
    let doubled = || {
        json!([
            component("x", "pkg:cargo/a@1.0.0"),
            component("x", "pkg:cargo/a@2.0.0")
        ])
    };
    assert_eq!(speaks(doubled(), "x", 0), []);
    assert_eq!(speaks(doubled(), "x", 1), []);
    let outside = json!([
        {"name": "a", "bom-ref": "x", "purl": "pkg:cargo/a", "versionRange": "vers:cargo/>=2.0.0", "isExternal": true},
        component("y", "pkg:cargo/a@1.0.0")]);
    assert_eq!(speaks(outside, "x", 1), []);
}

#[test]
fn a_component_outside_is_meant_in_its_range_of_versions() {
    let vex = |range: &str| {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.7", "metadata": {"component":
        {"name": "a", "bom-ref": "x", "purl": "pkg:cargo/a", "versionRange": range}}, "vulnerabilities": [
        {"id": "CVE-2024-1", "affects": [{"ref": "x"}], "analysis": {"state": "not_affected", "detail": "no"}}]})
    };
    let sbom = sbom(
        &json!([{"name": "a", "purl": "pkg:cargo/a@1.0.0"}]),
        &json!([]),
    );
    assert_eq!(
        speaking(&vex("vers:cargo/<2.0.0"), &sbom, "/components/0"),
        [VexStatus::NotAffected]
    );
    for other in ["vers:cargo/>=2.0.0", "vers:npm/<2.0.0", "<2.0.0"] {
        assert_eq!(speaking(&vex(other), &sbom, "/components/0"), [], "{other}");
    }
}

/// Whoever takes it back in versions that nobody can compare has taken it back.
#[test]
fn a_later_word_on_versions_that_are_not_read_stands_against_an_earlier() {
    let vex = |second: &str, versions: &str| {
        json!({"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "publisher": {"name": "n", "category": "vendor", "namespace": "https://example.org"},
            "tracking": {"id": "1", "version": "1", "status": "final", "current_release_date": "2024-01-01T00:00:00Z"}},
        "product_tree": {"branches": [
            {"category": "product_version", "name": "1.0.0", "product": {"name": "one", "product_id": "one",
                "product_identification_helper": {"purl": "pkg:cargo/a"}}},
            {"category": "product_version_range", "name": versions, "product": {"name": "some", "product_id": "some",
                "product_identification_helper": {"purl": "pkg:cargo/a"}}}]},
        "vulnerabilities": [{"cve": "CVE-2024-1", "product_status": {"known_not_affected": ["one"], second: ["some"]},
            "threats": [{"category": "impact", "details": "no", "product_ids": ["one"]}]}]})
    };
    let sbom = sbom(
        &json!([{"name": "a", "purl": "pkg:cargo/a@1.0.0"}]),
        &json!([]),
    );
    let said =
        |second: &str, versions: &str| speaking(&vex(second, versions), &sbom, "/components/0");
    let (cleared, both) = (
        [VexStatus::NotAffected],
        [VexStatus::Affected, VexStatus::NotAffected],
    );
    assert_eq!(said("known_affected", "vers:cargo/<2.0.0"), both);
    assert_eq!(said("known_affected", "vers:cargo/<1.0.0"), cleared);
    // At the same time what surely speaks of this version stands.
    assert_eq!(said("known_affected", "before 2.0"), cleared);
    assert_eq!(said("fixed", "before 2.0"), cleared);

    let mut earlier = stated("a", VexStatus::NotAffected, "2024-01-01T00:00:00Z");
    let later = Stated {
        doubtful: true,
        ..stated("a", VexStatus::Affected, "2024-02-01T00:00:00Z")
    };
    earlier.names = later.names.clone();
    let stands = newest(vec![earlier, later], &["X-1".to_owned()]).into_iter();
    assert_eq!(
        stands.map(|one| one.status).collect::<Vec<_>>(),
        [VexStatus::Affected]
    );
}

/// Two CVEs under which one advisory was published are two vulnerabilities.
#[test]
fn of_several_vulnerabilities_each_is_to_be_cleared() {
    let ids = ["GO-1", "CVE-1", "CVE-2", "GHSA-a"].map(str::to_owned);
    let (early, late) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    let on = |id: &str, status, at| Stated {
        names: BTreeSet::from([id.to_owned()]),
        ..stated("a", status, at)
    };
    let stands = |stated: Vec<Stated>| {
        let mut each: Vec<_> = newest(stated, &ids)
            .into_iter()
            .map(|one| one.status)
            .collect();
        each.sort();
        each
    };
    let (clear, affected) = (VexStatus::NotAffected, VexStatus::Affected);
    assert_eq!(stands(vec![on("CVE-2", clear, early)]), []);
    assert_eq!(
        stands(vec![on("CVE-2", clear, early), on("CVE-1", clear, late)]),
        [clear, clear]
    );
    assert_eq!(
        stands(vec![on("CVE-1", affected, early), on("CVE-2", clear, late)]),
        [affected]
    );
    assert_eq!(
        stands(vec![
            on("CVE-1", affected, early),
            on("CVE-1", clear, late),
            on("CVE-2", clear, late)
        ]),
        [clear, clear]
    );
    // By its other name it says which of the two it is on.
    let both = Stated {
        names: BTreeSet::from(["CVE-1", "GHSA-a"].map(str::to_owned)),
        ..stated("a", clear, early)
    };
    assert_eq!(stands(vec![both]), []);
    let (pair, other) = (
        ["CVE-1", "CVE-2"].map(str::to_owned),
        on("CVE-2", clear, early),
    );
    assert!(newest(vec![other], &pair).is_empty(), "its alias alone");
    assert_eq!(
        newest(vec![on("CVE-1", clear, early)], &pair).len(),
        1,
        "its own id"
    );
    for whole in ["GO-1", "GHSA-a"] {
        assert_eq!(stands(vec![on(whole, clear, early)]), [clear], "{whole}");
        assert_eq!(
            stands(vec![on(whole, clear, early), on("CVE-1", affected, late)]),
            [affected],
            "{whole}"
        );
    }
}

/// A product by two package URLs is what both say.
#[test]
fn identifiers_that_differ_are_both_meant() {
    let vex = |id: &str, purl: &str| {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "a",
        "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [{"vulnerability": {"name": "CVE-2024-1"},
        "products": [{"@id": id, "identifiers": {"purl": purl}}], "status": "not_affected", "impact_statement": "no"}]})
    };
    let sbom = sbom(
        &json!([{"name": "a", "purl": "pkg:cargo/a@2.0.0"}]),
        &json!([]),
    );
    let said = |id, purl| speaking(&vex(id, purl), &sbom, "/components/0");
    assert_eq!(said("pkg:cargo/a@1.0.0", "pkg:cargo/a"), []);
    assert_eq!(
        said("pkg:cargo/a@2.0.0", "pkg:cargo/a"),
        [VexStatus::NotAffected]
    );
    assert_eq!(
        said("https://example.org/a", "pkg:cargo/a"),
        [VexStatus::NotAffected]
    );
}

/// An identifier beside a package URL may say less than it does, and nobody can tell by how much.
#[test]
fn what_may_be_less_than_its_package_url_lowers_nothing() {
    let cpe = |version: &str| format!("cpe:2.3:a:v:a:{version}:*:*:*:*:*:*:*");
    let openvex = |product: Value| {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "a",
            "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [{"vulnerability": {"name": "CVE-2024-1"},
            "products": [product], "status": "not_affected", "impact_statement": "no"}]})
    };
    let csaf = |helpers: [Value; 2], product: Value| {
        let named = |id: u8, helper: &Value| json!({"name": "n", "product_id": id.to_string(), "product_identification_helper": helper});
        let mut names = vec![named(0, &helpers[0]), named(1, &helpers[1])];
        names.push(json!({"name": "app", "product_id": "app", "product_identification_helper": {"purl": "pkg:cargo/app"}}));
        json!({"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "publisher": {"name": "n", "category": "vendor", "namespace": "https://example.org"},
            "tracking": {"id": "1", "version": "1", "status": "final", "current_release_date": "2024-01-01T00:00:00Z"}},
        "product_tree": {"full_product_names": names, "relationships": [{"category": "default_component_of",
            "product_reference": "1", "relates_to_product_reference": "app", "full_product_name": product}]},
        "vulnerabilities": [{"cve": "CVE-2024-1", "product_status": {"known_not_affected": ["0", "in"]},
            "threats": [{"category": "impact", "details": "no", "product_ids": ["0", "in"]}]}]})
    };
    let no_part = json!({"name": "in", "product_id": "in"});
    let alone = |helper: Value| csaf([helper, json!({})], no_part.clone());
    let part = |part: Value, helper: Value| {
        let product =
            json!({"name": "in", "product_id": "in", "product_identification_helper": helper});
        csaf([json!({}), part], product)
    };
    let sbom = |purl: &str| {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:1-2",
            "metadata": {"component": {"name": "app", "purl": "pkg:cargo/app@1.0.0"}},
            "components": [{"name": "a", "bom-ref": "x", "purl": purl}]})
    };
    let clears = |vex: &Value, purl: &str| !speaking(vex, &sbom(purl), "/components/0").is_empty();
    let ids = |ids: Value| openvex(json!({"@id": "pkg:cargo/a", "identifiers": ids}));
    let (a, of) = ("pkg:cargo/a@1.0.0", json!({"purl": "pkg:cargo/a"}));
    for (vex, expected) in [
        (ids(json!({"cpe23": cpe("*")})), true),
        (ids(json!({"cpe23": cpe("1.0.0")})), false),
        (ids(json!({"cpe23": cpe("2.0.0")})), false),
        (ids(json!({"PURL": "pkg:cargo/a@2.0.0"})), false),
        (
            openvex(json!({"@id": "PKG:cargo/a@2.0.0", "identifiers": of})),
            false,
        ),
        (
            openvex(json!({"@id": a, "identifiers": {"cpe23": cpe("1.0.0")}})),
            true,
        ),
        (
            openvex(json!({"@id": a, "identifiers": {"cpe23": cpe("2.0.0")}})),
            true,
        ),
        (
            openvex(json!({"@id": cpe("2.0.0"), "identifiers": of})),
            false,
        ),
        (
            openvex(json!({"@id": "URN:CDX:9/1#x", "identifiers": of})),
            false,
        ),
        (
            openvex(json!({"@id": "urn:cdx:9/1#x", "identifiers": {"purl": a}})),
            true,
        ),
        (
            openvex(json!({"@id": "pkg:cargo/app", "subcomponents": [
                {"@id": "urn:cdx:9/1#x", "identifiers": of}]})),
            false,
        ),
        (
            openvex(
                json!({"@id": "pkg:cargo/a", "identifiers": {"cpe23": cpe("*"), "cpe22": "CPE:/a:v:a:2"}}),
            ),
            false,
        ),
        (
            part(
                json!({"purls": ["pkg:cargo/a", "pkg:cargo/a@2.0.0"]}),
                of.clone(),
            ),
            false,
        ),
        (
            openvex(json!({"@id": a, "hashes": {"sha-256": "ab"}})),
            true,
        ),
        (
            openvex(json!({"@id": "pkg:cargo/a", "hashes": {"sha-256": "ab"}})),
            false,
        ),
        (alone(of.clone()), true),
        (
            alone(json!({"purl": "pkg:cargo/a", "cpe": cpe("2.0.0")})),
            false,
        ),
        (alone(json!({"purl": "pkg:cargo/a", "skus": ["x"]})), false),
        (alone(json!({"purl": a, "skus": ["x"]})), true),
        (
            alone(json!({"purls": ["pkg:cargo/a", "pkg:cargo/a@2.0.0"]})),
            false,
        ),
        (
            alone(json!({"purls": [a, "pkg:cargo/a@1.0.0?arch=x"]})),
            true,
        ),
        (part(of.clone(), json!({})), true),
        (part(of.clone(), json!({"cpe": cpe("2.0.0")})), false),
        (part(json!({"cpe": cpe("2.0.0")}), of.clone()), false),
        (
            part(
                json!({"cpe": cpe("1.0.0"), "purl": "pkg:cargo/a"}),
                json!({"purl": a, "cpe": cpe("1.0.0")}),
            ),
            true,
        ),
        (
            part(
                json!({"cpe": cpe("1.0.0"), "purl": "pkg:cargo/a"}),
                json!({"purl": a, "cpe": cpe("2.0.0")}),
            ),
            true,
        ),
    ] {
        assert_eq!(clears(&vex, a), expected, "{vex:#}");
    }
    // What a subpath of Go is nobody can tell.
    let go = |vex: &str, component: &str| clears(&openvex(json!({"@id": vex})), component);
    for (vex, component, expected) in [
        (
            "pkg:golang/e.org/a/b@v1.0.0",
            "pkg:golang/e.org/a@v1.0.0#b",
            false,
        ),
        ("pkg:golang/e.org/a#b", "pkg:golang/e.org/a/b@v1.0.0", false),
        ("pkg:golang/e.org/a#b", "pkg:golang/e.org/a@v1.0.0#b", true),
        (
            "pkg:golang/e.org/a/v2@v2.0.0",
            "pkg:golang/e.org/a@v2.0.0#v2",
            true,
        ),
        ("pkg:golang/e.org/a", "pkg:golang/e.org/a@v1.0.0", true),
    ] {
        assert_eq!(go(vex, component), expected, "{vex} {component}");
    }
    // A document of CycloneDX that does not say which revision it is, is the first.
    let linked = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": [{"id": "CVE-2024-1",
        "affects": [{"ref": "urn:cdx:1-2/1#x"}], "analysis": {"state": "not_affected", "detail": "no"}}]});
    assert!(clears(&linked, a));
}
