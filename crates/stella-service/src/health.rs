//! What a service needs to serve.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use futures_util::future::join_all;
use stella_api::Code;
use stella_api::health::{Alive, Backlog, Readiness, ReadinessCheck};
use stella_locale::Labels;
use stella_storage::{Db, Migrations, ObjectStore, StoreError};

use crate::{Answer, Fail, Failure, IntoFailure, Public, failures};

/// What a check finds: what is missing, and what is left to do, where anything is.
#[derive(Default)]
struct Found {
    missing: Option<Failure>,
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
    /// The service's database answers and takes writes.
    #[must_use]
    pub fn database(db: &Db) -> Self {
        let db = db.clone();
        Self::needed("database", move || {
            let db = db.clone();
            async move {
                db.ping().await.map_err(|error| match error {
                    StoreError::ReadOnly => Failure::new(Code::StorageReadOnly),
                    other => other.into_failure(),
                })
            }
        })
    }

    /// The service's schema is one that this binary serves: a newer one may migrate it meanwhile.
    #[must_use]
    pub fn migrations(db: &Db, migrations: Migrations) -> Self {
        let db = db.clone();
        Self::needed("migrations", move || {
            let db = db.clone();
            async move { migrations.check_postgres(&db).await }
        })
    }

    /// The object store can be written.
    #[must_use]
    pub fn object_store(store: &ObjectStore) -> Self {
        let store = store.clone();
        Self::needed("objectStore", move || {
            let store = store.clone();
            async move { store.ping().await }
        })
    }

    /// What waits to be done. Serving goes on without, so that it never makes the service unready:
    /// that the database is away is another check's to tell.
    pub fn backlog<F, E>(name: &'static str, waits: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<Backlog>, E>> + Send + 'static,
    {
        Self::asking(name, waits, |told| Found {
            backlog: told.and_then(Result::ok).flatten(),
            ..Found::default()
        })
    }

    /// What the service cannot serve without. What does not answer promptly is not there.
    pub(crate) fn needed<F, E>(
        name: &'static str,
        is_there: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: IntoFailure,
    {
        Self::asking(name, is_there, |told| {
            let away = || Failure::new(Code::Unavailable);
            let told = told.map(|told| told.map_err(E::into_failure));
            Found {
                missing: told.unwrap_or_else(|| Err(away())).err(),
                ..Found::default()
            }
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

/// What every check finds now, all at a time; with the code of what is missing.
async fn found(checks: &Checks) -> Vec<(ReadinessCheck, Option<Code>)> {
    let each = checks.iter().flat_map(|(service, list)| {
        let of_service = |check| (*service, check);
        list.iter().map(of_service)
    });
    let each = each.map(|(service, check): (_, &Check)| async move {
        let Found { missing, backlog } = (check.probe)().await;
        let told = ReadinessCheck {
            service: service.to_owned(),
            name: check.name.to_owned(),
            ready: missing.is_none(),
            detail: missing.as_ref().map(why),
            backlog,
        };
        (told, missing.as_ref().map(Failure::code))
    });
    join_all(each).await
}

/// What is missing, and what mends it.
fn why(missing: &Failure) -> String {
    match (missing.code(), missing.hint()) {
        (Code::Unavailable, _) => Labels::english().text("error-unavailable-check"),
        (_, None) => missing.detail(),
        (_, Some(hint)) => format!("{}; {hint}", missing.detail()),
    }
}

/// What every check finds now.
pub(crate) async fn checked(checks: &Checks) -> Vec<ReadinessCheck> {
    let found = found(checks).await.into_iter();
    found.map(|(told, _)| told).collect()
}

/// Tells whether the process can serve, and what is missing.
#[utoipa::path(get, path = "/readyz", tag = "health")]
pub(crate) async fn ready(
    _: Public,
    State(checks): State<Checks>,
) -> Result<Answer<Readiness>, Fail<NotReady>> {
    let found = found(&checks).await;
    if found.iter().all(|(check, _)| check.ready) {
        return Ok(Answer(Readiness {
            ready: true,
            checks: found.into_iter().map(|(check, _)| check).collect(),
        }));
    }
    let start = Failure::new(Code::Unavailable);
    let missing = found.iter().filter_map(|(check, code)| {
        let place = format!("{}:{}", check.service, check.name);
        Some(((*code)?, place, check.detail.as_deref()?))
    });
    Err(missing
        .fold(start, |failure, (code, place, detail)| {
            failure.at(code, place, detail)
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
            Check::needed("database", pending::<Result<_, Failure>>),
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
