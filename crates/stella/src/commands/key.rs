//! `stella key reseal`: the second half of replacing the master key.

use serde::Serialize;
use stella_cli::arguments::{ConfigurationArgs, KeyCommand};
use stella_cli::{Answer, Failure, Session};
use stella_context::{Clock, SystemContext};
use stella_service::KeyStore;

use super::{databases, failed, master_key, wrong_master_key};
use crate::configuration::Settings;
use crate::platform::Storage;

#[derive(Serialize)]
struct Resealed {
    /// How many keys were encrypted anew.
    keys: u64,
}

pub(super) async fn run(command: KeyCommand, session: &mut Session) -> Result<Answer, Failure> {
    let KeyCommand::Reseal(arguments) = command;
    let keys = reseal(&arguments, session).await.map_err(failed)?;
    let told = session
        .labels
        .format("key-resealed", &[("count", keys.into())]);
    Ok(Answer::new(&Resealed { keys })?.line(told))
}

async fn reseal(arguments: &ConfigurationArgs, session: &Session) -> anyhow::Result<u64> {
    let settings = Settings::load(arguments, &session.io.environment)?;
    let master = master_key(&settings)?;
    let databases = databases(&settings, &mut Storage::default()).await?;
    let system = SystemContext::new("reseal", Clock::System);
    let mut keys = 0;
    for (db, schema) in databases.with_keys() {
        let resealed = KeyStore::reseal(&system, db, schema, &master).await;
        keys += resealed.map_err(|error| wrong_master_key(&settings.master_key, error.into()))?;
    }
    Ok(keys)
}
