//! Many documents in one body: a line each, `{"envelope": …, "raw": …}` or
//! `{"envelope": …, "rawBase64": "…"}`.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use stella_api::evidence::{Envelope, EvidenceKind, IngestAnswer};
use stella_api::{Code, MAX_BODY};
use stella_canonical::Digest;
use stella_context::OpContext;
use stella_locale::Labels;
use stella_service::{Chunk, Failure, IntoFailure as _, Line};

use crate::guard::{Accepted, Violation, judge};
use crate::{Evidence, EvidenceError, envelope};

/// So many blobs are put at once: most of it is waiting for the disk, or the bucket.
const BLOBS: usize = 8;

/// A line as it stands there: what is evidence in it is not read yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
struct Item<'a> {
    #[serde(borrow)]
    envelope: Option<&'a RawValue>,
    #[serde(borrow)]
    raw: Option<&'a RawValue>,
    #[serde(borrow)]
    raw_base64: Option<Cow<'a, str>>,
}

impl Evidence {
    /// Takes the documents of a chunk of lines in.
    pub(crate) async fn ingest_lines(
        self: Arc<Self>,
        op: OpContext,
        kind: EvidenceKind,
        lines: Vec<Line>,
    ) -> Chunk<IngestAnswer> {
        // Reading hundreds of documents takes its time, and other calls are under way.
        let (meters, of) = (self.meters.clone(), op.clone());
        let read = move || {
            let judge = |envelope, bytes| meters.judge(&of, kind, envelope, bytes);
            lines.iter().map(|line| accept(line, judge)).collect()
        };
        let judged = tokio::task::spawn_blocking(read).await;
        let judged: Vec<Result<Accepted, Failure>> =
            judged.map_err(|error| Failure::new(Code::Internal).because(error))?;
        for failure in judged.iter().filter_map(|one| one.as_ref().err()) {
            let document = format!("a line of {kind}");
            self.note_refused(&op, document, failure).await;
        }
        let put = |one: Result<Accepted, Failure>| async { self.put_blob(&op, one?).await };
        let durable = stream::iter(judged).map(put).buffered(BLOBS);
        self.take(&op, durable.collect().await).await
    }
}

type Judged = Result<Accepted, Vec<Violation>>;

fn accept(
    line: &Line,
    judge: impl Fn(Result<Envelope, Vec<Violation>>, Bytes) -> Judged,
) -> Result<Accepted, Failure> {
    let item: Item<'_> = line.object()?;
    let bytes = bytes_of(&item, &line.bytes)?;
    let envelope = match item.envelope {
        Some(envelope) => envelope::read(envelope.get().as_bytes()),
        None => Err(vec![envelope::missing()]),
    };
    judge(envelope, bytes).map_err(|violations| {
        let in_line = violations.into_iter().map(in_line).collect();
        EvidenceError::Refused(in_line).into_failure()
    })
}

/// The envelope stands in the line and in no header.
fn in_line(mut violation: Violation) -> Violation {
    if let Some(place) = violation.pointer.strip_prefix(envelope::PLACE) {
        violation.pointer = format!("/envelope{place}");
    }
    violation
}

/// The document's bytes. Of `raw` they are those of the value as it stands in the line, so that
/// nothing of it is read and written again.
fn bytes_of(item: &Item<'_>, line: &Bytes) -> Result<Bytes, Failure> {
    let labels = Labels::english();
    let bytes = match (item.raw, &item.raw_base64) {
        (Some(raw), None) => line.slice_ref(raw.get().as_bytes()),
        (None, Some(text)) => STANDARD
            .decode(text.as_bytes())
            .map_err(|_| Failure::invalid("/rawBase64", labels.text("refused-line-base64")))?
            .into(),
        _ => return Err(Failure::invalid("", labels.text("refused-line-raw"))),
    };
    if bytes.len() as u64 <= MAX_BODY {
        return Ok(bytes);
    }
    let (found, limit) = (bytes.len().to_string(), MAX_BODY.to_string());
    let values = [
        ("found", found.as_str().into()),
        ("limit", limit.as_str().into()),
    ];
    let large = Violation::labelled(Code::Aoc010, "", "refused-document-large", &values);
    Err(EvidenceError::Refused(vec![large]).into_failure())
}

