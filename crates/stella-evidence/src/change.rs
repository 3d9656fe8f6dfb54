//! The log `changes`: what was taken in, in one order. It is the feed that others follow, and the
//! Merkle log that deletion is found out by.

use axum::response::sse::Event;
use jiff::Timestamp;
use stella_api::Code;
use stella_api::changes::{Change, ChangePage, LogAnswer, Observation};
use stella_api::evidence::DocumentRecord;
use stella_attest::PublicKey;
use stella_canonical::Digest;
use stella_context::{OpContext, SystemContext};
use stella_locale::Labels;
use stella_service::{Behind, Failure, IntoFailure as _, Sealed};
use stella_storage::{StoreError, Tx};

use crate::document::visible;
use crate::{Evidence, EvidenceError};

/// The log's name.
pub(crate) const LOG: &str = "changes";
/// How many entries a stream reads at a time.
const AT_ONCE: u32 = 100;

impl Evidence {
    /// Notes what was observed of a document, in the transaction that keeps it.
    pub(crate) async fn log(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        observed: &[(&str, Observation)],
        recorded_at: Timestamp,
    ) -> Result<(), StoreError> {
        let log = (LOG, recorded_at);
        self.logs.add(tx, op.tenant(), log, observed).await
    }

    /// Seals what waits, as the sealer does.
    ///
    /// # Errors
    /// The database is away, or a log is not what was signed.
    pub async fn seal(&self, system: &SystemContext) -> Result<usize, StoreError> {
        self.logs.seal(system).await
    }

    /// Where the log ends, signed.
    pub(crate) async fn checkpoint(&self, op: &OpContext) -> Result<LogAnswer, EvidenceError> {
        let signed = self.logs.checkpoint(op, LOG).await?;
        let (checkpoint, envelope) = signed.ok_or(EvidenceError::NoData("log"))?;
        let keys = self.logs.public_keys().await?;
        Ok(LogAnswer {
            checkpoint,
            envelope,
            keys: keys.iter().map(PublicKey::jwk).collect(),
        })
    }

    /// Whoever is farther than the log follows another one, of before a restore: it would miss
    /// everything up to there, and never know.
    pub(crate) async fn within(&self, op: &OpContext, after: u64) -> Result<(), EvidenceError> {
        let end = self.logs.end(op, LOG).await?;
        if after <= end {
            return Ok(());
        }
        let failure = Failure::new(Code::PositionBeyondEnd)
            .with("position", after)
            .with("end", end);
        Err(failure.into())
    }

    /// What was taken in behind a position, of the kinds that the token may read.
    pub(crate) async fn changes(
        &self,
        op: &OpContext,
        after: u64,
        limit: u32,
    ) -> Result<ChangePage, EvidenceError> {
        let sealed = self.logs.after(op, LOG, after, limit).await?;
        if sealed.is_empty() {
            self.within(op, after).await?;
        }
        let next = sealed.last().map_or(after, |last| last.position);
        let kinds = visible(op);
        let mut changes = Vec::new();
        for entry in sealed {
            let change = change(entry)?;
            if kinds.contains(&change.observed.kind) {
                changes.push(change);
            }
        }
        Ok(ChangePage { changes, next })
    }
}

/// What was taken in behind a position, as events.
pub(crate) async fn events(
    evidence: &Evidence,
    op: &OpContext,
    behind: u64,
) -> Result<Behind, Failure> {
    let read = evidence.changes(op, behind, AT_ONCE).await;
    let page = read.map_err(EvidenceError::into_failure)?;
    let event = |change: &Change| {
        let event = Event::default().id(change.position.to_string());
        let event = event.event(&change.observed.event).json_data(change);
        event.map_err(|error| Failure::new(Code::Internal).because(error))
    };
    let events: Result<Vec<Event>, Failure> = page.changes.iter().map(event).collect();
    Ok((events?, page.next))
}

/// The position that a parameter holds; before the first where there is none.
pub(crate) fn position(place: &str, text: Option<&str>) -> Result<u64, Failure> {
    let Some(text) = text else { return Ok(0) };
    // No log has more than fit into a column.
    let read: Option<i64> = text.parse().ok();
    read.and_then(|read| u64::try_from(read).ok())
        .ok_or_else(|| {
            let value = [("value", text.into())];
            Failure::invalid(place, Labels::english().format("refused-position", &value))
        })
}

/// The observation that an entry of the log holds.
pub(crate) fn change(sealed: Sealed) -> Result<Change, StoreError> {
    let observed = serde_json::from_value(sealed.entry).map_err(|error| {
        StoreError::unreadable(format!("log {LOG} entry {}", sealed.position), error)
    })?;
    Ok(Change {
        position: sealed.position,
        document: sealed.subject,
        recorded_at: sealed.recorded_at.to_string(),
        observed,
    })
}

/// What the log says of a document of this record.
pub(crate) fn observation(record: &DocumentRecord, text: &str) -> Observation {
    Observation {
        event: format!("{}.observation.updated@1", record.kind),
        kind: record.kind,
        size: record.content.size,
        publisher: record.source.publisher.clone(),
        stream: record.source.stream.clone(),
        upstream_id: record.upstream.id.clone(),
        record: Some(Digest::of(text.as_bytes()).to_string()),
        fetched_at: None,
    }
}

/// What the log says of a document of this record that was fetched again.
pub(crate) fn seen_again(record: &DocumentRecord, fetched: Timestamp) -> Observation {
    Observation {
        event: format!("{}.observation.seen@1", record.kind),
        record: None,
        fetched_at: Some(fetched.to_string()),
        ..observation(record, "")
    }
}
