//! Documents of the formats that the other tests do not send: what they are evidence of, and that
//! what they say reaches findings and scores.

use serde_json::{Value, json};
use stella_api::Page;
use stella_api::evidence::DocumentRecord;
use stella_api::findings::{Finding, SourceRole, Verdict};
use stella_api::score::ScoreResult;
use stella_client::Call;

use crate::fixtures::{self, VECTOR, advisory, bytes, sbom};
use crate::world::{Caller, on_every_driver};

fn cve(id: &str, package: &str, fixed: &str) -> Value {
    json!({
        "dataType": "CVE_RECORD", "dataVersion": "5.1",
        "cveMetadata": {"cveId": id, "state": "PUBLISHED", "dateUpdated": "2026-01-01T00:00:00"},
        "containers": {"cna": {
            "title": "a hole",
            "affected": [{
                "packageName": package, "collectionURL": "https://crates.io", "defaultStatus": "unaffected",
                "versions": [{"version": "0", "lessThan": fixed, "status": "affected", "versionType": "semver"}],
            }],
            "metrics": [{"cvssV3_1": {"vectorString": VECTOR, "baseScore": 9.1}}],
            "references": [{"url": "https://example.org/a"}],
        }},
    })
}

fn csaf(category: &str, cve: &str, purl: &str) -> Value {
    json!({
        "document": {
            "category": category, "csaf_version": "2.0", "publisher": {"name": "Example Vendor"},
            "tracking": {"id": "EX-1", "version": "1", "current_release_date": "2026-01-03T00:00:00Z"},
        },
        "product_tree": {"full_product_names": [{
            "product_id": "a", "name": "a", "product_identification_helper": {"purl": purl},
        }]},
        "vulnerabilities": [
            {"cve": "CVE-2000-1", "scores": [{"products": ["a"],
                "cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]},
            {"cve": cve, "product_status": {"known_not_affected": ["a"]},
                "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["a"]}],
                "scores": [{"products": ["a"], "cvss_v3": {"vectorString": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}}]},
        ],
    })
}

const SPDX: &str = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "urn:x",
    "packages": [{"SPDXID": "SPDXRef-a", "name": "alpha", "versionInfo": "1.0.0", "externalRefs": [{
        "referenceType": "purl", "referenceLocator": "pkg:cargo/alpha@1.0.0"}]}]}"#;

async fn findings(analyst: &Caller) -> Vec<Finding> {
    let page: Page<Finding> = analyst.get("/api/v1/findings").await;
    page.items
}

async fn evaluate(analyst: &Caller, finding: &Finding) -> ScoreResult {
    let asked = json!({"findingId": finding.id});
    analyst.post("/api/v1/score/evaluate", &asked).await
}

on_every_driver! {
    async fn a_cve_record_covers_a_package_of_an_spdx_document(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", SPDX.as_bytes()).await;
        let record = ingester.ingest("advisory", &bytes(&cve("CVE-2026-1", "alpha", "2.0.0"))).await;
        ingester.ingest("advisory", &bytes(&cve("CVE-2026-2", "alpha", "1.0.0"))).await;
        let [found] = &findings(&analyst).await[..] else { panic!("one finding") };
        assert_eq!(found.vulnerability_ids, ["CVE-2026-1"]);
        assert_eq!((found.component.bom_ref.as_deref(), &found.fixed_versions[..]), (Some("SPDXRef-a"), &["2.0.0".to_owned()][..]));
        assert_eq!(evaluate(&analyst, found).await.score_bps, Some(9_100));
        let shown: DocumentRecord = analyst.get(&format!("/api/v1/evidence/documents/{}", record.id)).await;
        assert_eq!((shown.content.format.as_str(), shown.source.publisher.as_str()), ("cve", "cve"));
        assert_eq!(shown.references[0].pointer, "/containers/cna/references/0");

        // One that was rejected covers nothing any more.
        let mut rejected = cve("CVE-2026-1", "alpha", "2.0.0");
        rejected["cveMetadata"]["state"] = "REJECTED".into();
        rejected["cveMetadata"]["dateUpdated"] = "2026-02-01T00:00:00".into();
        ingester.ingest("advisory", &bytes(&rejected)).await;
        assert_eq!(findings(&analyst).await, []);
    }

    async fn csaf_is_an_advisory_or_vex_by_its_category(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        ingester.ingest("advisory", &bytes(&cve("CVE-2026-1", "alpha", "2.0.0"))).await;
        let vex = bytes(&csaf("csaf_vex", "CVE-2026-1", "pkg:cargo/alpha@1.0.0"));
        let said = bytes(&csaf("csaf_security_advisory", "CVE-2026-1", "pkg:cargo/alpha@1.0.0"));
        for (kind, other) in [("advisory", &vex), ("vex", &said)] {
            assert_eq!(ingester.code(fixtures::ingest(kind, other)).await, "ERR_AOC_009");
        }
        // What an advisory says of the other vulnerability is not said of this one.
        ingester.ingest("advisory", &said).await;
        let [found] = &findings(&analyst).await[..] else { panic!("one finding") };
        let roles = found.sources.iter().map(|source| source.role);
        assert_eq!(roles.collect::<Vec<_>>(), [SourceRole::Sbom, SourceRole::Advisory, SourceRole::Alias]);
        let scored = evaluate(&analyst, found).await;
        assert_eq!((scored.score_bps, scored.conflicts.len()), (Some(9_100), 1));

        ingester.ingest("vex", &vex).await;
        world.trust("acme", "Example Vendor").await;
        assert_eq!(evaluate(&analyst, &findings(&analyst).await[0]).await.score_bps, Some(0));
    }

    async fn cyclonedx_vex_speaks_by_a_link_into_the_sbom(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        ingester.ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0"))).await;
        let vex = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"supplier": {"name": "Example Vendor"}},
            "vulnerabilities": [{
                "id": "CVE-2026-1", "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
                "affects": [{"ref": "urn:cdx:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0001/1#pkg:cargo/alpha@1.0.0"}],
            }],
        });
        ingester.ingest("vex", &bytes(&vex)).await;
        world.trust("acme", "Example Vendor").await;
        assert_eq!(evaluate(&analyst, &findings(&analyst).await[0]).await.score_bps, Some(0));
    }

    async fn what_an_sbom_states_of_its_own_components_counts_where_its_publisher_is_trusted(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("advisory", &bytes(&cve("CVE-2026-1", "alpha", "2.0.0"))).await;
        let mut own = sbom(&["alpha@1.0.0", "beta@1.0.0"]);
        own["metadata"] = json!({"supplier": {"name": "Example Vendor"}});
        own["vulnerabilities"] = json!([{"id": "CVE-2026-1", "affects": [{"ref": "pkg:cargo/alpha@1.0.0"}],
            "analysis": {"state": "not_affected", "justification": "code_not_reachable"}}]);
        let taken = ingester.ingest("sbom", &bytes(&own)).await;
        assert_eq!(taken.notices, []);
        let score = async || evaluate(&analyst, &findings(&analyst).await[0]).await.score_bps;
        assert_eq!(score().await, Some(9_100), "nobody trusts them yet");
        world.trust("acme", "Example Vendor").await;
        assert_eq!(score().await, Some(0));
        // Of another SBOM's components it says nothing.
        let mut other = sbom(&["alpha@1.0.0"]);
        other["serialNumber"] = "urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0002".into();
        ingester.ingest("sbom", &bytes(&other)).await;
        let mut scores = Vec::new();
        for finding in &findings(&analyst).await {
            scores.push(evaluate(&analyst, finding).await.score_bps);
        }
        scores.sort_unstable();
        assert_eq!(scores, [Some(0), Some(9_100)]);
    }

    /// The version may stand beside a package URL that has none.
    async fn vex_on_another_version_says_nothing_of_this_one(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        world.trust("acme", "Example Vendor").await;
        let mut of_app = sbom(&["alpha@1.0.0"]);
        of_app["metadata"] = json!({"component": {"name": "app", "bom-ref": "app", "purl": "pkg:generic/app@1"}});
        ingester.ingest("sbom", &bytes(&of_app)).await;
        ingester.ingest("advisory", &bytes(&cve("CVE-2026-1", "alpha", "2.0.0"))).await;
        let branch = |category: &str, name: &str, inner: bool| {
            let mut document = csaf("csaf_vex", "CVE-2026-1", "pkg:cargo/alpha");
            let product = document["product_tree"]["full_product_names"][0].take();
            let leaf = json!({"category": category, "name": name, "product": product});
            let line = json!({"category": category, "name": name, "branches": [
                {"category": "product_name", "name": "x", "product": product}]});
            document["product_tree"] = json!({"branches": [if inner { line } else { leaf }]});
            document
        };
        let cyclonedx = |version: &str| json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"supplier": {"name": "Example Vendor"},
            "component": {"name": "alpha", "version": version, "bom-ref": "m", "purl": "pkg:cargo/alpha"}},
            "vulnerabilities": [{"id": "CVE-2026-1", "affects": [{"ref": "m"}],
                "analysis": {"state": "not_affected", "justification": "code_not_reachable"}}],
        });
        let score = async || evaluate(&analyst, &findings(&analyst).await[0]).await.score_bps;
        // One whose name is its version, and one that a relationship names again, without a version.
        let named = |version: &str| {
            let mut document = branch("product_version", version, false);
            document["product_tree"]["branches"][0]["product"]["name"] = version.into();
            document
        };
        let related = |category: &str, name: &str| {
            let mut document = branch(category, name, false);
            let tree = &mut document["product_tree"];
            let mut part = tree["branches"][0]["product"].clone();
            let id = part["product_id"].take();
            tree["branches"][0]["product"]["product_id"] = "part".into();
            part["product_id"] = id;
            tree["full_product_names"] = json!([{"product_id": "whole", "name": "app",
                "product_identification_helper": {"purl": "pkg:generic/app@1"}}]);
            tree["relationships"] = json!([{"category": "default_component_of", "product_reference": "part",
                "relates_to_product_reference": "whole", "full_product_name": part}]);
            document
        };
        let only = |category: &str| {
            let mut document = branch(category, "x86", false);
            document["product_tree"]["branches"] = json!([{"category": "product_version", "name": "1.0.0",
                "branches": document["product_tree"]["branches"].take()}]);
            document
        };
        // The part has its version in its own package URL; and one that is a part of a part.
        let versioned = |mut document: Value, version: &str| {
            let part = &mut document["product_tree"]["branches"][0];
            part["category"] = "product_name".into();
            part["product"]["product_identification_helper"]["purl"] = format!("pkg:cargo/alpha@{version}").into();
            document
        };
        let nested = || {
            let mut document = related("product_name", "alpha");
            let tree = &mut document["product_tree"];
            tree["relationships"][0]["relates_to_product_reference"] = "in app".into();
            let of_app = json!({"category": "default_component_of", "product_reference": "part",
                "relates_to_product_reference": "whole", "full_product_name": {"product_id": "in app", "name": "in app",
                "product_identification_helper": {"purl": "pkg:generic/app@1"}}});
            tree["relationships"].as_array_mut().unwrap().push(of_app);
            document
        };
        let (ranges, not_read) = (Some("AFFECTED_VERSIONS_NOT_READ"), Some("PRODUCT_NOT_READ"));
        let others = [
            (branch("product_version", "2.0.0", false), None),
            (branch("product_version", "2.0.0", true), None),
            (branch("product_version_range", "vers:cargo/>=2.0.0", false), None),
            (branch("product_version_range", "<2", true), ranges),
            (branch("product_version", "*", false), ranges),
            (branch("product_version", "all versions", false), ranges),
            (branch("product_version", "<2.0.0", false), ranges),
            (branch("product_version", "2.0.0 and earlier", false), ranges),
            (named("2.0.0"), None),
            (named("v2.0.0"), None),
            (related("product_version", "2.0.0"), None),
            (related("product_version_range", "<2.0.0"), ranges),
            (versioned(related("product_version", "2.0.0"), "1.0.0"), ranges),
            (nested(), not_read),
            (only("architecture"), not_read),
            (only("service_pack"), not_read),
            (cyclonedx("2.0.0"), None),
        ];
        for (n, (mut other, expected)) in others.into_iter().enumerate() {
            if let Some(tracking) = other["document"]["tracking"].as_object_mut() {
                tracking.insert("id".to_owned(), format!("EX-{n}").into());
            }
            let taken = ingester.ingest("vex", &bytes(&other)).await;
            let told = taken.notices.iter().map(|notice| notice.code.as_str()).find(|code| code.ends_with("NOT_READ"));
            assert_eq!((score().await, told), (Some(9_100), expected), "{other}");
        }
        // That of this one does, and so does a branch that names the package, of all its versions.
        let these = [
            branch("product_version", "1.0.0", false), branch("product_version", "alpha", true),
            branch("product_version_range", "vers:cargo/>=0.5.0|<2.0.0", true),
            related("product_version", "1.0.0"), related("product_version", "alpha"),
            related("product_version_range", "vers:cargo/1.0.0"), cyclonedx("1.0.0"),
        ];
        for mut this in these {
            if let Some(tracking) = this["document"]["tracking"].as_object_mut() {
                tracking.insert("id".to_owned(), "EX-last".into());
            }
            ingester.ingest("vex", &bytes(&this)).await;
            assert_eq!(score().await, Some(0), "{this}");
        }
    }

    /// Distributions whose versions nobody here can put in order, by what their package URLs say.
    async fn what_cannot_be_compared_is_a_finding_that_says_so(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let purls = ["pkg:apk/alpine/alpha@1.0?distro=3.18", "pkg:rpm/redhat/alpha@1-2.el8", "pkg:rpm/opensuse/alpha@1",
            "pkg:bioconductor/alpha@1"];
        let components: Vec<Value> = purls.iter().map(|purl| json!({"name": "alpha", "bom-ref": purl, "purl": purl})).collect();
        let mut all = sbom(&[]);
        all["components"] = components.into();
        ingester.ingest("sbom", &bytes(&all)).await;
        for (n, ecosystem) in ["Alpine:v3.18", "Red Hat:rhel_aus:8.4::appstream", "openSUSE:Leap 15.5", "Bioconductor"].into_iter().enumerate() {
            let mut one = advisory(&format!("X-{n}"), &[], "alpha", "9.0.0");
            one["affected"][0]["package"]["ecosystem"] = ecosystem.into();
            one["affected"][0]["ranges"][0]["type"] = "ECOSYSTEM".into();
            ingester.ingest("advisory", &bytes(&one)).await;
        }
        let mut found: Vec<(String, &str)> = findings(&analyst).await.into_iter().map(|one| (one.component.purl, one.matched.verdict.as_str())).collect();
        found.sort();
        let mut expected = purls.map(|purl| (purl.to_owned(), Verdict::Undetermined.as_str()));
        expected.sort();
        assert_eq!(found, expected);
    }

    async fn yaml_and_a_packed_table_come_back_as_they_came(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let yaml = "id: RUSTSEC-2026-0001\nmodified: 2026-01-01T00:00:00Z\naffected:\n- package: {ecosystem: crates.io, \
                    name: alpha}\n  ranges:\n  - {type: SEMVER, events: [introduced: 0, fixed: 2.0.0]}\n";
        // gzip of a table with the one line of CVE-2026-1.
        let table = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 46, 75, 213, 73, 45, 40, 46, 214, 41, 72, 45, 74, 78,
            205, 43, 201, 204, 73, 229, 114, 14, 115, 213, 53, 50, 48, 50, 211, 53, 212, 49, 208, 51, 1, 98, 115, 46,
            0, 90, 142, 130, 160, 39, 0, 0, 0,
        ];
        for (kind, document, media) in [("advisory", yaml.as_bytes(), "application/yaml"), ("signal", &table[..], "application/gzip")] {
            let id = ingester.ingest(kind, document).await.id;
            let raw = analyst.send(Call::get(&format!("/api/v1/evidence/documents/{id}/raw"))).await;
            assert_eq!((&raw.body[..], raw.headers["content-type"].to_str().unwrap()), (document, media));
        }
        // No catalogue lists what EPSS scores.
        let [found] = &findings(&analyst).await[..] else { panic!("one finding") };
        let roles = found.sources.iter().map(|source| source.role);
        assert_eq!(roles.collect::<Vec<_>>(), [SourceRole::Sbom, SourceRole::Advisory]);
        ingester.ingest("signal", &bytes(&fixtures::kev(&[]))).await;
        let listed = findings(&analyst).await[0].sources.iter().any(|source| source.role == SourceRole::Kev);
        assert!(listed, "a whole catalogue says of what it does not list too");
    }
}
