//! Taking documents in: kept first, durable, then derived from.

use jiff::Timestamp;
use stella_api::Code;
use stella_api::audit::AuditOutcome;
use stella_api::evidence::{
    Content, DocumentRecord, Envelope, EvidenceKind, IngestAnswer, Notice, Outcome, Reference,
    Upstream,
};
use stella_canonical::Digest;
use stella_context::OpContext;
use stella_formats::{Body, Document};
use stella_locale::Labels;
use stella_service::{Act, Failure, IntoFailure as _, fault};
use stella_storage::Tx;
use stella_telemetry::Stopwatch;

use crate::guard::{Accepted, Violation};
use crate::store::{self, Earlier, Key};
use crate::{BUCKET, Evidence, EvidenceError, change};

/// Raw bytes up to this many lie in the database, larger ones in the object store.
const INLINE: usize = 256 * 1024;

/// Where raw bytes lie that are in the database.
pub(crate) const IN_DATABASE: &str = "database";

/// How many components without a readable package URL an answer names.
const PLACES: usize = 10;

/// A document that is stored.
struct Kept {
    /// What it is derived from as.
    key: Key,
    /// Whether that is still to be done.
    due: bool,
    answer: IngestAnswer,
}

impl Evidence {
    /// Takes one document in. The same bytes from the same source are one row, however often
    /// they come; when this returns, the document is durable and its findings are derived, or a
    /// notice says why they could not be: it is not refused for what happened to others. Where
    /// the caller may just try again, that is told instead.
    pub(crate) async fn ingest(
        &self,
        op: &OpContext,
        kind: EvidenceKind,
        envelope: Result<Envelope, Vec<Violation>>,
        bytes: bytes::Bytes,
    ) -> Result<IngestAnswer, Failure> {
        let judged = self
            .meters
            .judge(op.tenant(), kind, envelope, bytes.clone());
        let judged = match judged {
            Ok(judged) => judged,
            Err(violations) => {
                let failure = EvidenceError::Refused(violations).into_failure();
                self.note_refused(op, Digest::of(&bytes), &failure).await;
                return Err(failure);
            }
        };
        let mut taken = self.take(op, vec![Ok(judged)]).await?;
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

    /// Takes documents in, those that were not refused: kept in one transaction, then derived
    /// from. What became of each, in order; one that fails takes no other along.
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
                answer.notices.push(not_derived(failure));
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
        let mut items: Vec<(usize, Result<Accepted, Failure>)> = Vec::new();
        for (at, one) in judged.into_iter().enumerate() {
            let durable = match one {
                Ok(accepted) => self.put_blob(op, accepted).await,
                refused => refused,
            };
            items.push((at, durable));
        }
        let mut kept: Vec<(usize, Result<Kept, Failure>)> = Vec::new();
        if items.iter().any(|(_, one)| one.is_ok()) {
            // All transactions go by the same order, so that none waits for one that waits for
            // it. Revisions of the same document stay in the order in which they came.
            items.sort_by(|(_, a), (_, b)| name(a).cmp(&name(b)));
            let mut tx = self.db.write(op).await?;
            for (at, one) in items {
                kept.push((at, self.keep_marked(&mut tx, op, one).await?));
            }
            fault::point("evidence-written");
            tx.commit().await?;
            self.logs.committed();
        } else {
            let refused = |(at, one): (usize, Result<Accepted, Failure>)| {
                one.err().map(|failure| (at, Err(failure)))
            };
            kept.extend(items.into_iter().filter_map(refused));
        }
        kept.sort_by_key(|(at, _)| *at);
        Ok(kept.into_iter().map(|(_, one)| one).collect())
    }

    /// Keeps a document, or nothing at all of it.
    async fn keep_marked(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        one: Result<Accepted, Failure>,
    ) -> Result<Result<Kept, Failure>, EvidenceError> {
        let accepted = match one {
            Ok(accepted) => accepted,
            Err(failure) => return Ok(Err(failure)),
        };
        tx.mark().await?;
        match self.keep_in(tx, op, &accepted).await {
            Ok(kept) => {
                tx.unmark().await?;
                Ok(Ok(kept))
            }
            Err(error) => {
                tx.undo().await?;
                Ok(Err(error.into_failure()))
            }
        }
    }

