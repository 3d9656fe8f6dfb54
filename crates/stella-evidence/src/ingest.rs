//! Taking documents in: kept first, durable, then derived from.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use stella_api::Code;
use stella_api::audit::AuditOutcome;
use stella_api::evidence::{
    Content, DocumentRecord, Envelope, EvidenceKind, IngestAnswer, Outcome, Reference, Upstream,
};
use stella_canonical::Digest;
use stella_context::OpContext;
use stella_formats::Document;
use stella_service::{Act, Failure, IntoFailure as _, fault};
use stella_storage::{StoreError, Tx};
use stella_telemetry::Stopwatch;

use crate::change::observation;
use crate::guard::{Accepted, Violation};
use crate::store::{self, Earlier, Key, NewRecord, Origin};
use crate::{BUCKET, Evidence, EvidenceError, change, notice};

/// Raw bytes up to this many lie in the database, larger ones in the object store.
const INLINE: usize = 256 * 1024;

/// Where raw bytes lie that are in the database.
pub(crate) const IN_DATABASE: &str = "database";

/// A document that is stored.
struct Kept {
    /// What it is derived from as.
    key: Key,
    /// Whether that is still to be done.
    due: bool,
    answer: IngestAnswer,
    record: DocumentRecord,
}

impl Evidence {
    /// Takes one document in. The same bytes from the same source are one row, however often
    /// they come; when this returns, the document is durable and its findings are derived, or a
    /// notice says why they could not be: it is not refused for what happened to others. Where
    /// the caller may just try again, that is told instead.
    pub(crate) async fn ingest(
        self: &Arc<Self>,
        op: &OpContext,
        kind: EvidenceKind,
        envelope: Result<Envelope, Vec<Violation>>,
        bytes: bytes::Bytes,
    ) -> Result<IngestAnswer, Failure> {
        let judged = self.meters.judge(op, kind, envelope, bytes.clone());
        let judged = match judged {
            Ok(judged) => judged,
            Err(violations) => {
                let failure = EvidenceError::Refused(violations).into_failure();
                self.note_refused(op, Digest::of(&bytes), &failure).await;
                return Err(failure);
            }
        };
        let durable = self.put_blob(op, judged).await?;
        // An SBOM may take its time, and so may what is large: nobody else waits for it.
        if kind != EvidenceKind::Sbom && durable.bytes.len() <= INLINE {
            return self.enter(op, durable).await;
        }
        let mut taken = self.take(op, vec![Ok(durable)]).await?;
        taken
            .pop()
            .unwrap_or_else(|| Err(Failure::new(Code::Internal)))
    }

    /// Records that a document was refused, as often as refusals are recorded.
    pub(crate) async fn note_refused(
        &self,
        op: &OpContext,
        document: impl ToString,
        failure: &Failure,
    ) {
        let act = Act::done("evidence.document.refused", document);
        let act = act.ended(AuditOutcome::Failure, failure.code());
        self.logs.audit_refused(op, act).await;
    }

    /// Takes documents in, those that were not refused and whose large bytes are durable: kept in
    /// one transaction, then derived from. What became of each, in order; one that fails takes no other along.
    ///
    /// # Errors
    /// Nothing of all that was kept.
    pub(crate) async fn take(
        &self,
        op: &OpContext,
        judged: Vec<Result<Accepted, Failure>>,
    ) -> Result<Vec<Result<IngestAnswer, Failure>>, Failure> {
        let sources: Vec<Option<String>> = judged.iter().map(source).collect();
        let taken = self.keep_and_derive(op, judged).await;
        for (at, source) in sources.iter().enumerate() {
            // What the contract refused was counted when it was judged.
            let Some(source) = source else { continue };
            let answer = taken.as_ref().ok().and_then(|taken| taken.get(at));
            let result = match answer {
                Some(Ok(answer)) => answer.outcome.as_str(),
                _ => "failed",
            };
            self.meters.written(op.tenant(), source, result);
        }
        taken
    }

