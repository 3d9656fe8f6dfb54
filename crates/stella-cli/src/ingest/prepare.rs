//! From bytes to what is sent: the kind of evidence, and where it came from.

use bytes::Bytes;
use serde::Serialize;
use stella_api::Code;
use stella_api::evidence::{Envelope, EvidenceKind, Upstream};
use stella_canonical::Digest;
use stella_formats::{Document, FormatError};

use crate::failure::{Failure, Fault, Place};
use crate::label::label;

const UNKNOWN: &str = "unknown";

/// What a person says of where documents come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Who says it, instead of what the documents say.
    pub(crate) publisher: Option<String>,
    /// Which of the publisher's feeds.
    pub(crate) stream: String,
    /// When it was fetched. All of a run at the same time: which of two revisions in it is the
    /// newer, their publisher says, and not the order in which they were read.
    pub(crate) fetched_at: String,
}

/// A document that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) kind: EvidenceKind,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Bytes,
}

/// A document that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    /// The file, as people know it.
    pub(crate) path: String,
    /// What it would be evidence of, where that could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<EvidenceKind>,
    /// Line and column in the file, where the parser gave them.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    /// Everything that is wrong; at least one.
    pub(crate) errors: Vec<Fault>,
}

impl Refusal {
    /// One reason without a place.
    pub(crate) fn told(path: &str, code: Code, detail: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            kind: None,
            place: None,
            errors: vec![Fault {
                pointer: String::new(),
                code: code.as_str().to_owned(),
                detail: detail.into(),
            }],
        }
    }

    /// What a server says of the document.
    pub(crate) fn answered(path: &str, kind: EvidenceKind, failure: &Failure) -> Self {
        let mut errors = failure.errors.clone();
        if errors.is_empty() {
            errors.push(Fault {
                pointer: String::new(),
                code: failure.code.to_string(),
                detail: failure.message.clone(),
            });
        }
        Self {
            path: path.to_owned(),
            kind: Some(kind),
            place: None,
            errors,
        }
    }

    fn unread(path: &str, error: FormatError) -> Self {
        Self {
            path: path.to_owned(),
            kind: None,
            place: Some(Place {
                line: error.line as u64,
                column: error.column as u64,
                pointer: None,
            }),
            errors: vec![Fault {
                pointer: error.pointer,
                code: error.reason.code().to_owned(),
                detail: error.message,
            }],
        }
    }
}

/// Reads a document and fills its envelope from its content.
pub(crate) fn prepare(path: &str, bytes: Bytes, origin: &Origin) -> Result<Prepared, Refusal> {
    let document = stella_formats::read(&bytes).map_err(|error| Refusal::unread(path, error))?;
    let kind = document.kind();
    let digest = Digest::of(&bytes).to_string();
    let envelope = envelope(&document, digest, origin).ok_or_else(|| Refusal {
        kind: Some(kind),
        ..Refusal::told(path, Code::Aoc004, label("publisher-unnamed"))
    })?;
    Ok(Prepared {
        kind,
        envelope,
        bytes,
    })
}

fn envelope(document: &Document, digest: String, origin: &Origin) -> Option<Envelope> {
    let named = document.upstream();
    let sbom = document.kind() == EvidenceKind::Sbom;
    let publisher = origin
        .publisher
        .clone()
        .or(named.publisher)
        .or_else(|| sbom.then(|| UNKNOWN.to_owned()))?;
    Some(Envelope {
        source: stella_api::evidence::Source {
            publisher,
            distributor: None,
            stream: origin.stream.clone(),
            api: None,
            collector_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        },
        upstream: Upstream {
            id: named.id.unwrap_or_else(|| digest.clone()),
            document_version: named.version,
            fetched_at: origin.fetched_at.clone(),
            content_digest: digest,
            signature: None,
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            publisher: None,
            stream: "local".into(),
            fetched_at: "2099-01-02T03:04:05Z".into(),
        }
    }

    fn prepared(text: &str, origin: &Origin) -> Result<Prepared, Refusal> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        prepare("a.json", bytes, origin)
    }

    const OSV: &str =
        r#"{"id": "RUSTSEC-2099-0001", "modified": "2099-01-01T00:00:00Z", "affected": []}"#;
    const SBOM: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}"#;
    const VEX: &str = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "",
        "timestamp": "2099-01-01T00:00:00Z", "version": 1, "statements": []}"#;

    #[test]
    fn the_envelope_comes_from_the_content() {
        let Prepared { kind, envelope, .. } = prepared(OSV, &origin()).unwrap();
        assert_eq!(kind, EvidenceKind::Advisory);
        assert_eq!(
            (
                envelope.source.publisher.as_str(),
                envelope.source.stream.as_str()
            ),
            ("rustsec", "local")
        );
        assert_eq!(envelope.upstream.id, "RUSTSEC-2099-0001");
        assert_eq!(
            envelope.upstream.content_digest,
            Digest::of(OSV.as_bytes()).to_string()
        );
    }

    #[test]
    fn what_an_sbom_does_not_name_has_a_stand_in() {
        let envelope = prepared(SBOM, &origin()).unwrap().envelope;
        assert_eq!(envelope.source.publisher, "unknown");
        assert_eq!(envelope.upstream.id, envelope.upstream.content_digest);
    }

    #[test]
    fn a_person_says_who_published() {
        let said = Origin {
            fetched_at: "2099-01-02T03:04:05Z".into(),
            publisher: Some("acme".into()),
            stream: "weekly".into(),
        };
        let envelope = prepared(OSV, &said).unwrap().envelope;
        assert_eq!(
            (
                envelope.source.publisher.as_str(),
                envelope.source.stream.as_str()
            ),
            ("acme", "weekly")
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        let refusal = prepared("{\"a\": 1}", &origin()).unwrap_err();
        assert_eq!(refusal.errors[0].code, "ERR_AOC_009");
        let refusal = prepared("{\n\"a\":", &origin()).unwrap_err();
        assert_eq!(refusal.place.unwrap().line, 2);
        let refusal = prepared(&format!("[{OSV}]"), &origin()).unwrap_err();
        assert_eq!(refusal.errors[0].code, "ERR_AOC_002");
    }

    #[test]
    fn nobody_is_made_up_as_a_publisher() {
        if let Err(refusal) = prepared(&VEX.replace("\"author\": \"\",", ""), &origin()) {
            assert!(["ERR_AOC_004", "ERR_AOC_009"].contains(&refusal.errors[0].code.as_str()));
        } else {
            panic!("a statement that nobody makes was taken");
        }
    }
}
