//! Reading an archive that anybody may have made: tar, as it is or in gzip or zstd, and zip. Nothing
//! is written by the names in it. An archive that is broken or hostile anywhere is refused whole, so
//! whoever reads one uses nothing of it before the end.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use tar::EntryType;
use zip::ZipArchive;

use crate::names::{Is, Names};

const BLOCK: usize = 512;
/// What comes out of a compressed archive may be so many times what goes in; text that machines
/// write is a tenth of that.
const RATIO: u64 = 64;
/// The most bytes of what stands before a file in a tar archive: its name, also a long one, and times.
const HEADERS: u64 = 1 << 16;
/// Up to so many bytes no ratio is looked at.
const SMALL: u64 = 1 << 20;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files and folders.
    pub entries: u64,
    /// Bytes that come out of it.
    pub bytes: u64,
}

/// A kind of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tar archive.
    Tar,
    /// A tar archive in gzip.
    TarGzip,
    /// A tar archive in zstd.
    TarZstd,
    /// A zip archive.
    Zip,
}

/// A file of an archive.
pub struct Entry<'a> {
    /// Its name: relative, parts between slashes.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a mut dyn Read,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// An entry that no archive of evidence has any need of.
    #[error("the entry {name:?}: {reason}")]
    Entry {
        /// Its name, as far as it can be shown.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More than the limits.
    #[error("{0}")]
    TooMuch(String),
    /// It is packed in a way that is not read here.
    #[error("it is packed in a way that is not read here: {0}")]
    Unsupported(String),
    /// It ends too early, or is none.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Whoever took a file could not.
    #[error(transparent)]
    Taken(io::Error),
}

