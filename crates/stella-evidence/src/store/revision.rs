//! Which revision of a publisher's document is the newest, now or at a moment of the past.
//!
//! It is the one that was fetched last, as its senders say. Publishers change bytes and leave their
//! own version and time as they were, or put them back: what they say of a revision orders only
//! those that were fetched at the same time, and the digest what is left. None of it depends on
//! which arrived first.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::evidence::DocumentRecord;
use stella_storage::{DbTime, StoreError, Tx, execute, on};

use super::{Key, list};
use crate::moment::Moment;

/// That a record `o` is of the publisher's document that a row is of.
macro_rules! of_row {
    ($row:literal) => {
        concat!(
            "o.tenant = ",
            $row,
            ".tenant AND o.kind = ",
            $row,
            ".kind \
             AND o.publisher = ",
            $row,
            ".publisher AND o.upstream_id = ",
            $row,
            ".upstream_id"
        )
    };
}

/// The revisions of the publisher's document that a row is of, at the moment of two parameters: each
/// of a source as often as it was fetched, with its record and seen again. What they are found by
/// stands in both halves: SQLite takes no condition on an outer row into a compound by itself, and
/// would go through all that is stored.
macro_rules! revisions {
    ($row:literal, $as_of:literal, $known_at:literal) => {
        concat!(
            "(SELECT o.digest, o.document_version, o.revision_at, o.fetched_at \
              FROM evidence.provenance o WHERE ",
            of_row!($row),
            " \
              AND o.fetched_at <= ",
            $as_of,
            " AND o.received_at <= ",
            $known_at,
            " \
              UNION ALL \
              SELECT o.digest, o.document_version, o.revision_at, s.fetched_at \
              FROM evidence.provenance o JOIN evidence.sightings s ON s.tenant = o.tenant \
              AND s.digest = o.digest AND s.publisher = o.publisher AND s.stream = o.stream \
              WHERE ",
            of_row!($row),
            " \
              AND s.fetched_at <= ",
            $as_of,
            " AND s.received_at <= ",
            $known_at,
            ")"
        )
    };
}

/// The newest of them.
macro_rules! newest_of {
    ($row:literal, $as_of:literal, $known_at:literal) => {
        concat!(
            "(SELECT r.digest FROM ",
            revisions!($row, $as_of, $known_at),
            " r \
              ORDER BY r.fetched_at DESC, r.revision_at DESC, r.digest DESC LIMIT 1)"
        )
    };
}

/// Whether the row `p` of provenance had been seen by the moment of two parameters.
macro_rules! seen_by {
    ($as_of:literal, $known_at:literal) => {
        concat!(
            "((p.fetched_at <= ",
            $as_of,
            " AND p.received_at <= ",
            $known_at,
            ") OR EXISTS (SELECT 1 FROM evidence.sightings s WHERE s.tenant = p.tenant \
              AND s.digest = p.digest AND s.publisher = p.publisher AND s.stream = p.stream \
              AND s.fetched_at <= ",
            $as_of,
            " AND s.received_at <= ",
            $known_at,
            "))"
        )
    };
}

/// The newest revision of a publisher's document.
pub(crate) async fn newest(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
    at: Moment,
) -> Result<Option<String>, StoreError> {
    Ok(on!(tx, c => query_scalar(concat!(
        "SELECT ", newest_of!("k", "$5", "$6"), " FROM (SELECT CAST($1 AS text) AS tenant, \
         CAST($2 AS text) AS kind, CAST($3 AS text) AS publisher, \
         CAST($4 AS text) AS upstream_id) k",
    )).bind(tenant.as_str()).bind(key.kind.as_str()).bind(&key.publisher)
        .bind(&key.upstream_id).bind(DbTime(at.as_of)).bind(DbTime(at.known_at))
        .fetch_one(c))?)
}

