#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::tests::json_files;
use crate::{Body, Document, Format, Reason, read};

fn advisory(document: &Document) -> &Advisory {
    let Body::Advisory(advisory) = &document.body else {
        panic!("no advisory")
    };
    advisory
}

const EXAMPLE: &str = r#"{
  "schema_version": "1.6.0",
  "id": "RUSTSEC-2024-9999", "modified": "2024-02-01T00:00:00Z", "published": "2024-01-01T00:00:00Z",
  "withdrawn": null, "aliases": ["CVE-2024-9999"], "related": ["CVE-2024-1"], "upstream": ["CVE-2024-2"],
  "summary": "a summary", "details": "more", "credits": [{"name": "somebody"}], "unheard-of": {"x": 1},
  "references": [{"type": "WEB", "url": "https://example.org/a"}],
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
  "affected": [{
    "package": {"ecosystem": "crates.io", "name": "example", "purl": "pkg:cargo/example"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "1.2.3"}, {"introduced": "2.0.0"}, {"last_affected": "2.1.0"}]}],
    "versions": ["1.0.0"],
    "database_specific": {"cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "informational": "unsound"}
  }, {
    "ranges": [{"type": "GIT", "repo": "https://example.org/r.git", "events": [{"introduced": "0"}, {"limit": "195caac172690456dcdc8cc7a6ca50e05abf8182"}]}],
    "severity": [{"type": "Ubuntu", "score": "low"}, {"type": "Ubuntu", "score": "low"}],
    "database_specific": {"cvss": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N", "informational": null}
  }]
}"#;

#[test]
fn reads_all_parts_as_published_with_their_places() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.spec_version.as_deref()),
        (Format::Osv, Some("1.6.0"))
    );
    assert_eq!(document.notices, []);
    assert_eq!(
        document.identifiers(),
        ["RUSTSEC-2024-9999", "CVE-2024-9999"]
    );
    let advisory = advisory(&document);
    assert_eq!(advisory.withdrawn, None);
    assert_eq!(
        (&*advisory.related[0], &*advisory.upstream[0]),
        ("CVE-2024-1", "CVE-2024-2")
    );
    assert_eq!(advisory.references[0].pointer, "/references/0");

    let first = &advisory.affected[0];
    assert_eq!(
        first.package.as_ref().unwrap().purl.as_deref(),
        Some("pkg:cargo/example")
    );
    assert_eq!(first.ranges[0].kind, RangeKind::Semver);
    assert_eq!(
        first.ranges[0].events,
        [
            Event::Introduced("0.0.0-0".into()),
            Event::Fixed("1.2.3".into()),
            Event::Introduced("2.0.0".into()),
            Event::LastAffected("2.1.0".into()),
        ]
    );
    assert_eq!(first.informational.as_deref(), Some("unsound"));
    let second = &advisory.affected[1];
    assert_eq!(
        (&second.package, second.informational.as_deref()),
        (&None, None)
    );
    assert_eq!(
        second.ranges[0].repo.as_deref(),
        Some("https://example.org/r.git")
    );
    assert_eq!(second.ranges[0].pointer, "/affected/1/ranges/0");
}

#[test]
fn lists_a_vector_once_however_often_it_is_written() {
    let document = read(EXAMPLE.as_bytes()).unwrap();
    let advisory = advisory(&document);
    assert_eq!(advisory.severities.len(), 1);
    assert_eq!(advisory.severities[0].pointer, "/severity/0");
    assert_eq!(advisory.affected[0].severities, []);
    let own: Vec<(&str, &str)> = advisory.affected[1]
        .severities
        .iter()
        .map(|own| (own.kind.as_str(), own.pointer.as_str()))
        .collect();
    assert_eq!(
        own,
        [
            ("Ubuntu", "/affected/1/severity/0"),
            ("CVSS_V4", "/affected/1/database_specific/cvss")
        ]
    );
}