/// Reads anything as a line of a batch: what is taken is of the kind that was asked for and has
/// the digest that was declared, and what is refused has a code that tells its sender so.
pub fn fuzz(data: &[u8]) {
    let line = Line {
        number: 1,
        bytes: Bytes::copy_from_slice(data),
    };
    for &kind in EvidenceKind::ALL {
        match accept(&line, |envelope, bytes| {
            judge(kind, envelope, bytes, "fuzz")
        }) {
            Ok(accepted) => {
                assert_eq!(accepted.document.kind(), kind);
                let declared = &accepted.envelope.upstream.content_digest;
                assert_eq!(*declared, Digest::of(&accepted.bytes).to_string());
            }
            Err(failure) => assert!(failure.code().status() < 500, "{failure:?}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {

    use super::*;

    const OSV: &str =
        "{ \"id\":\"RUSTSEC-2099-0001\",\t\"modified\": \"2099-01-01T00:00:00Z\", \"n\": 1.0e0 }";

    fn line(text: impl Into<Vec<u8>>) -> Line {
        let bytes = Bytes::from(text.into());
        Line { number: 7, bytes }
    }

    fn envelope(bytes: &[u8]) -> String {
        let digest = Digest::of(bytes);
        format!(
            r#"{{"source": {{"publisher": "rustsec", "stream": "s"}}, "upstream": {{"id": "x",
            "fetchedAt": "2026-01-02T03:04:05Z", "contentDigest": "{digest}"}}}}"#
        )
        .replace('\n', "")
    }

    fn taken(text: impl Into<Vec<u8>>) -> Result<Bytes, Code> {
        let judge = |envelope, bytes| judge(EvidenceKind::Advisory, envelope, bytes, "test");
        let accepted = accept(&line(text), judge);
        accepted
            .map(|one| one.bytes)
            .map_err(|failure| failure.code())
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("line", fuzz);
    }

    #[test]
    fn the_bytes_of_a_value_are_those_that_stand_in_the_line() {
        let envelope = envelope(OSV.as_bytes());
        for text in [
            format!(r#"{{"envelope": {envelope}, "raw": {OSV}}}"#),
            format!(r#"{{"raw" :  {OSV} , "envelope":{envelope}}}"#),
            format!(
                r#"{{"rawBase64": "{}", "envelope": {envelope}}}"#,
                STANDARD.encode(OSV).replace('/', "\\/")
            ),
        ] {
            assert_eq!(taken(text).unwrap(), OSV.as_bytes());
        }
    }

    #[test]
    fn what_is_no_item_is_told_with_its_place() {
        let envelope = envelope(OSV.as_bytes());
        let rows: Vec<(Vec<u8>, Code)> = vec![
            (b"{\"envelope\": {".to_vec(), Code::BodyMalformed),
            (b"{} {}".to_vec(), Code::BodyMalformed),
            (b"{\"raw\": \"\xff\"}".to_vec(), Code::BodyMalformed),
            (b"[null, {}, null]".to_vec(), Code::RequestInvalid),
            (b"null".to_vec(), Code::RequestInvalid),
            (b"{}".to_vec(), Code::RequestInvalid),
            (
                b"{\"raw\": {}, \"colour\": 1}".to_vec(),
                Code::RequestInvalid,
            ),
            (b"{\"raw\": {}, \"raw\": {}}".to_vec(), Code::RequestInvalid),
            (
                b"{\"raw\": {}, \"rawBase64\": \"\"}".to_vec(),
                Code::RequestInvalid,
            ),
            (b"{\"rawBase64\": \"?\"}".to_vec(), Code::RequestInvalid),
            (format!(r#"{{"raw": {OSV}}}"#).into(), Code::Aoc004),
            (
                format!(r#"{{"envelope": {envelope}, "raw": {{"id": 1}}}}"#).into(),
                Code::Aoc005,
            ),
            (
                format!(r#"{{"envelope": {{"risk": 1}}, "raw": {OSV}}}"#).into(),
                Code::Aoc001,
            ),
        ];
        for (text, expected) in rows {
            let shown = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(taken(text), Err(expected), "{shown}");
        }
        let deep = "[".repeat(100_000);
        let nested = format!(
            r#"{{"envelope": {envelope}, "raw": {deep}1{}}}"#,
            deep.replace('[', "]")
        );
        assert_eq!(taken(nested), Err(Code::Aoc005));
    }
}