    async fn keep_and_derive(
        &self,
        op: &OpContext,
        judged: Vec<Result<Accepted, Failure>>,
    ) -> Result<Vec<Result<IngestAnswer, Failure>>, Failure> {
        let watch = Stopwatch::start();
        let kept = self.keep(op, judged).await;
        self.meters.phase("keep", watch);
        let kept = kept.map_err(EvidenceError::into_failure)?;
        fault::point("evidence-kept");
        let stored = kept.iter().flatten();
        // What is new is due; what was there before hardly ever is.
        let due = stored
            .filter(|kept| kept.due)
            .map(|kept| kept.key.clone())
            .collect();
        let watch = Stopwatch::start();
        let failed = self.derive_due(op, due).await;
        self.meters.phase("derive", watch);
        let answer = |kept: Kept| match failed.get(&kept.key) {
            Some(failure) if failure.code().retryable() => Err(failure.clone()),
            Some(failure) => {
                let mut answer = kept.answer;
                answer.notices.push(notice::not_derived(failure));
                Ok(answer)
            }
            None => Ok(kept.answer),
        };
        Ok(kept.into_iter().map(|one| one.and_then(answer)).collect())
    }

    async fn keep(
        &self,
        op: &OpContext,
        judged: Vec<Result<Accepted, Failure>>,
    ) -> Result<Vec<Result<Kept, Failure>>, EvidenceError> {
        let (mut accepted, mut kept) = (Vec::new(), BTreeMap::new());
        for (at, one) in judged.into_iter().enumerate() {
            match one {
                Ok(one) => accepted.push((at, one)),
                Err(failure) => drop(kept.insert(at, Err(failure))),
            }
        }
        // All transactions go by the same order, so that none waits for one that waits for it.
        // Revisions of the same document stay in the order in which they came.
        accepted.sort_by(|(_, a), (_, b)| name(a).cmp(&name(b)));
        let (places, accepted): (Vec<usize>, Vec<Accepted>) = accepted.into_iter().unzip();
        let answers = match self.keep_together(op, &accepted).await {
            Ok(all) => all.into_iter().map(Ok).collect(),
            Err(EvidenceError::Store(away)) if away.is_away() => return Err(away.into()),
            Err(_) => self.keep_apart(op, &accepted).await,
        };
        kept.extend(places.into_iter().zip(answers));
        Ok(kept.into_values().collect())
    }

    /// Keeps documents one by one, so that one that cannot be kept takes no other along.
    async fn keep_apart(
        &self,
        op: &OpContext,
        accepted: &[Accepted],
    ) -> Vec<Result<Kept, Failure>> {
        let mut kept: Vec<Result<Kept, Failure>> = Vec::with_capacity(accepted.len());
        for one in accepted.chunks(1) {
            let failure = match self.keep_together(op, one).await {
                Ok(one) => {
                    kept.extend(one.into_iter().map(Ok));
                    continue;
                }
                Err(error) => error.into_failure(),
            };
            let away = failure.code() == Code::Unavailable;
            kept.push(Err(failure.clone()));
            if away {
                // The others would fail too, each after its time.
                kept.resize_with(accepted.len(), || Err(failure.clone()));
                break;
            }
        }
        kept
    }

    /// Keeps documents in one transaction: all of them, or nothing at all of any.
    async fn keep_together(
        &self,
        op: &OpContext,
        accepted: &[Accepted],
    ) -> Result<Vec<Kept>, EvidenceError> {
        if accepted.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin(op, accepted.len() > store::FEW).await?;
        let origins: Vec<Origin> = accepted.iter().map(origin).collect();
        let known = store::kept(&mut tx, op, &origins).await?;
        let mut first: BTreeMap<&Origin, usize> = BTreeMap::new();
        let mut new: Vec<&Accepted> = Vec::new();
        for (at, (one, origin)) in accepted.iter().zip(&origins).enumerate() {
            if !known.contains_key(origin) && !first.contains_key(origin) {
                first.insert(origin, at);
                new.push(one);
            }
        }
        let added = match new.is_empty() {
            true => Vec::new(),
            false => self.keep_new(&mut tx, op, &new).await?,
        };
        let mut added = added.into_iter();
        let mut kept: Vec<Kept> = Vec::with_capacity(accepted.len());
        for (at, (one, origin)) in accepted.iter().zip(&origins).enumerate() {
            let record = match (known.get(origin), first.get(origin)) {
                (Some(record), _) => record.clone(),
                // It came before in this very chunk.
                (None, Some(first)) if *first < at => kept[*first].record.clone(),
                (None, _) => {
                    kept.extend(added.next());
                    continue;
                }
            };
            kept.push(self.keep_again(&mut tx, op, one, record).await?);
        }
        let again = kept.iter().filter(|kept| !kept.due).map(|kept| &kept.key);
        let again: Vec<Key> = again.cloned().collect();
        if !again.is_empty() {
            let due = store::due_among(&mut tx, op.tenant(), &again).await?;
            for kept in &mut kept {
                kept.due |= due.contains(&kept.key);
            }
        }
        fault::point("evidence-written");
        tx.commit().await?;
        self.logs.committed();
        self.growth.add(new.len());
        Ok(kept)
    }

