//! Raw documents and their provenance: only ever added.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::changes::Change;
use stella_api::evidence::{DocumentRecord, EvidenceKind};
use stella_canonical::{Digest, DigestError};
use stella_context::OpContext;
use stella_service::{IdRange, Paging};
use stella_storage::{DbTime, StoreError, Tx, on};

use super::rows::single;
use super::{Key, Origin, list};
use crate::EvidenceError;
use crate::guard::Accepted;
use crate::ingest::Times;
use crate::moment::Moment;

/// The raw row of a document; its bytes are elsewhere where it has none.
#[derive(sqlx::FromRow)]
pub(crate) struct RawRow {
    pub(crate) bytes: Option<Vec<u8>>,
}

/// What came before from the same source under the same id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier {
    /// The document that arrived last.
    pub(crate) digest: Option<String>,
    /// Its version.
    pub(crate) version: Option<String>,
}

/// Adds documents' bytes, those that are not too large; none that is there.
pub(crate) async fn add_raw(
    tx: &mut Tx,
    op: &OpContext,
    documents: &[(&Accepted, bool)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (mut digests, mut kinds) = (Vec::new(), Vec::new());
    let (mut sizes, mut bytes) = (Vec::new(), Vec::new());
    for (accepted, inline) in documents {
        digests.push(accepted.digest.to_string());
        kinds.push(accepted.kind.as_str());
        sizes.push(i64::try_from(accepted.bytes.len()).unwrap_or(i64::MAX));
        bytes.push(inline.then_some(accepted.bytes.as_ref()));
    }
    let tenant = op.tenant().as_str();
    match tx {
        Tx::Postgres(tx) => {
            let all = "INSERT INTO evidence.raw_documents (tenant, digest, kind, size, bytes, \
                       received_at) SELECT $1, one.digest, one.kind, one.size, one.bytes, $6 \
                       FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bytea[]) \
                       AS one(digest, kind, size, bytes) ON CONFLICT DO NOTHING";
            let all = query(all).bind(tenant).bind(&digests).bind(&kinds);
            let all = all.bind(&sizes).bind(&bytes).bind(DbTime(now));
            all.execute(&mut **tx).await?;
        }
        // Bytes have no place in JSON, and here a statement is no round trip.
        Tx::Sqlite(tx) => {
            for (((digest, kind), size), bytes) in digests.iter().zip(kinds).zip(sizes).zip(bytes) {
                let one = "INSERT INTO evidence.raw_documents (tenant, digest, kind, size, bytes, \
                           received_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
                let one = query(one).bind(tenant).bind(digest).bind(kind);
                let one = one.bind(size).bind(bytes).bind(DbTime(now));
                one.execute(&mut **tx).await?;
            }
        }
    }
    Ok(())
}

/// Whether the tenant has any document.
pub(crate) async fn has_documents(tx: &mut Tx, tenant: &TenantId) -> Result<bool, StoreError> {
    let found: Option<i64> = on!(tx, c => query_scalar(
        "SELECT CAST(1 AS bigint) \
         WHERE EXISTS (SELECT 1 FROM evidence.raw_documents WHERE tenant = $1)",
    ).bind(tenant.as_str()).fetch_optional(c))?;
    Ok(found.is_some())
}

/// At most two SBOMs of a moment whose digests lie in a range.
pub(crate) async fn sboms_between(
    tx: &mut Tx,
    tenant: &TenantId,
    range: &IdRange,
    at: Moment,
) -> Result<Vec<String>, StoreError> {
    Ok(on!(tx, c => query_scalar(concat!(
        "SELECT d.digest FROM evidence.raw_documents d WHERE d.tenant = $1 AND d.kind = 'sbom' \
         AND d.digest >= $2 AND d.digest < $3 AND EXISTS (SELECT 1 FROM evidence.provenance p \
             WHERE p.tenant = d.tenant AND p.digest = d.digest AND ", seen_by!("$4", "$5"), ") \
         ORDER BY d.digest LIMIT 2",
    )).bind(tenant.as_str()).bind(&range.from).bind(&range.to)
        .bind(DbTime(at.as_of)).bind(DbTime(at.known_at)).fetch_all(c))?)
}

/// The records of the very same bytes from the same sources.
pub(crate) async fn kept(
    tx: &mut Tx,
    op: &OpContext,
    origins: &[Origin],
) -> Result<BTreeMap<Origin, DocumentRecord>, EvidenceError> {
    let rows: Vec<(String, String, String, String)> = fetch_rows!(
        tx,
        "SELECT p.digest, p.publisher, p.stream, p.record",
        ("evidence.provenance", "p", by_origin!("p")),
        "",
        [op.tenant().as_str(), list(origins)?]
    )
    .map_err(StoreError::from)?;
    let read = rows.into_iter().map(|(digest, publisher, stream, body)| {
        let record = parse(&digest, &body)?;
        Ok(((digest, publisher, stream), record))
    });
    read.collect()
}

/// What came last before from the same sources under the same ids, for each of some documents and
/// streams. Nothing where none did.
pub(crate) async fn earlier(
    tx: &mut Tx,
    op: &OpContext,
    documents: &[(&Key, &str)],
) -> Result<Vec<Earlier>, StoreError> {
    // By the ids of their entries in the log: a clock may have been put back meanwhile. A document
    // that came by another stream too has an entry for each, so the entry says which.
    macro_rules! last {
        ($entry:literal) => {
            concat!(
                "SELECT CAST(r.value ->> 0 AS bigint), p.digest, p.document_version, \
                 coalesce((SELECT e.id FROM evidence.log_entries e WHERE e.tenant = p.tenant \
                   AND e.log = 'changes' AND e.subject = p.digest \
                   AND ", $entry, " ->> 'publisher' = p.publisher \
                   AND ", $entry, " ->> 'stream' = p.stream ORDER BY e.id DESC LIMIT 1), 0) \
                   AS entry, p.received_at"
            )
        };
    }
    macro_rules! of_source {
        ($last:expr, $tenant:expr, $rows:expr) => {
            fetch_rows!(
                tx,
                $last,
                (
                    "evidence.provenance",
                    "p",
                    "p.tenant = $1 AND p.kind = r.value ->> 1 AND p.publisher = r.value ->> 2 \
                     AND p.upstream_id = r.value ->> 3 AND p.stream = r.value ->> 4"
                ),
                "ORDER BY 4, 5, 2",
                [$tenant, $rows]
            )
        };
    }
    let rows: Vec<_> = (documents.iter().enumerate())
        .map(|(n, (key, stream))| (n, key.kind, &key.publisher, &key.upstream_id, stream))
        .collect();
    let (tenant, rows) = (op.tenant().as_str(), list(&rows)?);
    let in_order: Vec<(i64, String, Option<String>, i64, DbTime)> = match tx {
        Tx::Postgres(_) => of_source!(last!("CAST(e.entry AS jsonb)"), tenant, &rows)?,
        Tx::Sqlite(_) => of_source!(last!("e.entry"), tenant, &rows)?,
    };
    let mut earlier = vec![Earlier::default(); documents.len()];
    // The last of each stands.
    for (n, digest, version, ..) in in_order {
        let place = usize::try_from(n).ok().and_then(|n| earlier.get_mut(n));
        if let Some(place) = place {
            let digest = Some(digest);
            *place = Earlier { digest, version };
        }
    }
    Ok(earlier)
}

/// A record on its way into the store.
pub(crate) struct NewRecord<'a> {
    pub(crate) key: &'a Key,
    pub(crate) record: &'a DocumentRecord,
    /// The record as it is stored.
    pub(crate) text: &'a str,
    pub(crate) times: Times,
}