    async fn keep_in(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        accepted: &Accepted,
    ) -> Result<Kept, EvidenceError> {
        let key = key_of(accepted);
        let stream = &accepted.envelope.source.stream;
        if let Some(record) = store::kept(tx, op, &key, stream).await? {
            return self.keep_again(tx, op, accepted, record).await;
        }
        store::claim_head(tx, op.tenant(), &key).await?;
        let inline = accepted.bytes.len() <= INLINE;
        let now = op.clock().now();
        store::add_raw(tx, op, accepted, (inline, now)).await?;
        let earlier = store::earlier(tx, op, &key, stream).await?;
        let record = record(op, accepted, &earlier, (inline, now));
        let text = store::text(&record)?;
        let times = Times::of(&accepted.document, &record, now);
        if !store::add_provenance(tx, op, &key, (&record, &text), times).await? {
            // Another process kept the same document between the two statements.
            let record = store::kept(tx, op, &key, stream).await?;
            let gone =
                || EvidenceError::unreadable(format!("document {}", key.digest), "gone again");
            let record = record.ok_or_else(gone)?;
            return self.keep_again(tx, op, accepted, record).await;
        }
        self.log(
            tx,
            op,
            (&record.id, &change::observation(&record, &text)),
            now,
        )
        .await?;
        let index = store::Index::of(&key.digest, &accepted.document)?;
        store::add_index(tx, op.tenant(), &key.digest, &index).await?;
        store::mark_due(tx, op, &key).await?;
        Ok(Kept {
            key,
            due: true,
            answer: answer(&accepted.document, record.outcome, record),
        })
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
        if self.see_again(tx, op, accepted, &record).await?
            && key.kind != EvidenceKind::Sbom
            && !store::is_settled(tx, op.tenant(), &key).await?
        {
            store::mark_due(tx, op, &key).await?;
        }
        let due = store::is_due(tx, op.tenant(), &key).await?;
        let answer = answer(&accepted.document, Outcome::Identical, record);
        Ok(Kept { key, due, answer })
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
        self.log(tx, op, (&record.id, &seen), now).await?;
        Ok(true)
    }

    /// Large bytes are durable before anything names them.
    async fn put_blob(&self, op: &OpContext, accepted: Accepted) -> Result<Accepted, Failure> {
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
fn name(one: &Result<Accepted, Failure>) -> Option<(&str, &str)> {
    let envelope = &one.as_ref().ok()?.envelope;
    Some((&envelope.source.publisher, &envelope.upstream.id))
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
        received_by: op.actor().client_id.clone(),
    }
}

fn references(document: &Document) -> Vec<Reference> {
    let read = |link: &stella_formats::Reference| Reference {
        as_published: link.url.clone(),
        pointer: link.pointer.clone(),
    };
    document.references().into_iter().map(read).collect()
}

/// That a document was kept, and what is derived from it is not there yet.
fn not_derived(failure: &Failure) -> Notice {
    let reason = [("reason", failure.detail().into())];
    Notice {
        code: failure.code().to_string(),
        pointer: String::new(),
        message: Labels::english().format("notice-not-derived", &reason),
    }
}

/// What is remarkable at several places of a document, as one notice with the first of them.
fn at_places(code: Code, places: &[&str]) -> Option<Notice> {
    let first = places.first()?;
    let mut told = places[..places.len().min(PLACES)].join(", ");
    if places.len() > PLACES {
        told += ", …";
    }
    let values = [("count", places.len().into()), ("places", told.into())];
    Some(Notice {
        code: code.to_string(),
        pointer: (*first).to_owned(),
        message: Labels::english().format(&format!("{}-detail", code.label_key()), &values),
    })
}

fn answer(document: &Document, outcome: Outcome, record: DocumentRecord) -> IngestAnswer {
    let mut notices: Vec<Notice> = document
        .notices
        .iter()
        .map(|notice| Notice {
            code: notice.code.to_owned(),
            pointer: notice.pointer.clone(),
            message: notice.message.clone(),
        })
        .collect();
    if outcome == Outcome::Conflict {
        notices.push(Notice {
            code: Code::Aoc003.to_string(),
            pointer: String::new(),
            message: Labels::english().text("error-err-aoc-003-detail"),
        });
    }
    if let Body::Sbom(sbom) = &document.body {
        // Said here, for nobody finds it in a list of findings.
        let unmatched = stella_assess::unmatched(sbom);
        notices.extend(at_places(Code::ComponentsUnmatched, &unmatched));
    }
    let misstated = stella_assess::misstated(&document.body);
    notices.extend(at_places(Code::CvssMisstated, &misstated));
    IngestAnswer {
        id: record.id,
        outcome,
        upstream: record.upstream,
        notices,
    }
}
