//! Rows that no stored document stands for: derived ones, and bytes that nobody brought.

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_storage::{StoreError, Tx, execute, on};

/// Each derived table, the document that a row of it is of, and when that is not stored.
macro_rules! each_stray {
    ($($table:literal, $document:literal, $unless:literal;)*) => {
        /// At most `limit` of them a table: the table, and the document that a row is of.
        pub(crate) async fn strays(
            tx: &mut Tx,
            tenant: &TenantId,
            limit: u32,
        ) -> Result<Vec<(&'static str, String)>, StoreError> {
            let mut strays = Vec::new();
            $({
                let found: Vec<(String,)> = on!(&mut *tx, c => query_as(concat!(
                    "SELECT ", $document, " FROM evidence.", $table, " d WHERE d.tenant = $1 \
                     AND NOT EXISTS (SELECT 1 FROM ", $unless, ") LIMIT $2",
                )).bind(tenant.as_str()).bind(i64::from(limit)).fetch_all(c))?;
                strays.extend(found.into_iter().map(|(document,)| ($table, document)));
            })*
            Ok(strays)
        }

        /// Takes them away; says how many there were.
        pub(crate) async fn drop_strays(
            tx: &mut Tx,
            tenant: &TenantId,
        ) -> Result<u64, StoreError> {
            let mut dropped = 0;
            $(dropped += execute!(
                &mut *tx,
                query(concat!(
                    "DELETE FROM evidence.", $table, " AS d WHERE d.tenant = $1 \
                     AND NOT EXISTS (SELECT 1 FROM ", $unless, ")",
                ))
                .bind(tenant.as_str())
            )?;)*
            Ok(dropped)
        }
    };
}

each_stray! {
    "names", "digest", "evidence.provenance p WHERE p.tenant = $1 AND p.digest = d.digest";
    "packages", "digest", "evidence.provenance p WHERE p.tenant = $1 AND p.digest = d.digest";
    "components", "sbom", "evidence.provenance p WHERE p.tenant = $1 AND p.digest = d.sbom";
    "heads", "digest", "evidence.provenance p WHERE p.tenant = $1 AND p.kind = d.kind \
        AND p.publisher = d.publisher AND p.upstream_id = d.upstream_id AND d.kind <> 'sbom'";
    "findings", "advisory", "evidence.provenance p WHERE p.tenant = $1 AND p.kind = 'advisory' \
        AND p.publisher = d.publisher AND p.upstream_id = d.upstream_id";
    "derivations_due", "digest", "evidence.provenance p WHERE p.tenant = $1 AND p.kind = d.kind \
        AND p.publisher = d.publisher AND p.upstream_id = d.upstream_id AND p.digest = d.digest";
}

/// At most `limit` raw documents that nothing says the origin of, neither provenance nor the log.
pub(crate) async fn orphans(
    tx: &mut Tx,
    tenant: &TenantId,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    Ok(on!(tx, c => query_scalar(
        "SELECT digest FROM evidence.raw_documents r WHERE tenant = $1 \
         AND NOT EXISTS (SELECT 1 FROM evidence.provenance p \
             WHERE p.tenant = $1 AND p.digest = r.digest) \
         AND NOT EXISTS (SELECT 1 FROM evidence.log_entries e \
             WHERE e.tenant = $1 AND e.log = 'changes' AND e.subject = r.digest) \
         ORDER BY digest LIMIT $2",
    ).bind(tenant.as_str()).bind(i64::from(limit)).fetch_all(c))?)
}
