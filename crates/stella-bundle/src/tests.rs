//! Archives that others made: the published hostile ones, and made up ones.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    entries: 200_000,
    bytes: 1 << 30,
};

type Files = BTreeMap<String, Vec<u8>>;

fn unpacked(bytes: &[u8]) -> Result<Option<Files>, UnpackError> {
    let mut file = Cursor::new(bytes);
    let Some(kind) = kind_of(&mut file).unwrap() else {
        return Ok(None);
    };
    let mut files = Files::new();
    unpack(kind, file, LIMITS, |entry| {
        let mut content = Vec::new();
        entry.bytes.read_to_end(&mut content)?;
        files.insert(entry.name.to_owned(), content);
        Ok(())
    })?;
    Ok(Some(files))
}

/// Each hostile archive is refused, or no archive at all, and each harmless one is read.
#[test]
fn published_hostile_archives_are_refused_and_harmless_ones_read() {
    let folder = stella_testdata::dir("fuzz").unwrap().join("evil-archives");
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut told = String::new();
    for line in manifest.lines().skip(1) {
        let [name, _, attack, must, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let read = unpacked(&bytes);
        let outcome = match &read {
            Ok(Some(files)) => format!("{} files", files.len()),
            Ok(None) => "no archive".to_owned(),
            Err(error) => error.to_string(),
        };
        // That a file is in no manifest is for whoever reads manifests.
        let accepted = matches!(read, Ok(Some(_)));
        assert_eq!(
            accepted,
            must == "accept" || name == "t23-unlisted.tgz",
            "{name} ({attack}): {outcome}"
        );
        told += &format!("{name}: {outcome}\n");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn archives_that_write_elsewhere_are_refused() {
    let folder = stella_testdata::dir("fuzz")
        .unwrap()
        .join("zip-slip/archives");
    for name in [
        "zip-slip.tar",
        "zip-slip-win.tar",
        "zip-slip.zip",
        "zip-slip-win.zip",
    ] {
        let bytes = std::fs::read(Path::new(&folder).join(name)).unwrap();
        assert!(unpacked(&bytes).is_err(), "{name}");
    }
}

/// A name of 100 MB is not held in memory to be looked at.
#[test]
fn a_long_name_is_refused_before_it_is_read() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(10 << 20);
    header.set_cksum();
    archive
        .append(&header, vec![b'a'; 10 << 20].as_slice())
        .unwrap();
    let refused = unpacked(&archive.into_inner().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
}

#[test]
fn the_corpus_breaks_no_law() {
    stella_testdata::replay("archive", fuzz);
}

/// Whoever packed it otherwise than is read here has damaged nothing.
#[test]
fn another_way_of_packing_is_told_apart_from_damage() {
    let mut bytes = zip(&Files::from([("a.json".to_owned(), b"{}".to_vec())]));
    for (header, method) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let at = bytes.windows(4).position(|four| four == header).unwrap();
        bytes[at + method] = 12;
    }
    let refused = unpacked(&bytes).unwrap_err();
    assert!(matches!(refused, UnpackError::Unsupported(_)), "{refused}");
    bytes.truncate(bytes.len() - 4);
    let refused = unpacked(&bytes).unwrap_err();
    assert!(matches!(refused, UnpackError::Damaged(_)), "{refused}");
}

fn packed(files: &Files) -> Vec<u8> {
    let mut archive = Archive::new(Vec::new());
    for (name, bytes) in files {
        archive.file(name, bytes).unwrap();
    }
    archive.finish().unwrap()
}

fn files() -> impl Strategy<Value = Files> {
    let name = "[a-z0-9][a-z0-9._-]{0,20}[a-z0-9]";
    let content = prop::collection::vec(any::<u8>(), 0..3000);
    prop::collection::btree_map(name, content, 1..8)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast())
        .read_to_end(&mut out)
        .unwrap();
    out
}

fn zip(files: &Files) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name.as_str(), options).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

proptest! {
    /// In whatever it travels.
    #[test]
    fn what_was_packed_is_unpacked(files in files()) {
        prop_assume!(files.keys().all(|name| !name.starts_with("con") && !name.starts_with("nul")));
        let tar = packed(&files);
        let zstd = zstd::encode_all(tar.as_slice(), 1).unwrap();
        for archive in [gzip(&tar), zstd, zip(&files), tar] {
            let read = unpacked(&archive).unwrap();
            prop_assert_eq!(read.as_ref(), Some(&files));
        }
    }

    /// Neither what is damaged nor what is no archive is a panic, and no bit that was flipped in a
    /// compressed one passes.
    #[test]
    fn what_is_damaged_is_refused(files in files(), at in any::<prop::sample::Index>(), bit in 0..8u32, cut in any::<bool>()) {
        let tar = packed(&files);
        for archive in [gzip(&tar), zip(&files), tar] {
            let mut archive = archive;
            let at = at.index(archive.len());
            if cut {
                archive.truncate(at);
            } else {
                archive[at] ^= 1 << bit;
            }
            let _ = unpacked(&archive);
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        fuzz(&bytes);
    }
}
