//! The routes of Evidence.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use stella_api::Page;
use stella_api::changes::{ChangePage, LogAnswer};
use stella_api::evidence::{DocumentRecord, EvidenceKind, EvidenceLine, IngestAnswer, Outcome};
use stella_api::findings::{Finding, FindingPage, FindingRef, Verdict};
use stella_api::rebuild::{RebuildAnswer, RebuildRequest};
use stella_api::scope::{
    AdvisoryIngest, AnyEvidenceRead, AocVerify, EvidenceAdmin, FindingsRead, SbomIngest,
    SignalsWrite, VexIngest,
};
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_context::OpContext;
use stella_service::{
    Answer, Authorized, Document, Events, Fail, Json, Kept, LineAnswers, Lines, Paging, Path,
    Query, RawAnswer, RequestLimits, Routes, Streams, Tagged, failures, last_event_id, page_size,
    route,
};
use utoipa::IntoParams;

use crate::document::visible;
use crate::finding;
use crate::moment::Moment;
use crate::store::DocumentFilter;
use crate::verify::Asked;
use crate::{Evidence, change, document, envelope};

type Domain = State<Arc<Evidence>>;

failures!(Ingest: Aoc001, Aoc002, Aoc004, Aoc005, Aoc007, Aoc009, Aoc010, EvidenceCorrupt);
failures!(ListDocuments: PageTokenInvalid, NoData, EvidenceCorrupt);
failures!(OneDocument: NotFound, EvidenceCorrupt);
failures!(Bytes: NotFound, EvidenceCorrupt, ObjectMissing);
failures!(Changes: RecordCorrupt, PositionBeyondEnd);
failures!(ShowLog: NoData, RecordCorrupt);
failures!(Verify: RecordCorrupt);
failures!(Rebuild: RecordCorrupt);
failures!(ListFindings: PageTokenInvalid, NoData, NotFound, IdAmbiguous, EvidenceCorrupt);
failures!(OneFinding: NotFound, IdAmbiguous);
failures!(EachFinding: NotFound);

const LINES: &str = "a document of at most 64 MiB and its envelope in each line, as many as there \
                     are";
const PREFER: &str = "`respond-stream`: each chunk is answered at once, for whoever reads while it \
                      sends";

pub(crate) fn routes() -> Routes<Arc<Evidence>> {
    let routes = route!(Routes::default(), ingest_advisory);
    let routes = route!(routes, ingest_vex);
    let routes = route!(routes, ingest_sbom);
    let routes = route!(routes, ingest_signal);
    let routes = route!(routes, ingest_advisory_batch);
    let routes = route!(routes, ingest_vex_batch);
    let routes = route!(routes, ingest_sbom_batch);
    let routes = route!(routes, ingest_signal_batch);
    let routes = route!(routes, list_documents);
    let routes = route!(routes, show_document);
    let routes = route!(routes, show_raw);
    let routes = route!(routes, follow_changes);
    let routes = route!(routes, stream_changes);
    let routes = route!(routes, show_log);
    let routes = route!(routes, verify_stored);
    let routes = route!(routes, rebuild_derived);
    let routes = route!(routes, list_findings);
    let routes = route!(routes, name_findings);
    route!(routes, show_finding)
}

/// Takes an advisory in: OSV (JSON or YAML), CSAF or a CVE record.
#[utoipa::path(post, path = "/api/v1/evidence/advisory", tag = "evidence",
    request_body(content(
        (Value = "application/json"), (Value = "application/octet-stream"),
        (Value = "application/gzip"), (String = "application/yaml"), (String = "text/csv"))),
    params(("Stella-Provenance" = String, Header, description = "the envelope, base64url JSON")))]
async fn ingest_advisory(
    op: Authorized<AdvisoryIngest>,
    state: Domain,
    document: Document,
) -> Result<Kept<IngestAnswer>, Fail<Ingest>> {
    ingest(&op, state, EvidenceKind::Advisory, document).await
}

/// Takes a VEX document in: OpenVEX, CSAF of the VEX profile, or CycloneDX without components.
#[utoipa::path(post, path = "/api/v1/evidence/vex", tag = "evidence",
    request_body(content(
        (Value = "application/json"), (Value = "application/octet-stream"),
        (Value = "application/gzip"), (String = "application/yaml"), (String = "text/csv"))),
    params(("Stella-Provenance" = String, Header, description = "the envelope, base64url JSON")))]
