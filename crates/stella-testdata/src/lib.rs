//! Finds the published test data that lies outside the repository, for tests only.
//!
//! The data is found by `STELLA_DATA`, the folder that holds its `unpack` script, or at
//! `../shared/data` beside the checkout. It is unpacked once into `target/shared-data`.

mod corpus;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

pub use corpus::{corpus, replay, targets};

/// The folder of one topic of the test data, unpacked, or `None` with a printed notice where
/// the machine has no test data.
///
/// # Panics
/// Where the data is there and cannot be unpacked: then the test must fail, not pass untried.
#[must_use]
pub fn dir(topic: &str) -> Option<PathBuf> {
    let root = workspace();
    let Some(source) = source(&root) else {
        println!("skipped: no test data (set STELLA_DATA to the folder that holds `unpack`)");
        note_skipped(&root.join("target"));
        return None;
    };
    let target = root.join("target/shared-data");
    match unpack(&source, &target, topic) {
        Ok(()) => Some(target.join(topic)),
        Err(error) => panic!("unpacking {topic} from {}: {error}", source.display()),
    }
}

/// All files below a folder whose names end so, in order.
///
/// # Panics
/// Where a folder cannot be read.
#[must_use]
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

fn source(root: &Path) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods)] // the one variable of the tests, beside the program
    let named = std::env::var_os("STELLA_DATA").map(PathBuf::from);
    named
        .or_else(|| Some(root.parent()?.join("shared/data")))
        .filter(|dir| dir.join("unpack").is_file())
}

/// Test processes run side by side: a lock lets one unpack while the others wait.
fn unpack(source: &Path, target: &Path, topic: &str) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let lock = File::create(target.join(format!(".lock-{topic}")))?;
    lock.lock()?;
    let status = Command::new(source.join("unpack"))
        .arg(target)
        .arg(topic)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

/// Adds the running test's name to `target/skipped-tests`, which `cargo xtask ci` counts:
/// runners hide what a passing test prints. A notice that cannot be written fails no test.
fn note_skipped(target: &Path) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    let file = File::options()
        .create(true)
        .append(true)
        .open(target.join("skipped-tests"));
    let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = workspace().join("target").join("testdata-tests").join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn the_folder_has_what_the_archive_holds() {
        let Some(canon) = dir("canon") else { return };
        assert!(fs::read_dir(canon).unwrap().count() > 0);
    }

    #[test]
    fn a_failing_unpack_is_an_error() {
        let source = scratch("failing");
        std::os::unix::fs::symlink("/bin/false", source.join("unpack")).unwrap();
        let error = unpack(&source, &source.join("out"), "canon").unwrap_err();
        assert!(error.to_string().contains('1'), "{error}");
    }

    #[test]
    fn a_skipped_test_is_noted_by_name() {
        let target = scratch("skipped");
        note_skipped(&target);
        let noted = fs::read_to_string(target.join("skipped-tests")).unwrap();
        assert_eq!(noted, "tests::a_skipped_test_is_noted_by_name\n");
    }
}
