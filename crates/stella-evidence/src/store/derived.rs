//! Which revision of a document is the newest, what is matched, and what is still to be derived.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_assess::NamedPackage;
use stella_context::{OpContext, SystemContext};
use stella_matching::Coordinates;
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

use super::{Key, newest};
use crate::EvidenceError;
use crate::moment::Moment;

pub(crate) async fn mark_due(tx: &mut Tx, op: &OpContext, key: &Key) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, \
             due_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(op.tenant().as_str())
        .bind(key.kind.as_str())
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&key.digest)
        .bind(DbTime(op.clock().now()))
    )?;
    Ok(())
}

pub(crate) async fn is_due(tx: &mut Tx, tenant: &TenantId, key: &Key) -> Result<bool, StoreError> {
    let found: Option<i64> = on!(tx, c => query_scalar(
        "SELECT CAST(1 AS bigint) FROM evidence.derivations_due WHERE tenant = $1 AND kind = $2 \
         AND publisher = $3 AND upstream_id = $4 AND digest = $5",
    ).bind(tenant.as_str()).bind(key.kind.as_str()).bind(&key.publisher)
        .bind(&key.upstream_id).bind(&key.digest).fetch_optional(c))?;
    Ok(found.is_some())
}

pub(crate) async fn clear_due(tx: &mut Tx, tenant: &TenantId, key: &Key) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "DELETE FROM evidence.derivations_due WHERE tenant = $1 AND kind = $2 \
             AND publisher = $3 AND upstream_id = $4 AND digest = $5",
        )
        .bind(tenant.as_str())
        .bind(key.kind.as_str())
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&key.digest)
    )?;
    Ok(())
}

/// Whether any revision of a publisher's document is still to be derived from.
pub(crate) async fn is_any_due(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
) -> Result<bool, StoreError> {
    let found: Option<i64> = on!(tx, c => query_scalar(
        "SELECT CAST(1 AS bigint) FROM evidence.derivations_due WHERE tenant = $1 AND kind = $2 \
         AND publisher = $3 AND upstream_id = $4 LIMIT 1",
    ).bind(tenant.as_str()).bind(key.kind.as_str()).bind(&key.publisher)
        .bind(&key.upstream_id).fetch_optional(c))?;
    Ok(found.is_some())
}

/// Everything of a tenant that is still to be derived. A row that is no stored document's is a
/// stray, and nothing can be derived from it.
pub(crate) async fn due_of(tx: &mut Tx, tenant: &TenantId) -> Result<BTreeSet<Key>, StoreError> {
    let rows: Vec<(String, String, String, String)> = on!(tx, c => query_as(
        "SELECT d.kind, d.publisher, d.upstream_id, d.digest FROM evidence.derivations_due d \
         WHERE d.tenant = $1 AND EXISTS (SELECT 1 FROM evidence.provenance p \
             WHERE p.tenant = d.tenant AND p.digest = d.digest AND p.kind = d.kind \
             AND p.publisher = d.publisher AND p.upstream_id = d.upstream_id)",
    ).bind(tenant.as_str()).fetch_all(c))?;
    let key = |(kind, publisher, upstream_id, digest): (String, String, String, String)| {
        Some(Key {
            kind: kind.parse().ok()?,
            publisher,
            upstream_id,
            digest,
        })
    };
    Ok(rows.into_iter().filter_map(key).collect())
}

/// Everything that is still to be derived, of every tenant. A row that names nothing is told to
/// the log and keeps none of the others waiting.
pub(crate) async fn due(
    system: &SystemContext,
    db: &Db,
) -> Result<Vec<(TenantId, Key)>, StoreError> {
    let mut tx = db.system_read(system).await?;
    let rows: Vec<(String, String, String, String, String)> = on!(&mut tx, c => query_as(
        "SELECT tenant, kind, publisher, upstream_id, digest FROM evidence.derivations_due \
         ORDER BY due_at, tenant, kind, publisher, upstream_id, digest",
    ).fetch_all(c))?;
    tx.commit().await?;
    let named = rows
        .into_iter()
        .filter_map(|(tenant, kind, publisher, upstream_id, digest)| {
            let (Ok(of), Ok(kind)) = (tenant.parse(), kind.parse()) else {
                tracing::error!(%tenant, kind, document = digest, "a due row that names nothing");
                return None;
            };
            let key = Key {
                kind,
                publisher,
                upstream_id,
                digest,
            };
            Some((of, key))
        });
    Ok(named.collect())
}

