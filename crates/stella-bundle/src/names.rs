//! Names of files in archives: those that every system unpacks to one place of its own.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of a name, and of a part of it between slashes.
const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;
/// The most parts that a name may have.
const DEEPEST: usize = 64;
/// What Windows takes for a device, also with an ending behind a dot.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// What stands at a place so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    File,
    Folder,
}

/// The names of an archive so far, folded as the systems fold them that know fewer.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, Is>);

impl Names {
    /// The name of the next entry; none of the folder that everything is in.
    ///
    /// # Errors
    /// Why there is no such name, or not beside the others.
    pub(crate) fn next(&mut self, raw: &[u8], is: Is) -> Result<Option<String>, String> {
        let name = std::str::from_utf8(raw).map_err(|_| "it is not UTF-8".to_owned())?;
        // Archives of a whole folder begin each name so.
        let name = name.strip_prefix("./").unwrap_or(name);
        let name = match is {
            Is::Folder => name.strip_suffix('/').unwrap_or(name),
            Is::File => name,
        };
        if is == Is::Folder && (name.is_empty() || name == ".") {
            return Ok(None);
        }
        judge(name)?;
        let folded: String = name.nfc().flat_map(char::to_lowercase).collect();
        let parts = folded.match_indices('/').map(|(at, _)| at);
        for folder in parts.filter_map(|at| folded.get(..at)) {
            match self.0.get(folder) {
                Some(Is::File) => return Err("a file has the name of its folder".to_owned()),
                Some(Is::Folder) => {}
                None => drop(self.0.insert(folder.to_owned(), Is::Folder)),
            }
        }
        match self.0.insert(folded, is) {
            None => Ok(Some(name.to_owned())),
            Some(Is::Folder) if is == Is::Folder => Ok(Some(name.to_owned())),
            Some(_) => {
                Err("another entry has the name, or one that some systems take for it".to_owned())
            }
        }
    }
}

fn judge(name: &str) -> Result<(), String> {
    let told = |reason: &str| Err(reason.to_owned());
    if name.len() > LONGEST {
        return Err(format!("it has {} bytes, more than {LONGEST}", name.len()));
    }
    if name.starts_with('/') || name.contains(['\\', ':']) {
        return told("it does not lie below where the archive is unpacked, on every system");
    }
    if name.chars().any(char::is_control) {
        return told("it has control characters");
    }
    if name.split('/').count() > DEEPEST {
        return Err(format!("it lies more than {DEEPEST} folders deep"));
    }
    for part in name.split('/') {
        let stem = part.split('.').next().unwrap_or_default();
        if part.is_empty() || part == "." || part == ".." {
            return told("a part of it is empty, `.` or `..`");
        }
        if part.len() > LONGEST_PART {
            return Err(format!("a part of it has more than {LONGEST_PART} bytes"));
        }
        if part.ends_with(['.', ' ']) || DEVICES.contains(&stem.to_lowercase().as_str()) {
            return told("some systems have no file of that name");
        }
    }
    Ok(())
}
