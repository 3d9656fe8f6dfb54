#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// All JSON files below a folder, in order.
pub(crate) fn json_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(json_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn probe() {
    for topic in ["osv", "vex", "sbom", "risk"] {
        let Some(dir) = stella_testdata::dir(topic) else {
            return;
        };
        let mut ok = std::collections::BTreeMap::new();
        for path in json_files(&dir) {
            let bytes = fs::read(&path).unwrap();
            let top = path
                .strip_prefix(&dir)
                .unwrap()
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_owned();
            match read(&bytes) {
                Ok(document) => {
                    let n: std::collections::BTreeSet<_> =
                        document.notices.iter().map(|n| n.code).collect();
                    *ok.entry((top, document.format, n)).or_insert(0) += 1;
                    fuzz(&bytes);
                }
                Err(error) => println!(
                    "{} {:?} {error}",
                    path.strip_prefix(&dir).unwrap().display(),
                    error.reason
                ),
            }
        }
        for (k, n) in ok {
            println!("{topic} {k:?} {n}");
        }
    }
}
