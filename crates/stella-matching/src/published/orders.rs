//! Agreement with the version tables that others publish.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{list, text};
use crate::{Ecosystem, compare};

/// Numbers beyond 64 bits, and more than three of them, are in no published version and
/// undetermined here; node-semver and Cargo refuse them too.
const BEYOND: &[&str] = &[
    "999999999999999999999999999991 < 999999999999999999999999999999",
    "999999999999999999999999999991.999999999999999999999999999991.999999999999999999999999999991 < 999999999999999999999999999999.999999999999999999999999999991.999999999999999999999999999991",
    "1.1.3.4.5 = 1.1.3.4.5",
];

/// node-semver holds pre-releases to be outside of ranges that do not name one: a rule of its
/// ranges, not of its order, which has this version after the bound.
const PRERELEASE: &[&str] = &["version-lt-range: >1.2.3 1.3.0-alpha"];

/// From before PEP 440, which has no place for them: PyPI's `packaging` refuses them as well.
const LEGACY: &[&str] = &[
    "-class.-jw.util.version.version-dev < 1.0",
    "-class.-jw.util.version.version-pre < 1.0",
    "-class.-jw.util.version.version-preview < 1.0",
    "0.1-bulbasaur < 0.1-charmander",
    "0.1-charmander < 0.9-doduo",
    "0.3.1-p1 < 0.4.0-p1",
    "0.3m2 < 0.3m3",
    "0.3m5 < 0.4m1",
    "0.4m1 < 0.4m2",
    "0.4m3 < 0.4m4",
    "0.5m1 < 0.5m2",
    "0.5m4 < 0.5m5",
    "0.6m2 < 0.6m3",
    "0.6m5 < 0.6m6",
    "0.6m6 < 0.2rc0",
    "0.7.1.fix1 < 0.7.4.svn.r2010",
    "0.7.10p1 < 0.7.11p1",
    "0.7.11p3 < 0.8.1p1",
    "0.7.4.svn.r2010 < 0.6.4",
    "0.8.1p1 < 0.8.3p1",
    "0.8.4p2 < 0.8.6p1",
    "0.9-doduo < 0.9-eevee",
    "0.9-eevee < 0.9-fearow",
    "0.9-fearow < 0.9-gyarados",
    "0.9-gyarados < 0.9-horsea",
    "0.9-horsea < 0.9-ivysaur",
    "0.9-ivysaur < 1.0",
    "1.0beta6.1 < 1.0b6",
    "1.3.1-STAGING < 0.0.1",
    "2.0.0-final < 0.10",
    "2.0.1rc2-git < 0.8",
    "2013-02-01T20:50:46+0100 < 2013-02-02T19:59:03+0100",
    "2013-02-02T20:23:17+0100 < 2013-02-08T17:40:57+0000",
    "2013-03-27T16:32:26+0100 < 2013-05-09T12:47:53+0200",
    "2013-05-09T12:47:53+0200 < 2013-05-10T17:55:56+0200",
    "2013-05-10T17:55:56+0200 < 2013-05-14T20:16:05+0200",
    "2013-05-14T20:16:05+0200 < 2013-06-01T10:32:51+0200",
    "2013-08-12T21:48:56+0200 < 2013-09-11T19-27-10",
    "2013-12-23T17-51-15 < 2014-01-12T15-52-10",
    "trunk < 3.2.3",
];

/// Rows on which we differ from a table, by ecosystem; a row that agrees again is refused.
const KNOWN: [(&str, &[&str]); 5] = [
    ("crates.io", BEYOND),
    ("Go", BEYOND),
    ("npm", BEYOND),
    ("npm", PRERELEASE),
    ("PyPI", LEGACY),
];

/// Rows of all tables of one ecosystem, and those on which we differ.
struct Judged {
    ecosystem: &'static str,
    rows: usize,
    differ: BTreeSet<String>,
}

impl Judged {
    fn of(ecosystem: &'static str) -> Self {
        let differ = BTreeSet::new();
        Self {
            ecosystem,
            rows: 0,
            differ,
        }
    }

    fn row(&mut self, row: &str, holds: bool) {
        self.rows += 1;
        if !holds {
            self.differ.insert(row.to_owned());
        }
    }

    fn compare(&self, left: &str, right: &str) -> Option<Ordering> {
        compare(&Ecosystem::from_osv(self.ecosystem), left, right).ok()
    }

    /// A table of OSV-SCALIBR: `left sign right`, comments and blank lines.
    fn table(&mut self, versions: &Path, name: &str, concerns: impl Fn(&str) -> bool) {
        let path = versions.join("osv-scalibr/semantic/testdata").join(name);
        let table = fs::read_to_string(path).unwrap();
        let rows = table
            .lines()
            .filter(|row| !row.is_empty() && !row.starts_with("//"));
        for row in rows.filter(|row| concerns(row)) {
            let [left, sign, right] = row.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let expected = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("{row}"),
            };
            self.row(row, self.compare(left, right) == Some(expected));
        }
    }

    /// All disagree as is known, and what is known to disagree does.
    fn end(self, at_least: usize) {
        println!(
            "{}: {} rows, {} differ",
            self.ecosystem,
            self.rows,
            self.differ.len()
        );
        let of_ours = KNOWN
            .iter()
            .filter(|(ecosystem, _)| *ecosystem == self.ecosystem);
        let known: BTreeSet<String> = of_ours
            .flat_map(|(_, rows)| rows.iter().map(|row| (*row).to_owned()))
            .collect();
        let (new, gone): (Vec<_>, Vec<_>) = (
            self.differ.difference(&known).collect(),
            known.difference(&self.differ).collect(),
        );
        assert!(
            new.is_empty() && gone.is_empty(),
            "{}: differ and are not known: {new:#?}\nare known and agree: {gone:#?}",
            self.ecosystem
        );
        assert!(self.rows >= at_least, "{} rows", self.rows);
    }
}

