//! Documents in archives: all of an archive is judged before anything of it is sent. What it holds
//! lies meanwhile in a file without a name, which is gone with the process, however that ends.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use stella_api::evidence::Envelope;
use stella_api::evidence_export::{EvidenceExport, SCHEMA};
use stella_api::{Code, MAX_BODY};
use stella_bundle::{Entry, Kind, Limits, UnpackError, kind_of, unpack};
use stella_canonical::{Digest, Hasher};

use super::collect::{Is, Skipped, judge_name};
use super::source::Unread;
use crate::label::filled;

/// More than the largest database of advisories that is published.
const LIMITS: Limits = Limits {
    entries: 1_000_000,
    bytes: 64 << 30,
};
const MANIFEST: &str = "manifest.json";

/// A document of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    shown: String,
    /// Which of its archive: a document of several sources stands there once for each.
    place: usize,
    spool: Arc<File>,
    offset: u64,
    size: u64,
    /// Where it came from, where the archive says so.
    pub(crate) envelope: Option<Envelope>,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) documents: Vec<Packed>,
    pub(crate) skipped: BTreeMap<Skipped, usize>,
}

/// The archive that a file is, if it is one.
pub(crate) fn archive(path: &Path) -> io::Result<Option<(File, Kind)>> {
    let mut file = File::open(path)?;
    Ok(kind_of(&mut file)?.map(|kind| (file, kind)))
}

/// What an archive holds, or by which rule and why nothing of it is used.
pub(crate) fn held(path: &Path, (file, kind): (File, Kind)) -> Result<Held, (Code, String)> {
    let broken = |reason: String| (Code::Aoc009, reason);
    let spool = tempfile::tempfile().map_err(|error| broken(error.to_string()))?;
    let mut spooled = Spooled {
        spool: io::BufWriter::new(spool),
        files: Vec::new(),
        manifest: None,
        end: 0,
    };
    unpack(kind, file, LIMITS, |entry| spooled.take(entry)).map_err(|error| match error {
        UnpackError::Taken(error) => broken(error.to_string()),
        refused => {
            let code = match refused {
                UnpackError::TooMuch(_) => Code::Aoc010,
                _ => Code::Aoc009,
            };
            let values = [("reason", refused.to_string().into())];
            let told = match refused {
                UnpackError::Damaged(_) => "archive-damaged",
                _ => "archive-refused",
            };
            (code, filled(told, &values))
        }
    })?;
    spooled.held(path).map_err(broken)
}

struct Spooled {
    spool: io::BufWriter<File>,
    files: Vec<(String, u64, u64, Digest)>,
    /// Of an export.
    manifest: Option<EvidenceExport>,
    end: u64,
}

impl Spooled {
    fn take(&mut self, entry: Entry<'_>) -> io::Result<()> {
        if self.files.is_empty() && self.manifest.is_none() && entry.name == MANIFEST {
            let mut bytes = Vec::new();
            entry.bytes.take(MAX_BODY).read_to_end(&mut bytes)?;
            let read = serde_json::from_slice::<EvidenceExport>(&bytes).ok();
            self.manifest = read.filter(|manifest| manifest.schema == SCHEMA);
            if self.manifest.is_none() {
                self.put(entry.name, &mut bytes.as_slice())?;
            }
            return Ok(());
        }
        self.put(entry.name, entry.bytes)
    }

    fn put(&mut self, name: &str, bytes: &mut dyn io::Read) -> io::Result<()> {
        let mut digest = Hasher::new();
        let mut size = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = bytes.read(&mut buffer)?;
            let Some(some) = buffer.get(..read).filter(|some| !some.is_empty()) else {
                break;
            };
            digest.update(some);
            self.spool.write_all(some)?;
            size += read as u64;
        }
        self.files
            .push((name.to_owned(), self.end, size, digest.finish()));
        self.end += size;
        Ok(())
    }

    fn held(self, path: &Path) -> Result<Held, String> {
        let spool = self.spool.into_inner().map_err(|error| error.to_string())?;
        let spool = Arc::new(spool);
        let packed = |place, (name, offset, size): (&str, u64, u64), envelope| Packed {
            shown: format!("{}!/{name}", path.display()),
            place,
            spool: spool.clone(),
            offset,
            size,
            envelope,
        };
        let mut held = Held::default();
        let Some(manifest) = self.manifest else {
            for (name, offset, size, _) in &self.files {
                let last = name.rsplit('/').next().unwrap_or_default();
                match judge_name(last) {
                    Is::Document => {
                        let place = held.documents.len();
                        held.documents
                            .push(packed(place, (name, *offset, *size), None));
                    }
                    Is::Skipped(why) => *held.skipped.entry(why).or_default() += 1,
                    // Archives in archives stay closed.
                    _ => *held.skipped.entry(Skipped::OtherName).or_default() += 1,
                }
            }
            return Ok(held);
        };
        let listed = manifest.documents.len();
        let mut documents = manifest.documents.into_iter();
        for (name, offset, size, digest) in &self.files {
            let document = documents.next();
            let document = document.filter(|one| {
                one.digest == digest.to_string()
                    && one.size == *size
                    && *name == one.digest.replacen(':', "/", 1)
            });
            let Some(document) = document else {
                return Err(filled("archive-other", &[("name", name.as_str().into())]));
            };
            for envelope in document.envelopes {
                let place = held.documents.len();
                let one = packed(place, (name, *offset, *size), Some(envelope));
                held.documents.push(one);
            }
        }
        match documents.next() {
            None => Ok(held),
            Some(_) => Err(filled(
                "archive-short",
                &[("listed", listed.to_string().into())],
            )),
        }
    }
}

impl Packed {
    /// What people are told.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Reads all of it.
    pub(crate) fn read(&self) -> Result<Bytes, Unread> {
        if self.size > MAX_BODY {
            return Err(Unread::TooLarge(Some(self.size)));
        }
        let size = usize::try_from(self.size).unwrap_or_default();
        let mut bytes = vec![0; size];
        self.spool.read_exact_at(&mut bytes, self.offset)?;
        Ok(bytes.into())
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Packed {}

impl PartialOrd for Packed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Packed {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.shown, self.place).cmp(&(&other.shown, other.place))
    }
}
