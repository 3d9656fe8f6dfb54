//! `stella migrate`: brings the tables of an installation up to date, as their owner.

use serde::Serialize;
use stella_api::Code;
use stella_cli::arguments::MigrateArgs;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_storage::Connection;

use super::{code_of, failed, remedy};
use crate::configuration::{Problem, Settings};
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
    postgres(owner).await.map_err(failed)?;
    let schemas: Vec<&'static str> = MIGRATIONS.iter().map(|one| one.schema).collect();
    let mut table = Table::new([Column::new(session.labels.text("migrate-schema"))]);
    for schema in &schemas {
        table.row([Cell::new(schema)]);
    }
    Ok(Answer::new(&Migrated { schemas })?.table(table))
}

/// Runs every service's migrations.
pub(super) async fn postgres(owner: &Connection) -> anyhow::Result<()> {
    for migrations in MIGRATIONS {
        let run = migrations.run_postgres(owner).await;
        run.map_err(|error| match code_of(&error) {
            Some(code) => Problem::owner(code, &error, remedy(code, Some(&error))).into(),
            None => anyhow::Error::from(error).context(format!("migrating {}", migrations.schema)),
        })?;
    }
    Ok(())
}
