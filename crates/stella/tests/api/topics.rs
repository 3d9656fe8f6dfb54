//! What becomes of every published document on its way through a server: a table that changes where
//! the answer to any of them does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::Person;
use crate::world::World;

/// Folders whose documents do not all say who publishes them.
const NAMELESS: [&str; 1] = ["vex/cyclonedx-vex"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A tally as rows: counts, what was noticed in how many documents, what was refused and why.
fn rows(title: &str, tally: &Value) -> String {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in tally["outcomes"].as_object().unwrap().values() {
        for (outcome, number) in kind.as_object().unwrap() {
            *outcomes.entry(outcome).or_default() += count(number);
        }
    }
    let mut noticed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in tally["noticed"].as_array().unwrap() {
        let paths = noticed.entry(text(&one["code"])).or_default();
        paths.insert(text(&one["path"]));
    }
    let flagged: BTreeSet<&str> = noticed.values().flatten().copied().collect();
    let mut refused: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for refusal in tally["refusals"].as_array().unwrap() {
        for error in refusal["errors"].as_array().unwrap() {
            let why = (text(&error["code"]), text(&error["detail"]));
            *refused.entry(why).or_default() += 1;
        }
    }
    let mut told = format!("{title}: {} sent", count(&tally["documents"]));
    for (outcome, number) in outcomes {
        write!(told, ", {number} {outcome}").unwrap();
    }
    writeln!(told, "; {} flagged", flagged.len()).unwrap();
    for (code, paths) in noticed {
        writeln!(told, "  {:>5} {code}", paths.len()).unwrap();
    }
    for ((code, detail), number) in refused {
        writeln!(told, "  {number:>5} refused: {code}: {detail}").unwrap();
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_document_is_stored_or_refused_by_name() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    for topic in ["csaf", "cve5", "osv", "risk", "sbom", "vex"] {
        let Some(dir) = stella_testdata::dir(topic) else {
            return;
        };
        let entries = std::fs::read_dir(&dir).unwrap().map(|one| one.unwrap());
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        let mut told = String::new();
        for folder in folders {
            let name = folder.file_name().unwrap().to_str().unwrap();
            let title = format!("{topic}/{name}");
            let folder = folder.to_str().unwrap();
            let runs: &[&[&str]] = match NAMELESS.contains(&title.as_str()) {
                true => &[&[], &["--publisher", "example"]],
                false => &[&[]],
            };
            for options in runs {
                let words = [&["evidence", "ingest", folder], *options].concat();
                let ran = person.types(&words).await;
                let title = format!("{title} {}", options.join(" "));
                if ran.stderr.contains("NOTHING_TO_INGEST") {
                    writeln!(
                        told,
                        "{}: nothing is called like a document",
                        title.trim_end()
                    )
                    .unwrap();
                    continue;
                }
                told += &rows(title.trim_end(), &ran.json());
            }
        }
        insta::assert_snapshot!(format!("topic_{topic}"), told);
    }
}