/// Whether the head of a publisher's document is its newest revision. It is locked: a transaction
/// that does not see this one's rows sets it only after this one ended.
pub(crate) async fn is_settled(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
) -> Result<bool, StoreError> {
    macro_rules! head {
        ($lock:literal) => {
            concat!(
                "SELECT digest FROM evidence.heads \
                 WHERE tenant = $1 AND kind = $2 AND publisher = $3 AND upstream_id = $4",
                $lock
            )
        };
    }
    let (tenant_id, kind) = (tenant.as_str(), key.kind.as_str());
    let head: Option<String> = on!(&mut *tx,
        postgres c => query_scalar(head!(" FOR UPDATE")).bind(tenant_id).bind(kind)
            .bind(&key.publisher).bind(&key.upstream_id).fetch_optional(c),
        sqlite c => query_scalar(head!("")).bind(tenant_id).bind(kind)
            .bind(&key.publisher).bind(&key.upstream_id).fetch_optional(c),
    )?;
    Ok(head == newest(tx, tenant, key, Moment::NOW).await?)
}

/// Where a document came from: digest, publisher, stream.
pub(crate) type Origin = (String, String, String);

/// Notes that a document was fetched again; false where that is known.
pub(crate) async fn add_sighting(
    tx: &mut Tx,
    tenant: &TenantId,
    (digest, publisher, stream): (&str, &str, &str),
    (fetched, received): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let added = execute!(
        tx,
        query(
            "INSERT INTO evidence.sightings (tenant, digest, publisher, stream, fetched_at, \
             received_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(digest)
        .bind(publisher)
        .bind(stream)
        .bind(DbTime(fetched))
        .bind(DbTime(received))
    )?;
    Ok(added == 1)
}

/// When it was received that a document was fetched again at a time.
pub(crate) async fn sighting(
    tx: &mut Tx,
    tenant: &TenantId,
    (digest, publisher, stream): (&str, &str, &str),
    fetched: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let received: Option<DbTime> = on!(tx, c => query_scalar(
        "SELECT received_at FROM evidence.sightings WHERE tenant = $1 AND digest = $2 \
         AND publisher = $3 AND stream = $4 AND fetched_at = $5",
    ).bind(tenant.as_str()).bind(digest).bind(publisher).bind(stream).bind(DbTime(fetched))
        .fetch_optional(c))?;
    Ok(received.map(|at| at.0))
}

/// By which source a record's bytes came.
pub(crate) fn origin(record: &DocumentRecord) -> Origin {
    let source = &record.source;
    let (publisher, stream) = (source.publisher.clone(), source.stream.clone());
    (record.id.clone(), publisher, stream)
}

/// Tells of records when their documents had been fetched again, by a moment.
pub(crate) async fn tell_sightings(
    tx: &mut Tx,
    tenant: &TenantId,
    records: &mut [DocumentRecord],
    at: Moment,
) -> Result<(), StoreError> {
    let origins: Vec<Origin> = records.iter().map(origin).collect();
    if origins.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, String, String, DbTime)> = fetch_rows!(
        tx,
        "SELECT s.digest, s.publisher, s.stream, s.fetched_at",
        (
            "evidence.sightings",
            "s",
            concat!(
                by_origin!("s"),
                " AND s.fetched_at <= $3 AND s.received_at <= $4"
            )
        ),
        "ORDER BY 4",
        [
            tenant.as_str(),
            list(&origins)?,
            DbTime(at.as_of),
            DbTime(at.known_at)
        ]
    )?;
    let mut again: HashMap<Origin, Vec<String>> = HashMap::new();
    for (digest, publisher, stream, DbTime(fetched)) in rows {
        let times = again.entry((digest, publisher, stream)).or_default();
        times.push(fetched.to_string());
    }
    for record in records {
        record.fetched_again = again.remove(&origin(record)).unwrap_or_default();
    }
    Ok(())
}

/// The sightings behind one.
pub(crate) async fn sightings_behind(
    tx: &mut Tx,
    tenant: &TenantId,
    ((digest, publisher, stream), fetched): &(Origin, Timestamp),
    limit: u32,
) -> Result<Vec<(Origin, Timestamp)>, StoreError> {
    let rows: Vec<(String, String, String, DbTime)> = on!(tx, c => query_as(
        "SELECT digest, publisher, stream, fetched_at FROM evidence.sightings \
         WHERE tenant = $1 AND (digest, publisher, stream, fetched_at) > ($2, $3, $4, $5) \
         ORDER BY digest, publisher, stream, fetched_at LIMIT $6",
    ).bind(tenant.as_str()).bind(digest).bind(publisher).bind(stream).bind(DbTime(*fetched))
        .bind(i64::from(limit)).fetch_all(c))?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(digest, publisher, stream, at)| ((digest, publisher, stream), at.0))
        .collect())
}
