//! Every SQL statement of the logs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar, raw_sql};
use stella_api::TenantId;
use stella_canonical::Digest;
use stella_context::SystemContext;
use stella_storage::{DbTime, StoreError, Tx, execute, on};

use super::{Asked, Logs, Sealed};

/// How many ids are compared at a time.
const TOGETHER: i64 = 1000;

/// An entry that waits for its position.
#[derive(sqlx::FromRow)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) subject: String,
    pub(super) recorded_at: DbTime,
    pub(super) entry: String,
}

/// A position as it stands in the tables; one that lost its entry has none.
#[derive(sqlx::FromRow)]
struct PositionRow {
    position: i64,
    hash: String,
    subject: Option<String>,
    recorded_at: Option<DbTime>,
    entry: Option<String>,
}

/// A position, with the entry that is there.
pub(super) struct Row {
    pub(super) position: u64,
    pub(super) hash: String,
    pub(super) entry: Option<(String, Timestamp, String)>,
}

/// Where a log ends, as it stands in the tables.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Head {
    pub(super) size: i64,
    pub(super) last: Option<String>,
    pub(super) subtrees: String,
    pub(super) envelope: Option<String>,
}

/// An entry with what the sealer made of it.
pub(super) struct Numbered {
    pub(super) position: u64,
    pub(super) id: i64,
    pub(super) hash: Digest,
}

/// How much waits, and for how long by the database's clock.
#[derive(sqlx::FromRow)]
pub(super) struct Waits {
    pub(super) count: i64,
    pub(super) oldest_seconds: Option<i64>,
}

