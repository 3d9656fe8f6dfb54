//! Which revision of a document is the newest, what is matched, and what is still to be derived.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_assess::NamedPackage;
use stella_context::{OpContext, SystemContext};
use stella_matching::Coordinates;
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

use super::rows::{TOGETHER, single};
use super::{Key, KeyRow, list};
use crate::EvidenceError;
use crate::moment::Moment;

/// The columns of keys, as they are bound.
fn key_rows<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Result<String, StoreError> {
    let rows: Vec<_> = keys.into_iter().map(Key::row).collect();
    list(&rows)
}

pub(crate) async fn mark_due(tx: &mut Tx, op: &OpContext, keys: &[Key]) -> Result<(), StoreError> {
    insert_rows!(
        tx,
        "INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, \
         due_at) SELECT $1, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, $3",
        "WHERE true ON CONFLICT DO NOTHING",
        [
            op.tenant().as_str(),
            key_rows(keys)?,
            DbTime(op.clock().now())
        ]
    )?;
    Ok(())
}

/// Which of some documents are still to be derived from.
pub(crate) async fn due_among(
    tx: &mut Tx,
    tenant: &TenantId,
    keys: &[Key],
) -> Result<BTreeSet<Key>, StoreError> {
    let rows: Vec<KeyRow> = fetch_rows!(
        tx,
        "SELECT d.kind, d.publisher, d.upstream_id, d.digest",
        (
            "evidence.derivations_due",
            "d",
            "d.tenant = $1 AND d.kind = r.value ->> 0 AND d.publisher = r.value ->> 1 \
             AND d.upstream_id = r.value ->> 2 AND d.digest = r.value ->> 3"
        ),
        "",
        [tenant.as_str(), key_rows(keys)?]
    )?;
    Ok(rows.into_iter().filter_map(Key::of_row).collect())
}

