//! Which formats there are, and which one a document has.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::{FormatError, Reason};
use crate::{Body, Document, Notice, cyclonedx, epss, kev, openvex, osv};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Open Source Vulnerability format 1.x, JSON or YAML.
    Osv,
    /// OpenVEX 0.2, and the 0.0.x drafts before it.
    OpenVex,
    /// CycloneDX 1.2 to 1.7, JSON.
    CycloneDx,
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
    pub const ALL: [Self; 5] = [
        Self::Osv,
        Self::OpenVex,
        Self::CycloneDx,
        Self::Kev,
        Self::Epss,
    ];

    const fn reader(self) -> &'static Reader {
        match self {
            Self::Osv => &osv::READER,
            Self::OpenVex => &openvex::READER,
            Self::CycloneDx => &cyclonedx::READER,
            Self::Kev => &kev::READER,
            Self::Epss => &epss::READER,
        }
    }

    /// The short name: `osv`, `openvex`, `cyclonedx`, `kev` or `epss`.
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
        .filter_map(|format| Some((format, format.reader().json.as_ref()?)))
        .find(|(_, json)| (json.recognises)(value))
}

pub(crate) fn read(value: &Value) -> Result<Document, FormatError> {
    let Some((format, json)) = recognise(value) else {
        return Err(unknown(value));
    };
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
