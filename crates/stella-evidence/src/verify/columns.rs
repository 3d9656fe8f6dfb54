//! What the rows of a document repeat: of its entry in the log, of its record, of its bytes.

use jiff::{SignedDuration, Timestamp};
use stella_api::changes::Change;
use stella_api::evidence::DocumentRecord;
use stella_formats::Document;

use crate::change::observation;
use crate::ingest::{IN_DATABASE, Times};
use crate::store::StoredRow;

/// Rows of older binaries read the clock for each column: that is no edit.
const APART: SignedDuration = SignedDuration::from_mins(1);

/// The record of a row, where the row is what the log says of it.
pub(super) fn record(change: &Change, row: &StoredRow) -> Result<DocumentRecord, String> {
    let record: DocumentRecord = serde_json::from_str(&row.record)
        .map_err(|error| format!("a record that is none: {error}"))?;
    let mut expected = observation(&record, &row.record);
    let logged = &change.observed;
    if record.id != change.document {
        return Err(format!("a record of {}", record.id));
    }
    if logged.record.is_none() {
        expected.record = None;
    }
    if expected.record != logged.record {
        return Err(format!(
            "a record of digest {}",
            expected.record.unwrap_or_default()
        ));
    }
    if expected != *logged {
        return Err("a record of something else than was logged".to_owned());
    }
    let kind = record.kind.as_str();
    same("raw_documents.kind", &row.raw_kind.as_str(), &kind)?;
    same("provenance.kind", &row.kind.as_str(), &kind)?;
    same(
        "raw_documents.size",
        &u64::try_from(row.size).ok(),
        &Some(record.content.size),
    )?;
    same(
        "provenance.upstream_id",
        &row.upstream_id,
        &record.upstream.id,
    )?;
    let version = &record.upstream.document_version;
    same(
        "provenance.document_version",
        &row.document_version,
        version,
    )?;
    let inline = record.location == IN_DATABASE;
    same("raw_documents.bytes", &row.bytes.is_some(), &inline)?;
    let received = time("receivedAt", &record.received_at)?;
    about("provenance.received_at", row.received_at.0, received)?;
    let next = row.next_received_at.as_ref().map(|at| at.0);
    let next = next.unwrap_or(Timestamp::MIN);
    about("raw_documents.received_at", row.raw_received_at.0, next)?;
    Ok(record)
}

/// The columns that revisions are put in order by, where they are not what the document says.
pub(super) fn order(
    row: &StoredRow,
    record: &DocumentRecord,
    document: &Document,
) -> Result<(), String> {
    let times = Times::of(document, record, row.received_at.0);
    let micros = Timestamp::as_microsecond;
    let (revision, fetched) = (row.revision_at.0, row.fetched_at.0);
    if micros(revision) != micros(times.revision) {
        return Err(other("provenance.revision_at", revision));
    }
    if micros(fetched) != micros(times.fetched) {
        return Err(other("provenance.fetched_at", fetched));
    }
    Ok(())
}

fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{name} {text}"))
}

fn about(column: &str, found: Timestamp, expected: Timestamp) -> Result<(), String> {
    match found.duration_since(expected).abs() < APART {
        true => Ok(()),
        false => Err(other(column, found)),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    column: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(other(column, format!("{found:?}"))),
    }
}

fn other(column: &str, found: impl std::fmt::Display) -> String {
    format!("{found} in {column}")
}