/// The archive that a file is, by its content.
///
/// # Errors
/// It cannot be read.
pub fn kind_of(file: &mut (impl Read + Seek)) -> io::Result<Option<Kind>> {
    let mut head = [0; BLOCK];
    let read = fill(file, &mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let kind = match head.get(..read).unwrap_or_default() {
        [0x1f, 0x8b, ..] => {
            tar_within(GzDecoder::new(BufReader::new(&mut *file))).then_some(Kind::TarGzip)
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            tar_within(zstd::Decoder::new(&mut *file)?).then_some(Kind::TarZstd)
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        head => is_tar(head).then_some(Kind::Tar),
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(kind)
}

/// Whether what comes out is a tar archive; broken compression is nobody's.
fn tar_within(mut reader: impl Read) -> bool {
    let mut head = [0; BLOCK];
    fill(&mut reader, &mut head).is_ok_and(|read| read == BLOCK) && is_tar(&head)
}

fn is_tar(head: &[u8]) -> bool {
    head.get(257..262).is_some_and(|magic| magic == b"ustar")
}

fn fill(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(some) => filled += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Gives each file of an archive in its order, and then says whether all of it was as it must be.
///
/// # Errors
/// It is broken, hostile or too large; what was given before is not to be used.
pub fn unpack(
    kind: Kind,
    mut file: impl Read + Seek,
    limits: Limits,
    mut take: impl FnMut(Entry<'_>) -> io::Result<()>,
) -> Result<(), UnpackError> {
    let size = file.seek(SeekFrom::End(0)).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let bound = Bound { limits, size };
    let file = BufReader::new(file);
    match kind {
        Kind::Tar => tar(file, bound, &mut take).map(drop),
        Kind::TarGzip => {
            let decoder = tar(GzDecoder::new(file), bound, &mut take)?;
            at_the_end(decoder.into_inner())
        }
        Kind::TarZstd => {
            let decoder = zstd::Decoder::with_buffer(file)
                .map_err(damaged)?
                .single_frame();
            at_the_end(tar(decoder, bound, &mut take)?.finish())
        }
        Kind::Zip => zip(file, bound, &mut take),
    }
}

/// Nothing stands behind what was compressed: two tools may read two archives in one file.
fn at_the_end(mut file: impl Read) -> Result<(), UnpackError> {
    match file.read(&mut [0]).map_err(damaged)? {
        0 => Ok(()),
        _ => Err(UnpackError::Damaged("something follows its end".to_owned())),
    }
}

#[derive(Clone, Copy)]
struct Bound {
    limits: Limits,
    /// Of the file.
    size: u64,
}

impl Bound {
    fn most(self) -> u64 {
        self.limits
            .bytes
            .min(self.size.saturating_mul(RATIO).max(SMALL))
    }

    fn too_much(self) -> UnpackError {
        UnpackError::TooMuch(format!(
            "more than {} bytes come out of its {}",
            self.most(),
            self.size
        ))
    }

    fn count(self, entries: u64) -> Result<(), UnpackError> {
        let limit = self.limits.entries;
        match entries > limit {
            true => Err(UnpackError::TooMuch(format!(
                "it has more than {limit} entries"
            ))),
            false => Ok(()),
        }
    }
}

/// Ends with an error where more comes than may.
struct Bounded<R> {
    reader: R,
    left: u64,
    /// How much of it may be what is read before the bytes of the next file: it is held in memory.
    headers: Rc<Cell<u64>>,
}

const TOO_MUCH: &str = "more than it may hold";

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        let read_now = read as u64;
        let too_much = || io::Error::new(io::ErrorKind::FileTooLarge, TOO_MUCH);
        self.left = self.left.checked_sub(read_now).ok_or_else(too_much)?;
        let headers = self.headers.get().checked_sub(read_now);
        self.headers
            .set(headers.ok_or_else(|| io::Error::other("the head of an entry is too long"))?);
        Ok(read)
    }
}

type Take<'a> = &'a mut dyn FnMut(Entry<'_>) -> io::Result<()>;

/// Gives back what it read from, at the end of the archive and all that stands behind it.
fn tar<R: Read>(reader: R, bound: Bound, take: Take<'_>) -> Result<R, UnpackError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => bound.too_much(),
        _ => damaged(error),
    };
    let headers = Rc::new(Cell::new(HEADERS));
    let bounded = Bounded {
        reader,
        left: bound.most(),
        headers: headers.clone(),
    };
    let mut archive = tar::Archive::new(bounded);
    let (mut names, mut count) = (Names::default(), 0);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        headers.set(u64::MAX);
        count += 1;
        bound.count(count)?;
        let raw = entry.path_bytes().into_owned();
        let odd = |reason: String| UnpackError::Entry {
            name: shown(&raw),
            reason,
        };
        let header = entry.header();
        let is = match header.entry_type() {
            EntryType::Regular => Is::File,
            EntryType::Directory => Is::Folder,
            // Says something of the archive and is no entry of it: git writes one.
            EntryType::XGlobalHeader => {
                io::copy(&mut entry, &mut io::sink()).map_err(failed)?;
                headers.set(HEADERS);
                continue;
            }
            _ => return Err(odd("it is neither a file nor a folder".to_owned())),
        };
        let mode = header.mode().map_err(failed)?;
        if mode & 0o7000 != 0 {
            return Err(odd("it runs with the rights of its owner".to_owned()));
        }
        if header.entry_size().map_err(failed)? != entry.size() {
            return Err(odd("its two sizes differ".to_owned()));
        }
        let name = names.next(&raw, is).map_err(odd)?;
        let (Is::File, Some(name)) = (is, name) else {
            headers.set(HEADERS);
            continue;
        };
        let size = entry.size();
        let mut file = Counted::of(&mut entry);
        take(Entry {
            name: &name,
            bytes: &mut file,
        })
        .map_err(|error| file.whose(error, failed))?;
        // What was not wanted is still judged; and no entry may end early.
        io::copy(&mut file, &mut io::sink()).map_err(failed)?;
        if file.read != size {
            return Err(UnpackError::Damaged("it ends too early".to_owned()));
        }
        headers.set(HEADERS);
    }
    headers.set(u64::MAX);
    if count == 0 {
        return Err(UnpackError::Damaged("it holds nothing".to_owned()));
    }
    let mut bounded = archive.into_inner();
    // To the end also of what is only padding, whose checksum comes last.
    io::copy(&mut bounded, &mut io::sink()).map_err(failed)?;
    Ok(bounded.reader)
}

/// Counts what is read, and remembers whether reading or taking failed.
struct Counted<'a> {
    reader: &'a mut dyn Read,
    read: u64,
    failed: bool,
}

impl<'a> Counted<'a> {
    fn of(reader: &'a mut dyn Read) -> Self {
        Self {
            reader,
            read: 0,
            failed: false,
        }
    }

    fn whose(&self, error: io::Error, failed: impl Fn(io::Error) -> UnpackError) -> UnpackError {
        match self.failed {
            true => failed(error),
            false => UnpackError::Taken(error),
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into);
        match &read {
            Ok(some) => self.read += *some as u64,
            Err(error) => self.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}

fn zip<R: Read + Seek>(mut file: R, bound: Bound, take: Take<'_>) -> Result<(), UnpackError> {
    local_names(&mut file)?;
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    bound.count(archive.len() as u64)?;
    if archive.is_empty() {
        return Err(UnpackError::Damaged("it holds nothing".to_owned()));
    }
    let (mut names, mut left) = (Names::default(), bound.most());
    for at in 0..archive.len() {
        let unread = |error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => UnpackError::Unsupported(error.to_string()),
            _ => damaged(error),
        };
        let mut entry = archive.by_index(at).map_err(|error| unread(error.into()))?;
        let raw = entry.name_raw().to_vec();
        let odd = |reason: String| UnpackError::Entry {
            name: shown(&raw),
            reason,
        };
        let is = match entry.is_dir() {
            true => Is::Folder,
            false => Is::File,
        };
        // The kind of file in the mode that Unix tools write.
        let special = |mode: u32| !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000);
        if entry
            .unix_mode()
            .is_some_and(|mode| special(mode) || mode & 0o7000 != 0)
        {
            return Err(odd("it is neither a file nor a folder".to_owned()));
        }
        let name = names.next(&raw, is).map_err(odd)?;
        let (Is::File, Some(name)) = (is, name) else {
            continue;
        };
        let most = left.min(entry.compressed_size().saturating_mul(RATIO).max(SMALL));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::FileTooLarge => bound.too_much(),
            _ => unread(error),
        };
        let mut bounded = Bounded {
            reader: &mut entry,
            left: most,
            headers: Rc::new(Cell::new(u64::MAX)),
        };
        let mut file = Counted::of(&mut bounded);
        take(Entry {
            name: &name,
            bytes: &mut file,
        })
        .map_err(|error| file.whose(error, failed))?;
        io::copy(&mut file, &mut io::sink()).map_err(failed)?;
        left = left.saturating_sub(file.read);
    }
    Ok(())
}