pub(crate) async fn clear_due(
    tx: &mut Tx,
    tenant: &TenantId,
    keys: &[Key],
) -> Result<(), StoreError> {
    delete_rows!(
        tx,
        "evidence.derivations_due",
        "t.tenant = $1 AND t.kind = r.value ->> 0 AND t.publisher = r.value ->> 1 \
         AND t.upstream_id = r.value ->> 2 AND t.digest = r.value ->> 3",
        [tenant.as_str(), key_rows(keys)?]
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
    let rows: Vec<KeyRow> = on!(tx, c => query_as(
        "SELECT d.kind, d.publisher, d.upstream_id, d.digest FROM evidence.derivations_due d \
         WHERE d.tenant = $1 AND EXISTS (SELECT 1 FROM evidence.provenance p \
             WHERE p.tenant = d.tenant AND p.digest = d.digest AND p.kind = d.kind \
             AND p.publisher = d.publisher AND p.upstream_id = d.upstream_id)",
    ).bind(tenant.as_str()).fetch_all(c))?;
    Ok(rows.into_iter().filter_map(Key::of_row).collect())
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

/// Makes the heads of publishers' documents where there are none. They are there as soon as the
/// documents are: whoever derives from an SBOM finds them, and waits where they are being derived
/// from.
pub(crate) async fn claim_heads(
    tx: &mut Tx,
    tenant: &TenantId,
    keys: &[Key],
) -> Result<(), StoreError> {
    // Nothing is derived from an earlier SBOM when a newer one comes.
    let with_heads = keys.iter().filter(|key| key.kind != EvidenceKind::Sbom);
    let with_heads: Vec<&Key> = with_heads.collect();
    if with_heads.is_empty() {
        return Ok(());
    }
    insert_rows!(
        tx,
        "INSERT INTO evidence.heads (tenant, kind, publisher, upstream_id, digest) \
         SELECT $1, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3",
        "WHERE true ON CONFLICT DO NOTHING",
        [tenant.as_str(), key_rows(with_heads)?]
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

/// Locks the heads of publishers' documents, in the order given, and sets each to the newest
/// revision; gives what they are then.
pub(crate) async fn take_heads(
    tx: &mut Tx,
    tenant: &TenantId,
    keys: &[Key],
) -> Result<Vec<Key>, StoreError> {
    // One of several revisions: a statement locks a row once.
    let mut heads: Vec<&Key> = keys.iter().collect();
    heads.dedup_by(|a, b| a.row()[..3] == b.row()[..3]);
    let rows = key_rows(heads.iter().copied())?;
    insert_rows!(
        &mut *tx,
        "INSERT INTO evidence.heads (tenant, kind, publisher, upstream_id, digest) \
         SELECT $1, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3",
        "WHERE true ON CONFLICT (tenant, kind, publisher, upstream_id) \
         DO UPDATE SET digest = heads.digest",
        [tenant.as_str(), &rows]
    )?;
    // A statement of its own: it sees what was committed while the locks were waited for.
    let now = (DbTime(Moment::NOW.as_of), DbTime(Moment::NOW.known_at));
    let found: Vec<(String, String, String, String, Option<String>)> = fetch_rows!(
        &mut *tx,
        concat!(
            "SELECT h.kind, h.publisher, h.upstream_id, h.digest, ",
            newest_of!("h", "$3", "$4")
        ),
        (
            "evidence.heads",
            "h",
            "h.tenant = $1 AND h.kind = r.value ->> 0 AND h.publisher = r.value ->> 1 \
             AND h.upstream_id = r.value ->> 2"
        ),
        "",
        [tenant.as_str(), &rows, now.0, now.1]
    )?;
    let mut taken = Vec::with_capacity(found.len());
    for (kind, publisher, upstream_id, before, newest) in found {
        let what = format!("head of {publisher} {upstream_id}");
        let none = || StoreError::unreadable(&what, "no document of it is there");
        let newest = newest.ok_or_else(none)?;
        let same = newest == before;
        let key = Key::of_row((kind, publisher, upstream_id, newest)).ok_or_else(none)?;
        if !same {
            set_head(&mut *tx, tenant, &key).await?;
        }
        taken.push(key);
    }
    Ok(taken)
}

async fn set_head(tx: &mut Tx, tenant: &TenantId, key: &Key) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "UPDATE evidence.heads SET digest = $5 WHERE tenant = $1 AND kind = $2 \
             AND publisher = $3 AND upstream_id = $4",
        )
        .bind(tenant.as_str())
        .bind(key.kind.as_str())
        .bind(&key.publisher)
        .bind(&key.upstream_id)
        .bind(&key.digest)
    )?;
    Ok(())
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
    // Step by step: how many rows a join of all this has, PostgreSQL cannot guess.
    let packages: Vec<(String, String)> = on!(&mut *tx, c => query_as(
        "SELECT DISTINCT ecosystem, package FROM evidence.components \
         WHERE tenant = $1 AND sbom = $2",
    ).bind(tenant.as_str()).bind(sbom).fetch_all(c))?;
    let mut digests: BTreeSet<String> = BTreeSet::new();
    for packages in packages.chunks(TOGETHER) {
        let named: Vec<(String,)> = fetch_rows!(
            &mut *tx,
            "SELECT DISTINCT k.digest",
            (
                "evidence.packages",
                "k",
                "k.tenant = $1 AND k.ecosystem = r.value ->> 0 AND k.package = r.value ->> 1"
            ),
            "",
            [tenant.as_str(), list(packages)?]
        )?;
        digests.extend(named.into_iter().map(|(digest,)| digest));
    }
    let digests: Vec<String> = digests.into_iter().collect();
    let mut advisories: BTreeSet<(String, String)> = BTreeSet::new();
    for digests in digests.chunks(TOGETHER) {
        let published: Vec<(String, String)> = fetch_rows!(
            &mut *tx,
            "SELECT p.publisher, p.upstream_id",
            (
                "evidence.provenance",
                "p",
                "p.tenant = $1 AND p.digest = r.value ->> 0 AND p.kind = 'advisory'"
            ),
            "",
            [tenant.as_str(), single(digests)?]
        )?;
        advisories.extend(published);
    }
    let advisories: Vec<(String, String)> = advisories.into_iter().collect();
    let mut rows: Vec<(String, String, String)> = Vec::with_capacity(advisories.len());
    for advisories in advisories.chunks(TOGETHER) {
        // Row after row in their order, so that none waits for one that waits for it.
        macro_rules! heads {
            ($lock:literal) => {
                fetch_rows!(
                    &mut *tx,
                    "SELECT h.publisher, h.upstream_id, h.digest",
                    (
                        "evidence.heads",
                        "h",
                        "h.tenant = $1 AND h.kind = 'advisory' AND h.publisher = r.value ->> 0 \
                         AND h.upstream_id = r.value ->> 1"
                    ),
                    $lock,
                    [tenant.as_str(), list(advisories)?]
                )?
            };
        }
        let locked: Vec<_> = match tx {
            Tx::Postgres(_) => heads!("FOR SHARE OF h"),
            Tx::Sqlite(_) => heads!(""),
        };
        rows.extend(locked);
    }
    let key = |(publisher, upstream_id, digest)| Key {
        kind: EvidenceKind::Advisory,
        publisher,
        upstream_id,
        digest,
    };
    Ok(rows.into_iter().map(key).collect())
}

type PackageRow = (String, Option<String>, String);

/// What some advisories say of packages, each in the order of the document.
pub(crate) async fn packages_of(
    tx: &mut Tx,
    tenant: &TenantId,
    digests: &[&str],
) -> Result<BTreeMap<String, Vec<NamedPackage>>, StoreError> {
    let mut packages: BTreeMap<String, Vec<NamedPackage>> = BTreeMap::new();
    for digests in digests.chunks(TOGETHER) {
        let rows: Vec<(String, String, Option<String>, String)> = fetch_rows!(
            &mut *tx,
            "SELECT k.digest, k.pointer, k.informational, k.affected",
            (
                "evidence.packages",
                "k",
                "k.tenant = $1 AND k.digest = r.value ->> 0"
            ),
            "ORDER BY k.digest, k.position",
            [tenant.as_str(), single(digests)?]
        )?;
        for (digest, pointer, informational, affected) in rows {
            let package = named(&digest, (pointer, informational, affected))?;
            packages.entry(digest).or_default().push(package);
        }
    }
    Ok(packages)
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

/// Components by ecosystem and package.
pub(crate) type ByPackage = BTreeMap<(String, String), Vec<ComponentRow>>;

fn by_package(rows: Vec<ComponentRow>) -> ByPackage {
    let mut components = ByPackage::new();
    for component in rows {
        let package = (component.ecosystem.clone(), component.package.clone());
        components.entry(package).or_default().push(component);
    }
    components
}

/// The components of some packages, each in the order of SBOMs and references.
pub(crate) async fn components_named(
    tx: &mut Tx,
    tenant: &TenantId,
    packages: &BTreeSet<(String, String)>,
) -> Result<ByPackage, StoreError> {
    if packages.is_empty() {
        return Ok(ByPackage::new());
    }
    let rows: Vec<_> = packages.iter().collect();
    let rows: Vec<ComponentRow> = fetch_rows!(
        tx,
        "SELECT c.ecosystem, c.package, c.sbom, c.reference, c.bom_ref, c.pointer, c.purl, \
         c.name, c.version",
        (
            "evidence.components",
            "c",
            "c.tenant = $1 AND c.ecosystem = r.value ->> 0 AND c.package = r.value ->> 1"
        ),
        "ORDER BY c.ecosystem, c.package, c.sbom, c.reference",
        [tenant.as_str(), list(&rows)?]
    )?;
    Ok(by_package(rows))
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
) -> Result<ByPackage, StoreError> {
    Ok(by_package(components_of(tx, tenant, sbom).await?))
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
