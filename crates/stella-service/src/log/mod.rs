//! The ordered logs of a schema: feeds, audit chains, the Merkle log of evidence (record 0007).
//!
//! An entry is added in the transaction of what it tells of, and has no position yet. After the
//! commit the sealer numbers and chains what waits (`seal`) and signs where the log ends
//! (`checkpoint`), so that whoever reads by position misses nothing and sees nothing twice, and
//! whoever deletes or edits is found out (`walk`).

mod checkpoint;
mod pause;
mod seal;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod walk;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use stella_api::dsse::Envelope;
use stella_api::health::Backlog;
use stella_api::log::Checkpoint;
use stella_api::{Code, TenantId};
use stella_attest::{Chain, Entry, LogName, PublicKey};
use stella_canonical::{CanonicalError, Digest, canonical};
use stella_context::{Clock, OpContext, SystemContext};
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{Db, StoreError, Tx};
use stella_telemetry::{Gauge, KeyValue, Metrics};
use tokio::sync::{Notify, watch};

use crate::audit::Bound;
use crate::{Check, KeyStore, KeyStoreError, Worker};

pub use walk::{Fault, Walk};

/// What the keys are for.
const PURPOSE: &str = "log";

/// The logs of one schema. The tables are those of Evidence's migration 0006: `log_entries`,
/// `sealed`, `log_heads`, `unsealed` and `signing_keys`.
#[derive(Debug)]
pub struct Logs {
    db: Db,
    schema: &'static str,
    keys: KeyStore,
    committed: Arc<Notify>,
    /// How often the sealer of this process gave places.
    sealed: watch::Sender<u64>,
    /// Why the last round of the sealer could not do all.
    stuck: Mutex<Option<Code>>,
    /// How much waits for the sealer, where a process tells metrics.
    waits: OnceLock<Gauge<u64>>,
    /// How much was recorded of what was refused.
    pub(crate) refusals: Bound,
}

/// Which entries of a log are asked for; what is not said does not narrow it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) subject: Option<String>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) oldest_first: bool,
    /// The position that the part before ended at.
    pub(crate) behind: Option<u64>,
}