async fn ingest_vex(
    op: Authorized<VexIngest>,
    state: Domain,
    document: Document,
) -> Result<Kept<IngestAnswer>, Fail<Ingest>> {
    ingest(&op, state, EvidenceKind::Vex, document).await
}

/// Takes an SBOM in: CycloneDX or SPDX.
#[utoipa::path(post, path = "/api/v1/evidence/sbom", tag = "evidence",
    request_body(content(
        (Value = "application/json"), (Value = "application/octet-stream"),
        (Value = "application/gzip"), (String = "application/yaml"), (String = "text/csv"))),
    params(("Stella-Provenance" = String, Header, description = "the envelope, base64url JSON")))]
async fn ingest_sbom(
    op: Authorized<SbomIngest>,
    state: Domain,
    document: Document,
) -> Result<Kept<IngestAnswer>, Fail<Ingest>> {
    ingest(&op, state, EvidenceKind::Sbom, document).await
}

/// Takes a signal in: the KEV catalogue, or an EPSS table (CSV, also in gzip).
#[utoipa::path(post, path = "/api/v1/evidence/signal", tag = "evidence",
    request_body(content(
        (Value = "application/json"), (Value = "application/octet-stream"),
        (Value = "application/gzip"), (String = "application/yaml"), (String = "text/csv"))),
    params(("Stella-Provenance" = String, Header, description = "the envelope, base64url JSON")))]
async fn ingest_signal(
    op: Authorized<SignalsWrite>,
    state: Domain,
    document: Document,
) -> Result<Kept<IngestAnswer>, Fail<Ingest>> {
    ingest(&op, state, EvidenceKind::Signal, document).await
}

async fn ingest(
    op: &OpContext,
    State(evidence): Domain,
    kind: EvidenceKind,
    document: Document,
) -> Result<Kept<IngestAnswer>, Fail<Ingest>> {
    let envelope = envelope::of_headers(&document.headers);
    let body = evidence.ingest(op, kind, envelope, document.bytes).await?;
    let location = format!("/api/v1/evidence/documents/{}", body.id);
    Ok(Kept {
        new: body.outcome != Outcome::Identical,
        location,
        body,
    })
}

/// Takes advisories in, one a line: each is kept or refused for itself, and sending all of them again
/// is how to go on after a cut.
#[utoipa::path(post, path = "/api/v1/evidence/advisory/batch", tag = "evidence",
    request_body(content = EvidenceLine, content_type = "application/x-ndjson", description = LINES),
    params(("Prefer" = Option<String>, Header, description = PREFER)))]
async fn ingest_advisory_batch(
    op: Authorized<AdvisoryIngest>,
    state: Domain,
    lines: Lines,
) -> Result<LineAnswers<IngestAnswer, Ingest>, Fail<()>> {
    Ok(ingest_lines(&op, state, EvidenceKind::Advisory, lines))
}

/// Takes VEX documents in, one a line: each is kept or refused for itself, and sending all of them again
/// is how to go on after a cut.
#[utoipa::path(post, path = "/api/v1/evidence/vex/batch", tag = "evidence",
    request_body(content = EvidenceLine, content_type = "application/x-ndjson", description = LINES),
    params(("Prefer" = Option<String>, Header, description = PREFER)))]
async fn ingest_vex_batch(
    op: Authorized<VexIngest>,
    state: Domain,
    lines: Lines,
) -> Result<LineAnswers<IngestAnswer, Ingest>, Fail<()>> {
    Ok(ingest_lines(&op, state, EvidenceKind::Vex, lines))
}

/// Takes SBOMs in, one a line: each is kept or refused for itself, and sending all of them again
/// is how to go on after a cut.
#[utoipa::path(post, path = "/api/v1/evidence/sbom/batch", tag = "evidence",
    request_body(content = EvidenceLine, content_type = "application/x-ndjson", description = LINES),
    params(("Prefer" = Option<String>, Header, description = PREFER)))]
async fn ingest_sbom_batch(
    op: Authorized<SbomIngest>,
    state: Domain,
    lines: Lines,
) -> Result<LineAnswers<IngestAnswer, Ingest>, Fail<()>> {
    Ok(ingest_lines(&op, state, EvidenceKind::Sbom, lines))
}

