//! `stella migrate`: brings the tables of an installation up to date, as their owner.

use serde::Serialize;
use stella_api::Code;
use stella_cli::arguments::MigrateArgs;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_locale::Labels;
use stella_storage::{Connection, Db, Driver, Migrations, StoreError};

use super::{code_of, failed, remedy};
use crate::configuration::{Problem, ServiceStorage, Settings};
use crate::platform::MIGRATIONS;

#[derive(Serialize)]
struct Migrated {
    schemas: Vec<&'static str>,
}

pub(super) async fn run(arguments: MigrateArgs, session: &mut Session) -> Result<Answer, Failure> {
    let settings = Settings::load(&arguments.configuration, &session.io.environment)?;
    let Some(owner) = settings.owner() else {
        let text = session.labels.text("migrate-needs-owner");
        let exit = ExitCode::of_code(Code::StorageConnectionMissing);
        return Err(Failure::told(
            Code::StorageConnectionMissing.as_str(),
            exit,
            text,
        ));
    };
    let (here, elsewhere) = postgres(&settings, owner).await.map_err(failed)?;
    let left = pending(&elsewhere).await;
    if !left.is_empty() {
        return Err(Problem::told(&left));
    }
    let schemas: Vec<&'static str> = here.iter().map(|one| one.schema).collect();
    let mut table = Table::new([Column::new(session.labels.text("migrate-schema"))]);
    for schema in &schemas {
        table.row([Cell::new(schema)]);
    }
    let none = schemas.is_empty();
    let answer = Answer::new(&Migrated { schemas })?;
    Ok(match none {
        true => answer.line(session.labels.text("migrate-nothing")),
        false => answer.table(table),
    })
}

/// Services whose tables are in another database, with their connections and migrations.
type Elsewhere<'a> = Vec<(&'a ServiceStorage, &'a Connection, Migrations)>;

/// Runs the migrations of the services whose tables are in the owner's database; gives them, and
/// those of others.
pub(super) async fn postgres<'a>(
    settings: &'a Settings,
    owner: &Connection,
) -> anyhow::Result<(Vec<Migrations>, Elsewhere<'a>)> {
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    // Most services share a connection, which is asked once.
    let mut asked: Vec<(&Connection, bool)> = Vec::new();
    for (service, migrations) in settings.services.iter().zip(MIGRATIONS) {
        // Embedded tables are migrated where they are opened.
        let Driver::Postgres(connection) = &service.driver else {
            continue;
        };
        let same = match asked.iter().find(|(known, _)| *known == connection) {
            Some((_, same)) => *same,
            None => {
                let same = owner.is_same_database(connection).await;
                asked.push((connection, same));
                same
            }
        };
        match same {
            true => here.push(migrations),
            false => elsewhere.push((service, connection, migrations)),
        }
    }
    for migrations in &here {
        let run = migrations.run_postgres(owner).await;
        run.map_err(|error| match code_of(&error) {
            Some(code) => Problem::owner(code, &error, remedy(code, Some(&error))).into(),
            None => anyhow::Error::from(error).context(format!("migrating {}", migrations.schema)),
        })?;
    }
    Ok((here, elsewhere))
}

/// Which services on other databases are still to be migrated.
async fn pending(elsewhere: &Elsewhere<'_>) -> Vec<Problem> {
    let mut left = Vec::new();
    for (service, connection, migrations) in elsewhere {
        let db = Db::postgres(connection);
        if let Err(error @ StoreError::SchemaOlder { .. }) = migrations.check_postgres(&db).await {
            let place = [("place", connection.place().into())];
            let remedy = Labels::english().format("migrate-elsewhere", &place);
            let code = Code::StorageSchemaOlder;
            left.push(Problem::connection(code, &[service], &error, Some(remedy)));
        }
    }
    left
}
