//! The audit log of a service (record 0010): who did what and how it ended, added in the transaction
//! of what it tells of to the log `audit`, which the sealer chains and signs.

mod bound;
mod http;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use stella_api::audit::{
    AuditActor, AuditEntry, AuditOutcome, AuditRecord, AuditVerifyAnswer, AuditVerifyRequest,
};
use stella_api::changes::LogAnswer;
use stella_api::dsse::Envelope;
use stella_api::log::Checkpoint;
use stella_api::verify::{VerifiedLog, VerifyExample, VerifyViolation};
use stella_api::{Code, Page, TenantId};
use stella_attest::PublicKey;
use stella_context::{Clock, OpContext, SystemContext};
use stella_storage::{StoreError, Tx};
use tokio::time::Instant;

use crate::fault;
use crate::log::{Asked, add_entries};
use crate::{Failure, Fault, IntoFailure as _, Logs, Paging, Sealed};

pub(crate) use bound::Bound;
pub(crate) use http::Audited;

/// The log's name.
const LOG: &str = "audit";
/// How many faults of a log are looked for, and how many of each kind are told.
const LIMIT: usize = 500;
const EXAMPLES: usize = 10;

/// An act that is to be recorded.
#[derive(Clone, Debug)]
pub struct Act {
    action: Cow<'static, str>,
    outcome: AuditOutcome,
    target: String,
    reason: Option<String>,
    details: BTreeMap<String, String>,
}

/// Who acts, and in which request.
struct Doer {
    actor: AuditActor,
    trace: Option<String>,
    clock: Clock,
}

impl Act {
    /// That this was done to that: `<service>.<surface>.<action>`.
    #[must_use]
    pub fn done(action: impl Into<Cow<'static, str>>, target: impl ToString) -> Self {
        Self {
            action: action.into(),
            outcome: AuditOutcome::Success,
            target: target.to_string(),
            reason: None,
            details: BTreeMap::new(),
        }
    }

    /// That it ended otherwise, and why.
    #[must_use]
    pub fn ended(mut self, outcome: AuditOutcome, reason: impl ToString) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.to_string());
        self
    }

    /// What else is to be known.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    async fn add(
        self,
        tx: &mut Tx,
        place: (&'static str, &TenantId),
        doer: Doer,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor: doer.actor,
            outcome: self.outcome,
            target: self.target,
            reason: self.reason,
            ticket: None,
            trace_id: doer.trace,
            details: self.details,
        };
        let new = [(&*self.action, entry)];
        add_entries(tx, place, (LOG, doer.clock.now()), &new).await?;
        fault::point("audit-added");
        Ok(())
    }
}

impl Doer {
    fn of(op: &OpContext) -> Self {
        Self {
            actor: AuditActor {
                client: Some(op.actor().client_id.clone()),
                subject: op.actor().subject.clone(),
                acting_for: None,
            },
            trace: Some(op.trace().to_string()),
            clock: *op.clock(),
        }
    }

    fn itself(system: &SystemContext) -> Self {
        Self {
            actor: AuditActor {
                client: None,
                subject: system.purpose().to_owned(),
                acting_for: None,
            },
            trace: None,
            clock: *system.clock(),
        }
    }
}