/// Takes signals in, one a line: each is kept or refused for itself, and sending all of them again
/// is how to go on after a cut.
#[utoipa::path(post, path = "/api/v1/evidence/signal/batch", tag = "evidence",
    request_body(content = EvidenceLine, content_type = "application/x-ndjson", description = LINES),
    params(("Prefer" = Option<String>, Header, description = PREFER)))]
async fn ingest_signal_batch(
    op: Authorized<SignalsWrite>,
    state: Domain,
    lines: Lines,
) -> Result<LineAnswers<IngestAnswer, Ingest>, Fail<()>> {
    Ok(ingest_lines(&op, state, EvidenceKind::Signal, lines))
}

fn ingest_lines(
    op: &OpContext,
    State(evidence): Domain,
    kind: EvidenceKind,
    lines: Lines,
) -> LineAnswers<IngestAnswer, Ingest> {
    let op = op.clone();
    lines.each(move |chunk| evidence.clone().ingest_lines(op.clone(), kind, chunk))
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DocumentQuery {
    /// Only documents of this kind: `advisory`, `vex`, `sbom` or `signal`.
    kind: Option<EvidenceKind>,
    /// Only documents of this publisher.
    publisher: Option<String>,
    /// Only documents that their publisher calls so.
    upstream_id: Option<String>,
    /// Only documents that name this id.
    identifier: Option<String>,
    /// As of this time, RFC 3339: only documents that had been fetched by then, as their senders say. As of
    /// now if not said.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// Known at this time, RFC 3339: only documents that had been received by then.
    #[param(value_type = Option<String>, format = DateTime)]
    known_at: Option<String>,
    /// Only the newest revision of each document of a publisher: the one that was fetched last. Of
    /// SBOMs all that claim the highest version.
    newest: Option<bool>,
    /// How many entries at the most: 1 to 500, 50 if not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    page_size: Option<String>,
    /// Where the page before ended, as it said.
    page_token: Option<String>,
}

/// Lists documents by digest, publisher and stream; only the kinds that the token may read. A
/// store without any document is `NO_DATA`; one without any that fits gives an empty list.
/// With `upstreamId` and `newest` it is the document that its publisher calls so, now or at a time.
#[utoipa::path(
    get,
    path = "/api/v1/evidence/documents",
    tag = "evidence",
    params(DocumentQuery)
)]
async fn list_documents(
    op: Authorized<AnyEvidenceRead>,
    State(evidence): Domain,
    Query(query): Query<DocumentQuery>,
) -> Result<Answer<Page<DocumentRecord>>, Fail<ListDocuments>> {
    let at = Moment::read(query.as_of.as_deref(), query.known_at.as_deref())?;
    let paging = Paging::read(
        &at.list(document::LIST),
        query.page_size.as_deref(),
        query.page_token.as_deref(),
    )?;
    let asked = |kind: &EvidenceKind| query.kind.is_none_or(|only| only == *kind);
    let filter = DocumentFilter {
        at,
        newest: query.newest == Some(true),
        kinds: visible(&op).into_iter().filter(asked).collect(),
        publisher: query.publisher.clone(),
        upstream_id: query.upstream_id.clone(),
        identifier: query.identifier.clone(),
    };
    Ok(Answer(evidence.documents(&op, filter, &paging).await?))
}

/// Shows the record of a document.
#[utoipa::path(get, path = "/api/v1/evidence/documents/{id}", tag = "evidence",
    params(("id" = String, Path, description = "the digest of the document's bytes")))]
async fn show_document(
    op: Authorized<AnyEvidenceRead>,
    State(evidence): Domain,
    Path(id): Path<String>,
) -> Result<Tagged<DocumentRecord>, Fail<OneDocument>> {
    Ok(Tagged(evidence.record(&op, &id).await?))
}

/// Gives the exact bytes that came.
#[utoipa::path(get, path = "/api/v1/evidence/documents/{id}/raw", tag = "evidence",
    params(("id" = String, Path, description = "the digest of the document's bytes")))]
