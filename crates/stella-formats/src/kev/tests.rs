#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use super::*;
use crate::{Document, Format, Reason, read};

fn catalogue(document: &Document) -> &KevCatalogue {
    let Body::Kev(catalogue) = &document.body else {
        panic!("no catalogue")
    };
    catalogue
}

const EXAMPLE: &str = r#"{"title": "a catalogue", "catalogVersion": "2024.01.01", "dateReleased": "2024-01-01T00:00:00.1Z", "count": 2,
"vulnerabilities": [
  {"cveID": "CVE-2024-1", "vulnerabilityName": "n", "dateAdded": "2024-01-01", "dueDate": "2024-01-22",
   "knownRansomwareCampaignUse": "Known", "cwes": []},
  {"cveID": "CVE-2024-2"}
]}"#;

#[test]
fn reads_entries_with_their_places() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (
            document.format,
            &document.spec_version,
            &document.notices[..]
        ),
        (Format::Kev, &None, &[][..])
    );
    assert_eq!(document.identifiers(), ["CVE-2024-1", "CVE-2024-2"]);
    let entries = &catalogue(&document).entries;
    assert_eq!(
        (
            entries[0].date_added.as_deref(),
            entries[0].due_date.as_deref()
        ),
        (Some("2024-01-01"), Some("2024-01-22"))
    );
    assert_eq!(
        (
            entries[0].known_ransomware.as_deref(),
            entries[0].name.as_deref()
        ),
        (Some("Known"), Some("n"))
    );
    assert_eq!(
        (entries[1].pointer.as_str(), &entries[1].known_ransomware),
        ("/vulnerabilities/1", &None)
    );
    let upstream = document.upstream();
    assert_eq!(
        (upstream.publisher.as_deref(), upstream.version.as_deref()),
        (Some("cisa"), Some("2024.01.01"))
    );
}

#[test]
fn notices_repetition_and_a_wrong_count() {
    let document = read(
        EXAMPLE
            .replace("CVE-2024-2", "CVE-2024-1")
            .replace("\"count\": 2", "\"count\": 3")
            .as_bytes(),
    );
    let notices = document.unwrap().notices;
    let codes: Vec<_> = notices
        .iter()
        .map(|notice| (notice.code, notice.pointer.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            ("DUPLICATE_KEV_ENTRY", "/vulnerabilities/1"),
            ("KEV_COUNT_DIFFERS", "/count")
        ]
    );
}

#[test]
fn an_extract_is_not_the_whole() {
    let whole = |count: &str| {
        let text = EXAMPLE.replace("\"count\": 2,", count);
        catalogue(&read(text.as_bytes()).unwrap()).whole
    };
    assert!(whole("\"count\": 2,") && whole("\"count\": 1,") && whole(""));
    assert!(!whole("\"count\": 1352,"));
}

#[test]
fn refuses_a_wrong_shape_with_its_place() {
    let error = read(
        EXAMPLE
            .replace("\"cveID\": \"CVE-2024-2\"", "\"cve\": 2")
            .as_bytes(),
    )
    .unwrap_err();
    assert_eq!(
        (error.reason, error.pointer.as_str(), error.line),
        (Reason::Malformed, "/vulnerabilities/1/cveID", 5)
    );
}

#[test]
fn reads_the_catalogue_and_refuses_its_broken_revision() {
    let Some(dir) = stella_testdata::dir("risk") else {
        return;
    };
    let document =
        read(&fs::read(dir.join("kev/known_exploited_vulnerabilities.json")).unwrap()).unwrap();
    assert_eq!(
        (catalogue(&document).entries.len(), &document.notices[..]),
        (1404, &[][..])
    );
    let broken = fs::read(dir.join("derived/kev-broken-revision-15200f913f.json")).unwrap();
    let error = read(&broken).unwrap_err();
    assert_eq!(
        (error.reason, error.reason.code()),
        (Reason::Malformed, "ERR_AOC_009")
    );
    assert_eq!(
        (error.pointer.as_str(), error.line, error.column),
        ("/vulnerabilities/268", 4003, 17)
    );
}
