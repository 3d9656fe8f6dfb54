//! `stella key`: the keys that services sign with, and the second half of replacing the master key
//! that they are encrypted with.

use serde::Serialize;
use stella_api::Code;
use stella_cli::arguments::{ConfigurationArgs, KeyCommand, KeyRotateArgs};
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_context::SystemContext;
use stella_service::{KeyStore, StoredKey};
use stella_signing::MasterKey;

use super::{databases, failed, master_key, wrong_master_key};
use crate::configuration::Settings;
use crate::platform::{Databases, Storage};

#[derive(Serialize)]
struct Resealed {
    /// How many keys were encrypted anew.
    keys: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    service: &'static str,
    purpose: String,
    kid: String,
    state: String,
    created_at: String,
}

#[derive(Serialize)]
struct Rotated {
    service: &'static str,
    purpose: String,
    kid: String,
}

pub(super) async fn run(command: KeyCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        KeyCommand::Reseal(arguments) => reseal(&arguments, session).await,
        KeyCommand::List(arguments) => list(&arguments, session).await,
        KeyCommand::Rotate(arguments) => rotate(&arguments, session).await,
    }
}

async fn reseal(arguments: &ConfigurationArgs, session: &Session) -> Result<Answer, Failure> {
    let (settings, master, databases) = open(arguments, session).await.map_err(failed)?;
    let system = system(session);
    let mut keys = 0;
    for (_, db, schema) in databases.with_keys() {
        let resealed = KeyStore::reseal(&system, db, schema, &master).await;
        let resealed =
            resealed.map_err(|error| wrong_master_key(&settings.master_key, error.into()));
        keys += resealed.map_err(failed)?;
    }
    let told = session
        .labels
        .format("key-resealed", &[("count", keys.into())]);
    Ok(Answer::new(&Resealed { keys })?.line(told))
}

async fn list(arguments: &ConfigurationArgs, session: &Session) -> Result<Answer, Failure> {
    let (_, _, databases) = open(arguments, session).await.map_err(failed)?;
    let column = |label| Column::new(session.labels.text(label)).whole();
    let mut table = Table::new([
        column("column-service"),
        column("column-purpose"),
        column("column-state"),
        column("column-made"),
        Column::new(session.labels.text("column-id")).long(),
    ]);
    let mut all = Vec::new();
    for (service, db, schema) in databases.with_keys() {
        let keys = KeyStore::list(&system(session), db, schema).await;
        for key in keys.map_err(|error| failed(error.into()))? {
            let StoredKey {
                kid,
                purpose,
                state,
                created_at,
            } = key;
            let created_at = created_at.to_string();
            let day = created_at.get(..10).unwrap_or_default();
            let cells = [service, &purpose, &state, day, &kid];
            table.row(cells.map(Cell::new));
            all.push(Listed {
                service,
                purpose,
                kid,
                state,
                created_at,
            });
        }
    }
    Ok(Answer::new(&all)?.table(table))
}

async fn rotate(arguments: &KeyRotateArgs, session: &Session) -> Result<Answer, Failure> {
    let KeyRotateArgs {
        service,
        purpose,
        configuration,
    } = arguments;
    let (settings, master, databases) = open(configuration, session).await.map_err(failed)?;
    let system = system(session);
    let named = databases
        .with_keys()
        .into_iter()
        .find(|(name, ..)| name == service);
    let Some((service, db, schema)) = named else {
        return Err(unknown(session, arguments));
    };
    let keys = KeyStore::list(&system, db, schema).await;
    let keys = keys.map_err(|error| failed(error.into()))?;
    let Some(before) = keys.into_iter().find(|key| key.purpose == *purpose) else {
        return Err(unknown(session, arguments));
    };
    let store = KeyStore::new(db.clone(), schema, before.purpose, master.into());
    let kid = store.rotate(&system).await;
    let kid = kid.map_err(|error| wrong_master_key(&settings.master_key, error.into()));
    let rotated = Rotated {
        service,
        purpose: purpose.clone(),
        kid: kid.map_err(failed)?,
    };
    let values = [
        ("service", service.into()),
        ("purpose", purpose.as_str().into()),
        ("key", rotated.kid.as_str().into()),
    ];
    let told = session.labels.format("key-rotated", &values);
    Ok(Answer::new(&rotated)?.line(told))
}

fn unknown(session: &Session, asked: &KeyRotateArgs) -> Failure {
    let values = [
        ("service", asked.service.as_str().into()),
        ("purpose", asked.purpose.as_str().into()),
    ];
    let text = session.labels.format("key-unknown", &values);
    let code = Code::NotFound;
    Failure::told(code.as_str(), ExitCode::of_code(code), text)
        .hint(session.labels.text("key-unknown-hint"))
}

fn system(session: &Session) -> SystemContext {
    SystemContext::new("operator", session.clock)
}

async fn open(
    arguments: &ConfigurationArgs,
    session: &Session,
) -> anyhow::Result<(Settings, MasterKey, Databases)> {
    let settings = Settings::load(arguments, &session.io.environment)?;
    let master = master_key(&settings)?;
    let databases = databases(&settings, &mut Storage::default()).await?;
    Ok((settings, master, databases))
}
