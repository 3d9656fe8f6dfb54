//! Verifying what is stored, also against somebody with all rights on the database: the log of what
//! was taken in against its signature, the documents against the log, and what is derived from them
//! against them.

mod columns;
mod found;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use stella_api::TenantId;
use stella_api::audit::AuditOutcome;
use stella_api::changes::{Change, Observation};
use stella_api::dsse::Envelope;
use stella_api::verify::{VerifiedLog, VerifyAnswer, VerifyRequest, VerifyWindow};
use stella_context::OpContext;
use stella_formats::Document;
use stella_locale::Labels;
use stella_service::{Act, Failure, Sealed, time};
use stella_storage::{ObjectError, Tx};
use tokio::time::Instant;

use crate::change::{self, LOG};
use crate::store::{self, Key, Origin};
use crate::{Evidence, EvidenceError};
use found::Found;

/// As long as a caller may say, and longer than any answer takes.
const SECONDS: u32 = 40;
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
    resume: Option<Envelope>,
    time: Duration,
}

impl Asked {
    /// It takes no longer than the request has, whatever is asked for.
    pub(crate) fn read(request: VerifyRequest, stretch: Duration) -> Result<Self, Failure> {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let values = [("most", MAX_LIMIT.into()), ("size", limit.into())];
            let reason = Labels::english().format("refused-page-size", &values);
            return Err(Failure::invalid("/limit", reason));
        }
        let seconds = request.seconds.unwrap_or(SECONDS);
        if seconds > SECONDS {
            let values = [("most", SECONDS.into()), ("seconds", seconds.into())];
            let reason = Labels::english().format("refused-seconds", &values);
            return Err(Failure::invalid("/seconds", reason));
        }
        Ok(Self {
            since: time("/since", request.since.as_deref())?,
            until: time("/until", request.until.as_deref())?,
            sources: request.sources,
            after: request.after.unwrap_or_default(),
            limit,
            checkpoint: request.checkpoint,
            resume: request.resume,
            time: stretch.min(Duration::from_secs(seconds.into())),
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
        let began = Instant::now();
        let mut found = Found::new(asked.limit);
        let stuck = self.work_off(op).await?;
        let (earlier, resume) = (asked.checkpoint.as_ref(), asked.resume.as_ref());
        let mut walk = self.logs.walk(op, LOG, earlier, resume).await?;
        let first = walk.position();
        // The position of the last entry that there was time for.
        let mut cut = None;
        'walk: while let Some(entries) = self.logs.walk_on(op, &mut walk).await? {
            for entry in entries {
                let position = entry.position;
                let Some(change) = found.change(asked, entry) else {
                    continue;
                };
                self.check(op, &change, &mut found).await?;
                if began.elapsed() >= asked.time {
                    cut = Some(position);
                    break 'walk;
                }
            }
            walk.settle();
            if began.elapsed() >= asked.time {
                cut = Some(walk.position());
                break;
            }
        }
        // What is looked for at the end takes its time too: it has a request of its own then.
        if cut.is_none() && walk.position() > first && began.elapsed() > asked.time / 2 {
            cut = Some(walk.position());
        }
        let to = cut.unwrap_or_else(|| walk.position()).max(asked.after);
        let (mut log, mut resume) = (None, None);
        if cut.is_some() {
            let (envelope, faults) = self.logs.pause(walk).await?;
            faults.into_iter().for_each(|fault| found.fault(fault));
            resume = Some(envelope);
        } else {
            log = Some(VerifiedLog {
                size: walk.size(),
                root: walk.root().to_string(),
                unsealed: walk.unsealed(),
            });
            let faults = self.logs.walked(op, walk, MAX_LIMIT as usize).await?;
            faults.into_iter().for_each(|fault| found.fault(fault));
            for (key, failure) in stuck {
                found.stuck(&key, &failure);
            }
            self.find_unlogged(op, &mut found).await?;
            self.find_strays(op, &mut found).await?;
        }
        let window = VerifyWindow {
            since: asked.since.map(|at| at.to_string()),
            until: asked.until.map(|at| at.to_string()),
            after: asked.after,
            to,
        };
        let answer = found.answer(window, log, resume);
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

    /// What is due is left out of what is compared: it is derived first, so that a due row hides
    /// nothing. Gives what could not be derived from.
    async fn work_off(&self, op: &OpContext) -> Result<BTreeMap<Key, Failure>, EvidenceError> {
        let mut tx = self.db.read(op).await?;
        let due = store::due_of(&mut tx, op.tenant()).await?;
        tx.commit().await?;
        let stuck = self.derive_due(op, due).await;
        match stuck.values().find(|failure| failure.code().retryable()) {
            Some(failure) => Err(failure.clone().into()),
            None => Ok(stuck),
        }
    }

    /// Reads a document again, and compares with it what the tables repeat of it.
    async fn check(
        &self,
        op: &OpContext,
        change: &Change,
        found: &mut Found,
    ) -> Result<(), EvidenceError> {
        if let Some(fetched) = &change.observed.fetched_at {
            return self.check_sighting(op, change, fetched, found).await;
        }
        let mut tx = self.db.read(op).await?;
        let row = store::stored(&mut tx, op.tenant(), change).await?;
        tx.commit().await?;
        let Some(mut row) = row else {
            found.gone(change, "its row is not there");
            return Ok(());
        };
        found.checked(change);
        let record = match columns::record(change, &row) {
            Ok(record) => record,
            Err(what) => {
                found.changed(change, what);
                return Ok(());
            }
        };
        // Between two transactions: nobody waits in the database for the object store.
        let bytes = row.bytes.take();
        let Some(document) = self.read_again(op, change, bytes, found).await? else {
            return Ok(());
        };
        if let Err(what) = columns::order(&row, &record, &document) {
            found.changed(change, what);
        }
        let key = Key {
            kind: change.observed.kind,
            publisher: change.observed.publisher.clone(),
            upstream_id: change.observed.upstream_id.clone(),
            digest: change.document.clone(),
        };
        let mut tx = self.db.snapshot(op).await?;
        let mismatch = self.mismatch(&mut tx, op.tenant(), &key, &document).await?;
        tx.commit().await?;
        let all = mismatch.index.into_iter().chain(mismatch.matched);
        all.for_each(|reason| found.derived(change, reason));
        Ok(())
    }

    /// Looks for the row that a document was fetched again. The document has an entry of its own.
    async fn check_sighting(
        &self,
        op: &OpContext,
        change: &Change,
        fetched: &str,
        found: &mut Found,
    ) -> Result<(), EvidenceError> {
        let Ok(at) = fetched.parse::<Timestamp>() else {
            found.changed(change, format!("{fetched} in its entry"));
            return Ok(());
        };
        let observed = &change.observed;
        let origin = (
            change.document.as_str(),
            observed.publisher.as_str(),
            observed.stream.as_str(),
        );
        let mut tx = self.db.read(op).await?;
        let received = store::sighting(&mut tx, op.tenant(), origin, at).await?;
        tx.commit().await?;
        match received {
            None => found.gone(
                change,
                &format!("that it came again at {fetched} is not there"),
            ),
            Some(received) if received.to_string() != change.recorded_at => {
                found.changed(change, format!("{received} in sightings.received_at"));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The document that its bytes are, where they are those that came.
    async fn read_again(
        &self,
        op: &OpContext,
        change: &Change,
        inline: Option<Vec<u8>>,
        found: &mut Found,
    ) -> Result<Option<Document>, EvidenceError> {
        let digest = match change.document.parse() {
            Ok(digest) => digest,
            Err(error) => {
                found.changed(change, error);
                return Ok(None);
            }
        };
        match self.bytes(op.tenant(), &digest, inline).await {
            Ok(bytes) => match stella_formats::read(&bytes) {
                Ok(document) => return Ok(Some(document)),
                // It is as it came: an older binary took it in, and derived nothing from it.
                Err(error) => found.derived(change, error),
            },
            Err(EvidenceError::Object(ObjectError::Missing(_))) => {
                found.gone(change, "its blob is not there");
            }
            Err(EvidenceError::Corrupt { actual, .. }) => found.changed(change, actual),
            Err(EvidenceError::Object(ObjectError::Corrupt { actual, .. })) => {
                found.changed(change, actual);
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Each derived row is a stored document's.
    async fn find_strays(&self, op: &OpContext, found: &mut Found) -> Result<(), EvidenceError> {
        let mut tx = self.db.snapshot(op).await?;
        for (table, document) in store::strays(&mut tx, op.tenant(), MAX_LIMIT).await? {
            found.stray(table, &document);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Each stored document stands in the log.
    async fn find_unlogged(&self, op: &OpContext, found: &mut Found) -> Result<(), EvidenceError> {
        let tenant = op.tenant();
        let mut tx = self.db.read(op).await?;
        for document in store::orphans(&mut tx, tenant, MAX_LIMIT).await? {
            found.unlogged(&document);
        }
        tx.commit().await?;
        let mut behind = Default::default();
        loop {
            let mut tx = self.db.read(op).await?;
            let stored = store::names_behind(&mut tx, tenant, &behind, TOGETHER).await?;
            let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
                break;
            };
            let logged = self.logged(&mut tx, tenant, (&first.0, &last.0)).await?;
            tx.commit().await?;
            behind = last.clone();
            let named = stored.into_iter().map(|name| (name, None));
            let unlogged = named.filter(|name| !logged.contains(name));
            unlogged.for_each(|((document, ..), _)| found.unlogged(&document));
        }
        let mut behind = (Default::default(), Timestamp::UNIX_EPOCH);
        loop {
            let mut tx = self.db.read(op).await?;
            let stored = store::sightings_behind(&mut tx, tenant, &behind, TOGETHER).await?;
            let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
                return Ok(());
            };
            let span = (first.0.0.as_str(), last.0.0.as_str());
            let logged = self.logged(&mut tx, tenant, span).await?;
            tx.commit().await?;
            behind = last.clone();
            let seen = stored.into_iter().map(|(name, at)| (name, Some(at)));
            let unlogged = seen.filter(|seen| !logged.contains(seen));
            unlogged.for_each(|((document, ..), _)| found.unlogged(&document));
        }
    }

    /// What the log says of the documents from one to another: where they came from, and when they
    /// were fetched again.
    async fn logged(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        span: (&str, &str),
    ) -> Result<BTreeSet<(Origin, Option<Timestamp>)>, EvidenceError> {
        let entries = self.logs.about(tx, tenant, LOG, span).await?;
        let read = |(document, entry): (String, String)| {
            let observed: Observation = serde_json::from_str(&entry).ok()?;
            let again = observed.fetched_at.map(|at| at.parse()).transpose().ok()?;
            Some(((document, observed.publisher, observed.stream), again))
        };
        Ok(entries.into_iter().filter_map(read).collect())
    }
}

impl Found {
    /// What an entry says, if its document is asked for.
    fn change(&mut self, asked: &Asked, entry: Sealed) -> Option<Change> {
        let (position, at) = (entry.position, entry.recorded_at);
        match change::change(entry) {
            Ok(change) => asked.covers(at, &change).then_some(change),
            // What is before was told by the request before.
            Err(error) => {
                if position > asked.after {
                    self.entry(position, error);
                }
                None
            }
        }
    }
}
