//! The one guard of the contract: what comes in is judged here and nowhere else.

mod length;
mod nul;

use bytes::Bytes;
use stella_api::Code;
use stella_api::evidence::{Envelope, EvidenceKind};
use stella_canonical::Digest;
use stella_formats::{Document, Reason};
use stella_locale::{Labels, Value};

use crate::envelope;

/// One broken rule of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's code.
    pub code: Code,
    /// Where: in the document (RFC 6901), or behind `Stella-Provenance:` in the envelope.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl Violation {
    pub(crate) fn new(code: Code, pointer: impl ToString, message: impl ToString) -> Self {
        Self {
            code,
            pointer: pointer.to_string(),
            message: message.to_string(),
        }
    }

    /// In the words of a label.
    pub(crate) fn labelled(
        code: Code,
        pointer: impl ToString,
        label: &str,
        values: &[(&str, Value<'_>)],
    ) -> Self {
        Self::new(code, pointer, Labels::english().format(label, values))
    }
}

/// A document that keeps the contract.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) kind: EvidenceKind,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
    pub(crate) document: Document,
    pub(crate) envelope: Envelope,
    /// The client that sent it.
    pub(crate) sent_by: String,
}

/// Judges a document that came to the route of a kind. Nothing is stored before this agrees.
pub(crate) fn judge(
    kind: EvidenceKind,
    envelope: Result<Envelope, Vec<Violation>>,
    bytes: Bytes,
    sent_by: &str,
) -> Result<Accepted, Vec<Violation>> {
    let digest = Digest::of(&bytes);
    let (envelope, mut violations) = match envelope {
        Ok(envelope) => (Some(envelope), vec![]),
        Err(violations) => (None, violations),
    };
    if let Some(envelope) = &envelope {
        violations.extend(checksum(envelope, &digest));
    }
    let document = read(kind, &bytes).map_err(|one| violations.push(one));
    match (envelope, document, violations.is_empty()) {
        (Some(envelope), Ok(document), true) => Ok(Accepted {
            kind,
            digest,
            bytes,
            document,
            envelope,
            sent_by: sent_by.to_owned(),
        }),
        _ => Err(violations),
    }
}

fn checksum(envelope: &Envelope, digest: &Digest) -> Option<Violation> {
    let declared = &envelope.upstream.content_digest;
    (*declared != digest.to_string()).then(|| {
        let values = [
            ("declared", declared.as_str().into()),
            ("found", digest.to_string().into()),
        ];
        Violation::labelled(
            Code::Aoc005,
            format!("{}/upstream/contentDigest", envelope::PLACE),
            "refused-document-checksum",
            &values,
        )
    })
}

fn read(kind: EvidenceKind, bytes: &[u8]) -> Result<Document, Violation> {
    let document = stella_formats::read(bytes).map_err(|error| {
        let code = match error.reason {
            Reason::Merge => Code::Aoc002,
            Reason::Depth | Reason::Size => Code::Aoc010,
            Reason::Malformed | Reason::Unsupported => Code::Aoc009,
        };
        Violation::new(code, &error.pointer, &error)
    })?;
    if let Some(pointer) = nul::in_document(bytes) {
        return Err(Violation::labelled(
            Code::Aoc009,
            pointer,
            "refused-document-nul",
            &[],
        ));
    }
    if let Some(long) = length::in_document(&document) {
        let values = [("found", long.bytes.into()), ("limit", long.limit.into())];
        return Err(Violation::labelled(
            Code::Aoc010,
            long.pointer,
            "refused-document-long",
            &values,
        ));
    }
    let found = document.kind();
    if found == kind {
        Ok(document)
    } else {
        let values = [("found", found.as_str().into())];
        Err(Violation::labelled(
            Code::Aoc009,
            "",
            "refused-document-kind",
            &values,
        ))
    }
}
