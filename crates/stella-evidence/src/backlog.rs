//! What was kept and is still to be derived from, as readiness tells it.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use stella_api::health::Backlog;
use stella_api::{Code, TenantId};
use stella_context::{Clock, SystemContext};
use stella_service::{Check, Found};

use crate::store::{self, Key};
use crate::{Evidence, EvidenceError};

/// Why this process could not derive from documents. Another may have done so meanwhile: what is
/// no longer due is told no more.
pub(crate) type Failed = BTreeMap<(TenantId, Key), Code>;

impl Evidence {
    /// Whoever panicked with it left a whole map.
    pub(crate) fn failed(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn backlog(&self) -> Result<Option<Backlog>, EvidenceError> {
        let system = SystemContext::new("readiness", Clock::System);
        let mut tx = self.db.system_read(&system).await?;
        let count = store::count_due(&mut tx).await?;
        let failed = self.failed().clone();
        let mut stuck = None;
        for ((tenant, key), code) in &failed {
            if store::is_due(&mut tx, tenant, key).await? {
                stuck = Some(code.to_string());
                break;
            }
        }
        Ok((count > 0).then_some(Backlog { count, stuck }))
    }
}

/// Serving goes on without: it is told and never makes the service unready. That the database is
/// away is another check's to tell.
pub(crate) fn check(evidence: &Arc<Evidence>) -> Check {
    let evidence = evidence.clone();
    let probe = move || {
        let evidence = evidence.clone();
        Box::pin(async move {
            let backlog = evidence.backlog().await.unwrap_or_default();
            let ready = true;
            Found { ready, backlog }
        }) as _
    };
    Check {
        name: "derivations",
        probe: Box::new(probe),
    }
}