/// How much is still to be derived, of every tenant.
pub(crate) async fn count_due(tx: &mut Tx) -> Result<u64, StoreError> {
    let count: i64 = on!(tx, c => query_scalar(
        "SELECT count(*) FROM evidence.derivations_due",
    ).fetch_one(c))?;
    Ok(count.unsigned_abs())
}

/// Makes the head of a publisher's document where there is none. It is there as soon as the
/// document is: whoever derives from an SBOM finds it, and waits where it is being derived from.
pub(crate) async fn claim_head(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
) -> Result<(), StoreError> {
    // Nothing is derived from an earlier SBOM when a newer one comes.
    if key.kind == EvidenceKind::Sbom {
        return Ok(());
    }
    execute!(
        tx,
        query(
            "INSERT INTO evidence.heads (tenant, kind, publisher, upstream_id, digest) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(key.kind.as_str())
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&key.digest)
    )?;
    Ok(())
}

/// The same of one tenant.
pub(crate) async fn count_due_of(tx: &mut Tx, tenant: &TenantId) -> Result<u64, StoreError> {
    let count: i64 = on!(tx, c => query_scalar(
        "SELECT count(*) FROM evidence.derivations_due WHERE tenant = $1",
    ).bind(tenant.as_str()).fetch_one(c))?;
    Ok(count.unsigned_abs())
}

/// Locks the head of a publisher's document and sets it to the newest revision, which it gives.
pub(crate) async fn take_head(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
) -> Result<String, StoreError> {
    let kind = key.kind.as_str();
    execute!(
        &mut *tx,
        query(
            "INSERT INTO evidence.heads (tenant, kind, publisher, upstream_id, digest) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, kind, publisher, upstream_id) \
             DO UPDATE SET digest = heads.digest",
        )
        .bind(tenant.as_str())
        .bind(kind)
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&key.digest)
    )?;
    // A statement of its own: it sees what was committed while the lock was waited for.
    let newest = newest(&mut *tx, tenant, key, Moment::NOW).await?;
    let newest = newest.ok_or_else(|| {
        let what = format!("head of {} {}", key.publisher, key.upstream_id);
        StoreError::unreadable(what, "no document of it is there")
    })?;
    execute!(
        tx,
        query(
            "UPDATE evidence.heads SET digest = $5 WHERE tenant = $1 AND kind = $2 \
             AND publisher = $3 AND upstream_id = $4",
        )
        .bind(tenant.as_str())
        .bind(kind)
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&newest)
    )?;
    Ok(newest)
}

/// The revision that the head of a publisher's document names.
pub(crate) async fn head(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &Key,
) -> Result<Option<String>, StoreError> {
    Ok(on!(tx, c => query_scalar(
        "SELECT digest FROM evidence.heads \
         WHERE tenant = $1 AND kind = $2 AND publisher = $3 AND upstream_id = $4",
    ).bind(tenant.as_str()).bind(key.kind.as_str()).bind(&key.publisher)
        .bind(&key.upstream_id).fetch_optional(c))?)
}

/// The heads of the advisories that name a package of an SBOM in any revision, locked against a
/// change until the transaction ends, in the order in which everybody locks heads. SQLite writes
/// one transaction at a time and needs no lock.
pub(crate) async fn share_heads(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
) -> Result<Vec<Key>, StoreError> {
    macro_rules! heads {
        ($lock:literal) => {
            concat!(
                "SELECT publisher, upstream_id, digest FROM evidence.heads h \
                 WHERE tenant = $1 AND kind = 'advisory' AND (publisher, upstream_id) IN ( \
                   SELECT p.publisher, p.upstream_id FROM evidence.components c \
                   JOIN evidence.packages k ON k.tenant = c.tenant \
                     AND k.ecosystem = c.ecosystem AND k.package = c.package \
                   JOIN evidence.provenance p ON p.tenant = k.tenant AND p.digest = k.digest \
                   WHERE c.tenant = $1 AND c.sbom = $2) \
                 ORDER BY publisher, upstream_id",
                $lock
            )
        };
    }
    let rows: Vec<(String, String, String)> = on!(tx,
        postgres c => query_as(heads!(" FOR SHARE OF h"))
            .bind(tenant.as_str()).bind(sbom).fetch_all(c),
        sqlite c => query_as(heads!("")).bind(tenant.as_str()).bind(sbom).fetch_all(c),
    )?;
    let key = |(publisher, upstream_id, digest)| Key {
        kind: EvidenceKind::Advisory,
        publisher,
        upstream_id,
        digest,
    };
    Ok(rows.into_iter().map(key).collect())
}

