//! Which formats there are, and which one a document has.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::{FormatError, Reason};
use crate::{Body, Document, Notice, csaf, cve, cyclonedx, epss, kev, openvex, osv, spdx, unread};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Open Source Vulnerability format 1.x, JSON or YAML.
    Osv,
    /// CSAF 2.0 and 2.1, advisories and the VEX profile.
    Csaf,
    /// Records of the CVE list, JSON 5.0 and 5.1.
    Cve,
    /// OpenVEX 0.2, and the 0.0.x drafts before it.
    OpenVex,
    /// CycloneDX 1.2 to 1.7, JSON: a bill of materials, or VEX.
    CycloneDx,
    /// SPDX 2.2 and 2.3, JSON.
    Spdx,
    /// CISA's catalogue of known exploited vulnerabilities, JSON.
    Kev,
    /// FIRST's Exploit Prediction Scoring System, CSV, as it is or in gzip.
    Epss,
}

/// The version of the format that a document names, and its content.
pub(crate) type Read = Result<(Option<String>, Body), FormatError>;

/// What each format's file tells about it.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    /// How it is read where it is written in JSON.
    pub(crate) json: Option<Json>,
}

/// How a format is read that is written in JSON.
pub(crate) struct Json {
    /// Tells by an object's members whether it means to be of this format.
    pub(crate) recognises: fn(&Value) -> bool,
    /// Reads it; gives the version of the format and the content.
    pub(crate) read: fn(&Cursor<'_>, &mut Vec<Notice>) -> Read,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::Osv,
        Self::Csaf,
        Self::Cve,
        Self::OpenVex,
        Self::CycloneDx,
        Self::Spdx,
        Self::Kev,
        Self::Epss,
    ];

    const fn reader(self) -> &'static Reader {
        match self {
            Self::Osv => &osv::READER,
            Self::Csaf => &csaf::READER,
            Self::Cve => &cve::READER,
            Self::OpenVex => &openvex::READER,
            Self::CycloneDx => &cyclonedx::READER,
            Self::Spdx => &spdx::READER,
            Self::Kev => &kev::READER,
            Self::Epss => &epss::READER,
        }
    }

    /// How it is read where it is written in JSON.
    pub(crate) fn json(self) -> Option<&'static Json> {
        self.reader().json.as_ref()
    }

    /// The short name: `osv`, `csaf`, `cve`, `openvex`, `cyclonedx`, `spdx`, `kev` or `epss`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.reader().name
    }

    /// The media type of the usual way to write it, `application/json` where none is registered.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        self.reader().media_type
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn recognise(value: &Value) -> Option<(Format, &'static Json)> {
    Format::ALL
        .into_iter()
        .filter_map(|format| Some((format, format.json()?)))
        .find(|(_, json)| (json.recognises)(value))
}

pub(crate) fn read(value: &Value) -> Result<Document, FormatError> {
    let Some((format, json)) = recognise(value) else {
        return Err(unknown(value));
    };
    read_as(format, json, value)
}

pub(crate) fn read_as(format: Format, json: &Json, value: &Value) -> Result<Document, FormatError> {
    let mut notices = Vec::new();
    let (spec_version, body) = (json.read)(&Cursor::root(value), &mut notices)?;
    Ok(Document {
        format,
        media_type: format.media_type(),
        spec_version,
        body,
        notices,
    })
}

fn unknown(value: &Value) -> FormatError {
    if let Some((item, _)) = value
        .as_array()
        .and_then(|items| items.iter().find_map(recognise))
    {
        let message = format!(
            "an array of {} documents; send each by itself",
            item.as_str()
        );
        return FormatError::new(Reason::Merge, "", message);
    }
    unread::value(value)
}
