//! Which formats there are, and which one a document has.

use serde::{Serialize, Serializer};
use serde_json::Value;
use stella_api::evidence::EvidenceKind;

use crate::cursor::Cursor;
use crate::error::{FormatError, Reason};
use crate::{Body, Document, Notice, cyclonedx, kev, openvex, osv};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Open Source Vulnerability format 1.x, JSON.
    Osv,
    /// OpenVEX 0.2, and the 0.0.x drafts before it.
    OpenVex,
    /// CycloneDX 1.2 to 1.7, JSON.
    CycloneDx,
    /// CISA's catalogue of known exploited vulnerabilities, JSON.
    Kev,
}

/// The version of the format that a document names, and its content.
pub(crate) type Read = Result<(Option<String>, Body), FormatError>;

/// What each format's file tells about it.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) kind: EvidenceKind,
    /// Tells by an object's members whether it means to be of this format.
    pub(crate) recognises: fn(&Value) -> bool,
    /// Reads it; gives the version of the format and the content.
    pub(crate) read: fn(&Cursor<'_>, &mut Vec<Notice>) -> Read,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Osv, Self::OpenVex, Self::CycloneDx, Self::Kev];

    const fn reader(self) -> &'static Reader {
        match self {
            Self::Osv => &osv::READER,
            Self::OpenVex => &openvex::READER,
            Self::CycloneDx => &cyclonedx::READER,
            Self::Kev => &kev::READER,
        }
    }

    /// The short name: `osv`, `openvex`, `cyclonedx` or `kev`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.reader().name
    }

    /// The media type, `application/json` where none is registered.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        self.reader().media_type
    }

    /// What documents of this format are for.
    #[must_use]
    pub const fn kind(self) -> EvidenceKind {
        self.reader().kind
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn recognise(value: &Value) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| (format.reader().recognises)(value))
}

pub(crate) fn read(value: &Value) -> Result<Document, FormatError> {
    let Some(format) = recognise(value) else {
        return Err(unknown(value));
    };
    let mut notices = Vec::new();
    let (spec_version, body) = (format.reader().read)(&Cursor::root(value), &mut notices)?;
    Ok(Document {
        format,
        spec_version,
        body,
        notices,
    })
}

fn unknown(value: &Value) -> FormatError {
    if let Some(item) = value
        .as_array()
        .and_then(|items| items.iter().find_map(recognise))
    {
        let message = format!(
            "an array of {} documents; send each by itself",
            item.as_str()
        );
        return FormatError::new(Reason::Merge, "", message);
    }
    let has = |key: &str| value.get(key).is_some();
    let known_elsewhere = [
        (
            value.pointer("/document/csaf_version").is_some(),
            "a CSAF document",
        ),
        (
            value
                .get("dataType")
                .is_some_and(|data_type| data_type == "CVE_RECORD"),
            "a CVE record",
        ),
        (has("spdxVersion") || has("SPDXID"), "an SPDX document"),
        (has("runs") && has("version"), "a SARIF report"),
        (has("payloadType") && has("signatures"), "a DSSE envelope"),
    ];
    let names = known_elsewhere.iter().find(|(is, _)| *is);
    let what = names.map_or("a document of no known format", |(_, name)| *name);
    FormatError::new(
        Reason::Unsupported,
        "",
        format!("{what}, which cannot be read"),
    )
}
