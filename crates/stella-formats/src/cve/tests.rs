#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::tests::json_files;
use crate::{Body, Document, Format, Reason, read};

fn record(document: &Document) -> &CveRecord {
    let Body::Cve(record) = &document.body else {
        panic!("no record")
    };
    record
}

const EXAMPLE: &str = r#"{
  "dataType": "CVE_RECORD", "dataVersion": "5.1",
  "cveMetadata": {"cveId": "CVE-2024-1", "state": "PUBLISHED", "assignerShortName": "example",
    "datePublished": "2024-01-01T00:00:00.000Z", "dateUpdated": "2024-02-01T00:00:00.000Z"},
  "containers": {
    "cna": {"providerMetadata": {"shortName": "example"}, "title": "a hole",
      "affected": [{"vendor": "v", "product": "p", "packageName": "example.com/p",
        "collectionURL": "https://pkg.go.dev", "packageURL": "pkg:golang/example.com/p",
        "cpes": ["cpe:2.3:a:v:p:*:*:*:*:*:*:*:*"], "defaultStatus": "unaffected",
        "versions": [{"version": "0", "lessThan": "1.2.0", "status": "affected", "versionType": "semver",
          "changes": [{"at": "1.1.5", "status": "unaffected"}]}, {"version": "2.0.0", "status": "affected"}]}],
      "metrics": [{"format": "CVSS", "cvssV3_1": {"baseScore": 7.5, "vectorString": "CVSS:3.1/AV:N"}},
        {"cvssV4_0": {"baseScore": 8.7}}],
      "problemTypes": [{"descriptions": [{"cweId": "CWE-79", "description": "text"}]}],
      "references": [{"url": "https://example.org/a", "tags": ["patch", "x_b"]}]},
    "adp": [{"providerMetadata": {"shortName": "CISA-ADP"}, "metrics": [{"other": {"type": "ssvc", "content": {
      "role": "CISA Coordinator", "version": "2.0.3", "timestamp": "2024-02-01T00:00:00Z",
      "options": [{"Exploitation": "none"}, {"Automatable": "No"}]}}}, {"other": {"type": "kev", "content": {}}}]}]
  }
}"#;

#[test]
fn reads_what_each_author_says_with_its_place() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::Cve, Some("5.1"))
    );
    assert_eq!(
        (document.kind().as_str(), &document.notices[..]),
        ("advisory", &[][..])
    );
    assert_eq!(document.identifiers(), ["CVE-2024-1"]);
    let [cna, adp] = record(&document).containers.as_slice() else {
        panic!("two containers")
    };
    assert_eq!(
        (cna.title.as_deref(), adp.provider.as_deref()),
        (Some("a hole"), Some("CISA-ADP"))
    );
    let affected = &cna.affected[0];
    assert_eq!(affected.pointer, "/containers/cna/affected/0");
    assert_eq!(affected.versions[0].less_than.as_deref(), Some("1.2.0"));
    assert_eq!(affected.versions[0].changes[0].at, "1.1.5");
    let score = |score: &CvssScore| {
        (
            score.kind,
            score.base_score.clone().unwrap(),
            score.severity().map(|one| one.pointer),
        )
    };
    assert_eq!(
        cna.scores.iter().map(score).collect::<Vec<_>>(),
        [
            (
                "CVSS_V3",
                "7.5".into(),
                Some("/containers/cna/metrics/0/cvssV3_1/vectorString".into())
            ),
            ("CVSS_V4", "8.7".into(), None),
        ]
    );
    let options = [("Exploitation", "none"), ("Automatable", "No")];
    assert_eq!(
        adp.ssvc[0].options,
        options.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert_eq!(cna.problem_types[0].cwe.as_deref(), Some("CWE-79"));
    assert_eq!(cna.references[0].kind.as_deref(), Some("patch"));
    let upstream = document.upstream();
    assert_eq!(
        (
            upstream.publisher.as_deref(),
            upstream.id.as_deref(),
            upstream.version.as_deref()
        ),
        (
            Some("cve"),
            Some("CVE-2024-1"),
            Some("2024-02-01T00:00:00.000Z")
        )
    );
}

#[test]
fn a_time_without_an_offset_is_in_utc() {
    let document = read(
        EXAMPLE
            .replace("2024-02-01T00:00:00.000Z", "2024-02-01T00:00:00")
            .as_bytes(),
    );
    let document = document.unwrap();
    assert_eq!(document.notices, []);
    assert_eq!(
        document.revised().unwrap().to_string(),
        "2024-02-01T00:00:00Z"
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
    let first = "/containers/cna/affected/0/versions/0".to_owned();
    assert_eq!(
        notice("\"PUBLISHED\"", "null"),
        ("CVE_STATE_UNKNOWN", "/cveMetadata".to_owned())
    );
    assert_eq!(
        notice(r#""status": "affected", "versionType""#, r#""versionType""#),
        ("ODD_VERSION_STATUS", first.clone())
    );
    assert_eq!(
        notice(
            r#""versionType""#,
            r#""lessThanOrEqual": "1", "versionType""#
        ),
        ("ODD_VERSION_RANGE", first)
    );
    let refused = |from: &str, to: &str| {
        let error = swap(from, to).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
    assert_eq!(
        refused("\"5.1\"", "\"4.0\""),
        (Reason::Unsupported, "/dataVersion".into(), 2)
    );
    assert_eq!(
        refused("\"cna\"", "\"cnb\""),
        malformed("/containers/cna", 5)
    );
    assert_eq!(
        refused("\"cveId\"", "\"id\""),
        malformed("/cveMetadata/cveId", 3)
    );
    assert_eq!(
        refused("7.5", "\"7.5\""),
        malformed("/containers/cna/metrics/0/cvssV3_1/baseScore", 12)
    );
}

#[test]
fn reads_every_published_record() {
    let Some(dir) = stella_testdata::dir("cve5") else {
        return;
    };
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |what, number: usize| *counted.entry(what).or_default() += number;
    for path in json_files(&dir) {
        let document = read(&fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let record = record(&document);
        count("records", 1);
        count("rejected", usize::from(record.is_rejected()));
        count("notices", document.notices.len());
        for container in &record.containers {
            count("affected", container.affected.len());
            count(
                "versions",
                container
                    .affected
                    .iter()
                    .map(|one| one.versions.len())
                    .sum(),
            );
            count("scores", container.scores.len());
            count("ssvc", container.ssvc.len());
        }
    }
    // Counted by another program.
    let expected = [
        ("affected", 7623),
        ("notices", 239),
        ("records", 2503),
        ("rejected", 7),
        ("scores", 1988),
        ("ssvc", 2246),
        ("versions", 14091),
    ];
    assert_eq!(counted, BTreeMap::from(expected));
}
