//! Statements over many rows at once, a round trip for all of them.
//!
//! What is bound second is a JSON array of rows, each an array of its columns; either engine takes
//! it apart in its own way, as `r.value`, row after row. `CROSS JOIN` behind it is a look-up a row:
//! SQLite never turns it around.

use serde::Serialize;
use stella_storage::StoreError;

/// So many rows are bound at once: memory is bounded, however much a document names.
pub(super) const TOGETHER: usize = 1000;

/// The rows as they are bound.
pub(super) fn bound(rows: &[impl Serialize]) -> Result<String, StoreError> {
    super::list(&rows)
}

/// Executes a statement whose rows come between two parts of it, and says how many it touched:
/// `execute_rows!(tx, "INSERT INTO t SELECT $1, r.value ->> 0", "WHERE true", [tenant, &rows])`.
macro_rules! execute_rows {
    ($tx:expr, $before:expr, $after:expr, [$tenant:expr, $rows:expr $(, $bind:expr)*]) => {{
        let (tenant, rows) = ($tenant, $rows);
        stella_storage::on!($tx,
            postgres c => async {
                let query = sqlx::query(concat!(
                    $before, " FROM jsonb_array_elements(CAST($2 AS jsonb)) AS r(value) ", $after
                ));
                let query = query.bind(tenant).bind(rows)$(.bind($bind))*;
                query.execute(c).await.map(|done| done.rows_affected())
            },
            sqlite c => async {
                let query = sqlx::query(concat!($before, " FROM json_each($2) AS r ", $after));
                let query = query.bind(tenant).bind(rows)$(.bind($bind))*;
                query.execute(c).await.map(|done| done.rows_affected())
            },
        )
    }};
}

/// Fetches what a statement finds to its rows.
macro_rules! fetch_rows {
    ($tx:expr, $before:expr, $after:expr, [$tenant:expr, $rows:expr $(, $bind:expr)*]) => {{
        let (tenant, rows) = ($tenant, $rows);
        stella_storage::on!($tx,
            postgres c => sqlx::query_as(concat!(
                $before, " FROM jsonb_array_elements(CAST($2 AS jsonb)) AS r(value) ", $after
            )).bind(tenant).bind(rows)$(.bind($bind))*.fetch_all(c),
            sqlite c => sqlx::query_as(concat!($before, " FROM json_each($2) AS r ", $after))
                .bind(tenant).bind(rows)$(.bind($bind))*.fetch_all(c),
        )
    }};
}
