//! Documents that come one by one, at once: those that wait while others are taken in go in
//! together. So many senders cost the database little more than one.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use stella_api::evidence::IngestAnswer;
use stella_api::{Code, TenantId};
use stella_context::OpContext;
use stella_service::Failure;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use crate::Evidence;
use crate::guard::Accepted;

/// So many go in together: they wait for each other.
const TOGETHER: usize = 64;
/// Whoever was just answered is likely to send the next: so long it is waited for, where several
/// were answered together.
const LINGER: Duration = Duration::from_millis(1);

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
    /// Told of each that comes.
    came: Arc<Notify>,
}

impl Intake {
    /// Puts a document behind the others; says whether a task for its tenant has to begin.
    fn put(&self, tenant: &TenantId, waiting: Waiting) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = !all.contains_key(tenant);
        let of_tenant = all.entry(tenant.clone()).or_default();
        of_tenant.waiting.push_back(waiting);
        of_tenant.came.notify_one();
        begins
    }

    /// How many wait, and what is told of each that comes.
    fn waits(&self, tenant: &TenantId) -> (usize, Arc<Notify>) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = all.get(tenant);
        of_tenant.map_or_else(Default::default, |one| {
            (one.waiting.len(), one.came.clone())
        })
    }

    /// Waits a moment for those of a group that was answered to send their next.
    async fn linger(&self, tenant: &TenantId, answered: usize) {
        if answered < 2 {
            return;
        }
        let expected = TOGETHER.min(self.waits(tenant).0 + answered);
        let all = async {
            loop {
                let (waits, came) = self.waits(tenant);
                if waits >= expected {
                    return;
                }
                came.notified().await;
            }
        };
        // Who does not come is not waited for.
        let _ = timeout(LINGER, all).await;
    }

    /// The next that go in together; none where nothing waits, and then the task is over.
    fn next(&self, tenant: &TenantId) -> Vec<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_tenant) = all.get_mut(tenant) else {
            return Vec::new();
        };
        let waiting = &mut of_tenant.waiting;
        let next: Vec<Waiting> = waiting.drain(..waiting.len().min(TOGETHER)).collect();
        if next.is_empty() {
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
        let mut answered = 0;
        loop {
            self.intake.linger(op.tenant(), answered).await;
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
            answered = answers.len();
            for (answer, became) in answers.into_iter().zip(taken) {
                // Its sender may be gone.
                let _ = answer.send(became);
            }
        }
    }
}
