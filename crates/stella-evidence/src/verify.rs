//! Verifying what is stored, also against somebody with all rights on the database: the log of what
//! was taken in against its signature, and the documents against the log.

mod found;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use stella_api::audit::AuditOutcome;
use stella_api::changes::{Change, Observation};
use stella_api::dsse::Envelope;
use stella_api::verify::{VerifiedLog, VerifyAnswer, VerifyRequest, VerifyWindow};
use stella_canonical::Digest;
use stella_context::OpContext;
use stella_locale::Labels;
use stella_service::{Act, Failure, Sealed, time};
use stella_storage::ObjectError;
use tokio::time::Instant;

use crate::change::{self, LOG};
use crate::store::{self, StoredRow};
use crate::{BUCKET, Evidence, EvidenceError};
use found::Found;

/// No request is worked on for longer than a minute.
const TIME: Duration = Duration::from_secs(40);
/// How many rows of provenance are looked up in the log at a time.
const TOGETHER: u32 = 500;
const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 500;

/// What is to be verified.
pub(crate) struct Asked {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    sources: Option<Vec<String>>,
    after: u64,
    limit: u32,
    checkpoint: Option<Envelope>,
}

impl Asked {
    pub(crate) fn read(request: VerifyRequest) -> Result<Self, Failure> {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let values = [("most", MAX_LIMIT.into()), ("size", limit.into())];
            let reason = Labels::english().format("refused-page-size", &values);
            return Err(Failure::invalid("/limit", reason));
        }
        Ok(Self {
            since: time("/since", request.since.as_deref())?,
            until: time("/until", request.until.as_deref())?,
            sources: request.sources,
            after: request.after.unwrap_or_default(),
            limit,
            checkpoint: request.checkpoint,
        })
    }

    /// Whether the document of an entry is to be read again.
    fn covers(&self, at: Timestamp, change: &Change) -> bool {
        let publisher = &change.observed.publisher;
        change.position > self.after
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && (self.sources.as_ref()).is_none_or(|sources| sources.contains(publisher))
    }
}

impl Evidence {
    /// Goes over the log from its first entry and reads the documents again that are asked for.
    /// It holds some entries and one document at a time.
    pub(crate) async fn verify(
        &self,
        op: &OpContext,
        asked: &Asked,
    ) -> Result<VerifyAnswer, EvidenceError> {
        let over = Instant::now() + TIME;
        let mut found = Found::new(asked.limit);
        let mut walk = self.logs.walk(op, LOG, asked.checkpoint.as_ref()).await?;
        let mut truncated = false;
        while let Some(entries) = self.logs.walk_on(op, &mut walk).await? {
            let due = found.changes(asked, entries);
            if due.is_empty() {
                continue;
            }
            self.check(op, due, &mut found).await?;
            truncated = Instant::now() > over && walk.position() < walk.size();
            if truncated {
                break;
            }
        }
        let to = walk.position();
        let mut log = None;
        if !truncated {
            log = Some(VerifiedLog {
                size: walk.size(),
                root: walk.root().to_string(),
                unsealed: walk.unsealed(),
            });
            let faults = self.logs.walked(op, walk, MAX_LIMIT as usize).await?;
            faults.into_iter().for_each(|fault| found.fault(fault));
            self.find_unlogged(op, &mut found).await?;
        }
        let window = VerifyWindow {
            since: asked.since.map(|at| at.to_string()),
            until: asked.until.map(|at| at.to_string()),
            after: asked.after,
            to,
        };
        let answer = found.answer(window, log, truncated);
        if let Some(log) = &answer.log {
            let codes: Vec<&str> = answer
                .violations
                .iter()
                .map(|one| one.code.as_str())
                .collect();
            let mut act = Act::done("evidence.log.verified", &log.root).with("size", log.size);
            if !codes.is_empty() {
                act = act.ended(AuditOutcome::Failure, codes.join(" "));
            }
            self.logs.audit_alone(op, act).await?;
        }
        Ok(answer)
    }

    /// Reads documents again: those of the database first, so that nobody waits there for the
    /// object store.
    async fn check(
        &self,
        op: &OpContext,
        changes: Vec<Change>,
        found: &mut Found,
    ) -> Result<(), EvidenceError> {
        let mut blobs: Vec<(Change, Digest)> = Vec::new();
        let mut tx = self.db.read(op).await?;
        for change in changes {
            let row = store::stored(&mut tx, op.tenant(), &change).await?;
            let Some(row) = row else {
                found.gone(&change, "its row is not there");
                continue;
            };
            found.checked(&change);
            match (differs(&change, &row), change.document.parse(), row.bytes) {
                (Some(what), _, _) => found.changed(&change, what),
                (None, Ok(digest), None) => blobs.push((change, digest)),
                (None, _, Some(bytes)) => {
                    let actual = Digest::of(&bytes).to_string();
                    if actual != change.document {
                        found.changed(&change, actual);
                    }
                }
                (None, Err(error), None) => found.changed(&change, error),
            }
        }
        tx.commit().await?;
        for (change, digest) in blobs {
            let read = async {
                let opened = self.objects.open(BUCKET, op.tenant(), &digest).await?;
                opened.bytes.try_for_each(async |_| Ok(())).await
            };
            match read.await {
                Ok(()) => {}
                Err(ObjectError::Missing(_)) => found.gone(&change, "its blob is not there"),
                Err(ObjectError::Corrupt { actual, .. }) => found.changed(&change, actual),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Each stored document stands in the log.
    async fn find_unlogged(&self, op: &OpContext, found: &mut Found) -> Result<(), EvidenceError> {
        let tenant = op.tenant();
        let mut behind = Default::default();
        loop {
            let mut tx = self.db.read(op).await?;
            let stored = store::names_behind(&mut tx, tenant, &behind, TOGETHER).await?;
            let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
                return Ok(());
            };
            let span = (first.0.as_str(), last.0.as_str());
            let entries = self.logs.about(&mut tx, tenant, LOG, span).await?;
            tx.commit().await?;
            let logged: BTreeSet<(String, String, String)> = entries
                .into_iter()
                .filter_map(|(document, entry)| {
                    let observed: Observation = serde_json::from_str(&entry).ok()?;
                    Some((document, observed.publisher, observed.stream))
                })
                .collect();
            let unlogged = stored.iter().filter(|name| !logged.contains(name));
            unlogged.for_each(|(document, ..)| found.unlogged(document));
            behind = last.clone();
        }
    }
}

impl Found {
    /// What the entries say, of those that are asked for.
    fn changes(&mut self, asked: &Asked, entries: Vec<Sealed>) -> Vec<Change> {
        let mut due = Vec::new();
        for entry in entries {
            let (position, at) = (entry.position, entry.recorded_at);
            match change::change(entry) {
                Ok(change) if asked.covers(at, &change) => due.push(change),
                Ok(_) => {}
                Err(error) => self.entry(position, error),
            }
        }
        due
    }
}

/// What of a stored document's rows is not what was logged.
fn differs(change: &Change, row: &StoredRow) -> Option<String> {
    let observed = &change.observed;
    let record = Digest::of(row.record.as_bytes()).to_string();
    if u64::try_from(row.size) != Ok(observed.size) {
        return Some(format!("a size of {}", row.size));
    }
    if row.upstream_id != observed.upstream_id {
        return Some(format!("upstream id {}", row.upstream_id));
    }
    let other = observed
        .record
        .as_ref()
        .is_some_and(|logged| *logged != record);
    other.then(|| format!("a record of digest {record}"))
}
