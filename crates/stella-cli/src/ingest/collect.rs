//! Which files a person means by the paths given.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::packed;
use super::source::Source;
use crate::failure::Failure;
use crate::kind::PATH_UNREADABLE;

/// How the names of documents end that are looked for in folders.
const ENDINGS: [&str; 5] = [".json", ".yaml", ".yml", ".csv", ".csv.gz"];
/// How those of archives end.
const ARCHIVES: [&str; 5] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip"];

/// Why something in a folder is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Skipped {
    /// Its name ends as that of no document does.
    OtherName,
    /// Its name begins with a dot.
    Hidden,
    /// A link to a folder, which could lead in circles.
    LinkedFolder,
    /// Neither a file nor a folder, or a link to nothing.
    NoFile,
}

impl Skipped {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [
        Self::OtherName,
        Self::Hidden,
        Self::LinkedFolder,
        Self::NoFile,
    ];

    /// The key of its label, and its name for scripts.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OtherName => "other-name",
            Self::Hidden => "hidden",
            Self::LinkedFolder => "linked-folder",
            Self::NoFile => "no-file",
        }
    }
}

/// What was found under the paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// In sorted order, each once.
    pub(crate) sources: Vec<Source>,
    /// What was passed over.
    pub(crate) skipped: BTreeMap<Skipped, usize>,
}

/// Finds files: those named, whatever their names, and those of folders whose names end as
/// those of documents and archives do. Archives are unpacked.
///
/// # Errors
/// `PATH_UNREADABLE`; nothing is sent then.
pub(crate) fn collect(paths: &[PathBuf]) -> Result<Collected, Failure> {
    let mut found = Collected::default();
    let mut folders = Vec::new();
    for path in paths {
        let is = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if is.is_dir() {
            folders.push(path.clone());
        } else {
            found.open(path)?;
        }
    }
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            match judge(&entry).map_err(|error| unreadable(&entry.path(), &error))? {
                Is::Folder => folders.push(entry.path()),
                Is::Archive => found.open(&entry.path())?,
                Is::Document => found.sources.push(Source::File(entry.path())),
                Is::Skipped(why) => *found.skipped.entry(why).or_default() += 1,
            }
        }
    }
    found.sources.sort();
    found.sources.dedup();
    Ok(found)
}

impl Collected {
    /// Adds a file, or all that it holds where it is an archive: its content decides.
    fn open(&mut self, path: &Path) -> Result<(), Failure> {
        let shown = || path.display().to_string();
        let Some(archive) = packed::archive(path).map_err(|error| unreadable(path, &error))? else {
            self.sources.push(Source::File(path.to_owned()));
            return Ok(());
        };
        match packed::held(path, archive) {
            Ok(held) => {
                let documents = held.documents.into_iter();
                self.sources
                    .extend(documents.map(|one| Source::Packed(Box::new(one))));
                for (why, count) in held.skipped {
                    *self.skipped.entry(why).or_default() += count;
                }
            }
            Err((code, reason)) => self.sources.push(Source::Refused(shown(), code, reason)),
        }
        Ok(())
    }
}

/// What a name in a folder leads to.
pub(crate) enum Is {
    Folder,
    Archive,
    Document,
    Skipped(Skipped),
}

/// What a file is by its name alone.
pub(crate) fn judge_name(name: &str) -> Is {
    let name = name.to_ascii_lowercase();
    let ends = |ending: &&str| name.ends_with(*ending);
    if name.starts_with('.') {
        Is::Skipped(Skipped::Hidden)
    } else if ENDINGS.iter().any(ends) {
        Is::Document
    } else if ARCHIVES.iter().any(ends) {
        Is::Archive
    } else {
        Is::Skipped(Skipped::OtherName)
    }
}

fn judge(entry: &fs::DirEntry) -> io::Result<Is> {
    let kind = entry.file_type()?;
    let path = entry.path();
    if entry.file_name().as_encoded_bytes().starts_with(b".") {
        return Ok(Is::Skipped(Skipped::Hidden));
    }
    if kind.is_dir() {
        return Ok(Is::Folder);
    }
    // Of a link it counts what it leads to.
    let Ok(leads_to) = fs::metadata(&path) else {
        return Ok(Is::Skipped(Skipped::NoFile));
    };
    Ok(if leads_to.is_dir() {
        Is::Skipped(Skipped::LinkedFolder)
    } else if !leads_to.is_file() {
        Is::Skipped(Skipped::NoFile)
    } else {
        judge_name(&entry.file_name().to_string_lossy())
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::of(
        &PATH_UNREADABLE,
        &[
            ("path", &path.display().to_string()),
            ("reason", &error.to_string()),
        ],
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_to_their_depth_in_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir_all(at(".git")).unwrap();
        for name in [
            "b/deep/2.json",
            "b/1.JSON",
            "a.json",
            "c.YAML",
            "d.csv.gz",
            "e.tar.gz",
            "readme.md",
            ".git/x.json",
        ] {
            fs::write(at(name), "{}").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path(), at("b/circle")).unwrap();
            std::os::unix::fs::symlink("nowhere", at("b/dangling.json")).unwrap();
            std::os::unix::fs::symlink(at("a.json"), at("b/linked.json")).unwrap();
        }
        let found = collect(&[root.path().into(), at("a.json"), at("readme.md")]).unwrap();
        let relative = |source: &Source| match source {
            Source::File(path) => path
                .strip_prefix(root.path())
                .unwrap()
                .display()
                .to_string(),
            _ => unreachable!(),
        };
        let files: Vec<String> = found.sources.iter().map(relative).collect();
        let expected = [
            "a.json",
            "b/1.JSON",
            "b/deep/2.json",
            "b/linked.json",
            "c.YAML",
            "d.csv.gz",
            // Called like an archive and none: a server says what is wrong with it.
            "e.tar.gz",
            "readme.md",
        ];
        assert_eq!(files, expected);
        let skipped = [
            (Skipped::OtherName, 1),
            (Skipped::Hidden, 1),
            (Skipped::LinkedFolder, 1),
            (Skipped::NoFile, 1),
        ];
        assert_eq!(found.skipped, BTreeMap::from(skipped));
    }

    #[test]
    fn a_path_that_is_not_there_is_told() {
        let failure = collect(&["/nowhere/at/all".into()]).unwrap_err();
        assert_eq!(failure.code, "PATH_UNREADABLE");
    }
}
