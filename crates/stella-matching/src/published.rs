//! Agreement with published advisories, version tables and package URLs.

mod orders;
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::{
    Affected, Coordinates, Ecosystem, Event, Matcher, Portion, Range, RangeKind, Verdict, Version,
};
use serde_json::Value;

/// Advisories that are not withdrawn, by the key of each package they name.
type Advisories = BTreeMap<(Ecosystem, String), Vec<(String, Matcher)>>;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn range(value: &Value) -> Range {
    let points = list(value, "events").flat_map(|event| event.as_object().unwrap());
    let events = points.map(|(kind, version)| {
        let version = version.as_str().unwrap().to_owned();
        match kind.as_str() {
            "introduced" => Event::Introduced(version),
            "fixed" => Event::Fixed(version),
            "last_affected" => Event::LastAffected(version),
            other => panic!("event {other}"),
        }
    });
    Range {
        kind: RangeKind::from(text(value, "type").to_owned()),
        events: events.collect(),
    }
}

fn read_advisories(dir: &Path, into: &mut Advisories) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if document.get("withdrawn").is_some() {
            continue;
        }
        for entry in list(&document, "affected") {
            let affected = Affected {
                ecosystem: Ecosystem::from_osv(text(&entry["package"], "ecosystem")),
                package: text(&entry["package"], "name").to_owned(),
                ranges: list(entry, "ranges").map(range).collect(),
                versions: list(entry, "versions")
                    .map(|version| version.as_str().unwrap().to_owned())
                    .collect(),
                exempt: Portion::default(),
            };
            let key = (affected.ecosystem.clone(), affected.package_key());
            into.entry(key)
                .or_default()
                .push((text(&document, "id").to_owned(), Matcher::new(&affected)));
        }
    }
}

#[test]
fn every_query_finds_the_expected_advisories() {
    let Some(osv) = stella_testdata::dir("osv") else {
        return;
    };
    let mut advisories = Advisories::new();
    for source in ["rustsec", "go"] {
        read_advisories(&osv.join(source), &mut advisories);
    }
    let queries = fs::read_to_string(osv.join("derived/match-queries.tsv")).unwrap();
    let mut compared = BTreeMap::new();
    let mut differences = Vec::new();
    for line in queries.lines().skip(1) {
        let [ecosystem, package, version, expected] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let ecosystem = Ecosystem::from_osv(ecosystem);
        // PyPA's documents are YAML: `stella evidence affected` is asked for all three.
        if ecosystem == Ecosystem::PyPi {
            continue;
        }
        *compared.entry(ecosystem.clone()).or_insert(0) += 1;
        let expected: BTreeSet<&str> = expected.split(',').filter(|id| !id.is_empty()).collect();
        let found = matching(&advisories, &ecosystem, package, version);
        if found != expected {
            differences.push(format!("{line}\n  found {found:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(
        compared.len() == 2 && compared.values().all(|rows| *rows > 2_000),
        "{compared:?}"
    );
}

fn matching<'a>(
    advisories: &'a Advisories,
    ecosystem: &Ecosystem,
    package: &str,
    version: &str,
) -> BTreeSet<&'a str> {
    let key = (ecosystem.clone(), ecosystem.package_key(package));
    let mut found = BTreeSet::new();
    for (id, matcher) in advisories.get(&key).into_iter().flatten() {
        let Some(verdict) = matcher.match_package(ecosystem, package, version) else {
            continue;
        };
        match verdict {
            Verdict::Affected { fixed, .. } => {
                assert!(fixed.is_none_or(|fixed| matcher.fixed_versions(version).contains(&fixed)));
                found.insert(id.as_str());
            }
            Verdict::NotAffected => assert!(matcher.fixed_versions(version).is_empty()),
            Verdict::Undetermined { reason } => panic!("{id} for {package} {version}: {reason}"),
        }
    }
    found
}

#[test]
fn package_urls_of_an_image_name_modules() {
    let Some(sbom) = stella_testdata::dir("sbom") else {
        return;
    };
    let path =
        sbom.join("guac-data/docs/cyclonedx/syft-cyclonedx-docker.io-library-caddy.latest.json");
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut read = 0;
    for component in list(&document, "components")
        .filter(|component| text(component, "purl").starts_with("pkg:golang/"))
    {
        let coordinates = Coordinates::from_purl(text(component, "purl")).unwrap();
        assert_eq!(coordinates.ecosystem, Ecosystem::Go);
        assert_eq!(coordinates.package, text(component, "name"));
        let version = coordinates.version.as_deref().unwrap();
        assert_eq!(version, text(component, "version"));
        assert!(Version::parse(&Ecosystem::Go, version).is_ok(), "{version}");
        read += 1;
    }
    assert_eq!(read, 115);
}

#[test]
fn package_urls_read_as_the_specification_says() {
    let Some(versions) = stella_testdata::dir("versions") else {
        return;
    };
    let mut disagree = BTreeSet::new();
    let mut cases = 0;
    for ty in ["cargo", "npm", "pypi"] {
        let path = versions.join(format!("purl-spec/tests/types/{ty}-test.json"));
        let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for case in list(&document, "tests").filter(|case| text(case, "test_type") != "build") {
            cases += 1;
            if !agrees(case) {
                disagree.insert(text(case, "input").to_owned());
            }
        }
    }
    assert!(disagree.is_empty(), "{disagree:#?}");
    assert!(cases >= 30, "{cases} cases");
}

fn agrees(case: &Value) -> bool {
    let expected = &case["expected_output"];
    match Coordinates::from_purl(text(case, "input")) {
        Err(_) => case["expected_failure"] == true,
        Ok(_) if case["expected_failure"] == true => false,
        Ok(read) if text(case, "test_type") == "parse" => {
            let names = [text(expected, "namespace"), text(expected, "name")];
            let name = names.join("/");
            read.version.as_deref() == expected["version"].as_str()
                && read.is_named(&read.ecosystem, name.trim_start_matches('/'))
        }
        Ok(read) => read.purl == text(case, "expected_output"),
    }
}