async fn show_raw(
    op: Authorized<AnyEvidenceRead>,
    State(evidence): Domain,
    Path(id): Path<String>,
) -> Result<RawAnswer, Fail<Bytes>> {
    let raw = evidence.raw(&op, &id).await?;
    Ok(RawAnswer {
        media_type: raw.media_type,
        sha256_base64: raw.sha256_base64,
        etag: raw.digest,
        bytes: raw.bytes,
    })
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// Behind which position: the `next` of the answer before, and 0 or nothing at first.
    #[param(value_type = Option<u64>, minimum = 0)]
    after: Option<String>,
    /// How many entries are looked at, at the most: 1 to 500, 50 if not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// Tells what was taken in, in one order that never changes: whoever goes on with `next` misses
/// nothing and sees nothing twice. An entry has its place within a second or so of its commit.
/// Only the kinds that the token may read; an empty answer with the same `next` is all there is.
/// A position beyond the log's end is `POSITION_BEYOND_END`: the log is not the one of then.
#[utoipa::path(
    get,
    path = "/api/v1/evidence/changes",
    tag = "evidence",
    params(ChangesQuery)
)]
async fn follow_changes(
    op: Authorized<AnyEvidenceRead>,
    State(evidence): Domain,
    Query(query): Query<ChangesQuery>,
) -> Result<Answer<ChangePage>, Fail<Changes>> {
    let after = change::position("query:after", query.after.as_deref())?;
    let limit = page_size("query:limit", query.limit.as_deref())?;
    Ok(Answer(evidence.changes(&op, after, limit).await?))
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Behind which position; nothing means from the first. `Last-Event-ID` goes before it.
    #[param(value_type = Option<u64>, minimum = 0)]
    after: Option<String>,
}

/// Tells the same as server-sent events, as it comes: the id of each is its position, its name what
/// happened, its data the change. A stream ends after a minute, and when the server stops; with the
/// id of the last event as `Last-Event-ID` it is gone on with, as browsers do by themselves.
#[utoipa::path(
    get,
    path = "/api/v1/evidence/changes/stream",
    tag = "evidence",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "the id of the last event that arrived"),
    )
)]
async fn stream_changes(
    op: Authorized<AnyEvidenceRead>,
    State(evidence): Domain,
    Query(query): Query<StreamQuery>,
    Extension(streams): Extension<Streams>,
    headers: HeaderMap,
) -> Result<Events, Fail<Changes>> {
    let after = match last_event_id(&headers)? {
        Some(id) => change::position("header:Last-Event-ID", Some(id))?,
        None => change::position("query:after", query.after.as_deref())?,
    };
    evidence.within(&op, after).await?;
    let place = streams.place(op.tenant())?;
    let news = evidence.logs().news();
    let op = OpContext::clone(&op);
    Ok(place.follow(after, news, move |behind| {
        let (evidence, op) = (evidence.clone(), op.clone());
        async move { change::events(&evidence, &op, behind).await }
    }))
}

/// Shows where the log of what was taken in ends, signed: keep it elsewhere, and
/// `POST /api/v1/evidence/verify` proves by it that nothing of that time was taken away.
#[utoipa::path(get, path = "/api/v1/evidence/log", tag = "evidence")]
async fn show_log(
    op: Authorized<AocVerify>,
    State(evidence): Domain,
) -> Result<Answer<LogAnswer>, Fail<ShowLog>> {
    Ok(Answer(evidence.checkpoint(&op).await?))
}

/// Verifies what is stored: every entry of the log of what was taken in against its signed end,
/// each logged document against its digest and its record, each stored one against the log, and
/// what is derived from documents against them; what waits to be derived from is derived first.
/// After 40 seconds, or two thirds of `Server:RequestSeconds` where that is less, it answers with
/// `truncated`, and goes on where it is asked again with `after`
/// and `resume`.
#[utoipa::path(post, path = "/api/v1/evidence/verify", tag = "evidence",
    request_body(content = VerifyRequest))]
async fn verify_stored(
    op: Authorized<AocVerify>,
    State(evidence): Domain,
    limits: RequestLimits,
    Json(asked): Json<VerifyRequest>,
) -> Result<Answer<VerifyAnswer>, Fail<Verify>> {
    let asked = Asked::read(asked, limits.stretch())?;
    Ok(Answer(evidence.verify(&op, &asked).await?))
}

/// Derives again from the kept documents what does not follow from them: the index of what they
/// name, which revision is the newest, findings; also what the end of the log keeps to go on by. A
/// second run changes nothing. After 40 seconds, or two thirds of `Server:RequestSeconds` where that
/// is less, it answers with `next`, and goes on where it is
/// asked again with that as `after`.
#[utoipa::path(post, path = "/api/v1/evidence/rebuild", tag = "evidence",
    request_body(content = RebuildRequest))]
