//! First answers as rows of a service's own schema.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, query, query_as};
use stella_context::OpContext;
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};
use tokio::runtime::Handle;
use tokio::time::{interval, timeout};

/// How long a first answer is given again.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How often it is tried to let a key go while the database is away.
const AGAIN: Duration = Duration::from_secs(1);
/// How many rows whose time is over one request takes away.
const SWEPT: i64 = 100;

/// Where a service keeps the first answers to requests with an `Idempotency-Key`: the table
/// `<schema>.idempotency_keys (tenant, client, subject, route, key, request, reserved_at, status,
/// headers, body)`, in which a row without a status is a request that is being answered.
#[derive(Clone, Debug)]
pub struct FirstAnswers {
    db: Db,
    schema: &'static str,
    /// What this process has still to let go of, as where the database was away, and since when it
    /// holds it: here it is free.
    left: Arc<Mutex<BTreeMap<Place, Timestamp>>>,
}

/// Tenant, client, subject, route and key.
type Place = [String; 5];

/// A request with a key.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Method and path template.
    pub(super) route: String,
    /// The key.
    pub(super) key: String,
    /// The digest of what the request says.
    pub(super) request: String,
    /// For so long it may be worked on.
    pub(super) lease: SignedDuration,
}

impl Asked {
    fn place(&self, op: &OpContext) -> Place {
        let actor = op.actor();
        let tenant = op.tenant().as_str();
        [
            tenant,
            &actor.client_id,
            &actor.subject,
            &self.route,
            &self.key,
        ]
        .map(str::to_owned)
    }
}

/// An answer as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What became of a key before.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing: it is this request's now.
    Nothing(Box<Reservation>),
    /// The same request was answered.
    Answered(Kept),
    /// Another request came with it.
    OtherRequest,
    /// The same request is being answered, since then.
    InProgress(Timestamp),
}

#[derive(sqlx::FromRow)]
struct Row {
    request: String,
    reserved_at: DbTime,
    status: Option<i64>,
    headers: Option<String>,
    body: Option<Vec<u8>>,
}

impl FirstAnswers {
    /// Those of a schema.
    #[must_use]
    pub fn new(db: Db, schema: &'static str) -> Self {
        Self {
            db,
            schema,
            left: Arc::default(),
        }
    }

    /// Whoever panicked with it left a whole map.
    fn left(&self) -> MutexGuard<'_, BTreeMap<Place, Timestamp>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the key for a request, or tells what became of it before. Of several that ask at
    /// once, in whatever processes, one takes it.
    pub(super) async fn reserve(
        &self,
        op: &OpContext,
        asked: Asked,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let mut tx = self.db.write(op).await?;
        let row = loop {
            if self.take(&mut tx, op, &asked, now).await? {
                break None;
            }
            // None where it was let go between the two statements: it is free now.
            if let Some(row) = self.row(&mut tx, op, &asked).await? {
                break Some(row);
            }
        };
        let found = match row {
            Some(row) => row.found(&asked),
            // Before the commit: one that fails may have been done all the same.
            None => Ok(Found::Nothing(Box::new(Reservation {
                answers: self.clone(),
                op: op.clone(),
                asked,
                at: now,
                settled: false,
            }))),
        };
        // Last: whoever waits for the key above holds nothing that another could wait for.
        self.sweep(&mut tx, op, now).await?;
        tx.commit().await?;
        found
    }

    /// A key is free where it never came, where its answer is old, and where the same request
    /// was left without an answer: for longer than a lease, or further ahead than one, which says
    /// that the clock was put back since. It is free, too, where this process is about to let it go.
    async fn take(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let left = self.left().get(&asked.place(op)).copied();
        let statement = format!(
            "INSERT INTO {}.idempotency_keys AS held \
             (tenant, client, subject, route, key, request, reserved_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (tenant, client, subject, route, key) DO UPDATE \
             SET request = excluded.request, reserved_at = excluded.reserved_at, \
             status = NULL, headers = NULL, body = NULL \
             WHERE held.reserved_at < $8 OR (held.status IS NULL AND held.request = excluded.request \
             AND NOT held.reserved_at BETWEEN $9 AND $10) \
             OR (held.status IS NULL AND held.reserved_at = $11)",
            self.schema
        );
        let taken = execute!(
            tx,
            query(AssertSqlSafe(statement))
                .bind(op.tenant().as_str())
                .bind(&op.actor().client_id)
                .bind(&op.actor().subject)
                .bind(&asked.route)
                .bind(&asked.key)
                .bind(&asked.request)
                .bind(DbTime(now))
                .bind(DbTime(before(now, KEPT)))
                .bind(DbTime(before(now, asked.lease)))
                .bind(DbTime(before(now, -asked.lease)))
                .bind(left.map(DbTime))
        )?;
        Ok(taken == 1)
    }

    async fn row(
        &self,
        tx: &mut Tx,
        op: &OpContext,
        asked: &Asked,
    ) -> Result<Option<Row>, StoreError> {
        let statement = format!(
            "SELECT request, reserved_at, status, headers, body FROM {}.idempotency_keys \
             WHERE tenant = $1 AND client = $2 AND subject = $3 AND route = $4 AND key = $5",
            self.schema
        );
        Ok(on!(tx, c => query_as(AssertSqlSafe(statement))
            .bind(op.tenant().as_str()).bind(&op.actor().client_id).bind(&op.actor().subject)
            .bind(&asked.route).bind(&asked.key).fetch_optional(c))?)
    }

