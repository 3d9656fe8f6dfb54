//! Findings, and the documents that speak to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;
use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_api::evidence::DocumentRecord;
use stella_service::{IdRange, Paging};
use stella_storage::{DbTime, StoreError, Tx, execute, on};

use super::rows::{TOGETHER, list, single};
use crate::moment::Moment;

/// What a finding repeats of its advisory.
#[derive(Clone, Debug)]
pub(crate) struct AdvisoryFacts {
    pub(crate) publisher: String,
    pub(crate) upstream_id: String,
    pub(crate) digest: String,
    pub(crate) identifiers: Vec<String>,
    pub(crate) summary: Option<String>,
}

/// A finding as it is stored; lists of texts are JSON arrays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub(crate) struct FindingRow {
    pub(crate) id: String,
    pub(crate) sbom: String,
    pub(crate) bom_ref: Option<String>,
    pub(crate) pointer: String,
    pub(crate) purl: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) publisher: String,
    pub(crate) upstream_id: String,
    pub(crate) advisory: String,
    pub(crate) advisory_pointer: String,
    pub(crate) verdict: String,
    pub(crate) rule: String,
    pub(crate) range: String,
    pub(crate) fixed_versions: String,
    pub(crate) informational: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) identifiers: String,
    /// The version of the rules that made it.
    pub(crate) derivation: i64,
}

impl FindingRow {
    /// The texts of a list in one of its columns.
    pub(crate) fn list(&self, column: &str, text: &str) -> Result<Vec<String>, StoreError> {
        serde_json::from_str(text).map_err(|error| self.unreadable(column, error))
    }

    /// What stands in a column is nothing that was derived.
    pub(crate) fn unreadable(&self, column: &str, reason: impl Display) -> StoreError {
        StoreError::unreadable(
            format!("finding {}", self.id),
            format!("{column}: {reason}"),
        )
    }
}

macro_rules! columns {
    () => {
        "id, sbom, bom_ref, pointer, purl, name, version, publisher, upstream_id, advisory, \
         advisory_pointer, verdict, rule, range, fixed_versions, informational, summary, \
         identifiers, derivation"
    };
}

/// Drops the findings of advisories, each a publisher and what it calls the advisory.
pub(crate) async fn drop_findings(
    tx: &mut Tx,
    tenant: &TenantId,
    advisories: &[(&str, &str)],
) -> Result<(), StoreError> {
    delete_rows!(
        tx,
        "evidence.findings",
        "t.tenant = $1 AND t.publisher = r.value ->> 0 AND t.upstream_id = r.value ->> 1",
        [tenant.as_str(), list(advisories)?]
    )?;
    Ok(())
}

/// The same in an SBOM alone.
pub(crate) async fn drop_findings_in(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
    advisories: &[(&str, &str)],
) -> Result<(), StoreError> {
    delete_rows!(
        tx,
        "evidence.findings",
        "t.tenant = $1 AND t.publisher = r.value ->> 0 AND t.upstream_id = r.value ->> 1 \
         AND t.sbom = $3",
        [tenant.as_str(), list(advisories)?, sbom]
    )?;
    Ok(())
}

/// The same in an SBOM, of whatever advisory.
pub(crate) async fn drop_findings_of_sbom(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        query("DELETE FROM evidence.findings WHERE tenant = $1 AND sbom = $2")
            .bind(tenant.as_str())
            .bind(sbom)
    )?;
    Ok(())
}

/// The advisories, by publisher and upstream id, that findings of an SBOM are of.
pub(crate) async fn found_in(
    tx: &mut Tx,
    tenant: &TenantId,
    sbom: &str,
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let found: Vec<(String, String)> = on!(tx, c => query_as(
        "SELECT DISTINCT publisher, upstream_id FROM evidence.findings \
         WHERE tenant = $1 AND sbom = $2",
    ).bind(tenant.as_str()).bind(sbom).fetch_all(c))?;
    Ok(found.into_iter().collect())
}

/// The findings of a publisher's advisory.
pub(crate) async fn findings_of(
    tx: &mut Tx,
    tenant: &TenantId,
    publisher: &str,
    upstream_id: &str,
) -> Result<Vec<FindingRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM evidence.findings \
         WHERE tenant = $1 AND publisher = $2 AND upstream_id = $3",
    )).bind(tenant.as_str()).bind(publisher).bind(upstream_id).fetch_all(c))?)
}