/// Adds entries, each what it is about and its text, in their order: that of their ids.
pub(super) async fn add_entries(
    tx: &mut Tx,
    (schema, tenant): (&'static str, &TenantId),
    (log, recorded_at): (&'static str, Timestamp),
    entries: &[(&str, String)],
) -> Result<(), StoreError> {
    let statement = |rows| {
        AssertSqlSafe(format!(
            "INSERT INTO {schema}.log_entries (tenant, log, subject, recorded_at, entry) \
             SELECT $1, $2, r.value ->> 0, $3, r.value ->> 1 FROM {rows}"
        ))
    };
    let rows = serde_json::to_string(entries);
    let rows = rows.map_err(|error| StoreError::unreadable("entries", error))?;
    let (tenant, at) = (tenant.as_str(), DbTime(recorded_at));
    match tx {
        Tx::Postgres(tx) => {
            let rows_of = "jsonb_array_elements(CAST($4 AS jsonb)) AS r(value)";
            let query = query(statement(rows_of)).bind(tenant).bind(log);
            query.bind(at).bind(rows).execute(&mut **tx).await?;
        }
        Tx::Sqlite(tx) => {
            let query = query(statement("json_each($4) AS r"))
                .bind(tenant)
                .bind(log);
            query.bind(at).bind(rows).execute(&mut **tx).await?;
        }
    }
    Ok(())
}

impl Logs {
    /// The logs of every tenant in which something waits.
    pub(super) async fn unsealed(
        &self,
        system: &SystemContext,
    ) -> Result<Vec<(TenantId, String)>, StoreError> {
        let statement = format!(
            "SELECT DISTINCT tenant, log FROM {}.unsealed ORDER BY tenant, log",
            self.schema
        );
        let mut tx = self.db.system_read(system).await?;
        let rows: Vec<(String, String)> =
            on!(&mut tx, c => query_as(AssertSqlSafe(statement)).fetch_all(c))?;
        tx.commit().await?;
        let read = |(tenant, log): (String, String)| {
            let read = match tenant.as_str() {
                TenantId::INSTALLATION => Ok(TenantId::installation()),
                other => other.parse(),
            };
            read.map(|tenant| (tenant, log))
                .map_err(|error| StoreError::unreadable("tenant", error))
        };
        rows.into_iter().map(read).collect()
    }

    /// The head of a log, which nobody else has until the transaction ends; none where somebody
    /// has it. What a process holds that was stopped on its way, PostgreSQL lets go after
    /// `patience` milliseconds, and nothing of it is written.
    pub(super) async fn take_head(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        patience: u32,
    ) -> Result<Option<Head>, StoreError> {
        let read = self.select_head();
        let locked = format!("{read} FOR UPDATE SKIP LOCKED");
        let limit = format!("SET LOCAL idle_in_transaction_session_timeout = {patience}");
        if let Tx::Postgres(_) = tx {
            execute!(&mut *tx, raw_sql(AssertSqlSafe(limit.clone())))?;
        }
        // SQLite has one writer, and that is this transaction.
        let head: Option<Head> = on!(&mut *tx,
            postgres c => query_as(AssertSqlSafe(locked))
                .bind(tenant.as_str()).bind(log).fetch_optional(c),
            sqlite c => query_as(AssertSqlSafe(read))
                .bind(tenant.as_str()).bind(log).fetch_optional(c),
        )?;
        if head.is_some() {
            return Ok(head);
        }
        let statement = format!(
            "INSERT INTO {}.log_heads (tenant, log, size, subtrees) VALUES ($1, $2, 0, '[]') \
             ON CONFLICT DO NOTHING",
            self.schema
        );
        let made = execute!(
            tx,
            query(AssertSqlSafe(statement))
                .bind(tenant.as_str())
                .bind(log)
        )?;
        Ok((made == 1).then(Head::none))
    }

    pub(super) async fn head(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
    ) -> Result<Option<Head>, StoreError> {
        let statement = self.select_head();
        Ok(on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).fetch_optional(c))?)
    }

    fn select_head(&self) -> String {
        format!(
            "SELECT size, last, subtrees, envelope FROM {}.log_heads \
             WHERE tenant = $1 AND log = $2",
            self.schema
        )
    }

    /// What waits in a log, in the order in which it was added.
    pub(super) async fn waiting(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        limit: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        // PostgreSQL would go through the whole log for each where it guesses that it has one entry.
        let entries = format!("{}.log_entries e", self.schema);
        let same = "e.tenant = u.tenant AND e.log = u.log AND e.id = u.id";
        let entry = match tx {
            Tx::Postgres(_) => {
                format!("CROSS JOIN LATERAL (SELECT * FROM {entries} WHERE {same} OFFSET 0) e")
            }
            Tx::Sqlite(_) => format!("JOIN {entries} ON {same}"),
        };
        let statement = format!(
            "SELECT e.id, e.subject, e.recorded_at, e.entry FROM {}.unsealed u {entry} \
             WHERE u.tenant = $1 AND u.log = $2 ORDER BY u.id LIMIT $3",
            self.schema
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).bind(limit).fetch_all(c))?)
    }

    /// Gives positions; what has one waits no more.
    pub(super) async fn number(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        numbered: &[Numbered],
    ) -> Result<(), StoreError> {
        let rows: Vec<String> = (0..numbered.len())
            .map(|row| row * 3 + 3)
            .map(|at| format!("($1, $2, ${at}, ${}, ${})", at + 1, at + 2))
            .collect();
        let statement = format!(
            "INSERT INTO {}.sealed (tenant, log, position, id, hash) VALUES {}",
            self.schema,
            rows.join(", ")
        );
        execute!(
            &mut *tx,
            numbered.iter().fold(
                // There are as many such statements as there are numbers of rows.
                query(AssertSqlSafe(statement.clone()))
                    .persistent(false)
                    .bind(tenant.as_str())
                    .bind(log),
                |query, row| query
                    .bind(signed(row.position))
                    .bind(row.id)
                    .bind(row.hash.to_string())
            )
        )?;
        // By their ids, one by one: another may have come between them meanwhile.
        let ids: Vec<String> = (0..numbered.len())
            .map(|at| format!("${}", at + 3))
            .collect();
        let statement = format!(
            "DELETE FROM {}.unsealed WHERE tenant = $1 AND log = $2 AND id IN ({})",
            self.schema,
            ids.join(", ")
        );
        execute!(
            tx,
            numbered.iter().fold(
                query(AssertSqlSafe(statement.clone()))
                    .persistent(false)
                    .bind(tenant.as_str())
                    .bind(log),
                |query, row| query.bind(row.id)
            )
        )?;
        Ok(())
    }

    /// Moves the end of a log on; false where it is no longer where it was.
    pub(super) async fn move_head(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        (before, head): (i64, &Head),
    ) -> Result<bool, StoreError> {
        let statement = format!(
            "UPDATE {}.log_heads SET size = $3, last = $4, subtrees = $5, envelope = $6 \
             WHERE tenant = $1 AND log = $2 AND size = $7",
            self.schema
        );
        let moved = execute!(
            tx,
            query(AssertSqlSafe(statement))
                .bind(tenant.as_str())
                .bind(log)
                .bind(head.size)
                .bind(head.last.as_deref())
                .bind(&head.subtrees)
                .bind(head.envelope.as_deref())
                .bind(before)
        )?;
        Ok(moved == 1)
    }

    /// The positions of a log behind the first and up to the last of a span, in order.
    pub(super) async fn rows(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        (after, last): (u64, u64),
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let statement = format!(
            "SELECT s.position, s.hash, e.subject, e.recorded_at, e.entry FROM {0}.sealed s \
             LEFT JOIN {0}.log_entries e ON e.tenant = s.tenant AND e.log = s.log AND e.id = s.id \
             WHERE s.tenant = $1 AND s.log = $2 AND s.position > $3 AND s.position <= $4 \
             ORDER BY s.position LIMIT $5",
            self.schema
        );
        let rows: Vec<PositionRow> = on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).bind(signed(after)).bind(signed(last))
            .bind(i64::from(limit)).fetch_all(c))?;
        Ok(rows.into_iter().map(Row::of).collect())
    }

    /// The entries of a log that have their place and fit what is asked, by position.
    pub(crate) async fn found(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        (asked, limit): (&Asked, i64),
    ) -> Result<Vec<Sealed>, StoreError> {
        let (beyond, order) = match asked.oldest_first {
            true => (">", "ASC"),
            false => ("<", "DESC"),
        };
        let first = match asked.oldest_first {
            true => 0,
            false => u64::MAX,
        };
        let statement = format!(
            "SELECT s.position, s.hash, e.subject, e.recorded_at, e.entry FROM {0}.sealed s \
             JOIN {0}.log_entries e ON e.tenant = s.tenant AND e.log = s.log AND e.id = s.id \
             WHERE s.tenant = $1 AND s.log = $2 AND s.position {beyond} $3 \
             AND ($4 IS NULL OR e.subject = $4) AND ($5 IS NULL OR e.recorded_at >= $5) \
             AND ($6 IS NULL OR e.recorded_at < $6) ORDER BY s.position {order} LIMIT $7",
            self.schema
        );
        let rows: Vec<PositionRow> = on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).bind(signed(asked.behind.unwrap_or(first)))
            .bind(asked.subject.as_deref()).bind(asked.since.map(DbTime))
            .bind(asked.until.map(DbTime)).bind(limit).fetch_all(c))?;
        let read = rows.into_iter().map(Row::of).map(|row| {
            let what = format!("log {log} entry {}", row.position);
            row.sealed()
                .map_err(|reason| StoreError::unreadable(what, reason))
        });
        read.collect()
    }

    /// The end of a log and the last position that was given, which are the same unless
    /// somebody made them differ. One statement: another could see more than the first.
    pub(super) async fn ends(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
    ) -> Result<(Option<i64>, Option<i64>, i64), StoreError> {
        let statement = format!(
            "SELECT (SELECT size FROM {0}.log_heads WHERE tenant = $1 AND log = $2), \
             (SELECT max(position) FROM {0}.sealed WHERE tenant = $1 AND log = $2), \
             (SELECT count(*) FROM {0}.unsealed WHERE tenant = $1 AND log = $2)",
            self.schema
        );
        Ok(on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).fetch_one(c))?)
    }

    /// What was added to a log and neither has a place nor waits for one; then what waits and is
    /// not there, of which nothing more is known. In order of their ids, some at a time: without
    /// statistics PostgreSQL compares whole tables row by row.
    pub(super) async fn lost(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let added = "SELECT id, subject FROM {}.log_entries";
        let placed = "SELECT id FROM {}.sealed WHERE {in} UNION ALL SELECT id FROM {}.unsealed";
        let mut lost = self
            .unmatched(tx, (tenant, log), added, placed, limit)
            .await?;
        let waits = "SELECT id, '' FROM {}.unsealed";
        let there = "SELECT id FROM {}.log_entries";
        let left = limit.saturating_sub(lost.len());
        lost.extend(
            self.unmatched(tx, (tenant, log), waits, there, left)
                .await?,
        );
        Ok(lost)
    }

    /// Rows of the first statement whose ids the second, which is asked later, does not give.
    async fn unmatched(
        &self,
        tx: &mut Tx,
        (tenant, log): (&TenantId, &str),
        first: &str,
        second: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let own = "tenant = $1 AND log = $2";
        let within = format!("{own} AND id >= $3 AND id <= $4");
        let first = first.replace("{}", self.schema);
        let first = format!("{first} WHERE {own} AND id > $3 ORDER BY id LIMIT $4");
        let second = second.replace("{in}", &within).replace("{}", self.schema);
        let second = format!("{second} WHERE {within}");
        let (mut behind, mut lost) = (0i64, Vec::new());
        while lost.len() < limit {
            let rows: Vec<(i64, String)> = on!(&mut *tx, c => query_as(AssertSqlSafe(first.clone()))
                .bind(tenant.as_str()).bind(log).bind(behind).bind(TOGETHER).fetch_all(c))?;
            let (Some((from, _)), Some((to, _))) = (rows.first(), rows.last()) else {
                break;
            };
            let found: Vec<i64> = on!(&mut *tx, c => query_scalar(AssertSqlSafe(second.clone()))
                .bind(tenant.as_str()).bind(log).bind(from).bind(to).fetch_all(c))?;
            let found: BTreeSet<i64> = found.into_iter().collect();
            behind = *to;
            lost.extend(rows.into_iter().filter(|(id, _)| !found.contains(id)));
        }
        lost.truncate(limit);
        Ok(lost.into_iter().map(|(_, subject)| subject).collect())
    }

    /// The entries of the subjects from the first to the last.
    ///
    /// # Errors
    /// The database is away.
    pub async fn about(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: &str,
        (first, last): (&str, &str),
    ) -> Result<Vec<(String, String)>, StoreError> {
        let statement = format!(
            "SELECT subject, entry FROM {}.log_entries WHERE tenant = $1 AND log = $2 \
             AND subject >= $3 AND subject <= $4",
            self.schema
        );
        Ok(on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(tenant.as_str()).bind(log).bind(first).bind(last).fetch_all(c))?)
    }

    /// Of every tenant. The age is by the database's clock, which wrote the times.
    pub(super) async fn waits(&self, tx: &mut Tx) -> Result<Waits, StoreError> {
        let waits = |age: &str| {
            let schema = self.schema;
            AssertSqlSafe(format!(
                "SELECT count(*) AS count, {age} AS oldest_seconds FROM {schema}.unsealed"
            ))
        };
        Ok(on!(tx,
            postgres c => query_as(waits(
                "CAST(extract(epoch FROM clock_timestamp() - min(since)) AS bigint)",
            )).fetch_one(c),
            sqlite c => query_as(waits("unixepoch() - min(since) / 1000000")).fetch_one(c),
        )?)
    }
}