#[test]
fn names_the_publisher_by_the_prefix_of_the_id() {
    for (id, publisher) in [
        ("RUSTSEC-2024-1", Some("rustsec")),
        ("GO-2024-1", Some("go")),
        ("GHSA-xxxx-yyyy-zzzz", Some("ghsa")),
        ("nodash", None),
        ("-1", None),
    ] {
        let document =
            read(format!(r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z"}}"#).as_bytes())
                .unwrap();
        let upstream = document.upstream();
        assert_eq!(upstream.publisher.as_deref(), publisher);
        assert_eq!(
            (upstream.id.as_deref(), upstream.version.as_deref()),
            (Some(id), Some("2024-01-01T00:00:00Z"))
        );
    }
}

#[test]
fn refuses_a_wrong_shape_with_its_place() {
    let swap = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from));
        let error = read(EXAMPLE.replacen(from, to, 1).as_bytes()).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
    assert_eq!(
        swap(r#""modified": "2024-02-01T00:00:00Z","#, ""),
        malformed("/modified", 1)
    );
    assert_eq!(swap(r#""RUSTSEC-2024-9999""#, "7"), malformed("/id", 3));
    assert_eq!(
        swap(r#"["CVE-2024-9999"]"#, r#"["a", 1]"#),
        malformed("/aliases/1", 4)
    );
    assert_eq!(
        swap(r#"[{"introduced": "0.0.0-0"}"#, r#"["0.0.0-0""#),
        malformed("/affected/0/ranges/0/events/0", 10)
    );
    assert_eq!(
        swap(r#""name": "example""#, r#""name": """#),
        malformed("/affected/0/package/name", 9)
    );
    assert_eq!(
        swap("1.6.0", "2.0.0"),
        (Reason::Unsupported, "/schema_version".to_owned(), 2)
    );
}

#[test]
fn notices_what_it_half_understands() {
    let notices = |from: &str, to: &str| {
        let document = read(EXAMPLE.replacen(from, to, 1).as_bytes()).unwrap();
        document
            .notices
            .iter()
            .map(|notice| (notice.code, notice.pointer.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        notices("SEMVER", "RPM"),
        [("UNKNOWN_RANGE_TYPE", "/affected/0/ranges/0".to_owned())]
    );
    assert_eq!(
        notices("195caac172690456dcdc8cc7a6ca50e05abf8182", "4e7d0df9093"),
        [(
            "ODD_RANGE_EVENT",
            "/affected/1/ranges/0/events/1".to_owned()
        )]
    );
    let event = |index: u8| {
        [(
            "ODD_RANGE_EVENT",
            format!("/affected/0/ranges/0/events/{index}"),
        )]
    };
    assert_eq!(
        notices(r#"{"fixed": "1.2.3"}"#, r#"{"repaired": "1.2.3"}"#),
        event(1)
    );
    assert_eq!(
        notices(
            r#"{"introduced": "2.0.0"}"#,
            r#"{"fixed": "3", "introduced": "2"}"#
        ),
        event(2)
    );
    assert_eq!(
        notices("2024-01-01T00:00:00Z", "January"),
        [("TIME_NOT_RFC3339", "/published".to_owned())]
    );
}

#[test]
fn reads_every_advisory_that_its_publisher_issued() {
    let Some(dir) = stella_testdata::dir("osv") else {
        return;
    };
    let mut counted = BTreeMap::new();
    for source in ["go", "rustsec", "haskell", "psf", "ghsa-trustify"] {
        for path in json_files(&dir.join(source)) {
            let bytes = fs::read(&path).unwrap();
            let document =
                read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(document.notices, [], "{}", path.display());
            let (read, vectors, informational, withdrawn) =
                counted.entry(source).or_insert((0, 0, 0, 0));
            let advisory = advisory(&document);
            assert!(
                path.file_stem().unwrap().to_str() == Some(&advisory.id)
                    || source == "ghsa-trustify"
            );
            *read += 1;
            *vectors += advisory.severities.len();
            if source == "rustsec" {
                assert!(
                    advisory
                        .affected
                        .iter()
                        .all(|affected| affected.severities.is_empty()),
                    "{}",
                    advisory.id
                );
            }
            *informational += advisory
                .affected
                .iter()
                .filter(|affected| affected.informational.is_some())
                .count();
            *withdrawn += usize::from(advisory.withdrawn.is_some());
        }
    }
    assert_eq!(counted["rustsec"], (1206, 417, 476, 13));
    assert_eq!(counted["go"], (4291, 0, 0, 17));
    assert_eq!(
        (
            counted["haskell"].0,
            counted["psf"].0,
            counted["ghsa-trustify"].0
        ),
        (35, 132, 20)
    );
}

const YAML: &str = "id: PYSEC-2021-1\ndetails: text\naffected:\n- package:\n    name: aim\n    \
                    ecosystem: PyPI\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - \
                    introduced: '0'\n    - fixed: 3.10\n  versions: [2.0, 2.10]\n\
                    modified: 2021-12-13T06:35:02.857370Z\nwithdrawn:\n";

#[test]
fn yaml_is_read_as_the_text_that_stands_there() {
    let document = read(YAML.as_bytes()).unwrap();
    assert_eq!(
        (
            document.format,
            document.media_type,
            document.kind().as_str()
        ),
        (Format::Osv, "application/yaml", "advisory")
    );
    assert_eq!(document.notices, []);
    let advisory = advisory(&document);
    assert_eq!(
        (advisory.modified.as_str(), &advisory.withdrawn),
        ("2021-12-13T06:35:02.857370Z", &None)
    );
    let affected = &advisory.affected[0];
    assert_eq!(affected.versions, ["2.0", "2.10"]);
    assert_eq!(affected.ranges[0].events[1], Event::Fixed("3.10".into()));
    assert_eq!(affected.ranges[0].pointer, "/affected/0/ranges/0");
    assert_eq!(document.upstream().publisher.as_deref(), Some("pysec"));
}

#[test]
fn yaml_is_refused_with_its_place() {
    let refused = |from: &str, to: &str| {
        let error = read(YAML.replacen(from, to, 1).as_bytes()).unwrap_err();
        (error.reason, error.pointer, error.line)
    };
    let malformed = |pointer: &str, line| (Reason::Malformed, pointer.to_owned(), line);
    assert_eq!(
        refused("    name: aim\n", ""),
        malformed("/affected/0/package/name", 5)
    );
    assert_eq!(
        refused("- fixed", "- [fixed"),
        malformed("/affected/0/ranges/0/events", 11)
    );
    assert_eq!(
        refused("[2.0, 2.10]", "{}"),
        malformed("/affected/0/versions", 12)
    );
    assert_eq!(
        refused("withdrawn:", "---\nid: x"),
        (Reason::Merge, String::new(), 15)
    );
    assert_eq!(
        refused("details: text", "schema_version: 2.0.0"),
        (Reason::Unsupported, "/schema_version".to_owned(), 2)
    );
}

#[test]
fn reads_every_advisory_of_pypa() {
    let Some(dir) = stella_testdata::dir("osv") else {
        return;
    };
    let (mut read_documents, mut ranges) = (0, 0);
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for path in stella_testdata::files(&dir.join("pypa"), ".yaml") {
        let bytes = fs::read(&path).unwrap();
        let document = read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        crate::fuzz(&bytes);
        read_documents += 1;
        let advisory = advisory(&document);
        assert_eq!(
            path.file_stem().unwrap().to_str(),
            Some(advisory.id.as_str())
        );
        ranges += advisory
            .affected
            .iter()
            .map(|one| one.ranges.len())
            .sum::<usize>();
        for notice in &document.notices {
            *told.entry(notice.code).or_default() += 1;
        }
    }
    // Commits that are cut short, by the schema that OSV publishes.
    let told_of = BTreeMap::from([("ODD_RANGE_EVENT", 7)]);
    assert_eq!((read_documents, ranges, told), (2661, 4050, told_of));
}