    /// Keeps documents none of which is there. Where another process kept one of them meanwhile,
    /// nothing of all that stands.
    async fn keep_new(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        new: &[&Accepted],
    ) -> Result<Vec<Kept>, EvidenceError> {
        let (tenant, now) = (op.tenant(), op.clock().now());
        let keys: Vec<Key> = new.iter().map(|one| key_of(one)).collect();
        store::claim_heads(tx, tenant, &keys).await?;
        let raw = new.iter().map(|one| (*one, one.bytes.len() <= INLINE));
        let raw: Vec<(&Accepted, bool)> = raw.collect();
        store::add_raw(tx, op, &raw, now).await?;
        let streams = new.iter().map(|one| one.envelope.source.stream.as_str());
        let named: Vec<(&Key, &str)> = keys.iter().zip(streams).collect();
        let stored = store::earlier(tx, op, &named).await?;
        // What comes in one transaction is in the order in which it came.
        let mut last: BTreeMap<(&str, &str, &str), Earlier> = BTreeMap::new();
        let mut records = Vec::with_capacity(new.len());
        for ((one, (key, stream)), stored) in raw.iter().zip(&named).zip(stored) {
            let of = (key.publisher.as_str(), key.upstream_id.as_str(), *stream);
            let earlier = last.get(&of).unwrap_or(&stored);
            let record = record(op, one.0, earlier, (one.1, now));
            let version = record.upstream.document_version.clone();
            let digest = Some(record.id.clone());
            last.insert(of, Earlier { digest, version });
            let text = store::text(&record)?;
            records.push((record, text));
        }
        let mut rows = Vec::with_capacity(new.len());
        for ((one, key), (record, text)) in new.iter().zip(&keys).zip(&records) {
            let times = Times::of(&one.document, record, now);
            rows.push(NewRecord {
                key,
                record,
                text,
                times,
            });
        }
        let added = store::add_provenance(tx, op, &rows, now).await?;
        if added != rows.len() as u64 {
            return Err(raced(new[0]));
        }
        let observed = records.iter();
        let observed =
            observed.map(|(record, text)| (record.id.as_str(), observation(record, text)));
        self.log(tx, op, &observed.collect::<Vec<_>>(), now).await?;
        let mut indexes = Vec::with_capacity(new.len());
        for (one, key) in new.iter().zip(&keys) {
            let index = store::Index::of(&key.digest, &one.document)?;
            indexes.push((key.digest.as_str(), index));
        }
        store::add_index(tx, tenant, &indexes).await?;
        store::mark_due(tx, op, &keys).await?;
        let kept = new.iter().zip(keys.iter().cloned()).zip(records);
        let kept = kept.map(|((one, key), (record, _))| Kept {
            key,
            due: true,
            answer: answer(&one.document, record.outcome, &record),
            record,
        });
        Ok(kept.collect())
    }

    /// What was stored before is due by the id that came with it then. It is kept that it was
    /// fetched again: where the publisher went back to it, it is the newest revision again.
    async fn keep_again(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        accepted: &Accepted,
        record: DocumentRecord,
    ) -> Result<Kept, EvidenceError> {
        let key = Key {
            upstream_id: record.upstream.id.clone(),
            ..key_of(accepted)
        };
        let mut due = false;
        if self.see_again(tx, op, accepted, &record).await?
            && key.kind != EvidenceKind::Sbom
            && !store::is_settled(tx, op.tenant(), &key).await?
        {
            store::mark_due(tx, op, std::slice::from_ref(&key)).await?;
            due = true;
        }
        Ok(Kept {
            key,
            due,
            answer: answer(&accepted.document, Outcome::Identical, &record),
            record,
        })
    }

    /// Keeps that a document was fetched again, at a time that was not known; says whether.
    async fn see_again(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        accepted: &Accepted,
        record: &DocumentRecord,
    ) -> Result<bool, EvidenceError> {
        let now = op.clock().now();
        let fetched = fetched(&accepted.envelope.upstream, now);
        if fetched == self::fetched(&record.upstream, now) {
            return Ok(false);
        }
        let source = &record.source;
        let origin = (
            record.id.as_str(),
            source.publisher.as_str(),
            source.stream.as_str(),
        );
        if !store::add_sighting(tx, op.tenant(), origin, (fetched, now)).await? {
            return Ok(false);
        }
        let seen = change::seen_again(record, fetched);
        self.log(tx, op, &[(&record.id, seen)], now).await?;
        Ok(true)
    }