impl Head {
    fn none() -> Self {
        Self {
            size: 0,
            last: None,
            subtrees: "[]".to_owned(),
            envelope: None,
        }
    }
}

impl Waiting {
    /// The entry, at a position.
    pub(super) fn at(&self, position: u64) -> Result<Sealed, String> {
        sealed(position, &self.subject, self.recorded_at.0, &self.entry)
    }
}

impl Row {
    fn of(row: PositionRow) -> Self {
        let of = |subject, at: DbTime, entry| (subject, at.0, entry);
        let parts = row.subject.zip(row.recorded_at).zip(row.entry);
        Self {
            position: u64::try_from(row.position).unwrap_or_default(),
            hash: row.hash,
            entry: parts.map(|((subject, at), entry)| of(subject, at, entry)),
        }
    }

    /// The entry.
    pub(super) fn sealed(&self) -> Result<Sealed, String> {
        let (subject, at, entry) = self.entry.as_ref().ok_or("it is not there")?;
        sealed(self.position, subject, *at, entry)
    }
}

fn sealed(position: u64, subject: &str, at: Timestamp, entry: &str) -> Result<Sealed, String> {
    let entry = stella_canonical::json::parse(entry.as_bytes());
    Ok(Sealed {
        position,
        subject: subject.to_owned(),
        recorded_at: at,
        entry: entry.map_err(|error| error.to_string())?,
    })
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