#[test]
fn semver_is_in_the_published_order() {
    let Some(versions) = stella_testdata::dir("versions") else {
        return;
    };
    let mut crates = Judged::of("crates.io");
    // Cargo has no `v` in front.
    crates.table(&versions, "semver-versions.txt", |row| !row.contains('v'));
    crates.end(50);
    let mut go = Judged::of("Go");
    go.table(&versions, "semver-versions.txt", |_| true);
    go.end(75);
}

#[test]
fn npm_is_in_the_published_order() {
    let Some(versions) = stella_testdata::dir("versions") else {
        return;
    };
    let derived = |name: &str| -> Vec<Vec<Value>> {
        let path = versions.join(format!("derived/node-semver-{name}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let mut npm = Judged::of("npm");
    npm.table(&versions, "semver-versions.txt", |_| true);
    for (name, expected) in [
        ("comparisons", Ordering::Greater),
        ("equality", Ordering::Equal),
    ] {
        for row in derived(name) {
            let (left, right) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
            let holds = npm.compare(left, right) == Some(expected);
            npm.row(&format!("{name}: {left} {right}"), holds);
        }
    }
    // Intersections and truncations have no two versions to compare; neither do ranges with
    // a caret, a tilde or a placeholder, which advisories do not have.
    for (name, expected) in [("version-lt-range", true), ("version-not-lt-range", false)] {
        for row in derived(name) {
            let (range, version) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
            let Some(below) = below(&npm, range, version) else {
                continue;
            };
            npm.row(&format!("{name}: {range} {version}"), below == expected);
        }
    }
    npm.end(170);
}

/// Whether a version is below every alternative of a range of plain comparators; none where
/// the range is of another kind.
fn below(npm: &Judged, range: &str, version: &str) -> Option<bool> {
    let mut all = true;
    for alternative in range.split("||") {
        let mut under = false;
        let spaced = alternative.replace(" - ", " <=");
        let tight = [">=", "<=", ">", "<"]
            .iter()
            .fold(spaced, |text, sign| text.replace(&format!("{sign} "), sign));
        for comparator in tight.split_whitespace() {
            let bound = comparator.trim_start_matches(['<', '>', '=']);
            let order = npm.compare(version, bound)?;
            under |= match &comparator[..comparator.len() - bound.len()] {
                "" | "=" | ">=" => order.is_lt(),
                ">" => order.is_le(),
                "<" | "<=" => false,
                _ => return None,
            };
        }
        all &= under;
    }
    Some(all)
}

#[test]
fn pypi_is_in_the_published_order() {
    let Some(versions) = stella_testdata::dir("versions") else {
        return;
    };
    let mut pypi = Judged::of("PyPI");
    pypi.table(&versions, "pypi-versions.txt", |_| true);
    pypi.table(&versions, "pypi-versions-generated.txt", |_| true);
    let path = versions.join("vers-spec/tests/pypi_range_containment_test.json");
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for case in list(&document, "tests") {
        let (vers, version) = (
            text(&case["input"], "vers"),
            text(&case["input"], "version"),
        );
        let holds = contains(&pypi, vers, version) == case["expected_output"].as_bool();
        pypi.row(&format!("{vers} {version}"), holds);
    }
    pypi.end(6_000);
}

/// The containment algorithm of the VERS specification.
fn contains(order: &Judged, vers: &str, version: &str) -> Option<bool> {
    let (_, constraints) = vers.split_once('/')?;
    let mut bounds = Vec::new();
    for constraint in constraints.split('|') {
        let bound = constraint.trim_start_matches(['<', '>', '=', '!']);
        let sign = &constraint[..constraint.len() - bound.len()];
        let place = order.compare(version, bound)?;
        match sign {
            "" if place.is_eq() => return Some(true),
            "!=" if place.is_eq() => return Some(false),
            "" | "!=" => {}
            _ => bounds.push((
                bound,
                sign.starts_with('>'),
                match sign {
                    ">" => place.is_gt(),
                    ">=" => place.is_ge(),
                    "<" => place.is_lt(),
                    _ => place.is_le(),
                },
            )),
        }
    }
    bounds.sort_by(|(left, ..), (right, ..)| order.compare(left, right).unwrap());
    let first = bounds
        .first()
        .is_some_and(|(_, from, holds)| !from && *holds);
    let last = bounds
        .last()
        .is_some_and(|(_, from, holds)| *from && *holds);
    let between = bounds
        .windows(2)
        .any(|pair| pair[0].1 && !pair[1].1 && pair[0].2 && pair[1].2);
    Some(first || last || between)
}

#[test]
fn debian_is_in_the_published_order() {
    let Some(versions) = stella_testdata::dir("versions") else {
        return;
    };
    let mut debian = Judged::of("Debian");
    debian.table(&versions, "debian-versions.txt", |_| true);
    debian.table(&versions, "debian-versions-generated.txt", |_| true);
    debian.end(7_000);
}
