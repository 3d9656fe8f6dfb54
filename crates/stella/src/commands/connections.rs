//! The connections of an installation, all judged before any is used: what is wrong with them is
//! told together, and not one a start.

use futures_util::future::join_all;
use stella_api::Code;
use stella_storage::{Connection, Db, Driver, Migrations, StoreError};

use super::{code_of, remedy};
use crate::configuration::{Problem, ServiceStorage, Settings};
use crate::platform::MIGRATIONS;

/// The services that one key connects.
struct Connected<'a> {
    connection: &'a Connection,
    services: Vec<&'a ServiceStorage>,
    schemas: Vec<Migrations>,
}

/// What is wrong with the connection of any service.
pub(super) async fn problems(settings: &Settings) -> Vec<Problem> {
    let mut all: Vec<Connected<'_>> = Vec::new();
    for (service, schema) in settings.services.iter().zip(MIGRATIONS) {
        let Driver::Postgres(connection) = &service.driver else {
            continue;
        };
        let same = |one: &&mut Connected<'_>| {
            let first = one.services.first();
            first.is_some_and(|first| first.connection_key == service.connection_key)
        };
        if let Some(known) = all.iter_mut().find(same) {
            known.services.push(service);
            known.schemas.push(schema);
        } else {
            all.push(Connected {
                connection,
                services: vec![service],
                schemas: vec![schema],
            });
        }
    }
    join_all(all.iter().map(Connected::problems)).await.concat()
}

impl Connected<'_> {
    async fn problems(&self) -> Vec<Problem> {
        let db = Db::postgres(self.connection);
        let mut problems = Vec::new();
        if let Err(error) = db.refuse_unsafe_role().await {
            problems.push(problem(&self.services, &error));
            // Any other role or database must be there before it can be asked for its schemas.
            if !matches!(error, StoreError::RoleUnsafe { .. }) {
                return problems;
            }
        }
        for (service, schema) in self.services.iter().zip(&self.schemas) {
            if let Err(error) = schema.check_postgres(&db).await {
                problems.push(problem(&[service], &error));
            }
        }
        problems
    }
}

fn problem(services: &[&ServiceStorage], error: &StoreError) -> Problem {
    let code = code_of(error).unwrap_or(Code::Internal);
    Problem::connection(code, services, error, remedy(code, Some(error)))
}
