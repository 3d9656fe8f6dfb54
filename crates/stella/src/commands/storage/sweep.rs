//! `stella storage sweep`: what lies in the object stores and nothing needs.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::Serialize;
use stella_api::{Code, TenantId};
use stella_canonical::Digest;
use stella_cli::arguments::SweepArgs;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_context::{Clock, SystemContext};
use stella_storage::{Listed, ObjectStore};

use super::super::{databases, failed};
use super::buckets;
use super::needs::Needs;
use crate::configuration::Settings;
use crate::platform::Storage;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Swept {
    orphans: Vec<Orphan>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Orphan {
    service: &'static str,
    /// Where it lies, from the store's root.
    blob: String,
    size: u64,
    written: String,
    removed: bool,
}

pub(super) async fn run(arguments: SweepArgs, session: &mut Session) -> Result<Answer, Failure> {
    if arguments.remove && arguments.older_than < ObjectStore::GRACE {
        let hours = ObjectStore::GRACE.as_secs() / 3600;
        let text = session
            .labels
            .format("storage-age-too-short", &[("hours", hours.into())]);
        let code = Code::ConfigValueInvalid.as_str();
        return Err(Failure::told(code, ExitCode::InvalidInput, text));
    }
    let settings = Settings::load(&arguments.configuration, &session.io.environment)?;
    let swept = sweep(&settings, &arguments).await.map_err(failed)?;
    answer(&swept, arguments.remove, session)
}

fn answer(swept: &Swept, removing: bool, session: &Session) -> Result<Answer, Failure> {
    let labels = session.labels;
    let columns = ["service", "blob", "size", "written", "removed"];
    let column = |name: &str| Column::new(labels.text(&format!("column-{name}")));
    let mut table = Table::new(columns.map(column));
    for one in &swept.orphans {
        let removed = labels.text(if one.removed {
            "storage-yes"
        } else {
            "storage-no"
        });
        let size = one.size.to_string();
        let cells = [one.service, &one.blob, &size, &one.written, &removed];
        table.row(cells.map(Cell::new));
    }
    let (count, size) = (
        swept.orphans.len(),
        swept.orphans.iter().map(|one| one.size).sum::<u64>(),
    );
    let values = [("count", count.into()), ("size", size.to_string().into())];
    let told = labels.format("storage-orphans", &values);
    let answer = Answer::new(swept)?;
    Ok(match (count, removing) {
        (0, _) => answer.line(told),
        (_, true) => answer.table(table).line("").line(told),
        (_, false) => answer
            .table(table)
            .line("")
            .line(told)
            .line(labels.text("storage-orphans-next")),
    })
}

async fn sweep(settings: &Settings, arguments: &SweepArgs) -> anyhow::Result<Swept> {
    let mut storage = Storage::default();
    let databases = databases(settings, &mut storage).await?;
    let drivers = settings.object_drivers().context("Storage:ObjectStore")?;
    let stores = storage.object_stores(&drivers, settings.data.as_deref())?;
    let system = SystemContext::new("storage sweep", Clock::System);
    let before = before(&system, arguments.older_than)?;
    let mut swept = Swept::default();
    for (bucket, store) in buckets(&stores) {
        let needs = Needs {
            bucket,
            store,
            databases: &databases,
            system: &system,
        };
        for listed in orphans(&needs, before).await? {
            // One that is put again meanwhile is young again, and stays.
            let removed = arguments.remove && store.remove(&listed).await?;
            swept.orphans.push(Orphan {
                service: bucket.0,
                blob: listed.key,
                size: listed.size,
                written: listed.modified.to_string(),
                removed,
            });
        }
    }
    Ok(swept)
}

fn before(system: &SystemContext, age: Duration) -> anyhow::Result<Timestamp> {
    let now = system.clock().now();
    now.checked_sub(age).context("--older-than")
}

/// What was written before a time and no row names.
async fn orphans(needs: &Needs<'_>, before: Timestamp) -> anyhow::Result<Vec<Listed>> {
    let mut orphans = Vec::new();
    let mut listed = needs.store.list(needs.bucket);
    // The list goes tenant by tenant.
    let mut known: Option<(TenantId, BTreeSet<Digest>)> = None;
    while let Some(one) = listed.try_next().await? {
        if one.modified >= before {
            continue;
        }
        let needed = match &one.blob {
            None => false,
            Some((tenant, digest)) => {
                if known.as_ref().is_none_or(|(of, _)| of != tenant) {
                    known = Some((tenant.clone(), needs.named(tenant).await?));
                }
                known
                    .as_ref()
                    .is_some_and(|(_, named)| named.contains(digest))
            }
        };
        if !needed {
            orphans.push(one);
        }
    }
    Ok(orphans)
}
