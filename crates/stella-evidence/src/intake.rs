//! Documents that come one by one, at once: those that wait while others are taken in go in
//! together. So many senders cost the database little more than one.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use stella_api::evidence::IngestAnswer;
use stella_api::{Code, TenantId};
use stella_context::OpContext;
use stella_service::Failure;
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span};

use crate::Evidence;
use crate::guard::Accepted;

/// So many go in together: they wait for each other.
const TOGETHER: usize = 64;
/// So many tasks of a tenant at once: while one waits for the disk, another reads and derives.
const TASKS: usize = 2;

type Answer = Result<IngestAnswer, Failure>;

/// A document, and where what became of it is waited for.
#[derive(Debug)]
struct Waiting {
    accepted: Accepted,
    answer: oneshot::Sender<Answer>,
}

/// What waits, by tenant. A tenant stands here for as long as a task takes its documents in.
#[derive(Debug, Default)]
pub(crate) struct Intake(Mutex<BTreeMap<TenantId, OfTenant>>);

#[derive(Debug, Default)]
struct OfTenant {
    waiting: VecDeque<Waiting>,
    tasks: usize,
}

impl Intake {
    /// Puts a document behind the others; says whether a task for its tenant has to begin.
    fn put(&self, tenant: &TenantId, waiting: Waiting) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = all.entry(tenant.clone()).or_default();
        of_tenant.waiting.push_back(waiting);
        let begins = of_tenant.tasks < TASKS;
        of_tenant.tasks += usize::from(begins);
        begins
    }

    /// The next that go in together; none where nothing waits, and then the task is over.
    fn next(&self, tenant: &TenantId) -> Vec<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_tenant) = all.get_mut(tenant) else {
            return Vec::new();
        };
        let waiting = &mut of_tenant.waiting;
        let next: Vec<Waiting> = waiting.drain(..waiting.len().min(TOGETHER)).collect();
        of_tenant.tasks -= usize::from(next.is_empty());
        if of_tenant.tasks == 0 {
            all.remove(tenant);
        }
        next
    }
}

impl Evidence {
    /// Takes a document in with those of the tenant that wait. It goes in also where its sender
    /// goes away meanwhile.
    pub(crate) async fn enter(self: &Arc<Self>, op: &OpContext, accepted: Accepted) -> Answer {
        let (answer, became) = oneshot::channel();
        let waiting = Waiting { accepted, answer };
        if self.intake.put(op.tenant(), waiting) {
            let (evidence, op) = (self.clone(), op.clone());
            let work = async move { evidence.take_waiting(&op).await };
            tokio::spawn(work.instrument(Span::current()));
        }
        became
            .await
            .unwrap_or_else(|_| Err(Failure::new(Code::Internal)))
    }

    /// Of one tenant, whoever sent them: each says so itself.
    async fn take_waiting(&self, op: &OpContext) {
        loop {
            let (mut documents, mut answers) = (Vec::new(), Vec::new());
            for one in self.intake.next(op.tenant()) {
                documents.push(Ok(one.accepted));
                answers.push(one.answer);
            }
            if documents.is_empty() {
                return;
            }
            let taken = AssertUnwindSafe(self.take(op, documents)).catch_unwind();
            let taken = match taken.await {
                Ok(Ok(taken)) => taken,
                Ok(Err(failure)) => vec![Err(failure); answers.len()],
                // Their senders find that nobody answers.
                Err(_) => Vec::new(),
            };
            for (answer, became) in answers.into_iter().zip(taken) {
                // Its sender may be gone.
                let _ = answer.send(became);
            }
        }
    }
}
