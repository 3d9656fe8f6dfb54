//! A tar archive (POSIX ustar) whose bytes depend on the names and contents of its files alone: they
//! stand in the order of their names' bytes, with mode 0644, owner 0 and the time 0.

use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

/// An archive that is being written. What is not finished is no archive.
pub struct Archive<W: Write> {
    builder: Builder<W>,
    last: String,
}

/// Why a file cannot stand in an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A name that unpacks elsewhere or differently on some system: names are relative, of
    /// `a-z A-Z 0-9 . _ -` between slashes, and no part of them begins with a dot.
    #[error("{0:?} is no name for a file of an archive")]
    Name(String),
    /// It does not come after the file before it, so that the bytes would depend on who wrote them.
    #[error("{name:?} does not come after {last:?}")]
    Order {
        /// The file that is to come.
        name: String,
        /// The one before it.
        last: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<W: Write> Archive<W> {
    /// An archive without files yet.
    pub fn new(to: W) -> Self {
        Self {
            builder: Builder::new(to),
            last: String::new(),
        }
    }

    /// Adds a file, whose name comes after that of the one before.
    ///
    /// # Errors
    /// The name is none for an archive, does not come after the last one, or writing failed.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        if !is_name(name) {
            return Err(ArchiveError::Name(name.to_owned()));
        }
        if *name <= *self.last {
            return Err(ArchiveError::Order {
                name: name.to_owned(),
                last: self.last.clone(),
            });
        }
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        header
            .set_path(name)
            .map_err(|_| ArchiveError::Name(name.to_owned()))?;
        header.set_cksum();
        self.builder.append(&header, bytes)?;
        name.clone_into(&mut self.last);
        Ok(())
    }

    /// Writes the end; gives back what was written to.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(self) -> Result<W, ArchiveError> {
        Ok(self.builder.into_inner()?)
    }
}

/// Whether every system unpacks such a name to the same place.
fn is_name(name: &str) -> bool {
    name.split('/').all(|part| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(known)
    })
}

impl<W: Write> std::fmt::Debug for Archive<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Archive(behind {:?})", self.last)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
        let mut archive = Archive::new(Vec::new());
        for (name, bytes) in files {
            archive.file(name, bytes).unwrap();
        }
        archive.finish().unwrap()
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(files in prop::collection::btree_map(
            "[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,30}(/[a-z0-9]{1,40}){0,3}", prop::collection::vec(any::<u8>(), 0..2000), 0..12,
        )) {
            let bytes = archive(&files);
            prop_assert_eq!(bytes.len() % 512, 0);
            let mut read = tar::Archive::new(bytes.as_slice());
            let mut out = BTreeMap::new();
            for entry in read.entries().unwrap() {
                let mut entry = entry.unwrap();
                let name = entry.path().unwrap().to_str().unwrap().to_owned();
                let mut content = Vec::new();
                io::Read::read_to_end(&mut entry, &mut content).unwrap();
                out.insert(name, content);
            }
            prop_assert_eq!(out, files);
        }
    }

    /// The very bytes, so that no change of a library goes unseen: they name what is exported.
    #[test]
    fn the_bytes_of_an_archive_never_change() {
        let files = BTreeMap::from([
            ("manifest.json".to_owned(), b"{}".to_vec()),
            ("sha256/00".to_owned(), vec![7; 600]),
        ]);
        let bytes = archive(&files);
        assert_eq!(bytes.len(), 512 * (2 + 3 + 2));
        let header = &bytes[..512];
        assert_eq!(&header[..14], b"manifest.json\0");
        assert_eq!(&header[100..108], b"0000644\0");
        assert_eq!(&header[108..124], b"0000000\x000000000\0");
        assert_eq!(&header[124..148], b"00000000002\x0000000000000\0");
        assert_eq!(&header[156..157], b"0");
        assert_eq!(&header[257..265], b"ustar\x0000");
        assert!(header[265..].iter().all(|byte| *byte == 0 || *byte == b'0'));
    }

    /// The tar of this machine lists and unpacks it.
    #[test]
    fn others_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tar");
        let files = BTreeMap::from([
            ("a.json".to_owned(), b"{}".to_vec()),
            ("sha256/00".to_owned(), vec![7; 600]),
        ]);
        std::fs::write(&file, archive(&files)).unwrap();
        let list = Command::new("tar")
            .args(["--numeric-owner", "--utc", "-tvf"])
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(list.stdout).unwrap(),
            "-rw-r--r-- 0/0               2 1970-01-01 00:00 a.json\n\
             -rw-r--r-- 0/0             600 1970-01-01 00:00 sha256/00\n"
        );
    }

    #[test]
    fn names_that_unpack_elsewhere_and_files_out_of_order_are_refused() {
        let long = format!("{}/{}", "a".repeat(150), "b".repeat(120));
        for name in [
            "", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a b", "ä", "C:a", "a\\b", &long,
        ] {
            let refused = Archive::new(Vec::new()).file(name, b"");
            assert!(matches!(refused, Err(ArchiveError::Name(_))), "{name}");
        }
        let mut archive = Archive::new(Vec::new());
        archive.file("b", b"").unwrap();
        for name in ["a", "b"] {
            let refused = archive.file(name, b"");
            assert!(matches!(refused, Err(ArchiveError::Order { .. })), "{name}");
        }
    }
}
