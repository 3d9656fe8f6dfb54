//! Where the bytes of a document are, and reading them: never more than a server takes.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use bytes::Bytes;
use stella_api::evidence::Envelope;
use stella_api::{Code, MAX_BODY};

use super::packed::Packed;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::problem::of_code;

/// Where the bytes of a document are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// In a file.
    File(PathBuf),
    /// Here, under the name that people know them by.
    Held(String, Bytes),
    /// In an archive.
    Packed(Box<Packed>),
    /// In an archive of that name, which is refused; by which rule and why.
    Refused(String, Code, String),
}

/// Why the bytes of a document are not there.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It has more bytes than a server takes; how many, where that can be told without reading.
    TooLarge(Option<u64>),
    /// The system's reason.
    Failed(io::Error),
    /// What they are in is refused, by this rule.
    Refused(Code, String),
}

impl Source {
    /// What people are told.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Held(name, _) | Self::Refused(name, ..) => name.clone(),
            Self::Packed(packed) => packed.shown().to_owned(),
        }
    }

    /// Reads all of it.
    pub(crate) fn read(&self) -> Result<Bytes, Unread> {
        match self {
            Self::Held(_, bytes) => Ok(bytes.clone()),
            Self::Packed(packed) => packed.read(),
            Self::Refused(_, code, reason) => Err(Unread::Refused(*code, reason.clone())),
            Self::File(path) => {
                let mut file = File::open(path)?;
                let size = file.metadata()?.len();
                if size > MAX_BODY {
                    return Err(Unread::TooLarge(Some(size)));
                }
                read_bounded(&mut file, size)
            }
        }
    }

    /// Where it came from, where what it is in says so.
    pub(crate) fn envelope(&self) -> Option<Envelope> {
        match self {
            Self::Packed(packed) => packed.envelope.clone(),
            _ => None,
        }
    }

    /// Standard input.
    pub(crate) fn stdin(input: &mut dyn io::Read) -> Result<Self, Failure> {
        let name = label("standard-input");
        match read_bounded(input, 0) {
            Ok(bytes) => Ok(Self::Held(name, bytes)),
            Err(Unread::Failed(error)) => Err(Failure::read(&error)),
            Err(too_large) => Err(of_code(
                Code::Aoc010,
                format!("{name}: {}", too_large.reason()),
            )),
        }
    }
}

impl Unread {
    /// The rule of the contract that it breaks.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::TooLarge(_) => Code::Aoc010,
            Self::Failed(_) => Code::Aoc009,
            Self::Refused(code, _) => *code,
        }
    }

    /// In words; whoever tells them names the document.
    pub(crate) fn reason(&self) -> String {
        // As text: a label would group the digits, and these are compared with others.
        let limit = MAX_BODY.to_string();
        match self {
            Self::TooLarge(Some(size)) => filled(
                "document-too-large",
                &[("size", size.to_string().into()), ("limit", limit.into())],
            ),
            Self::TooLarge(None) => {
                filled("document-too-large-unmeasured", &[("limit", limit.into())])
            }
            Self::Failed(error) => error.to_string(),
            Self::Refused(_, reason) => reason.clone(),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Pipes have no size beforehand and files may grow: the limit holds while reading, too.
fn read_bounded(input: &mut dyn io::Read, expected: u64) -> Result<Bytes, Unread> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    input.take(MAX_BODY + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BODY {
        return Err(Unread::TooLarge(None));
    }
    Ok(bytes.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_told_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.json");
        // A hole: reading it would find no JSON, and 68 MB of it.
        let file = File::create(&path).unwrap();
        file.set_len(68_000_000).unwrap();
        let unread = Source::File(path.clone()).read().unwrap_err();
        assert_eq!(unread.code(), Code::Aoc010);
        assert_eq!(
            unread.reason(),
            "68000000 bytes, more than the 67108864 that a server takes"
        );
        file.set_len(MAX_BODY).unwrap();
        let whole = Source::File(path).read().unwrap();
        assert_eq!(whole.len() as u64, MAX_BODY);
    }

    /// Gives bytes without an end, and counts them.
    struct Endless(u64);

    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len() as u64;
            buffer.fill(b' ');
            Ok(buffer.len())
        }
    }

    #[test]
    fn what_has_no_end_is_read_to_the_limit_and_no_further() {
        let mut endless = Endless(0);
        let failure = Source::stdin(&mut endless).unwrap_err();
        assert_eq!(
            (failure.code.as_ref(), u8::from(failure.exit)),
            ("ERR_AOC_010", 2)
        );
        assert!(
            failure
                .message
                .starts_with("standard input: more than 67108864 bytes")
        );
        assert_eq!(endless.0, MAX_BODY + 1);
    }
}