/// Each entry says its name twice, at its own place and in the directory: tools differ in which they
/// take. No entry lies in another.
fn local_names<R: Read + Seek>(file: &mut R) -> Result<(), UnpackError> {
    let mut archive = ZipArchive::new(&mut *file).map_err(damaged)?;
    let mut places = Vec::with_capacity(archive.len());
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(damaged)?;
        places.push((
            entry.header_start(),
            entry.compressed_size(),
            entry.name_raw().to_vec(),
        ));
    }
    let directory = archive.central_directory_start();
    drop(archive);
    // Of two entries of one name the crate knows only one.
    if listed(file, directory).map_err(damaged)? != places.len() {
        return Err(UnpackError::Damaged(
            "two of its entries have one name".to_owned(),
        ));
    }
    places.sort();
    let mut free = 0;
    for (start, size, name) in places {
        let odd = |reason: &str| UnpackError::Entry {
            name: shown(&name),
            reason: reason.to_owned(),
        };
        // The local header (APPNOTE 4.3.7): 30 bytes that end in the lengths of name and extra field.
        let mut head = [0; 30];
        file.seek(SeekFrom::Start(start)).map_err(damaged)?;
        file.read_exact(&mut head).map_err(damaged)?;
        let [.., a, b, c, d] = head;
        let (length, extra) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let mut local = vec![0; length.into()];
        file.read_exact(&mut local).map_err(damaged)?;
        if local != name {
            return Err(odd("it has another name at its own place"));
        }
        if start < free {
            return Err(odd("it lies within another"));
        }
        free = (30 + u64::from(length) + u64::from(extra))
            .saturating_add(start)
            .saturating_add(size);
    }
    Ok(())
}

/// How many entries the directory lists (APPNOTE 4.3.12).
fn listed(file: &mut (impl Read + Seek), directory: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(directory))?;
    let mut count = 0;
    let mut head = [0; 46];
    while fill(file, &mut head)? == head.len() && head.starts_with(b"PK\x01\x02") {
        count += 1;
        let [a, b, c, d, e, f] =
            [28, 29, 30, 31, 32, 33].map(|at: usize| head.get(at).copied().unwrap_or_default());
        let lengths = [[a, b], [c, d], [e, f]].map(|pair| i64::from(u16::from_le_bytes(pair)));
        file.seek(SeekFrom::Current(lengths.iter().sum()))?;
    }
    Ok(count)
}

/// Reads arbitrary bytes as an archive; panics where a law does not hold.
///
/// Shared by the property tests and the fuzz targets.
pub fn fuzz(data: &[u8]) {
    const MOST: u64 = 1 << 22;
    let limits = Limits {
        entries: 1000,
        bytes: MOST,
    };
    let mut file = io::Cursor::new(data);
    let Ok(Some(kind)) = kind_of(&mut file) else {
        return;
    };
    let mut taken = 0;
    let read = unpack(kind, file, limits, |entry| {
        assert!(
            !entry.name.starts_with('/') && !entry.name.contains(".."),
            "{entry:?}"
        );
        taken += io::copy(entry.bytes, &mut io::sink())?;
        assert!(taken <= MOST, "more than may come out");
        Ok(())
    });
    assert!(read.is_ok() || !read.is_err_and(|error| error.to_string().is_empty()));
}

/// As much of a name as a message needs.
fn shown(raw: &[u8]) -> String {
    let name = String::from_utf8_lossy(raw);
    name.chars().take(100).collect()
}

fn damaged(error: impl ToString) -> UnpackError {
    UnpackError::Damaged(error.to_string())
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({:?})", self.name)
    }
}