/// Records what the installation itself did, where no [`Logs`] are open: its transaction is within
/// this tenant, or the installation in the place of one.
pub(crate) async fn record(
    tx: &mut Tx,
    place: (&'static str, &TenantId),
    system: &SystemContext,
    act: Act,
) -> Result<(), StoreError> {
    act.add(tx, place, Doer::itself(system)).await
}

impl Logs {
    /// Records an act in the transaction of what it does; say [`Logs::committed`] after it.
    ///
    /// # Errors
    /// The database refused.
    pub async fn audit(&self, tx: &mut Tx, op: &OpContext, act: Act) -> Result<(), StoreError> {
        act.add(tx, (self.schema(), op.tenant()), Doer::of(op))
            .await
    }

    /// The same of an act of the installation itself on a tenant, within whose rows the
    /// transaction is.
    ///
    /// # Errors
    /// The database refused.
    pub async fn audit_system(
        &self,
        tx: &mut Tx,
        system: &SystemContext,
        tenant: &TenantId,
        act: Act,
    ) -> Result<(), StoreError> {
        record(tx, (self.schema(), tenant), system, act).await
    }

    /// Records an act that writes nothing else.
    ///
    /// # Errors
    /// The database is away.
    pub async fn audit_alone(&self, op: &OpContext, act: Act) -> Result<(), StoreError> {
        let mut tx = self.db().write(op).await?;
        self.audit(&mut tx, op, act).await?;
        tx.commit().await?;
        self.committed();
        Ok(())
    }

    /// Records that something was refused, as often as `Bound` lets it. That it cannot be
    /// recorded changes nothing of the refusal.
    pub async fn audit_refused(&self, op: &OpContext, act: Act) {
        let Some(act) = self.refusals.take(op.tenant(), act, Clock::System.now()) else {
            return;
        };
        if let Err(error) = self.audit_alone(op, act).await {
            tracing::error!(%error, "a refusal is not in the audit log");
        }
    }

    /// The same of who has no token.
    pub async fn audit_refused_by(&self, system: &SystemContext, tenant: &TenantId, act: Act) {
        let Some(act) = self.refusals.take(tenant, act, Clock::System.now()) else {
            return;
        };
        let added = async {
            let mut tx = self.db().system_in(system, tenant).await?;
            self.audit_system(&mut tx, system, tenant, act).await?;
            tx.commit().await
        };
        match added.await {
            Ok(()) => self.committed(),
            Err(error) => tracing::error!(%error, "a refusal is not in the audit log"),
        }
    }

    async fn audited(
        &self,
        op: &OpContext,
        asked: &Asked,
        paging: &Paging<u64>,
    ) -> Result<Page<AuditRecord>, StoreError> {
        let mut tx = self.db().read(op).await?;
        let asked = (asked, paging.limit());
        let found = self.found(&mut tx, op.tenant(), LOG, asked).await?;
        tx.commit().await?;
        let records: Result<Vec<AuditRecord>, StoreError> =
            found.into_iter().map(record_of).collect();
        Ok(paging.page(LOG, records?, |record| record.position))
    }

    async fn audit_end(&self, op: &OpContext) -> Result<LogAnswer, Failure> {
        let signed = self.checkpoint(op, LOG).await;
        let signed = signed.map_err(StoreError::into_failure)?;
        let signed = match signed {
            Some(signed) => signed,
            None => self.empty_end(op).await?,
        };
        let (checkpoint, envelope) = signed;
        let keys = self.public_keys().await.map_err(StoreError::into_failure)?;
        Ok(LogAnswer {
            checkpoint,
            envelope,
            keys: keys.iter().map(PublicKey::jwk).collect(),
        })
    }

    /// That nothing was recorded is signed too: else a log that was cut out of an export would read
    /// as one that was empty.
    async fn empty_end(&self, op: &OpContext) -> Result<(Checkpoint, Envelope), Failure> {
        let all = Asked::default();
        let mut tx = self.db().read(op).await.map_err(StoreError::into_failure)?;
        let found = self.found(&mut tx, op.tenant(), LOG, (&all, 1)).await;
        let found = found.map_err(StoreError::into_failure)?;
        tx.commit().await.map_err(StoreError::into_failure)?;
        if !found.is_empty() {
            let gone = StoreError::unreadable("the end of the audit log", "it is gone");
            return Err(gone.into_failure());
        }
        let signed = self.sign_empty(op.tenant(), LOG).await;
        signed.map_err(StoreError::into_failure)
    }

    async fn audit_verified(
        &self,
        op: &OpContext,
        asked: &AuditVerifyRequest,
        time: Duration,
    ) -> Result<AuditVerifyAnswer, Failure> {
        let over = Instant::now() + time;
        let (earlier, resume) = (asked.checkpoint.as_ref(), asked.resume.as_ref());
        let mut walk = self.walk(op, LOG, earlier, resume).await?;
        let mut more = true;
        while more && Instant::now() < over {
            let entries = self.walk_on(op, &mut walk).await;
            more = entries.map_err(StoreError::into_failure)?.is_some();
            walk.settle();
        }
        let log = VerifiedLog {
            size: walk.size(),
            root: walk.root().to_string(),
            unsealed: walk.unsealed(),
        };
        let (resume, faults) = match more {
            true => {
                let paused = self.pause(walk).await.map_err(StoreError::into_failure)?;
                (Some(paused.0), paused.1)
            }
            false => {
                let faults = self.walked(op, walk, LIMIT).await;
                (None, faults.map_err(StoreError::into_failure)?)
            }
        };
        let violations = violations(&faults);
        Ok(AuditVerifyAnswer {
            log,
            violations,
            resume,
        })
    }
}

fn record_of(sealed: Sealed) -> Result<AuditRecord, StoreError> {
    let entry = serde_json::from_value(sealed.entry).map_err(|error| {
        StoreError::unreadable(format!("log {LOG} entry {}", sealed.position), error)
    })?;
    Ok(AuditRecord {
        position: sealed.position,
        at: sealed.recorded_at.to_string(),
        action: sealed.subject,
        entry,
    })
}

fn violations(faults: &[Fault]) -> Vec<VerifyViolation> {
    let mut by_code: BTreeMap<Code, VerifyViolation> = BTreeMap::new();
    for fault in faults {
        let failure = fault.failure(LOG);
        let code = failure.code();
        let violation = by_code.entry(code).or_insert_with(|| VerifyViolation {
            code: code.to_string(),
            count: 0,
            examples: Vec::new(),
        });
        violation.count += 1;
        if violation.examples.len() < EXAMPLES {
            violation.examples.push(VerifyExample {
                document: None,
                position: match fault {
                    Fault::Entry { position, .. } => Some(*position),
                    _ => None,
                },
                detail: failure.detail(),
            });
        }
    }
    by_code.into_values().collect()
}