type PackageRow = (String, Option<String>, String);

pub(crate) async fn packages_of(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<Vec<NamedPackage>, StoreError> {
    let rows: Vec<PackageRow> = on!(tx, c => query_as(
        "SELECT pointer, informational, affected FROM evidence.packages \
         WHERE tenant = $1 AND digest = $2 ORDER BY position",
    ).bind(tenant.as_str()).bind(digest).fetch_all(c))?;
    rows.into_iter().map(|row| named(digest, row)).collect()
}

fn named(
    digest: &str,
    (pointer, informational, affected): PackageRow,
) -> Result<NamedPackage, StoreError> {
    let affected = serde_json::from_str(&affected).map_err(|error| unreadable(digest, error))?;
    Ok(NamedPackage {
        pointer,
        informational,
        affected,
    })
}

/// A component as it is matched.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct ComponentRow {
    pub(crate) ecosystem: String,
    pub(crate) package: String,
    pub(crate) sbom: String,
    pub(crate) reference: String,
    pub(crate) bom_ref: Option<String>,
    pub(crate) pointer: String,
    pub(crate) purl: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

impl ComponentRow {
    /// Where the package URL points, with the version that the SBOM gives beside it.
    pub(crate) fn coordinates(&self) -> Result<Coordinates, EvidenceError> {
        stella_assess::coordinates(&self.purl, Some(&self.version))
            .map_err(|error| self.unreadable(error))
    }

    /// What stands in a column is nothing that was indexed.
    pub(crate) fn unreadable(&self, reason: impl ToString) -> EvidenceError {
        let what = format!("component {} of document {}", self.reference, self.sbom);
        EvidenceError::unreadable(what, reason)
    }
}

pub(crate) async fn components_named(
    tx: &mut Tx,
    tenant: &TenantId,
    (ecosystem, package): &(String, String),
) -> Result<Vec<ComponentRow>, StoreError> {
    Ok(on!(tx, c => query_as(
        "SELECT ecosystem, package, sbom, reference, bom_ref, pointer, purl, name, version \
         FROM evidence.components WHERE tenant = $1 AND ecosystem = $2 AND package = $3 \
         ORDER BY sbom, reference",
    ).bind(tenant.as_str()).bind(ecosystem).bind(package).fetch_all(c))?)
}

pub(crate) async fn components_of(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
) -> Result<Vec<ComponentRow>, StoreError> {
    Ok(on!(tx, c => query_as(
        "SELECT ecosystem, package, sbom, reference, bom_ref, pointer, purl, name, version \
         FROM evidence.components WHERE tenant = $1 AND sbom = $2 \
         ORDER BY ecosystem, package, reference",
    ).bind(tenant.as_str()).bind(sbom).fetch_all(c))?)
}

/// The components of an SBOM by ecosystem and package.
pub(crate) async fn components_by_package(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
) -> Result<BTreeMap<(String, String), Vec<ComponentRow>>, StoreError> {
    let mut components: BTreeMap<(String, String), Vec<ComponentRow>> = BTreeMap::new();
    for component in components_of(tx, tenant, sbom).await? {
        let package = (component.ecosystem.clone(), component.package.clone());
        components.entry(package).or_default().push(component);
    }
    Ok(components)
}

/// How SBOMs of a moment write components of a package: package URL, and the version beside it.
pub(crate) async fn purls_of(
    tx: &mut Tx,
    tenant: &TenantId,
    (ecosystem, package): &(String, String),
    at: Moment,
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT DISTINCT purl, version FROM evidence.components c \
         WHERE tenant = $1 AND ecosystem = $2 AND package = $3 \
         AND EXISTS (SELECT 1 FROM evidence.provenance p WHERE p.tenant = c.tenant \
             AND p.digest = c.sbom AND ", seen_by!("$4", "$5"), ") ORDER BY purl, version",
    )).bind(tenant.as_str()).bind(ecosystem).bind(package)
        .bind(DbTime(at.as_of)).bind(DbTime(at.known_at)).fetch_all(c))?)
}

pub(super) fn unreadable(digest: &str, error: serde_json::Error) -> StoreError {
    StoreError::unreadable(format!("package statement of document {digest}"), error)
}
