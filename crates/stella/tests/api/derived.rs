//! All that Evidence derived in a tenant, as one digest.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, query_scalar};
use stella_canonical::{Digest, canonical};
use stella_context::{Clock, SystemContext};
use stella_storage::on;

use crate::world::World;

/// Every derived table with its columns but the tenant.
const TABLES: &[(&str, &str)] = &[
    ("names", "identifier, digest"),
    (
        "packages",
        "ecosystem, package, digest, position, pointer, informational, affected",
    ),
    (
        "components",
        "ecosystem, package, sbom, reference, bom_ref, pointer, purl, name, version",
    ),
    ("heads", "kind, publisher, upstream_id, digest"),
    (
        "findings",
        "id, sbom, bom_ref, pointer, purl, name, version, publisher, upstream_id, advisory, \
         advisory_pointer, verdict, rule, range, fixed_versions, informational, summary, \
         identifiers, derivation",
    ),
    ("derivations_due", "kind, publisher, upstream_id, digest"),
];

/// The digest of the rows of all derived tables, which says nothing of the tenant, the engine or
/// the order in which they were written.
pub async fn digest(world: &World, tenant: &str) -> Digest {
    let tenant = tenant.parse().unwrap();
    let system = SystemContext::new("test", Clock::System);
    let evidence = &world.databases.evidence;
    let mut tx = evidence.system_in(&system, &tenant).await.unwrap();
    let mut all = BTreeMap::new();
    for (table, columns) in TABLES {
        let select = |array: &str| {
            AssertSqlSafe(format!(
                "SELECT CAST({array}({columns}) AS text) FROM evidence.{table} WHERE tenant = $1"
            ))
        };
        let rows: Vec<String> = on!(&mut tx,
            postgres c => query_scalar(select("json_build_array"))
                .bind(tenant.as_str()).fetch_all(c),
            sqlite c => query_scalar(select("json_array")).bind(tenant.as_str()).fetch_all(c),
        )
        .unwrap();
        let read = |row: &String| serde_json::from_str::<Value>(row).unwrap().to_string();
        let mut rows: Vec<String> = rows.iter().map(read).collect();
        rows.sort();
        all.insert(*table, rows);
    }
    assert_eq!(all["derivations_due"], [""; 0], "of {tenant}");
    Digest::of(&canonical(&all).unwrap())
}
