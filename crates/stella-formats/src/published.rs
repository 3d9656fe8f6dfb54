//! What becomes of every file of the published data: a table that changes where the reading of
//! any of them does.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::read;

/// What became of the files of a folder, each outcome with how many times.
#[derive(Default)]
struct Row {
    read: BTreeMap<String, usize>,
    noticed: BTreeMap<&'static str, usize>,
    refused: BTreeMap<String, usize>,
}

fn table(dir: &Path, topic: &str) -> String {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for path in stella_testdata::files(dir, "") {
        let below = path.strip_prefix(dir).unwrap();
        let folder: PathBuf = below.parent().unwrap().components().take(1).collect();
        let row = rows.entry(folder.display().to_string()).or_default();
        match read(&fs::read(&path).unwrap()) {
            Ok(document) => {
                let (format, kind) = (document.format.as_str(), document.kind());
                let version = document.spec_version.as_deref().unwrap_or("-");
                let media = document.media_type.rsplit('/').next().unwrap();
                *row.read
                    .entry(format!("{format} {version} {media} as {kind}"))
                    .or_default() += 1;
                let mut codes: Vec<_> = document.notices.iter().map(|one| one.code).collect();
                codes.sort_unstable();
                codes.dedup();
                for code in codes {
                    *row.noticed.entry(code).or_default() += 1;
                }
            }
            Err(error) => {
                assert!(error.line > 0);
                let why = format!(
                    "{} {:?}: {}",
                    error.reason.code(),
                    error.reason,
                    error.message
                );
                *row.refused.entry(why).or_default() += 1;
            }
        }
    }
    let mut text = String::new();
    for (folder, row) in rows {
        let files: usize = row.read.values().chain(row.refused.values()).sum();
        writeln!(text, "{topic}/{folder}: {files} files").unwrap();
        for (what, count) in row.read {
            writeln!(text, "  {count:>5} {what}").unwrap();
        }
        for (code, count) in row.noticed {
            writeln!(text, "        {count:>5} with {code}").unwrap();
        }
        for (why, count) in row.refused {
            writeln!(text, "  {count:>5} refused: {why}").unwrap();
        }
    }
    text
}

#[test]
fn every_file_is_read_or_refused_by_name() {
    for topic in ["csaf", "cve5", "osv", "risk", "sbom", "vex"] {
        let Some(dir) = stella_testdata::dir(topic) else {
            return;
        };
        insta::assert_snapshot!(topic, table(&dir, topic));
    }
}
