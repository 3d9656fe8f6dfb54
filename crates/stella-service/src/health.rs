//! What a service needs to serve.

use futures_util::future::join_all;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use stella_api::Code;
use stella_api::health::{Alive, Backlog, Readiness, ReadinessCheck};
use stella_locale::Labels;
use stella_storage::{Db, ObjectStore};

use crate::{Answer, Fail, Failure, Public, failures};

/// What a check finds.
#[derive(Debug)]
pub struct Found {
    /// Whether what is checked is there.
    pub ready: bool,
    /// What is left to do, where anything is.
    pub backlog: Option<Backlog>,
}

impl From<bool> for Found {
    fn from(ready: bool) -> Self {
        let backlog = None;
        Self { ready, backlog }
    }
}
/// Who asks whether a process is ready does not wait for it to become so.
const PROMPTLY: Duration = Duration::from_secs(3);

/// A check that somebody's asking starts.
pub type Probe = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Found> + Send>> + Send + Sync>;

/// One thing that a service needs to serve.
pub struct Check {
    /// Its name, such as `database`.
    pub name: &'static str,
    /// Whether it is there now.
    pub probe: Probe,
}

impl Check {
    /// The service's database answers.
    #[must_use]
    pub fn database(db: &Db) -> Self {
        let db = db.clone();
        let probe = move || {
            let db = db.clone();
            Box::pin(async move { db.ping().await.is_ok().into() }) as _
        };
        Self {
            name: "database",
            probe: Box::new(probe),
        }
    }

    /// The object store can be written.
    #[must_use]
    pub fn object_store(store: &ObjectStore) -> Self {
        let store = store.clone();
        let probe = move || {
            let store = store.clone();
            Box::pin(async move { store.ping().await.is_ok().into() }) as _
        };
        Self {
            name: "objectStore",
            probe: Box::new(probe),
        }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

/// The checks of a house, by service.
pub(crate) type Checks = std::sync::Arc<Vec<(&'static str, Vec<Check>)>>;

failures!(NotReady: Unavailable);

/// Tells that the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health")]
pub(crate) async fn alive(_: Public) -> Result<Answer<Alive>, Fail<()>> {
    Ok(Answer(Alive {
        status: "alive".to_owned(),
    }))
}

/// What every check finds now, all at a time; one that does not answer promptly is not ready.
pub(crate) async fn checked(checks: &Checks) -> Vec<ReadinessCheck> {
    let each = checks.iter().flat_map(|(service, list)| {
        let of_service = |check| (*service, check);
        list.iter().map(of_service)
    });
    let each = each.map(|(service, check): (_, &Check)| async move {
        let found = tokio::time::timeout(PROMPTLY, (check.probe)()).await;
        let Found { ready, backlog } = found.unwrap_or_else(|_| false.into());
        ReadinessCheck {
            service: service.to_owned(),
            name: check.name.to_owned(),
            ready,
            backlog,
        }
    });
    join_all(each).await
}

/// Tells whether the process can serve, and what is missing.
#[utoipa::path(get, path = "/readyz", tag = "health")]
pub(crate) async fn ready(
    _: Public,
    State(checks): State<Checks>,
) -> Result<Answer<Readiness>, Fail<NotReady>> {
    let told = checked(&checks).await;
    let away: Vec<&ReadinessCheck> = told.iter().filter(|check| !check.ready).collect();
    if away.is_empty() {
        return Ok(Answer(Readiness {
            ready: true,
            checks: told,
        }));
    }
    let start = Failure::new(Code::Unavailable);
    Err(away
        .iter()
        .fold(start, |failure, check| {
            let told = Labels::english().text("error-unavailable-check");
            let place = format!("{}:{}", check.service, check.name);
            failure.at(Code::Unavailable, place, told)
        })
        .into())
}
