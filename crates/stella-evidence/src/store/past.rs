//! What stood beside a finding at a moment of the past: heads and findings are kept of now alone.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{query_as, query_scalar};
use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_storage::{DbTime, StoreError, Tx, on};

use super::finding::{by_identifier, is_no_catalogue, naming_any};
use super::rows::single;
use super::{Key, SourceRow, newest};
use crate::moment::Moment;

/// The advisories that name a package of an SBOM in any revision, each as it was then.
pub(crate) async fn advisories_then(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
    at: Moment,
) -> Result<Vec<Key>, StoreError> {
    let named: Vec<(String, String)> = on!(&mut *tx, c => query_as(
        "SELECT DISTINCT p.publisher, p.upstream_id FROM evidence.components c \
         JOIN evidence.packages k ON k.tenant = c.tenant \
           AND k.ecosystem = c.ecosystem AND k.package = c.package \
         JOIN evidence.provenance p ON p.tenant = k.tenant AND p.digest = k.digest \
         WHERE c.tenant = $1 AND c.sbom = $2 AND p.kind = 'advisory'",
    ).bind(tenant.as_str()).bind(sbom).fetch_all(c))?;
    then(tx, tenant, EvidenceKind::Advisory, named, at).await
}

/// The documents that name an id, which is in lower case.
pub(crate) async fn naming(
    tx: &mut Tx,
    tenant: &TenantId,
    identifier: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let digests: Vec<String> = on!(tx, c => query_scalar(
        "SELECT digest FROM evidence.names WHERE tenant = $1 AND lower(identifier) = $2",
    ).bind(tenant.as_str()).bind(identifier).fetch_all(c))?;
    Ok(digests.into_iter().collect())
}

/// Who had published a document by then: every record of it, in their order.
pub(crate) async fn provenance_then(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
    at: Moment,
) -> Result<Vec<SourceRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT p.kind, p.digest, p.publisher, p.upstream_id FROM evidence.provenance p \
         WHERE p.tenant = $1 AND p.digest = $2 AND ", seen_by!("$3", "$4"), " \
         ORDER BY p.publisher, p.stream",
    )).bind(tenant.as_str()).bind(digest).bind(DbTime(at.as_of)).bind(DbTime(at.known_at))
        .fetch_all(c))?)
}

/// The advisories and VEX documents, as they were then, that name any of some ids, by the ids.
pub(crate) async fn speaking_then(
    tx: &mut Tx,
    tenant: &TenantId,
    identifiers: &BTreeSet<String>,
    at: Moment,
) -> Result<BTreeMap<String, Vec<SourceRow>>, StoreError> {
    let naming = naming_any(tx, tenant, identifiers).await?;
    let newest: Vec<SourceRow> = fetch_rows!(
        tx,
        "SELECT DISTINCT p.kind, p.digest, p.publisher, p.upstream_id",
        (
            "evidence.provenance",
            "p",
            concat!(
                "p.tenant = $1 AND p.digest = r.value ->> 0 AND p.kind IN ('advisory', 'vex') \
                 AND p.digest = ",
                newest_of!("p", "$3", "$4")
            )
        ),
        "",
        [
            tenant.as_str(),
            single(naming.keys())?,
            DbTime(at.as_of),
            DbTime(at.known_at)
        ]
    )?;
    Ok(by_identifier(&naming, newest))
}

/// Every KEV catalogue as it was then.
pub(crate) async fn catalogues_then(
    tx: &mut Tx,
    tenant: &TenantId,
    at: Moment,
) -> Result<Vec<SourceRow>, StoreError> {
    let signals: Vec<(String, String)> = on!(&mut *tx, c => query_as(
        "SELECT DISTINCT publisher, upstream_id FROM evidence.provenance \
         WHERE tenant = $1 AND kind = 'signal'",
    ).bind(tenant.as_str()).fetch_all(c))?;
    let mut catalogues = Vec::new();
    for key in then(tx, tenant, EvidenceKind::Signal, signals, at).await? {
        let record: Option<String> = on!(&mut *tx, c => query_scalar(
            "SELECT record FROM evidence.provenance WHERE tenant = $1 AND digest = $2 \
             AND publisher = $3 ORDER BY stream LIMIT 1",
        ).bind(tenant.as_str()).bind(&key.digest).bind(&key.publisher).fetch_optional(c))?;
        if !record.as_deref().is_some_and(is_no_catalogue) {
            catalogues.push(SourceRow {
                kind: key.kind.as_str().to_owned(),
                digest: key.digest,
                publisher: key.publisher,
                upstream_id: key.upstream_id,
            });
        }
    }
    Ok(catalogues)
}

/// Documents as they were then, of those that were there.
async fn then(
    tx: &mut Tx,
    tenant: &TenantId,
    kind: EvidenceKind,
    named: Vec<(String, String)>,
    at: Moment,
) -> Result<Vec<Key>, StoreError> {
    let mut keys = Vec::new();
    for (publisher, upstream_id) in named {
        let mut key = Key {
            kind,
            publisher,
            upstream_id,
            digest: String::new(),
        };
        if let Some(digest) = newest(&mut *tx, tenant, &key, at).await? {
            key.digest = digest;
            keys.push(key);
        }
    }
    Ok(keys)
}