    /// Takes away some of the tenant's rows whose time is over. On PostgreSQL those that another
    /// request takes away are passed by; SQLite writes one transaction at a time.
    async fn sweep(&self, tx: &mut Tx, op: &OpContext, now: Timestamp) -> Result<(), StoreError> {
        let passing_by = match tx {
            Tx::Postgres(_) => "FOR UPDATE SKIP LOCKED",
            Tx::Sqlite(_) => "",
        };
        let table = format!("{}.idempotency_keys", self.schema);
        let statement = format!(
            "DELETE FROM {table} WHERE tenant = $1 AND (client, subject, route, key) IN \
             (SELECT client, subject, route, key FROM {table} \
             WHERE tenant = $1 AND reserved_at < $2 ORDER BY reserved_at LIMIT $3 {passing_by})"
        );
        execute!(
            tx,
            query(AssertSqlSafe(statement))
                .bind(op.tenant().as_str())
                .bind(DbTime(before(now, KEPT)))
                .bind(SWEPT)
        )?;
        Ok(())
    }
}

impl Row {
    fn found(self, asked: &Asked) -> Result<Found, StoreError> {
        if self.request != asked.request {
            return Ok(Found::OtherRequest);
        }
        let Some(status) = self.status else {
            return Ok(Found::InProgress(self.reserved_at.0));
        };
        let unreadable = |reason: String| StoreError::unreadable("a kept answer", reason);
        let status = u16::try_from(status).map_err(|error| unreadable(error.to_string()))?;
        let headers = self.headers.unwrap_or_default();
        let headers = serde_json::from_str(&headers).map_err(|e| unreadable(e.to_string()))?;
        Ok(Found::Answered(Kept {
            status,
            headers,
            body: self.body.unwrap_or_default(),
        }))
    }
}

/// A key that this request has taken. Dropped before it is settled, as when the caller is gone,
/// it is let go as soon as the database answers: whoever sends the request again need not wait for
/// the lease to end.
#[derive(Debug)]
pub(super) struct Reservation {
    answers: FirstAnswers,
    op: OpContext,
    asked: Asked,
    at: Timestamp,
    settled: bool,
}

/// The row of a reservation. Its time is the fence: who took the key after the lease has another.
const MINE: &str = "WHERE tenant = $1 AND client = $2 AND subject = $3 AND route = $4 \
                    AND key = $5 AND reserved_at = $6 AND status IS NULL";

/// Binds what `MINE` asks for.
macro_rules! mine {
    ($reservation:expr, $statement:expr) => {
        query(AssertSqlSafe($statement))
            .bind($reservation.op.tenant().as_str())
            .bind(&$reservation.op.actor().client_id)
            .bind(&$reservation.op.actor().subject)
            .bind(&$reservation.asked.route)
            .bind(&$reservation.asked.key)
            .bind(DbTime($reservation.at))
    };
}

impl Reservation {
    /// Keeps the answer; one that outlived its lease changes nothing.
    pub(super) async fn keep(mut self, kept: &Kept) -> Result<(), StoreError> {
        let headers = serde_json::to_string(&kept.headers)
            .map_err(|error| StoreError::unreadable("headers", error))?;
        let statement = format!(
            "UPDATE {}.idempotency_keys SET status = $7, headers = $8, body = $9 {MINE}",
            self.answers.schema
        );
        let mut tx = self.answers.db.write(&self.op).await?;
        execute!(
            &mut tx,
            mine!(self, statement)
                .bind(i64::from(kept.status))
                .bind(&headers)
                .bind(&kept.body)
        )?;
        tx.commit().await?;
        self.settled = true;
        Ok(())
    }

    /// Lets the key go, as if it had never come.
    pub(super) async fn let_go(mut self) -> Result<(), StoreError> {
        self.release().await?;
        self.settled = true;
        Ok(())
    }

    async fn release(&self) -> Result<(), StoreError> {
        let statement = format!(
            "DELETE FROM {}.idempotency_keys {MINE}",
            self.answers.schema
        );
        let mut tx = self.answers.db.write(&self.op).await?;
        execute!(&mut tx, mine!(self, statement))?;
        tx.commit().await
    }

    /// Lets it go however often that is to be tried; after the lease there is nothing to let go of.
    async fn leave(self) {
        let mut again = interval(AGAIN);
        let released = async {
            again.tick().await;
            while let Err(error) = self.release().await {
                tracing::warn!(%error, "letting an idempotency key go");
                again.tick().await;
            }
        };
        let lease = self.asked.lease.unsigned_abs();
        // Who asks now has asked after the lease.
        let _ = timeout(lease, released).await;
        let place = self.asked.place(&self.op);
        let mut left = self.answers.left();
        if left.get(&place) == Some(&self.at) {
            left.remove(&place);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let (false, Ok(runtime)) = (self.settled, Handle::try_current()) else {
            return;
        };
        let left = Self {
            answers: self.answers.clone(),
            op: self.op.clone(),
            asked: self.asked.clone(),
            at: self.at,
            settled: true,
        };
        let place = left.asked.place(&left.op);
        left.answers.left().insert(place, left.at);
        runtime.spawn(left.leave());
    }
}

fn before(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
