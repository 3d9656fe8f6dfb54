//! What a service needs to serve.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use futures_util::future::join_all;
use stella_api::Code;
use stella_api::health::{Alive, Backlog, Readiness, ReadinessCheck};
use stella_locale::Labels;
use stella_storage::{Db, ObjectStore};

use crate::{Answer, Fail, Failure, Public, failures};

/// What a check finds: whether it is there, and what is left to do where anything is.
struct Found {
    ready: bool,
    backlog: Option<Backlog>,
}

/// Who asks whether a process is ready does not wait for it to become so.
const PROMPTLY: Duration = Duration::from_secs(3);

/// A check that somebody's asking starts.
type Probe = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Found> + Send>> + Send + Sync>;

/// One thing that readiness tells of.
pub struct Check {
    name: &'static str,
    probe: Probe,
}

impl Check {
    /// The service's database answers.
    #[must_use]
    pub fn database(db: &Db) -> Self {
        let db = db.clone();
        Self::needed("database", move || {
            let db = db.clone();
            async move { db.ping().await.is_ok() }
        })
    }

    /// The object store can be written.
    #[must_use]
    pub fn object_store(store: &ObjectStore) -> Self {
        let store = store.clone();
        Self::needed("objectStore", move || {
            let store = store.clone();
            async move { store.ping().await.is_ok() }
        })
    }

    /// What waits to be done. Serving goes on without, so that it never makes the service unready:
    /// that the database is away is another check's to tell.
    pub fn backlog<F, E>(name: &'static str, waits: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<Backlog>, E>> + Send + 'static,
    {
        Self::asking(name, waits, |told| Found {
            ready: true,
            backlog: told.and_then(Result::ok).flatten(),
        })
    }

    /// What the service cannot serve without. What does not answer promptly is not there.
    fn needed<F>(name: &'static str, is_there: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Self::asking(name, is_there, |told| Found {
            ready: told.unwrap_or_default(),
            backlog: None,
        })
    }

    /// Asks, and finds something in what is answered promptly, or in that nothing is.
    fn asking<F: Future + Send + 'static>(
        name: &'static str,
        ask: impl Fn() -> F + Send + Sync + 'static,
        found: fn(Option<F::Output>) -> Found,
    ) -> Self {
        let probe = move || {
            let asked = ask();
            Box::pin(async move { found(tokio::time::timeout(PROMPTLY, asked).await.ok()) }) as _
        };
        Self {
            name,
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

/// What every check finds now, all at a time.
pub(crate) async fn checked(checks: &Checks) -> Vec<ReadinessCheck> {
    let each = checks.iter().flat_map(|(service, list)| {
        let of_service = |check| (*service, check);
        list.iter().map(of_service)
    });
    let each = each.map(|(service, check): (_, &Check)| async move {
        let Found { ready, backlog } = (check.probe)().await;
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

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn of_two_that_do_not_answer_only_what_is_needed_is_not_ready() {
        let checks = vec![
            Check::needed("database", pending),
            Check::backlog("sealer", pending::<Result<_, ()>>),
        ];
        let told = checked(&Arc::new(vec![("evidence", checks)])).await;
        let told: Vec<(&str, bool)> = told
            .iter()
            .map(|check| (check.name.as_str(), check.ready))
            .collect();
        assert_eq!(told, [("database", false), ("sealer", true)]);
    }
}
