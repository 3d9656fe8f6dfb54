//! What of a document counts for nothing here, or is not what it says: told to whoever sends it, for
//! nobody finds it in a list of findings.

use stella_api::Code;
use stella_formats::{Advisory, Body, CveRecord, CvssScore, Sbom, VexDocument};
use stella_matching::{Coordinates, doubts, quoted};
use stella_scoring::cvss::Vector;

use crate::coverage::{self, NamedPackage};
use crate::cve;
use crate::product::{Said, doubtful, misnamed};

/// The same of several places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What: [`Code::ComponentsUnmatched`], [`Code::PackagesUnmatched`],
    /// [`Code::ProductNotRead`], [`Code::VersionsUndetermined`], [`Code::SeverityUnreadable`] or [`Code::CvssMisstated`].
    pub code: Code,
    /// Where (RFC 6901), in the order of the document.
    pub places: Vec<String>,
    /// Why, in lower case: the first few of what differs.
    pub reasons: Vec<String>,
}

/// How many reasons of one remark are kept.
const REASONS: usize = 3;

/// Places as they are found.
struct Found(Vec<Remark>);

impl Found {
    fn note(&mut self, code: Code, place: impl Into<String>, reason: impl ToString) {
        let (place, reason) = (place.into(), reason.to_string());
        let Some(remark) = self.0.iter_mut().find(|remark| remark.code == code) else {
            let (places, reasons) = (vec![place], vec![reason]);
            return self.0.push(Remark {
                code,
                places,
                reasons,
            });
        };
        // Several statements may stand at one.
        if remark.places.last() != Some(&place) {
            remark.places.push(place);
        }
        if remark.reasons.len() < REASONS && !remark.reasons.contains(&reason) {
            remark.reasons.push(reason);
        }
    }
}

/// Everything of that kind in a document. What was taken back is not asked for it.
#[must_use]
pub fn remarks(body: &Body) -> Vec<Remark> {
    let mut found = Found(Vec::new());
    match body {
        Body::Advisory(advisory) if advisory.withdrawn.is_none() => {
            of_advisory(&mut found, advisory)
        }
        Body::Cve(record) if !record.is_rejected() => of_record(&mut found, record),
        Body::Csaf(csaf) => {
            match &csaf.vex {
                Some(vex) => of_vex(&mut found, vex, false),
                None => {
                    let reason = "a CSAF advisory gives its severities to findings of others";
                    found.note(Code::PackagesUnmatched, "", reason);
                }
            }
            let scores = csaf.vulnerabilities.iter().flat_map(|one| &one.scores);
            scores.for_each(|one| of_score(&mut found, &one.score));
        }
        Body::Vex(vex) => of_vex(&mut found, vex, false),
        Body::Sbom(sbom) => {
            of_components(&mut found, sbom);
            // What it calls its own components needs nothing else to be found.
            sbom.vex
                .iter()
                .for_each(|vex| of_vex(&mut found, vex, true));
        }
        _ => {}
    }
    found.0
}

fn of_components(found: &mut Found, sbom: &Sbom) {
    for component in &sbom.components {
        let reason = match component.purl.as_deref().map(Coordinates::from_purl) {
            Some(Ok(named)) if named.ecosystem.has_purls() => continue,
            Some(Ok(named)) => format!(
                "no OSV advisory names packages of {}",
                quoted(named.ecosystem.as_str())
            ),
            Some(Err(error)) => error.to_string(),
            None => "no package URL".to_owned(),
        };
        found.note(Code::ComponentsUnmatched, &component.pointer, reason);
    }
}

fn of_vex(found: &mut Found, vex: &VexDocument, own: bool) {
    let said = Said::read(vex);
    for (place, reason) in misnamed(vex, &said) {
        found.note(Code::PackagesUnmatched, place, reason);
    }
    let doubtful = doubtful(vex, &said).filter(|_| !own);
    for (place, reason) in doubtful {
        found.note(Code::ProductNotRead, place, reason);
    }
    vex.ratings.iter().for_each(|one| of_score(found, one));
}

/// Of an advisory that names nothing at all its whole is the place.
const NO_PACKAGE: &str = "no package of an ecosystem is named";

