//! Statements over many rows at once, a round trip for all of them.
//!
//! What is bound second is a JSON array of rows, each an array of its columns; either engine takes
//! it apart in its own way, as `r.value`, row after row.

use serde::Serialize;
use stella_storage::StoreError;

/// Up to so many documents, planning a statement takes longer than a plan that does not fit.
pub(crate) const FEW: usize = 8;

/// So many rows are bound at once: memory is bounded, however much a document names.
pub(super) const TOGETHER: usize = 1000;

/// A list of texts in one column, or of texts or rows bound to a statement.
pub(crate) fn list(items: &(impl Serialize + ?Sized)) -> Result<String, StoreError> {
    serde_json::to_string(items).map_err(|error| StoreError::unreadable("list", error))
}

/// Texts bound to a statement as rows of one column.
pub(super) fn single(
    texts: impl IntoIterator<Item = impl Serialize>,
) -> Result<String, StoreError> {
    list(&texts.into_iter().map(|text| [text]).collect::<Vec<_>>())
}

/// Inserts, and says how many:
/// `insert_rows!(tx, "INSERT INTO t SELECT $1, r.value ->> 0", "WHERE true", [tenant, &rows])`.
macro_rules! insert_rows {
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

/// Fetches what a statement finds to its rows: what is selected, from which table under which name,
/// by which keys, and what follows.
///
/// Each row is looked up for itself. How many rows a tenant has, PostgreSQL can only guess, and it
/// went through all of them where it guessed few: `OFFSET 0` keeps it from turning the look-ups into
/// such a join, as `CROSS JOIN` does SQLite.
macro_rules! fetch_rows {
    ($tx:expr, $select:expr, ($table:literal, $name:literal, $keys:expr), $after:literal,
     [$tenant:expr, $rows:expr $(, $bind:expr)*]) => {{
        let (tenant, rows) = ($tenant, $rows);
        stella_storage::on!($tx,
            postgres c => sqlx::query_as(concat!(
                $select, " FROM jsonb_array_elements(CAST($2 AS jsonb)) AS r(value) \
                 CROSS JOIN LATERAL (SELECT * FROM ", $table, " ", $name, " WHERE ", $keys,
                " OFFSET 0) ", $name, " ", $after
            )).bind(tenant).bind(rows)$(.bind($bind))*.fetch_all(c),
            sqlite c => sqlx::query_as(concat!(
                // `json_each` has an `id` of its own.
                $select, " FROM (SELECT value FROM json_each($2)) AS r CROSS JOIN ", $table, " ", $name,
                " WHERE ", $keys, " ", $after
            )).bind(tenant).bind(rows)$(.bind($bind))*.fetch_all(c),
        )
    }};
}

/// That a row of a table is of the tenant and of an origin: digest, publisher and stream.
macro_rules! by_origin {
    ($name:literal) => {
        concat!(
            $name,
            ".tenant = $1 AND ",
            $name,
            ".digest = r.value ->> 0 AND ",
            $name,
            ".publisher = r.value ->> 1 AND ",
            $name,
            ".stream = r.value ->> 2"
        )
    };
}

/// Deletes what is found by the keys of each row, likewise.
macro_rules! delete_rows {
    ($tx:expr, $table:literal, $keys:literal, [$tenant:expr, $rows:expr $(, $bind:expr)*]) => {{
        let (tenant, rows) = ($tenant, $rows);
        stella_storage::on!($tx,
            postgres c => async {
                let query = sqlx::query(concat!(
                    "DELETE FROM ", $table, " WHERE ctid = ANY (ARRAY(SELECT found.ctid \
                     FROM jsonb_array_elements(CAST($2 AS jsonb)) AS r(value) \
                     CROSS JOIN LATERAL (SELECT t.ctid FROM ", $table, " t WHERE ", $keys,
                    " OFFSET 0) found))"
                ));
                let query = query.bind(tenant).bind(rows)$(.bind($bind))*;
                query.execute(c).await.map(|done| done.rows_affected())
            },
            sqlite c => async {
                let query = sqlx::query(concat!(
                    "DELETE FROM ", $table, " WHERE rowid IN (SELECT t.rowid \
                     FROM json_each($2) AS r CROSS JOIN ", $table, " t WHERE ", $keys, ")"
                ));
                let query = query.bind(tenant).bind(rows)$(.bind($bind))*;
                query.execute(c).await.map(|done| done.rows_affected())
            },
        )
    }};
}
