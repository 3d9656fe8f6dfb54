//! Work that a service does by itself, beside the requests: in rounds, each of which takes what
//! there is to do from the database, so that it may end anywhere and begin again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::watch::panicked;

/// A round: how much it did, or why it could not.
pub type Round = Pin<Box<dyn Future<Output = Result<usize, String>> + Send>>;

/// A worker of a service.
pub struct Worker {
    /// What it does, for the log.
    pub name: &'static str,
    /// How often it looks for what to do; also the least time between rounds that did something.
    pub every: Duration,
    /// Wakes it before that.
    pub wake: Arc<Notify>,
    /// Does what there is to do.
    pub round: Box<dyn Fn() -> Round + Send + Sync>,
}

/// Workers at work.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Workers {
    /// Lets each do its rounds until they are told to stop.
    #[must_use]
    pub fn start(workers: Vec<Worker>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        for worker in workers {
            running.spawn(worker.work(stopped.clone()));
        }
        Self { stop, running }
    }

    /// Ends them after the rounds that they are at, and at the deadline in the middle of those.
    pub async fn stop(mut self, deadline: Duration) {
        // Who is gone needs not be told.
        let _ = self.stop.send(true);
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!("stopping in the middle of work that the next start goes on with");
        }
    }
}

impl Worker {
    /// A panic ends the round and not the worker.
    async fn one_round(&self) -> Result<usize, String> {
        let round = std::panic::AssertUnwindSafe((self.round)());
        let ended = round.catch_unwind().await;
        ended.unwrap_or_else(|panic| Err(panicked(&panic)))
    }

    async fn work(self, mut stopped: watch::Receiver<bool>) {
        let mut timer = interval(self.every);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                _ = timer.tick() => {}
                () = self.wake.notified() => timer.reset(),
            }
            match self.one_round().await {
                Ok(0) => {}
                // What comes in a burst is done together.
                Ok(_) => tokio::select! {
                    _ = stopped.changed() => return,
                    _ = timer.tick() => timer.reset_immediately(),
                },
                Err(reason) => tracing::warn!(worker = self.name, reason, "a round failed"),
            }
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    /// It begins with a round, does one whenever it is woken, also after one that failed or
    /// panicked, and ends when it is told.
    #[tokio::test]
    async fn a_worker_works_when_woken_until_it_is_stopped() {
        let (begun, mut rounds) = unbounded_channel();
        let (wake, turn) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let round = move || -> Round {
            let (begun, turn) = (begun.clone(), turn.fetch_add(1, Ordering::Relaxed));
            Box::pin(async move {
                begun.send(turn).unwrap();
                match turn {
                    1 => panic!("in the middle"),
                    2 => Err("away".to_owned()),
                    _ => Ok(0),
                }
            })
        };
        let worker = Worker {
            name: "test",
            every: Duration::from_secs(3600),
            wake: wake.clone(),
            round: Box::new(round),
        };
        let workers = Workers::start(vec![worker]);
        for expected in 0..5 {
            assert_eq!(rounds.recv().await, Some(expected));
            wake.notify_one();
        }
        workers.stop(Duration::from_secs(60)).await;
        while rounds.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn a_round_without_an_end_is_left_at_the_deadline() {
        let (begun, mut rounds) = unbounded_channel();
        let round = move || -> Round {
            begun.send(()).unwrap();
            Box::pin(std::future::pending())
        };
        let worker = Worker {
            name: "test",
            every: Duration::from_secs(3600),
            wake: Arc::default(),
            round: Box::new(round),
        };
        let workers = Workers::start(vec![worker]);
        rounds.recv().await.unwrap();
        workers.stop(Duration::from_millis(10)).await;
        assert_eq!(rounds.recv().await, None, "it is gone");
    }
}
