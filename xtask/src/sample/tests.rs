use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stella_matching::{Affected, Coordinates, Event, Matcher, Portion, Range, RangeKind, Verdict};

use super::*;

fn lock() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn affected(advisory: &Value) -> Affected {
    let entry = &advisory["affected"][0];
    let events = list(&entry["ranges"][0], "events")
        .map(|event| serde_json::from_value::<Event>(event.clone()).unwrap());
    Affected {
        ecosystem: entry["package"]["ecosystem"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
        package: entry["package"]["name"].as_str().unwrap().to_owned(),
        ranges: vec![Range {
            kind: RangeKind::Semver,
            events: events.collect(),
        }],
        versions: Vec::new(),
        exempt: Portion::default(),
    }
}

/// Every advisory speaks of the component that was added for it, and of nothing that the
/// workspace really uses.
#[test]
fn each_advisory_finds_its_component_and_no_other() {
    let sbom = sbom::document(&lock()).unwrap();
    let mut found: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for advisory in advisories::documents() {
        for component in list(&sbom, "components") {
            let coordinates = Coordinates::from_purl(component["purl"].as_str().unwrap()).unwrap();
            if let Some(Verdict::Affected { .. }) =
                Matcher::new(&affected(&advisory)).match_component(&coordinates)
            {
                let added = component.get("properties").is_some();
                found
                    .entry(advisory["id"].as_str().unwrap().to_owned())
                    .or_default()
                    .push((coordinates.purl, added));
            }
        }
    }
    assert_eq!(found.len(), advisories::documents().len());
    assert!(
        found.values().all(|hits| hits.len() == 1 && hits[0].1),
        "{found:?}"
    );
}

#[test]
fn every_component_of_the_lock_has_its_url_once() {
    let sbom = sbom::document(&lock()).unwrap();
    let urls: Vec<&str> = list(&sbom, "components")
        .map(|component| component["purl"].as_str().unwrap())
        .collect();
    assert!(urls.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(
        urls.iter()
            .all(|url| Coordinates::from_purl(url).is_ok_and(|read| read.purl == **url))
    );
    assert!(!urls.iter().any(|url| url.starts_with("pkg:cargo/stella")));
}

#[test]
fn the_same_lock_gives_the_same_bytes() {
    assert_eq!(files(&lock()).unwrap(), files(&lock()).unwrap());
}

#[test]
fn a_changed_a_missing_and_a_stray_file_are_drift() {
    let folder = std::env::temp_dir().join(format!("stella-sample-{}", std::process::id()));
    let files = BTreeMap::from([
        (PathBuf::from("kev.json"), b"{}\n".to_vec()),
        (PathBuf::from("advisories/A.json"), b"{}\n".to_vec()),
    ]);
    write(&folder, &files).unwrap();
    compare(&folder, &files).unwrap();
    fs::write(folder.join("kev.json"), "[]").unwrap();
    fs::rename(
        folder.join("advisories/A.json"),
        folder.join("advisories/B.json"),
    )
    .unwrap();
    let message = compare(&folder, &files).unwrap_err().to_string();
    write(&folder, &files).unwrap();
    compare(&folder, &files).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    for named in ["kev.json differs", "A.json: ", "B.json is not generated"] {
        assert!(message.contains(named), "{message}");
    }
}