/// Keeps findings, whatever stood under their ids.
pub(crate) async fn put_findings(
    tx: &mut Tx,
    tenant: &TenantId,
    rows: &[&FindingRow],
) -> Result<(), StoreError> {
    for rows in rows.chunks(TOGETHER) {
        insert_rows!(
            &mut *tx,
            concat!(
                "INSERT INTO evidence.findings (tenant, ",
                columns!(),
                ") SELECT $1, r.value ->> 'id', r.value ->> 'sbom', r.value ->> 'bom_ref', \
                 r.value ->> 'pointer', r.value ->> 'purl', r.value ->> 'name', \
                 r.value ->> 'version', r.value ->> 'publisher', r.value ->> 'upstream_id', \
                 r.value ->> 'advisory', r.value ->> 'advisory_pointer', r.value ->> 'verdict', \
                 r.value ->> 'rule', r.value ->> 'range', r.value ->> 'fixed_versions', \
                 r.value ->> 'informational', r.value ->> 'summary', r.value ->> 'identifiers', \
                 CAST(r.value ->> 'derivation' AS bigint)",
            ),
            "WHERE true ON CONFLICT (tenant, id) DO UPDATE SET sbom = excluded.sbom, \
             bom_ref = excluded.bom_ref, pointer = excluded.pointer, purl = excluded.purl, \
             name = excluded.name, version = excluded.version, publisher = excluded.publisher, \
             upstream_id = excluded.upstream_id, advisory = excluded.advisory, \
             advisory_pointer = excluded.advisory_pointer, verdict = excluded.verdict, \
             rule = excluded.rule, range = excluded.range, \
             fixed_versions = excluded.fixed_versions, informational = excluded.informational, \
             summary = excluded.summary, identifiers = excluded.identifiers, \
             derivation = excluded.derivation",
            [tenant.as_str(), list(rows)?]
        )?;
    }
    Ok(())
}

/// Which findings a list shows; what is not said does not narrow it.
#[derive(Debug, Default)]
pub(crate) struct FindingFilter {
    pub(crate) sbom: Option<String>,
    /// In lower case.
    pub(crate) vulnerability: Option<String>,
    /// Package URLs and versions, as SBOMs write them.
    pub(crate) components: Option<Vec<(String, String)>>,
    pub(crate) publisher: Option<String>,
    pub(crate) verdict: Option<&'static str>,
    /// Whether a version is known that ends it.
    pub(crate) fixable: Option<bool>,
}

impl FindingFilter {
    /// What the list's own statement asks of the columns of a row.
    pub(crate) fn admits(&self, row: &FindingRow) -> bool {
        let component = (row.purl.clone(), row.version.clone());
        let fixable = row.fixed_versions != "[]";
        (self.components.as_ref()).is_none_or(|named| named.contains(&component))
            && (self.publisher.as_ref()).is_none_or(|publisher| *publisher == row.publisher)
            && self.verdict.is_none_or(|verdict| verdict == row.verdict)
            && self.fixable.is_none_or(|asked| asked == fixable)
    }
}

