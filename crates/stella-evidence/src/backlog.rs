//! What was kept and is still to be derived from: as readiness tells it to anybody, and a list of
//! findings to its tenant.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use stella_api::TenantId;
use stella_api::findings::Stuck;
use stella_api::health::Backlog;
use stella_context::{Clock, SystemContext};
use stella_service::{Check, Failure, IntoFailure as _};
use stella_storage::Tx;

use crate::store::{self, Key};
use crate::{Evidence, EvidenceError};

/// Why this process could not derive from documents. Another may have done so meanwhile: what is
/// no longer due is told no more.
pub(crate) type Failed = BTreeMap<(TenantId, Key), Stuck>;

/// Why a document could not be derived from: for the caller, and for whoever asks later. The log
/// is where an operator finds whose document it is: readiness tells it to nobody.
pub(crate) fn stuck(tenant: &TenantId, key: &Key, error: EvidenceError) -> (Failure, Stuck) {
    tracing::error!(%tenant, document = key.digest, %error, "cannot derive");
    let failure = error.into_failure();
    let why = Stuck {
        document: key.digest.clone(),
        code: failure.code().to_string(),
        detail: failure.detail(),
    };
    (failure, why)
}

impl Evidence {
    /// Whoever panicked with it left a whole map.
    pub(crate) fn failed(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn backlog(&self) -> Result<Option<Backlog>, EvidenceError> {
        let system = SystemContext::new("readiness", Clock::System);
        let mut tx = self.db.system_read(&system).await?;
        let count = store::count_due(&mut tx).await?;
        let stuck = self.stuck(&mut tx, |_| true).await?.map(|why| why.code);
        let backlog = Backlog {
            count,
            oldest_seconds: None,
            stuck,
        };
        Ok((count > 0).then_some(backlog))
    }

    /// How many documents of a tenant are kept and not derived from yet, and the first that could
    /// not be.
    pub(crate) async fn pending(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
    ) -> Result<(u64, Option<Stuck>), EvidenceError> {
        let count = store::count_due_of(tx, tenant).await?;
        let stuck = self.stuck(tx, |of| of == tenant).await?;
        Ok((count, stuck))
    }

    async fn stuck(
        &self,
        tx: &mut Tx,
        of: impl Fn(&TenantId) -> bool,
    ) -> Result<Option<Stuck>, EvidenceError> {
        let failed = self.failed().clone();
        for ((tenant, key), why) in failed {
            if of(&tenant)
                && !store::due_among(tx, &tenant, std::slice::from_ref(&key))
                    .await?
                    .is_empty()
            {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

/// What is due and why, as readiness tells it.
pub(crate) fn check(evidence: &Arc<Evidence>) -> Check {
    let evidence = evidence.clone();
    Check::backlog("derivations", move || {
        let evidence = evidence.clone();
        async move { evidence.backlog().await }
    })
}