fn of_advisory(found: &mut Found, advisory: &Advisory) {
    if advisory.affected.is_empty() {
        found.note(Code::PackagesUnmatched, "", NO_PACKAGE);
    }
    let nameless = advisory.affected.iter().filter(|one| one.package.is_none());
    nameless.for_each(|one| found.note(Code::PackagesUnmatched, &one.pointer, NO_PACKAGE));
    for package in coverage::packages(advisory) {
        let ecosystem = &package.affected.ecosystem;
        if !ecosystem.has_purls() {
            let reason = format!(
                "no package URL is of ecosystem {}",
                quoted(ecosystem.family())
            );
            found.note(Code::PackagesUnmatched, &package.pointer, reason);
            continue;
        }
        of_package(found, &package, |at| {
            format!("{}/ranges/{at}", package.pointer)
        });
    }
    let of_packages = advisory.affected.iter().flat_map(|one| &one.severities);
    for severity in advisory.severities.iter().chain(of_packages) {
        let reason = match Vector::parse(&severity.score) {
            _ if !severity.kind.starts_with("CVSS_") => format!("type {}", quoted(&severity.kind)),
            Err(error) => error.to_string(),
            Ok(_) => continue,
        };
        found.note(Code::SeverityUnreadable, &severity.pointer, reason);
    }
}

fn of_record(found: &mut Found, record: &CveRecord) {
    let mut affected = record
        .containers
        .iter()
        .flat_map(|one| &one.affected)
        .peekable();
    if affected.peek().is_none() {
        found.note(Code::PackagesUnmatched, "", NO_PACKAGE);
    }
    let nameless = affected.filter(|one| cve::named(one).is_none());
    nameless.for_each(|one| found.note(Code::PackagesUnmatched, &one.pointer, NO_PACKAGE));
    for package in cve::packages(record) {
        // Ranges are made from what is listed, and are not listed themselves.
        of_package(found, &package, |_| package.pointer.clone());
    }
    let scores = record.containers.iter().flat_map(|one| &one.scores);
    scores.for_each(|score| of_score(found, score));
}

fn of_package(found: &mut Found, package: &NamedPackage, range: impl Fn(usize) -> String) {
    for (at, reason) in doubts(&package.affected) {
        let place = at.map_or_else(|| package.pointer.clone(), &range);
        found.note(Code::VersionsUndetermined, place, reason);
    }
}