/// Adds entries to a log of a schema, each what it is about and what it says, in their order, in the
/// transaction of what they tell of.
pub(crate) async fn add_entries<T: Serialize>(
    tx: &mut Tx,
    place: (&'static str, &TenantId),
    (log, recorded_at): (&'static str, Timestamp),
    entries: &[(&str, T)],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(entries.len());
    for (subject, entry) in entries {
        let text = canonical(entry).map_err(|error| unreadable(log, error))?;
        let text = String::from_utf8(text).map_err(|error| unreadable(log, error))?;
        rows.push((*subject, text));
    }
    store::add_entries(tx, place, (log, recorded_at), &rows).await
}

/// An entry that has its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// From 1, without a gap.
    pub position: u64,
    /// What it is about.
    pub subject: String,
    /// The recorded time.
    pub recorded_at: Timestamp,
    /// What it says.
    pub entry: serde_json::Value,
}

impl Sealed {
    /// Its hash behind the end of a chain.
    fn hash(&self, chain: &Chain) -> Result<Digest, CanonicalError> {
        chain.hash(Entry {
            position: self.position,
            recorded_at: &self.recorded_at.to_string(),
            subject: &self.subject,
            entry: &self.entry,
        })
    }
}

impl Logs {
    /// Opens the logs of a schema. The first start makes the key that signs checkpoints.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the signing key.
    pub async fn open(
        system: &SystemContext,
        db: Db,
        schema: &'static str,
        master: Arc<MasterKey>,
    ) -> Result<Self, KeyStoreError> {
        let keys = KeyStore::new(db.clone(), schema, PURPOSE, master);
        keys.active(system).await?;
        Ok(Self {
            db,
            schema,
            keys,
            committed: Arc::default(),
            sealed: watch::Sender::default(),
            stuck: Mutex::default(),
            waits: OnceLock::new(),
            refusals: Bound::default(),
        })
    }

    /// Adds entries of a time to a log, each what it is about, to find it by, and what it says, in
    /// their order, in the transaction of what they tell of; say
    /// [`Logs::committed`] after it.
    ///
    /// # Errors
    /// The database refused, or an entry has no canonical form.
    pub async fn add<T: Serialize>(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        log: (&'static str, Timestamp),
        entries: &[(&str, T)],
    ) -> Result<(), StoreError> {
        add_entries(tx, (self.schema, tenant), log, entries).await
    }

    /// Wakes the sealer of this process: something that it can see now was added.
    pub fn committed(&self) {
        self.committed.notify_one();
    }

    /// Changes whenever the sealer of this process gave entries their places.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.sealed.subscribe()
    }

    /// At most `limit` entries behind a position, in order. A log that lost one says so.
    ///
    /// # Errors
    /// The database is away, or an entry is not there or cannot be read.
    pub async fn after(
        &self,
        op: &OpContext,
        log: &str,
        position: u64,
        limit: u32,
    ) -> Result<Vec<Sealed>, StoreError> {
        let mut tx = self.db.read(op).await?;
        let span = (position, u64::MAX);
        let rows = self.rows(&mut tx, op.tenant(), log, span, limit).await?;
        tx.commit().await?;
        let positions = position.saturating_add(1)..;
        let read = rows.iter().zip(positions).map(|(row, expected)| {
            let read = match row.position == expected {
                true => row.sealed(),
                false => Err("it is not there".to_owned()),
            };
            read.map_err(|reason| unreadable(&format!("{log} entry {expected}"), reason))
        });
        read.collect()
    }

    /// The last position of a log; 0 where nothing was sealed.
    ///
    /// # Errors
    /// The database is away.
    pub async fn end(&self, op: &OpContext, log: &str) -> Result<u64, StoreError> {
        let mut tx = self.db.read(op).await?;
        let head = self.head(&mut tx, op.tenant(), log).await?;
        tx.commit().await?;
        Ok(head.map_or(0, |head| head.size.unsigned_abs()))
    }

    /// Where a log ends and the signature of that; none where nothing was sealed.
    ///
    /// # Errors
    /// The database is away, or the envelope cannot be read.
    pub async fn checkpoint(
        &self,
        op: &OpContext,
        log: &str,
    ) -> Result<Option<(Checkpoint, Envelope)>, StoreError> {
        let mut tx = self.db.read(op).await?;
        let head = self.head(&mut tx, op.tenant(), log).await?;
        tx.commit().await?;
        let Some(envelope) = head.and_then(|head| head.envelope) else {
            return Ok(None);
        };
        let keys = self.public_keys().await?;
        let signed = checkpoint::stored(&envelope, &keys);
        let mut signed = signed.map_err(|reason| unreadable(log, reason))?;
        if signed.0.schema.is_none() {
            // Signed before schemas were told: away from here it would be anybody's.
            signed.0.schema = Some(self.schema.to_owned());
            signed = self.sign(&signed.0).await?;
        }
        Ok(Some(signed))
    }

    /// That a log has no entries, signed now.
    pub(crate) async fn sign_empty(
        &self,
        tenant: &TenantId,
        log: &str,
    ) -> Result<(Checkpoint, Envelope), StoreError> {
        self.sign(&Chain::new(self.name(tenant, log)).end()).await
    }

    async fn sign(&self, end: &Checkpoint) -> Result<(Checkpoint, Envelope), StoreError> {
        let system = SystemContext::new("checkpoints", Clock::System);
        let key = self.key(&system).await?;
        let signed = checkpoint::sign(&key, end)?;
        let read = checkpoint::stored(&signed, &[key.verifier().clone()]);
        read.map_err(|reason| unreadable(&end.log, reason))
    }

    /// A log of this schema.
    fn name(&self, tenant: &TenantId, log: &str) -> LogName {
        LogName {
            schema: self.schema.to_owned(),
            tenant: tenant.clone(),
            log: log.to_owned(),
        }
    }

    /// Counts in these metrics what waits for the sealer.
    pub fn meter(&self, metrics: &Metrics) {
        let about = "Entries of logs that were added and have no position yet";
        self.waits
            .get_or_init(|| metrics.gauge("log_unsealed_entries", about));
    }

    /// Whether the master key opens the keys that the service signs with, as readiness tells it.
    #[must_use]
    pub fn check_keys(&self) -> Check {
        let keys = self.keys.clone();
        Check::needed("keys", move || {
            let keys = keys.clone();
            async move {
                keys.usable(&SystemContext::new("readiness", Clock::System))
                    .await
            }
        })
    }

    /// How much waits for the sealer and why, as readiness tells it.
    #[must_use]
    pub fn check(self: &Arc<Self>) -> Check {
        let logs = self.clone();
        Check::backlog("sealer", move || {
            let logs = logs.clone();
            async move { logs.backlog().await }
        })
    }

    /// The keys that verify checkpoints, newest first. They are the installation's, no tenant's.
    ///
    /// # Errors
    /// The database is away.
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
        let system = SystemContext::new("checkpoints", Clock::System);
        self.keys.public(&system).await
    }

    /// The key that signs now.
    async fn key(&self, system: &SystemContext) -> Result<SigningKey, StoreError> {
        Ok(self.keys.active(system).await?)
    }

    /// The sealer of this process: at once after a commit here, each second after those of others,
    /// and no more often than that.
    #[must_use]
    pub fn sealer(self: &Arc<Self>) -> Worker {
        let logs = self.clone();
        let round = move || {
            let logs = logs.clone();
            Box::pin(async move {
                let system = SystemContext::new("sealer", Clock::System);
                logs.seal(&system).await.map_err(|error| error.to_string())
            }) as _
        };
        Worker {
            name: "sealer",
            every: Duration::from_secs(1),
            wake: self.committed.clone(),
            round: Box::new(round),
        }
    }

    /// The database that holds them.
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// The schema that holds them.
    pub(crate) fn schema(&self) -> &'static str {
        self.schema
    }

    async fn backlog(&self) -> Result<Option<Backlog>, StoreError> {
        let system = SystemContext::new("readiness", Clock::System);
        let mut tx = self.db.system_read(&system).await?;
        let waits = self.waits(&mut tx).await?;
        tx.commit().await?;
        let count = u64::try_from(waits.count).unwrap_or_default();
        let seconds = waits.oldest_seconds.unwrap_or_default();
        let backlog = Backlog {
            count,
            oldest_seconds: Some(u64::try_from(seconds).unwrap_or_default()),
            stuck: self.stuck().map(|code| code.to_string()),
        };
        Ok((count > 0).then_some(backlog))
    }

    /// That it cannot be counted keeps nothing from being sealed.
    async fn count_waits(&self) {
        let Some(gauge) = self.waits.get() else {
            return;
        };
        if let Ok(backlog) = self.backlog().await {
            let count = backlog.map_or(0, |backlog| backlog.count);
            gauge.record(count, &[KeyValue::new("schema", self.schema)]);
        }
    }

    /// Whoever panicked with it left a whole value.
    fn stuck(&self) -> MutexGuard<'_, Option<Code>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreadable(what: &str, reason: impl ToString) -> StoreError {
    StoreError::unreadable(format!("log {what}"), reason)
}