async fn rebuild_derived(
    op: Authorized<EvidenceAdmin>,
    State(evidence): Domain,
    limits: RequestLimits,
    Json(asked): Json<RebuildRequest>,
) -> Result<Answer<RebuildAnswer>, Fail<Rebuild>> {
    let time = limits.stretch();
    Ok(Answer(evidence.rebuild(&op, asked.after, time).await?))
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindingQuery {
    /// Only findings in this SBOM, by its digest or an unambiguous prefix of eight hex digits or
    /// more. If not said, in all but those of which a higher revision is there.
    sbom: Option<String>,
    /// Only findings of an advisory that names this id, in any case.
    vulnerability: Option<String>,
    /// Only findings of the components that this package URL speaks of: without a version, of all.
    purl: Option<String>,
    /// Only findings of advisories of this publisher.
    publisher: Option<String>,
    /// Only findings of this verdict: `affected`, or `undetermined` where nobody can tell.
    verdict: Option<Verdict>,
    /// Only findings that a newer version ends (`true`), or that none is known to (`false`).
    fixable: Option<bool>,
    /// As of this time, RFC 3339: from documents that had been fetched by then, as their senders say. Needs
    /// `sbom`: such findings are matched for the answer.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// Known at this time, RFC 3339: from documents that had been received by then. Needs
    /// `sbom` too.
    #[param(value_type = Option<String>, format = DateTime)]
    known_at: Option<String>,
    /// How many entries at the most: 1 to 500, 50 if not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    page_size: Option<String>,
    /// Where the page before ended, as it said.
    page_token: Option<String>,
}

/// Lists findings by id. `pending` counts the tenant's documents that are kept and not derived
/// from yet: only where it is 0 does the list hold all that follows from what was taken in. An
/// SBOM, an id or a component that the tenant has nothing of is `NOT_FOUND`, never an empty list.
/// `asOf` and `knownAt` give the findings, and the documents that speak to them, that followed from
/// what had been published by one time and had arrived by another; nothing of those is pending.
#[utoipa::path(get, path = "/api/v1/findings", tag = "evidence", params(FindingQuery))]
async fn list_findings(
    op: Authorized<FindingsRead>,
    State(evidence): Domain,
    Query(query): Query<FindingQuery>,
) -> Result<Answer<FindingPage>, Fail<ListFindings>> {
    let at = Moment::read(query.as_of.as_deref(), query.known_at.as_deref())?;
    let paging = Paging::read(
        &at.list(finding::LIST),
        query.page_size.as_deref(),
        query.page_token.as_deref(),
    )?;
    let (sbom, purl) = (query.sbom.as_deref(), query.purl.as_deref());
    let asked = finding::Asked {
        publisher: query.publisher,
        verdict: query.verdict,
        fixable: query.fixable,
        ..finding::Asked::read(at, sbom, query.vulnerability, purl)?
    };
    Ok(Answer(evidence.findings(&op, &asked, &paging).await?))
}

/// Shows findings by their whole ids, one a line: as `GET /api/v1/findings/{id}` would each.
#[utoipa::path(post, path = "/api/v1/findings/batch", tag = "evidence",
    request_body(content = FindingRef, content_type = "application/x-ndjson",
        description = "a finding's id in each line, as many as there are"),
    params(("Prefer" = Option<String>, Header, description = PREFER)))]
async fn name_findings(
    op: Authorized<FindingsRead>,
    State(evidence): Domain,
    lines: Lines,
) -> Result<LineAnswers<Finding, EachFinding>, Fail<()>> {
    let op = op.clone();
    Ok(lines.each(move |chunk| {
        let (evidence, op) = (evidence.clone(), op.clone());
        async move { evidence.named(&op, &chunk).await }
    }))
}

/// Shows a finding, by its id or an unambiguous prefix of eight hex digits or more.
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "evidence",
    params(("id" = String, Path, description = "the finding's id, or a prefix of it")))]
async fn show_finding(
    op: Authorized<FindingsRead>,
    State(evidence): Domain,
    Path(id): Path<String>,
) -> Result<Answer<Finding>, Fail<OneFinding>> {
    Ok(Answer(evidence.finding(&op, &id).await?))
}