/// Findings by id: those of the highest revision of each SBOM, or of the one that is asked for.
/// Revisions of an SBOM are counted in whole numbers, of which the longer text is the higher;
/// documents that claim the same one are all shown, for neither is known to be the truth.
pub(crate) async fn findings(
    tx: &mut Tx,
    tenant: &TenantId,
    filter: &FindingFilter,
    paging: &Paging<String>,
) -> Result<Vec<FindingRow>, StoreError> {
    // A list that is bound is JSON, and either engine takes it apart in its own way.
    macro_rules! narrowed {
        ($components:literal) => {
            concat!(
                "SELECT ", columns!(), " FROM evidence.findings f WHERE tenant = $1 AND id > $2 \
                 AND (sbom = $3 OR ($3 IS NULL AND EXISTS ( \
                      SELECT 1 FROM evidence.provenance p WHERE p.tenant = $1 \
                      AND p.digest = f.sbom AND NOT EXISTS ( \
                        SELECT 1 FROM evidence.provenance newer WHERE newer.tenant = $1 \
                        AND newer.kind = p.kind AND newer.publisher = p.publisher \
                        AND newer.upstream_id = p.upstream_id \
                        AND (length(newer.document_version), newer.document_version) \
                          > (length(p.document_version), p.document_version))))) \
                 AND ($4 IS NULL OR (purl, version) IN (", $components, ")) \
                 AND ($5 IS NULL OR EXISTS (SELECT 1 FROM evidence.names n WHERE n.tenant = $1 \
                      AND lower(n.identifier) = $5 AND n.digest = f.advisory)) \
                 AND ($6 IS NULL OR publisher = $6) AND ($7 IS NULL OR verdict = $7) \
                 AND ($8 IS NULL OR $8 = (fixed_versions <> '[]')) \
                 ORDER BY id LIMIT $9",
            )
        };
    }
    let after = paging.after.clone().unwrap_or_default();
    let components = filter.components.as_ref().map(list).transpose()?;
    Ok(on!(tx,
        postgres c => query_as(narrowed!(
            "SELECT one ->> 0, one ->> 1 FROM jsonb_array_elements(CAST($4 AS jsonb)) one"
        )).bind(tenant.as_str()).bind(&after).bind(filter.sbom.as_deref())
            .bind(components.as_deref()).bind(filter.vulnerability.as_deref())
            .bind(filter.publisher.as_deref()).bind(filter.verdict).bind(filter.fixable)
            .bind(paging.limit()).fetch_all(c),
        sqlite c => query_as(narrowed!(
            "SELECT value ->> 0, value ->> 1 FROM json_each($4)"
        )).bind(tenant.as_str()).bind(&after).bind(filter.sbom.as_deref())
            .bind(components.as_deref()).bind(filter.vulnerability.as_deref())
            .bind(filter.publisher.as_deref()).bind(filter.verdict).bind(filter.fixable)
            .bind(paging.limit()).fetch_all(c),
    )?)
}

/// The findings of some ids.
pub(crate) async fn findings_named(
    tx: &mut Tx,
    tenant: &TenantId,
    ids: &BTreeSet<String>,
) -> Result<Vec<FindingRow>, StoreError> {
    Ok(fetch_rows!(
        tx,
        concat!("SELECT ", columns!()),
        (
            "evidence.findings",
            "f",
            "f.tenant = $1 AND f.id = r.value ->> 0"
        ),
        "",
        [tenant.as_str(), single(ids)?]
    )?)
}

/// At most two findings whose ids lie in a range.
pub(crate) async fn findings_between(
    tx: &mut Tx,
    tenant: &TenantId,
    range: &IdRange,
) -> Result<Vec<FindingRow>, StoreError> {
    Ok(on!(tx, c => query_as(concat!(
        "SELECT ", columns!(), " FROM evidence.findings \
         WHERE tenant = $1 AND id >= $2 AND id < $3 ORDER BY id LIMIT 2",
    )).bind(tenant.as_str()).bind(&range.from).bind(&range.to).fetch_all(c))?)
}

/// Whether an advisory of a moment names an id, in any case.
pub(crate) async fn has_advisory_on(
    tx: &mut Tx,
    tenant: &TenantId,
    identifier: &str,
    at: Moment,
) -> Result<bool, StoreError> {
    let found: Option<i64> = on!(tx, c => query_scalar(concat!(
        "SELECT CAST(1 AS bigint) WHERE EXISTS (SELECT 1 FROM evidence.names n \
         JOIN evidence.provenance p ON p.tenant = n.tenant AND p.digest = n.digest \
         WHERE n.tenant = $1 AND lower(n.identifier) = $2 AND p.kind = 'advisory' \
         AND ", seen_by!("$3", "$4"), ")",
    )).bind(tenant.as_str()).bind(identifier.to_ascii_lowercase())
        .bind(DbTime(at.as_of)).bind(DbTime(at.known_at)).fetch_optional(c))?;
    Ok(found.is_some())
}

/// Whether there is anything that findings of a moment could come from: an SBOM and an advisory.
pub(crate) async fn has_ground(
    tx: &mut Tx,
    tenant: &TenantId,
    at: Moment,
) -> Result<bool, StoreError> {
    macro_rules! any {
        ($kind:literal) => {
            concat!(
                "EXISTS (SELECT 1 FROM evidence.provenance p WHERE p.tenant = $1 AND p.kind = '",
                $kind,
                "' AND ",
                seen_by!("$2", "$3"),
                ")"
            )
        };
    }
    let found: Option<i64> = on!(tx, c => query_scalar(concat!(
        "SELECT CAST(1 AS bigint) WHERE ", any!("sbom"), " AND ", any!("advisory"),
    )).bind(tenant.as_str()).bind(DbTime(at.as_of)).bind(DbTime(at.known_at)).fetch_optional(c))?;
    Ok(found.is_some())
}

