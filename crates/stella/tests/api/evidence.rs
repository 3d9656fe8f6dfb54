//! The Aggregation-Only Contract over HTTP.

use serde_json::{Value, json};
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_api::findings::{Finding, SourceRole, Verdict};
use stella_api::{Page, Scope};
use stella_client::{Call, ClientError};

use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::on_every_driver;

const DOCUMENTS: &str = "/api/v1/evidence/documents?pageSize=500";

async fn documents(caller: &crate::world::Caller) -> usize {
    let page: Page<DocumentRecord> = caller.get(DOCUMENTS).await;
    page.items.len()
}

on_every_driver! {
    async fn a_name_too_long_for_a_key_is_refused_with_its_place(world) {
        let ingester = world.ingester("acme");
        let long = "x".repeat(9_000);
        let named = |name: &str| advisory("RUSTSEC-2026-0001", &[], name, "2.0.0");
        let component = |member: &str| {
            let mut sbom = sbom(&["alpha@1.0.0"]);
            sbom["components"][0][member] = long.clone().into();
            sbom
        };
        let rows = [
            ("advisory", advisory("RUSTSEC-2026-0001", &[&long], "alpha", "2.0.0"), "/aliases/0"),
            ("advisory", named(&long), "/affected/0/package/name"),
            ("sbom", component("bom-ref"), "/components/0/bom-ref"),
            ("sbom", component("name"), "/components/0/name"),
            ("sbom", component("version"), "/components/0/version"),
        ];
        for (kind, document, place) in rows {
            let call = fixtures::ingest(kind, &bytes(&document));
            let Err(ClientError::Problem(told)) = ingester.send(call).await.success() else {
                panic!("{place} was taken");
            };
            assert_eq!((told.code.as_str(), told.errors[0].pointer.as_str()), ("ERR_AOC_010", place));
        }
        // What just fits is taken on every engine.
        let fits = "y".repeat(512);
        ingester.ingest("advisory", &bytes(&named(&fits))).await;
    }

    /// JSON can say U+0000 and PostgreSQL's texts cannot: it is refused with its place, on every
    /// driver alike.
    async fn a_text_with_u_0000_is_refused_and_nothing_is_stored(world) {
        let ingester = world.ingester("acme");
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let place = async |call: Call| {
            let reply = ingester.send(call).await;
            let problem: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(problem["code"], "ERR_AOC_009", "{problem}");
            problem["errors"][0]["pointer"].as_str().unwrap().to_owned()
        };
        let sound = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        for pointer in ["/summary", "/aliases/0", "/affected/0/package/name"] {
            let mut hole = sound.clone();
            *hole.pointer_mut(pointer).unwrap() = "a\0b".into();
            assert_eq!(place(fixtures::ingest("advisory", &bytes(&hole))).await, pointer);
        }
        assert_eq!(documents(&world.analyst("acme")).await, 1);
    }

    async fn bytes_come_back_exactly_and_are_kept_once(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        // White space and member order are the publisher's; large documents lie elsewhere.
        let small = b"{ \"id\" : \"RUSTSEC-2026-0001\",\n\t\"modified\":\"2026-01-01T00:00:00Z\", \"x\": 1.0 }\n".to_vec();
        let mut large = advisory("RUSTSEC-2026-0002", &[], "alpha", "1.0.0");
        large["details"] = "y".repeat(300 * 1024).into();
        for (document, place) in [(small, "database"), (bytes(&large), "objectStore")] {
            let first = ingester.ingest("advisory", &document).await;
            assert_eq!(first.outcome, Outcome::Stored);
            assert_eq!(ingester.ingest("advisory", &document).await.outcome, Outcome::Identical);
            let path = format!("/api/v1/evidence/documents/{}", first.id);
            let record: DocumentRecord = analyst.get(&path).await;
            assert_eq!((record.location.as_str(), record.received_by.as_str()), (place, "acme-client"));
            let reply = analyst.send(Call::get(&format!("{path}/raw"))).await;
            assert_eq!(reply.body, document);
            assert_eq!(reply.headers["etag"], format!("\"{}\"", first.id));
        }
        assert_eq!(documents(&analyst).await, 2);
    }

    /// What is answered is what is stored, not what a second sender says of the same bytes.
    async fn an_identical_document_is_answered_with_what_came_first(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let document = bytes(&sbom(&["alpha@1.0.0"]));
        let first = ingester.ingest("sbom", &document).await;
        let path = format!("/api/v1/evidence/documents/{}", first.id);
        let mut record: DocumentRecord = analyst.get(&path).await;
        assert_eq!((&first.upstream, record.upstream.document_version.as_deref()), (&record.upstream, Some("1")));
        let mut envelope = fixtures::envelope(&document);
        envelope["upstream"]["id"] = "another".into();
        envelope["upstream"]["fetchedAt"] = "2026-03-01T00:00:00Z".into();
        let again = ingester.send(fixtures::with_envelope("sbom", &document, &envelope)).await;
        assert_eq!(again.status.as_u16(), 200);
        let again: IngestAnswer = again.json().unwrap();
        assert_eq!((again.outcome, again.upstream), (Outcome::Identical, first.upstream));
        record.fetched_again = vec!["2026-03-01T00:00:00Z".to_owned()];
        assert_eq!(analyst.get::<DocumentRecord>(&path).await, record);
    }

    async fn revisions_stay_and_the_newest_counts_in_any_order(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.5.0"]))).await;
        let revision = |modified: &str, fixed: &str| {
            let mut document = advisory("RUSTSEC-2026-0001", &[], "alpha", fixed);
            document["modified"] = modified.into();
            bytes(&document)
        };
        let fixed = async || -> Vec<Vec<String>> {
            let page: Page<Finding> = analyst.get("/api/v1/findings").await;
            page.items.into_iter().map(|finding| finding.fixed_versions).collect()
        };
        let newest = ingester.ingest("advisory", &revision("2026-03-01T00:00:00Z", "3.0.0")).await;
        assert_eq!(newest.outcome, Outcome::Stored);
        assert_eq!(fixed().await, [["3.0.0"]]);
        let older = ingester.ingest("advisory", &revision("2026-01-01T00:00:00Z", "2.0.0")).await;
        assert_eq!(older.outcome, Outcome::Superseding);
        assert_eq!(fixed().await, [["3.0.0"]]);
        let same = ingester.ingest("advisory", &revision("2026-01-01T00:00:00Z", "2.1.0")).await;
        assert_eq!(same.outcome, Outcome::Conflict);
        assert_eq!(same.notices[0].code, "ERR_AOC_003");
        let unaffected = ingester.ingest("advisory", &revision("2026-04-01T00:00:00Z", "1.2.0")).await;
        assert_eq!(unaffected.outcome, Outcome::Superseding);
        assert_eq!(fixed().await, Vec::<Vec<String>>::new());
        assert_eq!(documents(&analyst).await, 5);
    }

    async fn whatever_breaks_the_contract_is_told_whole_and_stores_nothing(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let good = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
        let envelope = fixtures::envelope(&good);
        let changed = |place: &str, value: Value| {
            let mut envelope = envelope.clone();
            let (parent, key) = place.rsplit_once('/').unwrap();
            envelope.pointer_mut(parent).unwrap()[key] = value;
            envelope
        };
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
        let rows: Vec<(&str, &str, Vec<u8>, Value)> = vec![
            ("derived field", "ERR_AOC_001", good.clone(), changed("/source/severity", 9.into())),
            ("unknown field", "ERR_AOC_007", good.clone(), changed("/source/colour", "red".into())),
            ("no publisher", "ERR_AOC_004", good.clone(), changed("/source/publisher", "".into())),
            ("other digest", "ERR_AOC_005", good.clone(), fixtures::envelope(b"other")),
            ("truncated", "ERR_AOC_009", good[..good.len() / 2].to_vec(), json!(null)),
            ("empty", "ERR_AOC_009", vec![], json!(null)),
            ("no evidence", "ERR_AOC_009", b"{\"a\":1}".to_vec(), json!(null)),
            ("duplicate keys", "ERR_AOC_009", b"{\"id\":\"A-1\",\"id\":\"A-2\"}".to_vec(), json!(null)),
            ("latin-1", "ERR_AOC_009", b"{\"id\":\"A-\xe9\"}".to_vec(), json!(null)),
            ("utf-16", "ERR_AOC_009", "{\"id\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(), json!(null)),
            ("too deep", "ERR_AOC_010", deep, json!(null)),
            ("merged", "ERR_AOC_002", [b"[".as_slice(), &good, b",", &good, b"]"].concat(), json!(null)),
            ("another kind", "ERR_AOC_009", bytes(&sbom(&["alpha@1.0.0"])), json!(null)),
        ];
        for (name, expected, document, with) in rows {
            let with = if with.is_null() { fixtures::envelope(&document) } else { with };
            let call = fixtures::with_envelope("advisory", &document, &with);
            assert_eq!(ingester.code(call).await, expected, "{name}");
        }
        let bare = Call::post("/api/v1/evidence/advisory", "application/json", good.clone());
        assert_eq!(ingester.code(bare).await, "ERR_AOC_004");
        let mut typed = fixtures::ingest("advisory", &good);
        typed.headers.insert("content-type", "text/html".parse().unwrap());
        let Err(ClientError::Problem(typed)) = ingester.send(typed).await.success() else {
            panic!("it is of another type");
        };
        assert_eq!((typed.code.as_str(), typed.errors[0].pointer.as_str()), ("MEDIA_TYPE_UNSUPPORTED", "header:Content-Type"));
        let huge = vec![b' '; 64 * 1024 * 1024 + 1];
        let Err(ClientError::Problem(huge)) = ingester.send(fixtures::ingest("advisory", &huge)).await.success() else {
            panic!("it is over the limit");
        };
        assert_eq!((huge.code.as_str(), huge.status), ("BODY_TOO_LARGE", 413));
        assert_eq!(huge.detail, "the body is longer than 67108864 bytes");
        let place = &huge.errors[0];
        assert_eq!(place.pointer, "header:Content-Length");
        assert_eq!(place.detail, "67108865 bytes are declared, 67108864 are the limit");
        assert_eq!(analyst.code(Call::get(DOCUMENTS)).await, "NO_DATA");
    }

    async fn findings_name_what_decided_and_every_document_that_speaks(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        assert_eq!(analyst.code(Call::get("/api/v1/findings")).await, "NO_DATA");
        let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        let hole = ingester.ingest("advisory", &bytes(&hole)).await.id;
        let mut alias = advisory("GHSA-aaaa-bbbb-cccc", &["CVE-2026-1"], "unrelated", "1.0.0");
        alias["summary"] = "the same hole".into();
        let alias = ingester.ingest("advisory", &bytes(&alias)).await.id;
        let mut gone = advisory("RUSTSEC-2026-0009", &[], "alpha", "2.0.0");
        gone["withdrawn"] = "2026-01-02T00:00:00Z".into();
        ingester.ingest("advisory", &bytes(&gone)).await;
        let mut old = advisory("RUSTSEC-2026-0003", &[], "beta", "9.0.0");
        old["affected"][0]["database_specific"] = json!({"informational": "unmaintained"});
        ingester.ingest("advisory", &bytes(&old)).await;
        let catalogue = ingester.ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"]))).await.id;
        let vex = bytes(&fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0"));
        let vex = ingester.ingest("vex", &vex).await.id;
        let list = ["alpha@1.0.0", "alpha@2.0.0", "beta@1.0.0", "gamma@1.0.0"];
        let sbom = ingester.ingest("sbom", &bytes(&sbom(&list))).await.id;

        let page: Page<Finding> = analyst.get("/api/v1/findings").await;
        let told: Vec<(&str, &str)> = page.items.iter()
            .map(|finding| (finding.vulnerability.as_str(), finding.component.purl.as_str()))
            .collect();
        assert_eq!(told.len(), 2, "{told:?}");
        let finding = page.items.iter().find(|one| one.informational.is_none()).unwrap();
        assert_eq!(finding.matched.verdict, Verdict::Affected);
        assert_eq!((finding.matched.rule.as_str(), finding.matched.range.as_str()), ("range", "<2.0.0"));
        assert_eq!(finding.matched.document, hole);
        assert_eq!(finding.vulnerability_ids, ["RUSTSEC-2026-0001", "CVE-2026-1"]);
        let sources: Vec<(SourceRole, &String)> =
            finding.sources.iter().map(|source| (source.role, &source.document)).collect();
        let expected = [
            (SourceRole::Sbom, &sbom), (SourceRole::Advisory, &hole), (SourceRole::Alias, &alias),
            (SourceRole::Kev, &catalogue), (SourceRole::Vex, &vex),
        ];
        assert_eq!(sources, expected);
        let other = page.items.iter().find(|one| one.informational.is_some()).unwrap();
        assert_eq!(other.informational.as_deref(), Some("unmaintained"));

        let id = stella_canonical::Digest::of_canonical(
            &(&sbom, "pkg:cargo/alpha@1.0.0", "rustsec", "RUSTSEC-2026-0001")).unwrap();
        assert_eq!(finding.id, id.to_string());
        for known in [finding.id.as_str(), &finding.id[7..], &finding.id[7..15]] {
            let one: Finding = analyst.get(&format!("/api/v1/findings/{known}")).await;
            assert_eq!(one.id, finding.id);
        }
        let short = format!("/api/v1/findings/{}", &finding.id[7..14]);
        assert_eq!(analyst.code(Call::get(&short)).await, "REQUEST_INVALID");
        for (query, expected) in [
            ("publisher=rustsec", true), ("publisher=nobody", false), ("verdict=affected", true),
            ("verdict=undetermined", false), ("fixable=true", true), ("fixable=false", false),
        ] {
            let page: Page<Finding> = analyst.get(&format!("/api/v1/findings?{query}")).await;
            assert_eq!(!page.items.is_empty(), expected, "{query}");
        }
        let filtered: Page<Finding> = analyst.get("/api/v1/findings?vulnerability=CVE-2026-1").await;
        assert_eq!(filtered.items.len(), 1);
        let bad = Call::get("/api/v1/findings?colour=red");
        assert_eq!(analyst.code(bad).await, "REQUEST_INVALID");
    }

    /// Advisory and component may write a name in two ways, and one may leave out the release.
    async fn every_ecosystem_is_compared_by_its_own_order(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let on = |id: &str, ecosystem: &str, package: &str, fixed: &str| {
            let mut one = advisory(id, &[], package, fixed);
            let kind = if ecosystem == "npm" { "SEMVER" } else { "ECOSYSTEM" };
            one["affected"][0]["package"]["ecosystem"] = ecosystem.into();
            one["affected"][0]["ranges"][0]["type"] = kind.into();
            bytes(&one)
        };
        let purls = [
            ("pkg:npm/%40types/left-pad@1.0.0-rc.2", Some(Verdict::Affected)),
            ("pkg:npm/%40types/left-pad@1.0.0", None),
            ("pkg:pypi/zope-interface@5.0.0.post1.dev2", Some(Verdict::Affected)),
            ("pkg:pypi/zope-interface@5.0.post1", None),
            ("pkg:deb/debian/curl@7.88.1-10%2Bdeb12u4?distro=debian-12", Some(Verdict::Affected)),
            ("pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?distro=debian-12", None),
            ("pkg:deb/debian/curl@7.74.0-1?distro=debian-11", None),
            ("pkg:deb/debian/curl@7.74.0-1", Some(Verdict::Undetermined)),
        ];
        let mut parts = sbom(&["none@1.0.0"; 8]);
        for (at, (purl, _)) in purls.iter().enumerate() {
            parts["components"][at]["purl"] = (*purl).into();
            parts["components"][at]["bom-ref"] = (*purl).into();
        }
        // Some come before the SBOM and one after it.
        ingester.ingest("advisory", &on("GHSA-1", "npm", "@types/left-pad", "1.0.0")).await;
        ingester.ingest("advisory", &on("DSA-1", "Debian:12", "curl", "7.88.1-10+deb12u5")).await;
        ingester.ingest("sbom", &bytes(&parts)).await;
        ingester.ingest("advisory", &on("PYSEC-1", "PyPI", "Zope.Interface", "5.0.post1")).await;
        let page: Page<Finding> = analyst.get("/api/v1/findings").await;
        for (purl, verdict) in purls {
            let found = page.items.iter().find(|one| one.component.purl == purl);
            assert_eq!(found.map(|one| one.matched.verdict), verdict, "{purl}");
        }
        let asked = Call::get("/api/v1/findings?purl=pkg%3Adeb%2Fdebian%2Fcurl");
        let page: Page<Finding> = analyst.send(asked).await.json().unwrap();
        assert_eq!(page.items.len(), 2);
    }

    async fn components_that_cannot_be_matched_are_named(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0001", &[], "zed", "2.0.0"))).await;
        let mut parts = sbom(&["zed@1.0.2", "zed@1.0.0", "zed@1.0.0", "zed@1.0.0", "zed@1.0.0"]);
        for (at, purl) in ["PKG:Cargo/zed@1.0.2", "cargo/zed@1.0.0", "pkg:cargo/ze d@1.0.0", ""].iter().enumerate() {
            parts["components"][at]["purl"] = (*purl).into();
        }
        parts["components"][4].as_object_mut().unwrap().remove("purl");
        for component in parts["components"].as_array_mut().unwrap() {
            component.as_object_mut().unwrap().remove("bom-ref");
        }
        let document = bytes(&parts);
        for _ in ["new", "identical"] {
            let kept = ingester.ingest("sbom", &document).await;
            let told: Vec<(&str, &str)> = kept.notices.iter().map(|one| (one.code.as_str(), one.pointer.as_str())).collect();
            assert_eq!(told, [("COMPONENTS_UNMATCHED", "/components/1")]);
            let expected = "4 (/components/1, /components/2, /components/3, /components/4)";
            assert!(kept.notices[0].message.contains(expected), "{kept:?}");
        }
        // The scheme and the type of a package URL are read in any case.
        let page: Page<Finding> = analyst.get("/api/v1/findings?purl=pkg%3Acargo%2Fzed%401.0.2").await;
        let found: Vec<&str> = page.items.iter().map(|one| one.component.purl.as_str()).collect();
        assert_eq!(found, ["PKG:Cargo/zed@1.0.2"]);
        // However many there are, the answer stays short; and where all are matched it is silent.
        let mut many = sbom(&["zed@1.0.2"; 500]);
        for component in many["components"].as_array_mut().unwrap() {
            component["purl"] = "nonsense".into();
        }
        let told = ingester.ingest("sbom", &bytes(&many)).await.notices;
        let told = told.iter().find(|one| one.code == "COMPONENTS_UNMATCHED").unwrap();
        assert!(told.message.contains("500 (") && told.message.len() < 500, "{}", told.message);
        let mut sound = sbom(&["zed@1.0.2"]);
        sound["serialNumber"] = "urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0009".into();
        assert_eq!(ingester.ingest("sbom", &bytes(&sound)).await.notices, []);
    }

    /// What an SBOM said before its newest revision is no longer so, and is shown where it is
    /// asked for. Two documents that claim one revision both count.
    async fn an_older_revision_of_an_sbom_is_no_longer_current(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0001", &[], "zed", "2.0.0"))).await;
        let revision = |number: u64, version: &str| {
            let mut parts = sbom(&[version]);
            parts["version"] = number.into();
            bytes(&parts)
        };
        let current = async || {
            let page: Page<Finding> = analyst.get("/api/v1/findings").await;
            let mut versions: Vec<_> = page.items.iter().map(|one| one.component.version.clone()).collect();
            versions.sort();
            versions
        };
        // Whichever comes first, and ten is more than nine.
        ingester.ingest("sbom", &revision(10, "zed@1.0.10")).await;
        let ninth = ingester.ingest("sbom", &revision(9, "zed@1.0.9")).await.id;
        assert_eq!(current().await, ["1.0.10"]);
        let asked: Page<Finding> = analyst.get(&format!("/api/v1/findings?sbom={ninth}")).await;
        assert_eq!(asked.items.len(), 1);
        ingester.ingest("sbom", &revision(10, "zed@1.1.10")).await;
        assert_eq!(current().await, ["1.0.10", "1.1.10"]);
        // Another tenant's revision replaces nothing of ours.
        world.ingester("globex").ingest("sbom", &revision(11, "zed@1.0.11")).await;
        assert_eq!(current().await, ["1.0.10", "1.1.10"]);
        ingester.ingest("sbom", &revision(11, "zed@3.0.0")).await;
        assert_eq!(current().await, [""; 0]);
    }

    /// What names nothing is told: an empty list would read as an all-clear.
    async fn findings_are_found_as_people_name_things(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut parts = sbom(&["small-vec@1.6.0", "small-vec@1.5.0", "sound@1.0.0"]);
        // The version stands beside the package URL.
        parts["components"][1]["purl"] = "pkg:cargo/Small_Vec".into();
        let parts = ingester.ingest("sbom", &bytes(&parts)).await.id;
        let other = ingester.ingest("sbom", &bytes(&sbom(&["other@1.0.0"]))).await.id;
        let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-25900"], "small-vec", "1.6.1");
        ingester.ingest("advisory", &bytes(&hole)).await;
        // A second advisory, on nothing of ours: what is known and covers nothing is an empty list.
        ingester.ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0002", &[], "unused", "2.0.0"))).await;
        ingester.ingest("vex", &bytes(&fixtures::vex("CVE-2026-7", "pkg:cargo/sound@1.0.0"))).await;
        let call = |name: &str, value: &str| {
            let query = serde_urlencoded::to_string([(name, value)]).unwrap();
            Call::get(&format!("/api/v1/findings?{query}"))
        };
        let rows = [
            ("sbom", parts.as_str(), 2), ("sbom", &parts[7..], 2), ("sbom", &parts[7..15], 2),
            ("sbom", &parts[..15], 2), ("sbom", &other[7..19], 0),
            ("vulnerability", "cve-2026-25900", 2), ("vulnerability", "RustSec-2026-0001", 2),
            ("vulnerability", "RUSTSEC-2026-0002", 0),
            ("purl", "pkg:cargo/small-vec@1.6.0", 1), ("purl", "pkg:cargo/Small_Vec@1.6.0", 1),
            ("purl", "pkg:cargo/small_vec@1.5.0", 1), ("purl", "pkg:cargo/small-vec", 2), ("purl", "pkg:cargo/sound@1.0.0", 0),
        ];
        for (name, value, count) in rows {
            let page: Page<Finding> = analyst.send(call(name, value)).await.json().unwrap();
            assert_eq!(page.items.len(), count, "{name}={value}");
        }
        let nothing = [
            ("sbom", "00000000".to_owned()), ("sbom", format!("sha256:{}", "0".repeat(64))),
            // An advisory's digest is no SBOM's, and what VEX alone speaks of has no advisory.
            ("sbom", stella_canonical::Digest::of(&bytes(&hole)).to_string()),
            ("vulnerability", "CVE-2099-1".to_owned()), ("vulnerability", "CVE-2026-7".to_owned()),
            ("purl", "pkg:cargo/none@1.0.0".to_owned()), ("purl", "pkg:cargo/small-vec@9.0.0".to_owned()),
        ];
        for (name, value) in nothing {
            assert_eq!(analyst.code(call(name, &value)).await, "NOT_FOUND", "{name}={value}");
        }
        for (name, value) in [("sbom", "sha256:00"), ("sbom", "ABCDEF0123"), ("sbom", ""), ("purl", "nonsense"), ("purl", "")] {
            let Err(ClientError::Problem(told)) = analyst.send(call(name, value)).await.success() else {
                panic!("{name}={value} is nothing that can be asked for");
            };
            let place = format!("query:{name}");
            assert_eq!((told.code.as_str(), &told.errors[0].pointer), ("REQUEST_INVALID", &place), "{value}");
        }
        // What another tenant has is not there.
        world.ingester("globex").ingest("sbom", &bytes(&sbom(&["mine@1.0.0"]))).await;
        world.ingester("globex").ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0003", &[], "mine", "2.0.0"))).await;
        for (name, value) in [("sbom", parts.as_str()), ("vulnerability", "CVE-2026-25900"), ("purl", "pkg:cargo/small-vec")] {
            assert_eq!(world.analyst("globex").code(call(name, value)).await, "NOT_FOUND", "{name}={value}");
        }
        let person = crate::cli::Person::of(&world, "acme");
        let list = async |words: &[&str]| {
            let words: Vec<&str> = ["findings", "list", "--no-score"].iter().chain(words).copied().collect();
            person.types(&words).await
        };
        assert_eq!(list(&["--sbom", &parts[7..19]]).await.json()["items"].as_array().unwrap().len(), 2);
        for (words, exit) in [
            (["--sbom", "00000000"], 4), (["--sbom", "sha256:00"], 2), (["--purl", "nonsense"], 2),
            (["--vulnerability", "cve-2026-25900"], 0), (["--vulnerability", "CVE-2099-1"], 4),
        ] {
            assert_eq!(list(&words).await.exit, exit, "{words:?}");
        }
    }

    async fn any_order_and_any_parallelism_derive_the_same_findings(world) {
        let mut all: Vec<(&str, Vec<u8>)> = Vec::new();
        for n in 0..6 {
            let id = format!("RUSTSEC-2026-000{n}");
            all.push(("advisory", bytes(&advisory(&id, &[], "alpha", "2.0.0"))));
            let mut newer = advisory(&id, &[], if n % 2 == 0 { "alpha" } else { "beta" }, "3.0.0");
            newer["modified"] = "2026-05-01T00:00:00Z".into();
            all.push(("advisory", bytes(&newer)));
            let mut parts = sbom(&["alpha@2.5.0", "beta@1.0.0"]);
            parts["serialNumber"] = format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e000{n}").into();
            all.push(("sbom", bytes(&parts)));
        }
        // One tenant takes everything in a row, the other everything at once, last first.
        let acme = world.ingester("acme");
        for (kind, document) in &all {
            acme.ingest(kind, document).await;
        }
        let globex = std::sync::Arc::new(world.ingester("globex"));
        let mut running = tokio::task::JoinSet::new();
        for (kind, document) in all.iter().rev().cloned() {
            let globex = globex.clone();
            running.spawn(async move { globex.ingest(kind, &document).await });
        }
        running.join_all().await;
        let ids = async |tenant: &str| -> Vec<(String, String)> {
            let page: Page<Finding> = world.analyst(tenant).get("/api/v1/findings?pageSize=500").await;
            page.items.into_iter().map(|one| (one.id, one.matched.document)).collect()
        };
        let expected = ids("acme").await;
        assert_eq!(expected.len(), 6 * 6);
        assert_eq!(ids("globex").await, expected);
    }

    async fn an_empty_store_is_told_apart_from_a_filter_that_nothing_fits(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let only_vex = world.caller("acme", &[Scope::VexRead, Scope::AocVerify]);
        let list = || Call::get("/api/v1/evidence/documents");
        for caller in [&analyst, &only_vex] {
            let Err(ClientError::Problem(none)) = caller.send(list()).await.success() else {
                panic!("an empty store is no list");
            };
            assert_eq!((none.code.as_str(), none.status), ("NO_DATA", 404));
            assert_eq!(none.detail, "the tenant has no document");
            assert!(none.hint.unwrap().contains("stella evidence ingest DIR"));
        }
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let filters = ["kind=vex", "publisher=nobody", "upstreamId=none", "identifier=CVE-2026-1"];
        for filter in filters {
            let path = format!("/api/v1/evidence/documents?{filter}");
            let page: Page<DocumentRecord> = analyst.get(&path).await;
            assert_eq!(page.items, [], "{filter}");
        }
        let page: Page<DocumentRecord> = only_vex.get("/api/v1/evidence/documents").await;
        assert_eq!(page.items, []);
        // One tenant's documents are no ground for another's list.
        assert_eq!(world.analyst("globex").code(list()).await, "NO_DATA");
    }

    async fn pages_cover_a_list_once(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        for n in 0..7 {
            let document = advisory(&format!("RUSTSEC-2026-000{n}"), &[], "alpha", "2.0.0");
            ingester.ingest("advisory", &bytes(&document)).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/api/v1/evidence/documents?pageSize=3".to_owned());
        loop {
            let page: Page<DocumentRecord> = analyst.get(&path).await;
            seen.extend(page.items.into_iter().map(|record| record.id));
            match page.next_page_token {
                Some(token) => path = format!("/api/v1/evidence/documents?pageSize=3&pageToken={token}"),
                None => break,
            }
        }
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((seen.len(), unique), (7, seen));
        for wrong in ["pageSize=0", "pageSize=501", "pageSize=x"] {
            let call = Call::get(&format!("/api/v1/evidence/documents?{wrong}"));
            assert_eq!(analyst.code(call).await, "REQUEST_INVALID");
        }
        let call = Call::get("/api/v1/evidence/documents?pageToken=nonsense");
        assert_eq!(analyst.code(call).await, "PAGE_TOKEN_INVALID");
    }
}