/// Adds provenance; says how many of the rows were not there already.
pub(crate) async fn add_provenance(
    tx: &mut Tx,
    op: &OpContext,
    records: &[NewRecord<'_>],
    received: Timestamp,
) -> Result<u64, StoreError> {
    macro_rules! insert {
        ($time_before:literal, $time_after:literal) => {
            concat!(
                "INSERT INTO evidence.provenance (tenant, digest, publisher, stream, kind, \
                 upstream_id, document_version, revision_at, fetched_at, received_at, record) \
                 SELECT $1, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, \
                 r.value ->> 4, r.value ->> 5, ",
                $time_before, "CAST(r.value ->> 6 AS bigint)", $time_after, ", ",
                $time_before, "CAST(r.value ->> 7 AS bigint)", $time_after,
                ", $3, r.value ->> 8"
            )
        };
    }
    let rows: Vec<_> = (records.iter())
        .map(
            |NewRecord {
                 key,
                 record,
                 text,
                 times,
             }| {
                let [kind, publisher, upstream_id, digest] = key.row();
                let (stream, version) = (&record.source.stream, &record.upstream.document_version);
                let micros = [times.revision, times.fetched].map(Timestamp::as_microsecond);
                (
                    digest,
                    publisher,
                    stream,
                    kind,
                    upstream_id,
                    version,
                    micros[0],
                    micros[1],
                    text,
                )
            },
        )
        .collect();
    let (tenant, rows, received) = (op.tenant().as_str(), list(&rows)?, DbTime(received));
    let added = match tx {
        Tx::Postgres(_) => insert_rows!(
            tx,
            insert!("timestamptz 'epoch' + interval '1 microsecond' * ", ""),
            "WHERE true ON CONFLICT DO NOTHING",
            [tenant, &rows, received]
        ),
        Tx::Sqlite(_) => insert_rows!(
            tx,
            insert!("", ""),
            "WHERE true ON CONFLICT DO NOTHING",
            [tenant, &rows, received]
        ),
    };
    Ok(added?)
}

/// The first record of a document: by publisher, then stream.
pub(crate) async fn record(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<Option<DocumentRecord>, EvidenceError> {
    let row: Option<String> = on!(tx, c => query_scalar(
        "SELECT record FROM evidence.provenance WHERE tenant = $1 AND digest = $2 \
         ORDER BY publisher, stream LIMIT 1",
    ).bind(tenant.as_str()).bind(digest).fetch_optional(c))
    .map_err(StoreError::from)?;
    row.map(|body| parse(digest, &body)).transpose()
}

pub(crate) async fn raw(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<Option<RawRow>, StoreError> {
    Ok(on!(tx, c => query_as(
        "SELECT bytes FROM evidence.raw_documents WHERE tenant = $1 AND digest = $2",
    ).bind(tenant.as_str()).bind(digest).fetch_optional(c))?)
}

/// The bytes of some documents, of those that the database holds.
pub(crate) async fn inline(
    tx: &mut Tx,
    tenant: &TenantId,
    digests: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = fetch_rows!(
        tx,
        "SELECT w.digest, w.bytes",
        (
            "evidence.raw_documents",
            "w",
            "w.tenant = $1 AND w.digest = r.value ->> 0 AND w.bytes IS NOT NULL"
        ),
        "",
        [tenant.as_str(), single(digests)?]
    )?;
    Ok(rows.into_iter().collect())
}

/// A document as it is stored from one source, with all that its columns repeat.
#[derive(sqlx::FromRow)]
pub(crate) struct StoredRow {
    pub(crate) raw_kind: String,
    pub(crate) size: i64,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) raw_received_at: DbTime,
    /// When the record of the bytes was received that came with them or next.
    pub(crate) next_received_at: Option<DbTime>,
    pub(crate) kind: String,
    pub(crate) upstream_id: String,
    pub(crate) document_version: Option<String>,
    pub(crate) revision_at: DbTime,
    pub(crate) fetched_at: DbTime,
    pub(crate) received_at: DbTime,
    pub(crate) record: String,
}

pub(crate) async fn stored(
    tx: &mut Tx,
    tenant: &TenantId,
    change: &Change,
) -> Result<Option<StoredRow>, StoreError> {
    let observed = &change.observed;
    Ok(on!(tx, c => query_as(
        "SELECT r.kind AS raw_kind, r.size, r.bytes, p.kind, p.upstream_id, p.document_version, \
         p.revision_at, p.fetched_at, p.received_at, p.record, \
         r.received_at AS raw_received_at, \
         (SELECT min(n.received_at) FROM evidence.provenance n WHERE n.tenant = r.tenant \
             AND n.digest = r.digest AND n.received_at >= r.received_at) AS next_received_at \
         FROM evidence.provenance p \
         JOIN evidence.raw_documents r ON r.tenant = p.tenant AND r.digest = p.digest \
         WHERE p.tenant = $1 AND p.digest = $2 AND p.publisher = $3 AND p.stream = $4",
    ).bind(tenant.as_str()).bind(&change.document).bind(&observed.publisher)
        .bind(&observed.stream).fetch_optional(c))?)
}

/// What the documents behind one are called by: digest, publisher and stream.
pub(crate) async fn names_behind(
    tx: &mut Tx,
    tenant: &TenantId,
    (digest, publisher, stream): &(String, String, String),
    limit: u32,
) -> Result<Vec<(String, String, String)>, StoreError> {
    Ok(on!(tx, c => query_as(
        "SELECT digest, publisher, stream FROM evidence.provenance \
         WHERE tenant = $1 AND (digest, publisher, stream) > ($2, $3, $4) \
         ORDER BY digest, publisher, stream LIMIT $5",
    ).bind(tenant.as_str()).bind(digest).bind(publisher).bind(stream).bind(i64::from(limit))
        .fetch_all(c))?)
}

/// The documents behind one.
pub(crate) async fn digests_behind(
    tx: &mut Tx,
    tenant: &TenantId,
    after: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    Ok(on!(tx, c => query_scalar(
        "SELECT digest FROM evidence.raw_documents WHERE tenant = $1 AND digest > $2 \
         ORDER BY digest LIMIT $3",
    ).bind(tenant.as_str()).bind(after).bind(i64::from(limit)).fetch_all(c))?)
}

/// What its publishers call a document, in the order in which everybody locks heads.
pub(crate) async fn keys_of(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<Vec<Key>, StoreError> {
    let rows: Vec<(String, String, String)> = on!(tx, c => query_as(
        "SELECT DISTINCT kind, publisher, upstream_id FROM evidence.provenance \
         WHERE tenant = $1 AND digest = $2 ORDER BY kind, publisher, upstream_id",
    ).bind(tenant.as_str()).bind(digest).fetch_all(c))?;
    let key = |(kind, publisher, upstream_id): (String, String, String)| {
        let kind: Result<EvidenceKind, String> = kind.parse();
        Ok(Key {
            kind: kind.map_err(|error| {
                StoreError::unreadable(format!("kind of document {digest}"), error)
            })?,
            publisher,
            upstream_id,
            digest: digest.to_owned(),
        })
    };
    rows.into_iter().map(key).collect()
}

/// The digests of the documents that the object store holds.
pub(crate) async fn in_object_store(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<BTreeSet<Digest>, StoreError> {
    let digests: Vec<String> = on!(tx, c => query_scalar(
        "SELECT digest FROM evidence.raw_documents WHERE tenant = $1 AND bytes IS NULL",
    ).bind(tenant.as_str()).fetch_all(c))?;
    let read = |text: String| {
        text.parse()
            .map_err(|error: DigestError| StoreError::unreadable("digest", error))
    };
    digests.into_iter().map(read).collect()
}

/// Which documents a list shows; what is not said does not narrow it.
#[derive(Debug)]
pub(crate) struct DocumentFilter {
    /// Of what had been seen by then.
    pub(crate) at: Moment,
    /// Only the newest revision of each publisher's document; of SBOMs those of the highest.
    pub(crate) newest: bool,
    pub(crate) kinds: Vec<EvidenceKind>,
    pub(crate) publisher: Option<String>,
    pub(crate) upstream_id: Option<String>,
    pub(crate) identifier: Option<String>,
}

/// Documents by digest, then publisher, then stream.
pub(crate) async fn documents(
    tx: &mut Tx,
    tenant: &TenantId,
    filter: &DocumentFilter,
    paging: &Paging<(String, String, String)>,
) -> Result<Vec<DocumentRecord>, EvidenceError> {
    let (digest, publisher, stream) = paging.after.clone().unwrap_or_default();
    let shown = |kind: EvidenceKind| filter.kinds.contains(&kind).then(|| kind.as_str());
    let rows: Vec<(String, String)> = on!(tx, c => query_as(concat!(
        "SELECT p.digest, p.record FROM evidence.provenance p \
         WHERE p.tenant = $1 AND (p.digest, p.publisher, p.stream) > ($2, $3, $4) \
         AND p.kind IN ($5, $6, $7, $8) \
         AND ($9 IS NULL OR p.publisher = $9) AND ($10 IS NULL OR p.upstream_id = $10) \
         AND ($11 IS NULL OR EXISTS (SELECT 1 FROM evidence.names n WHERE n.tenant = $1 \
              AND n.identifier = $11 AND n.digest = p.digest)) \
         AND ", seen_by!("$13", "$14"), " \
         AND ($15 = 0 OR CASE p.kind WHEN 'sbom' THEN NOT EXISTS ( \
              SELECT 1 FROM ", revisions!("p", "$13", "$14"), " newer \
              WHERE (length(newer.document_version), newer.document_version) \
                > (length(p.document_version), p.document_version)) \
              ELSE p.digest = ", newest_of!("p", "$13", "$14"), " END) \
         ORDER BY p.digest, p.publisher, p.stream LIMIT $12",
    )).bind(tenant.as_str()).bind(&digest).bind(&publisher).bind(&stream)
        .bind(shown(EvidenceKind::Advisory)).bind(shown(EvidenceKind::Vex))
        .bind(shown(EvidenceKind::Sbom)).bind(shown(EvidenceKind::Signal))
        .bind(filter.publisher.as_deref()).bind(filter.upstream_id.as_deref())
        .bind(filter.identifier.as_deref()).bind(paging.limit())
        .bind(DbTime(filter.at.as_of)).bind(DbTime(filter.at.known_at))
        .bind(i64::from(filter.newest)).fetch_all(c))
    .map_err(StoreError::from)?;
    rows.iter()
        .map(|(digest, body)| parse(digest, body))
        .collect()
}

/// A record as it is stored.
pub(crate) fn text(record: &DocumentRecord) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::unreadable("record", error))
}

fn parse(digest: &str, body: &str) -> Result<DocumentRecord, EvidenceError> {
    let corrupt = |actual: String| EvidenceError::Corrupt {
        document: digest.to_owned(),
        actual,
    };
    let record: DocumentRecord =
        serde_json::from_str(body).map_err(|error| corrupt(format!("record: {error}")))?;
    if record.id != digest {
        return Err(corrupt(format!("record of {}", record.id)));
    }
    Ok(record)
}