fn of_score(found: &mut Found, score: &CvssScore) {
    match score.vector.as_deref().map(Vector::parse) {
        None => found.note(
            Code::SeverityUnreadable,
            &score.pointer,
            "a score without a vector",
        ),
        Some(Err(error)) => found.note(Code::SeverityUnreadable, &score.pointer, error),
        Some(Ok(vector)) => {
            let (temporal, environmental) = (&score.temporal_score, &score.environmental_score);
            let base = score
                .base_score
                .as_deref()
                .filter(|base| !vector.states(base));
            let temporal = temporal.as_deref();
            let temporal = temporal.filter(|score| !vector.temporal_score().is(score));
            // Some tools leave the equation out where no such metric is defined.
            let states =
                |score: &str| vector.environmental_score().is(score) || vector.score().is(score);
            let environmental = environmental.as_deref().filter(|score| !states(score));
            for published in [base, temporal, environmental].into_iter().flatten() {
                let reason = format!("{published} is published");
                found.note(Code::CvssMisstated, &score.pointer, reason);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Codes, places and reasons of a document.
    fn told(document: &Value) -> Vec<(&'static str, Vec<String>, String)> {
        let read = stella_formats::read(document.to_string().as_bytes()).unwrap();
        let each = remarks(&read.body).into_iter();
        each.map(|one| (one.code.as_str(), one.places, one.reasons.join("; ")))
            .collect()
    }

    fn places(document: &Value) -> Vec<(&'static str, Vec<String>)> {
        let each = told(document).into_iter();
        each.map(|(code, places, _)| (code, places)).collect()
    }

    fn osv(affected: &Value, severity: &Value) -> Value {
        json!({"id": "X-1", "modified": "2024-01-01T00:00:00Z", "affected": affected, "severity": severity})
    }

    const PACKAGE: &str = "/affected/0";

    fn of(ranges: &Value) -> Value {
        let package = json!({"ecosystem": "crates.io", "name": "a"});
        osv(&json!([{"package": package, "ranges": ranges}]), &json!([]))
    }

    #[test]
    fn an_advisory_that_is_understood_has_none() {
        let events = json!([{"introduced": "0"}, {"fixed": "1.2.3"}]);
        let mut document = of(&json!([{"type": "SEMVER", "events": events}]));
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
        document["severity"] = json!([{"type": "CVSS_V3", "score": vector}]);
        assert_eq!(told(&document), []);
        document["affected"] = json!([]);
        document["withdrawn"] = json!("2024-01-01T00:00:00Z");
        assert_eq!(told(&document), [], "what was taken back");
    }

    #[test]
    fn of_versions_that_cannot_be_compared_the_range_and_why() {
        let undetermined = |ranges: Value| {
            let mut told = told(&of(&ranges));
            assert_eq!(told.len(), 1, "{told:?}");
            let (code, places, reason) = told.remove(0);
            assert_eq!(code, "VERSIONS_UNDETERMINED");
            (places, reason)
        };
        let first = vec![format!("{PACKAGE}/ranges/0")];
        let semver = |events: Value| json!([{"type": "SEMVER", "events": events}]);
        let (places, reason) = undetermined(semver(json!([{"fixed": "1.0.0"}])));
        assert_eq!(
            (places, &*reason),
            (first.clone(), "range without an introduced event")
        );
        let events = json!([{"introduced": "0"}, {"fixed": "soon"}]);
        let (places, reason) = undetermined(semver(events));
        assert!(places == first && reason.contains("\"soon\""), "{reason}");
        let (places, reason) = undetermined(json!([]));
        assert_eq!(
            (places, &*reason),
            (vec![PACKAGE.to_owned()], "neither ranges nor versions")
        );
        let git = json!([{"type": "GIT", "repo": "https://example.org", "events": [{"introduced": "0"}]}]);
        let (places, reason) = undetermined(git);
        assert_eq!(
            (places, &*reason),
            (vec![PACKAGE.to_owned()], "git range only")
        );
    }

    #[test]
    fn of_severities_that_cannot_be_read_the_place() {
        let garbage = json!([{"type": "CVSS_V3", "score": "garbage"}]);
        let package = json!([{"ranges": [], "severity": [{"type": "Ubuntu", "score": "low"}]}]);
        let severities = (
            "SEVERITY_UNREADABLE",
            vec![
                "/severity/0".to_owned(),
                "/affected/0/severity/0".to_owned(),
            ],
        );
        let nameless = ("PACKAGES_UNMATCHED", vec![PACKAGE.to_owned()]);
        assert_eq!(places(&osv(&package, &garbage)), [nameless, severities]);

        let all = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let cve = json!({"dataType": "CVE_RECORD", "dataVersion": "5.1",
            "cveMetadata": {"cveId": "CVE-2024-1", "state": "PUBLISHED"},
            "containers": {"cna": {"affected": [{"vendor": "v", "product": "p"}], "metrics": [
                {"cvssV3_1": {"vectorString": "CVSS:3.1/AV:Q", "baseScore": 9.8}},
                {"cvssV4_0": {"baseScore": 8.7}},
                {"cvssV3_1": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "baseScore": 9.8}},
                {"cvssV3_1": {"vectorString": format!("{all}/E:U/RL:O/RC:U"), "baseScore": 9.8, "temporalScore": 7.8, "environmentalScore": 7.8}},
                {"cvssV3_1": {"vectorString": format!("{all}/E:U/RL:O/RC:U"), "baseScore": 9.8, "temporalScore": 3.3}},
                {"cvssV3_1": {"vectorString": format!("{all}/MAV:P"), "baseScore": 9.8, "environmentalScore": 1.0}}]}}});
        let at = |number: u8, version: &str| format!("/containers/cna/metrics/{number}/{version}");
        assert_eq!(
            places(&cve),
            [
                (
                    "PACKAGES_UNMATCHED",
                    vec!["/containers/cna/affected/0".to_owned()]
                ),
                (
                    "SEVERITY_UNREADABLE",
                    vec![at(0, "cvssV3_1"), at(1, "cvssV4_0")]
                ),
                (
                    "CVSS_MISSTATED",
                    vec![at(2, "cvssV3_1"), at(4, "cvssV3_1"), at(5, "cvssV3_1")]
                ),
            ]
        );

        let csaf = json!({"document": {"category": "csaf_security_advisory", "csaf_version": "2.0", "title": "t",
                "publisher": {"name": "n", "category": "vendor", "namespace": "https://example.org"},
                "tracking": {"id": "1", "version": "1", "status": "final", "current_release_date": "2024-01-01T00:00:00Z"}},
            "vulnerabilities": [{"cve": "CVE-2024-1", "scores": [{"products": [], "cvss_v3": {"vectorString": "nonsense"}}]}]});
        assert_eq!(
            places(&csaf),
            [
                ("PACKAGES_UNMATCHED", vec![String::new()]),
                (
                    "SEVERITY_UNREADABLE",
                    vec!["/vulnerabilities/0/scores/0/cvss_v3".to_owned()]
                ),
            ]
        );
    }

    #[test]
    fn what_no_package_url_can_name_is_told() {
        let of = |ecosystem: &str| {
            let package = json!({"ecosystem": ecosystem, "name": "a"});
            told(&osv(
                &json!([{"package": package, "versions": ["1.0.0"]}]),
                &json!([]),
            ))
        };
        for known in ["Alpine:v3.18", "Red Hat:rhel_aus:8.4::appstream", "Maven"] {
            assert_eq!(of(known), [], "{known}");
        }
        for unknown in ["Android", "pypi", "Foo:1"] {
            let told = of(unknown);
            assert_eq!(
                (told.len(), told[0].0),
                (1, "PACKAGES_UNMATCHED"),
                "{told:?}"
            );
        }
        let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"name": "a", "purl": "pkg:apk/alpine/a@1"}, {"name": "b", "purl": "pkg:generic/b@1"}]});
        let unmatched = ("COMPONENTS_UNMATCHED", vec!["/components/1".to_owned()]);
        assert_eq!(places(&sbom), [unmatched]);
    }

    #[test]
    fn of_vex_products_that_nothing_is_and_ratings_that_are_wrong() {
        let vex = |product: &str| {
            json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "a",
                "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [{
                "vulnerability": {"name": "CVE-2024-1"}, "products": [{"@id": product}], "status": "fixed"}]})
        };
        let nobody = (
            "PACKAGES_UNMATCHED",
            vec!["/statements/0/products/0".to_owned()],
        );
        for product in [
            "banana",
            "pkg:npm",
            "pkg:generic/a",
            "pkg:rpm/fedora/a",
            "pkg:npm/a@latest",
        ] {
            assert_eq!(places(&vex(product)), vec![nobody.clone()], "{product}");
        }
        for product in ["pkg:npm/a", "urn:cdx:1-2/3#x"] {
            assert_eq!(places(&vex(product)), [], "{product}");
        }
        let rating = |vector: &str, score: f64| json!({"method": "CVSSv31", "vector": vector, "score": score});
        let none = "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N";
        let cyclonedx = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "vulnerabilities": [{
            "id": "CVE-2024-1", "analysis": {"state": "exploitable"}, "affects": [{"ref": "pkg:npm/a"}],
            "ratings": [rating(none, 7.5), rating(none, 8.2), rating("AAV:N", 1.0),
                {"method": "CVSSv31", "score": 7.5}, {"method": "CVSSv31", "severity": "high"}]}]});
        let at = |numbers: &[u8]| {
            let each = numbers
                .iter()
                .map(|n| format!("/vulnerabilities/0/ratings/{n}"));
            each.collect::<Vec<_>>()
        };
        let expected = [
            ("CVSS_MISSTATED", at(&[1])),
            ("SEVERITY_UNREADABLE", at(&[2, 3])),
        ];
        assert_eq!(places(&cyclonedx), expected);
    }

    #[test]
    fn an_advisory_without_packages_is_one_as_a_whole() {
        assert_eq!(
            places(&osv(&json!([]), &json!([]))),
            [("PACKAGES_UNMATCHED", vec![String::new()])]
        );
    }
}
