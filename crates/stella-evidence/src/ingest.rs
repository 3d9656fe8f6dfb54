//! Taking a document in: kept first, durable, then derived from.

use jiff::Timestamp;
use stella_api::evidence::{
    Content, DocumentRecord, Envelope, EvidenceKind, IngestAnswer, Notice, Outcome, Reference,
};
use stella_context::OpContext;
use stella_formats::{Body, Document};
use stella_locale::Labels;
use stella_service::{Failure, IntoFailure as _};

use crate::guard::{Accepted, Violation, judge};
use crate::store::{self, Earlier, Key};
use crate::{BUCKET, Evidence, EvidenceError, fault};

/// Raw bytes up to this many lie in the database, larger ones in the object store.
const INLINE: usize = 256 * 1024;

/// How many components without a readable package URL an answer names.
const PLACES: usize = 10;

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
        let taken = self.take(op, kind, envelope, bytes).await;
        let (key, due, mut answer) = taken.map_err(EvidenceError::into_failure)?;
        if due && let Err(failure) = self.derive_if_due(op, &key).await {
            if failure.code().retryable() {
                return Err(failure);
            }
            answer.notices.push(not_derived(&failure));
        }
        Ok(answer)
    }

    /// Keeps the document; tells what it is derived from as, and whether that is due.
    async fn take(
        &self,
        op: &OpContext,
        kind: EvidenceKind,
        envelope: Result<Envelope, Vec<Violation>>,
        bytes: bytes::Bytes,
    ) -> Result<(Key, bool, IngestAnswer), EvidenceError> {
        let accepted = judge(kind, envelope, bytes).map_err(EvidenceError::Refused)?;
        let inline = accepted.bytes.len() <= INLINE;
        if !inline {
            self.objects
                .put(BUCKET, op.tenant(), accepted.bytes.to_vec())
                .await?;
            fault::point("evidence-blob-put");
        }
        let key = key_of(&accepted);
        let (outcome, record) = self.keep(op, &accepted, &key, inline).await?;
        fault::point("evidence-kept");
        // What came first is due by the id that came with it.
        let key = Key {
            upstream_id: record.upstream.id.clone(),
            ..key
        };
        // What is new is due; what was there before hardly ever is.
        let due = outcome != Outcome::Identical || self.is_due(op, &key).await?;
        Ok((key, due, answer(&accepted.document, outcome, record)))
    }

    /// What is stored of the document when this returns, and what became of it.
    async fn keep(
        &self,
        op: &OpContext,
        accepted: &Accepted,
        key: &Key,
        inline: bool,
    ) -> Result<(Outcome, DocumentRecord), EvidenceError> {
        let stream = &accepted.envelope.source.stream;
        let mut tx = self.db.write(op).await?;
        store::add_raw(&mut tx, op, accepted, inline).await?;
        if let Some(record) = store::kept(&mut tx, op, key, stream).await? {
            return Ok((Outcome::Identical, record));
        }
        let earlier = store::earlier(&mut tx, op, key, stream).await?;
        let record = record(op, accepted, &earlier, inline);
        let times = times(op, accepted);
        if !store::add_provenance(&mut tx, op, key, &record, times).await? {
            // Another process kept the same document between the two statements.
            let record = store::kept(&mut tx, op, key, stream).await?;
            let gone =
                || EvidenceError::unreadable(format!("document {}", key.digest), "gone again");
            return Ok((Outcome::Identical, record.ok_or_else(gone)?));
        }
        store::index(&mut tx, op, accepted).await?;
        store::mark_due(&mut tx, op, key).await?;
        tx.commit().await?;
        Ok((record.outcome, record))
    }
}

fn key_of(accepted: &Accepted) -> Key {
    Key {
        kind: accepted.kind,
        publisher: accepted.envelope.source.publisher.clone(),
        upstream_id: accepted.envelope.upstream.id.clone(),
        digest: accepted.digest.to_string(),
    }
}

/// The publisher's time of the revision and the time it was fetched. A publisher's time that
/// cannot be read counts as none.
fn times(op: &OpContext, accepted: &Accepted) -> (Timestamp, Timestamp) {
    let fetched = accepted
        .envelope
        .upstream
        .fetched_at
        .parse()
        .unwrap_or(op.clock().now());
    let revision = accepted.revision_time().and_then(|text| text.parse().ok());
    (revision.unwrap_or(fetched), fetched)
}

fn record(op: &OpContext, accepted: &Accepted, earlier: &Earlier, inline: bool) -> DocumentRecord {
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
            media_type: document.format.media_type().to_owned(),
            size: accepted.bytes.len() as u64,
        },
        identifiers: document
            .identifiers()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        references: references(document),
        location: if inline { "database" } else { "objectStore" }.to_owned(),
        received_at: op.clock().now().to_string(),
        received_by: op.actor().client_id.clone(),
    }
}

fn references(document: &Document) -> Vec<Reference> {
    let Body::Advisory(advisory) = &document.body else {
        return Vec::new();
    };
    let read = |link: &stella_formats::Reference| Reference {
        as_published: link.url.clone(),
        pointer: link.pointer.clone(),
    };
    advisory.references.iter().map(read).collect()
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

/// Which components of an SBOM nothing is ever found in: said, for nobody finds it in a list of
/// findings.
fn unmatched(places: &[&str]) -> Option<Notice> {
    let first = places.first()?;
    let mut told = places[..places.len().min(PLACES)].join(", ");
    if places.len() > PLACES {
        told += ", …";
    }
    let code = stella_api::Code::ComponentsUnmatched;
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
            code: stella_api::Code::Aoc003.to_string(),
            pointer: String::new(),
            message: Labels::english().text("error-err-aoc-003-detail"),
        });
    }
    if let Body::Sbom(sbom) = &document.body {
        notices.extend(unmatched(&stella_assess::unmatched(sbom)));
    }
    IngestAnswer {
        id: record.id,
        outcome,
        upstream: record.upstream,
        notices,
    }
}