/// A document that speaks to a finding.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct SourceRow {
    pub(crate) kind: String,
    pub(crate) digest: String,
    pub(crate) publisher: String,
    pub(crate) upstream_id: String,
}

/// The newest revisions of documents that name any of some ids, by the ids.
pub(crate) async fn speaking_of(
    tx: &mut Tx,
    tenant: &TenantId,
    identifiers: &BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<SourceRow>>, StoreError> {
    let naming = naming_any(tx, tenant, identifiers).await?;
    let heads: Vec<SourceRow> = fetch_rows!(
        tx,
        "SELECT h.kind, h.digest, h.publisher, h.upstream_id",
        (
            "evidence.heads",
            "h",
            "h.tenant = $1 AND h.digest = r.value ->> 0 AND h.kind IN ('advisory', 'vex')"
        ),
        "",
        [tenant.as_str(), single(naming.keys())?]
    )?;
    Ok(by_identifier(&naming, heads))
}

/// The digests of documents that name any of some ids, in whichever revision, each with the ids.
pub(super) async fn naming_any(
    tx: &mut Tx,
    tenant: &TenantId,
    identifiers: &BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let named: Vec<(String, String)> = fetch_rows!(
        tx,
        "SELECT n.digest, n.identifier",
        (
            "evidence.names",
            "n",
            "n.tenant = $1 AND n.identifier = r.value ->> 0"
        ),
        "",
        [tenant.as_str(), single(identifiers)?]
    )?;
    let mut naming: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (digest, identifier) in named {
        naming.entry(digest).or_default().push(identifier);
    }
    Ok(naming)
}

/// Documents by the ids that they name.
pub(super) fn by_identifier(
    naming: &BTreeMap<String, Vec<String>>,
    documents: Vec<SourceRow>,
) -> BTreeMap<String, Vec<SourceRow>> {
    let mut speaking: BTreeMap<String, Vec<SourceRow>> = BTreeMap::new();
    for document in documents {
        for identifier in naming.get(&document.digest).into_iter().flatten() {
            let of_id = speaking.entry(identifier.clone()).or_default();
            of_id.push(document.clone());
        }
    }
    speaking
}

/// The newest revision of every KEV catalogue: that one does not list an id is known from it too.
/// Other signals have the same kind, and what tells them apart stands in their records. A head whose
/// record is not there, or not to be read, stays, and is told as corrupt by who reads it.
pub(crate) async fn catalogue_heads(
    tx: &mut Tx,
    tenant: &TenantId,
) -> Result<Vec<SourceRow>, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Head {
        #[sqlx(flatten)]
        source: SourceRow,
        record: Option<String>,
    }
    let heads: Vec<Head> = on!(tx, c => query_as(
        "SELECT h.kind, h.digest, h.publisher, h.upstream_id, p.record FROM evidence.heads h \
         LEFT JOIN evidence.provenance p ON p.tenant = h.tenant AND p.digest = h.digest \
         AND p.publisher = h.publisher \
         WHERE h.tenant = $1 AND h.kind = 'signal' \
         ORDER BY h.digest, h.publisher, h.upstream_id, p.stream",
    ).bind(tenant.as_str()).fetch_all(c))?;
    let heads = heads.into_iter();
    let mut sources: Vec<SourceRow> = heads
        .filter(|head| !head.record.as_deref().is_some_and(is_no_catalogue))
        .map(|head| head.source)
        .collect();
    // A document of two streams has two records.
    sources.dedup();
    Ok(sources)
}

/// Whether the record of a signal is that of another one.
pub(super) fn is_no_catalogue(record: &str) -> bool {
    serde_json::from_str::<DocumentRecord>(record)
        .is_ok_and(|record| record.content.format != "kev")
}

/// Who published some documents: every record of them, the first of each first.
pub(crate) async fn provenance_of(
    tx: &mut Tx,
    tenant: &TenantId,
    digests: &BTreeSet<String>,
) -> Result<Vec<SourceRow>, StoreError> {
    Ok(fetch_rows!(
        tx,
        "SELECT p.kind, p.digest, p.publisher, p.upstream_id",
        (
            "evidence.provenance",
            "p",
            "p.tenant = $1 AND p.digest = r.value ->> 0"
        ),
        "ORDER BY p.digest, p.publisher, p.stream",
        [tenant.as_str(), single(digests)?]
    )?)
}