    /// Large bytes are durable before anything names them.
    pub(crate) async fn put_blob(
        &self,
        op: &OpContext,
        accepted: Accepted,
    ) -> Result<Accepted, Failure> {
        if accepted.bytes.len() > INLINE {
            let bytes = accepted.bytes.clone();
            let put = self.objects.put(BUCKET, op.tenant(), bytes).await;
            put.map_err(|error| EvidenceError::from(error).into_failure())?;
            fault::point("evidence-blob-put");
        }
        Ok(accepted)
    }
}

/// Whose document it is, unless it was refused.
fn source(judged: &Result<Accepted, Failure>) -> Option<String> {
    let accepted = judged.as_ref().ok()?;
    Some(accepted.envelope.source.publisher.clone())
}

/// What a publisher calls a document, for the order of a transaction.
fn name(one: &Accepted) -> (&str, &str) {
    (&one.envelope.source.publisher, &one.envelope.upstream.id)
}

fn origin(one: &Accepted) -> Origin {
    let source = &one.envelope.source;
    let (publisher, stream) = (source.publisher.clone(), source.stream.clone());
    (one.digest.to_string(), publisher, stream)
}

/// Another process kept the same document between two statements.
fn raced(one: &Accepted) -> EvidenceError {
    StoreError::Conflict(format!("document {} came twice at once", one.digest)).into()
}

fn key_of(accepted: &Accepted) -> Key {
    Key {
        kind: accepted.kind,
        publisher: accepted.envelope.source.publisher.clone(),
        upstream_id: accepted.envelope.upstream.id.clone(),
        digest: accepted.digest.to_string(),
    }
}

/// What revisions of a document are put in order by, and when it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) revision: Timestamp,
    pub(crate) fetched: Timestamp,
    pub(crate) received: Timestamp,
}

impl Times {
    /// A publisher's time that cannot be read counts as none: then the revision is of when it was
    /// fetched.
    pub(crate) fn of(document: &Document, record: &DocumentRecord, received: Timestamp) -> Self {
        let fetched = fetched(&record.upstream, received);
        let revision = document.revised().unwrap_or(fetched);
        Self {
            revision,
            fetched,
            received,
        }
    }
}

/// When a document was fetched, in whole microseconds, as it is stored. The guard refuses what is
/// no time; older binaries took it.
fn fetched(upstream: &Upstream, received: Timestamp) -> Timestamp {
    let told: Option<Timestamp> = upstream.fetched_at.parse().ok();
    let stored = told.and_then(|told| Timestamp::from_microsecond(told.as_microsecond()).ok());
    stored.unwrap_or(received)
}

fn record(
    op: &OpContext,
    accepted: &Accepted,
    earlier: &Earlier,
    (inline, now): (bool, Timestamp),
) -> DocumentRecord {
    let document = &accepted.document;
    let mut upstream = accepted.envelope.upstream.clone();
    if upstream.document_version.is_none() {
        upstream.document_version = document.upstream().version;
    }
    let same_version = earlier.version.is_some() && earlier.version == upstream.document_version;
    DocumentRecord {
        id: accepted.digest.to_string(),
        tenant: op.tenant().to_string(),
        kind: accepted.kind,
        source: accepted.envelope.source.clone(),
        outcome: match (&earlier.digest, same_version) {
            (None, _) => Outcome::Stored,
            (Some(_), true) => Outcome::Conflict,
            (Some(_), false) => Outcome::Superseding,
        },
        supersedes: earlier.digest.clone(),
        upstream,
        content: Content {
            format: document.format.as_str().to_owned(),
            spec_version: document.spec_version.clone(),
            media_type: document.media_type.to_owned(),
            size: accepted.bytes.len() as u64,
        },
        identifiers: document
            .identifiers()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        references: references(document),
        location: if inline { IN_DATABASE } else { "objectStore" }.to_owned(),
        received_at: now.to_string(),
        received_by: accepted.sent_by.clone(),
        fetched_again: Vec::new(),
    }
}

fn references(document: &Document) -> Vec<Reference> {
    let read = |link: &stella_formats::Reference| Reference {
        as_published: link.url.clone(),
        pointer: link.pointer.clone(),
    };
    document.references().into_iter().map(read).collect()
}

fn answer(document: &Document, outcome: Outcome, record: &DocumentRecord) -> IngestAnswer {
    IngestAnswer {
        id: record.id.clone(),
        outcome,
        upstream: record.upstream.clone(),
        notices: notice::all(document, outcome),
    }
}
