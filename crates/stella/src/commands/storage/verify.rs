//! `stella storage verify`: reads every blob again and compares it with its digest, and looks for
//! those that rows lead to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use stella_api::TenantId;
use stella_canonical::Digest;
use stella_cli::arguments::ConfigurationArgs;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_context::{Clock, SystemContext};
use stella_storage::{Bucket, Listed, ObjectError, ObjectStore, StoreError};

use super::super::{databases, failed};
use super::needs::Needs;
use super::progress;
use super::{blobs, buckets};
use crate::configuration::Settings;
use crate::platform::Storage;

/// How many blobs are read at a time: a bucket's answers are far away.
const AT_A_TIME: usize = 8;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    blobs: u64,
    bytes: u64,
    corrupt: Vec<Corrupt>,
    /// What rows lead to and is not there; none where the tables could not be looked into, since
    /// a server on embedded storage has them.
    missing: Option<Vec<Missing>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Missing {
    service: &'static str,
    tenant: String,
    digest: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Corrupt {
    service: &'static str,
    tenant: String,
    digest: String,
    /// The digest of what is there.
    found: String,
    place: String,
}

pub(super) async fn run(
    arguments: ConfigurationArgs,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let settings = Settings::load(&arguments, &session.io.environment)?;
    let verified = verify(&settings, session).await.map_err(failed)?;
    answer(&verified, session)
}

fn answer(verified: &Verified, session: &Session) -> Result<Answer, Failure> {
    let columns = ["service", "tenant", "digest", "actual", "place"];
    let column = |name: &str| Column::new(session.labels.text(&format!("column-{name}")));
    let mut table = Table::new(columns.map(column));
    for one in &verified.corrupt {
        let cells = [
            one.service,
            &one.tenant,
            &one.digest,
            &one.found,
            &one.place,
        ];
        table.row(cells.map(Cell::new));
    }
    let gone = session.labels.text("storage-gone");
    for one in verified.missing.iter().flatten() {
        let cells = [one.service, &one.tenant, &one.digest, &gone, ""];
        table.row(cells.map(Cell::new));
    }
    let corrupt = verified.corrupt.len();
    let missing = verified.missing.as_ref().map(Vec::len);
    let read = [
        ("count", verified.blobs.into()),
        ("size", verified.bytes.to_string().into()),
    ];
    let mut answer = Answer::new(verified)?;
    if corrupt > 0 || missing.is_some_and(|count| count > 0) {
        answer = answer
            .table(table)
            .line("")
            .exit(ExitCode::VerificationFailed);
    }
    Ok(answer
        .line(session.labels.format("storage-verified", &read))
        .line(
            session
                .labels
                .format("storage-corrupt", &[("count", corrupt.into())]),
        )
        .line(match missing {
            Some(count) => (session.labels).format("storage-missing", &[("count", count.into())]),
            None => session.labels.text("storage-rows-held"),
        }))
}

async fn verify(settings: &Settings, session: &mut Session) -> anyhow::Result<Verified> {
    let mut storage = Storage::default();
    let databases = match databases(settings, &mut storage).await {
        Ok(databases) => Some(databases),
        Err(error) => match error.downcast_ref::<StoreError>() {
            Some(StoreError::Locked { .. }) => None,
            _ => return Err(error),
        },
    };
    let drivers = settings.object_drivers().context("Storage:ObjectStore")?;
    let stores = storage.object_stores(&drivers, settings.data.as_deref())?;
    let system = SystemContext::new("storage verify", Clock::System);
    let mut there = There::new();
    let progress = progress::over(&stores, session).await?;
    let mut verified = Verified::default();
    for (bucket, store) in buckets(&stores) {
        let read = blobs(store, bucket).map(|listed| read(store, bucket, listed));
        let mut read = read.buffered(AT_A_TIME);
        while let Some((listed, corrupt)) = read.try_next().await? {
            verified.blobs += 1;
            verified.bytes += listed.size;
            verified.corrupt.extend(corrupt);
            if let Some((tenant, digest)) = listed.blob {
                there.entry((bucket.0, tenant)).or_default().insert(digest);
            }
            progress.at(verified.bytes);
        }
    }
    let Some(databases) = databases else {
        return Ok(verified);
    };
    let mut tenants = stella_authority::tenants(&system, &databases.authority).await?;
    tenants.extend(there.keys().map(|(_, tenant)| tenant.clone()));
    let none = BTreeSet::new();
    let mut all = Vec::new();
    for (bucket, store) in buckets(&stores) {
        let needs = Needs {
            bucket,
            store,
            databases: &databases,
            system: &system,
        };
        for tenant in &tenants {
            let read = there.get(&(bucket.0, tenant.clone())).unwrap_or(&none);
            let gone = missing(&needs, tenant, read).await?;
            all.extend(gone.into_iter().map(|digest| Missing {
                service: bucket.0,
                tenant: tenant.to_string(),
                digest: digest.to_string(),
            }));
        }
    }
    verified.missing = Some(all);
    Ok(verified)
}

/// What was read, of each service and tenant.
type There = BTreeMap<(&'static str, TenantId), BTreeSet<Digest>>;

/// What the rows of a tenant lead to and is not there. What leads from one blob to others is found
/// only where it is there itself.
async fn missing(
    needs: &Needs<'_>,
    tenant: &TenantId,
    read: &BTreeSet<Digest>,
) -> anyhow::Result<Vec<Digest>> {
    let named = match needs.named(tenant).await {
        Ok(named) => named,
        Err(error) => match error.downcast::<ObjectError>() {
            Ok(ObjectError::Missing(digest)) => return Ok(vec![digest]),
            // It is told as corrupt already.
            Ok(ObjectError::Corrupt { .. }) => return Ok(Vec::new()),
            Ok(error) => return Err(error.into()),
            Err(error) => return Err(error),
        },
    };
    let mut gone = Vec::new();
    for digest in named.difference(read) {
        // It may have come since the list was read.
        match needs.store.open(needs.bucket, tenant, digest).await {
            Err(ObjectError::Missing(_)) => gone.push(*digest),
            Ok(_) | Err(ObjectError::Corrupt { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(gone)
}

/// Reads one blob to its end.
async fn read(
    store: &ObjectStore,
    bucket: Bucket,
    listed: Result<Listed, ObjectError>,
) -> Result<(Listed, Option<Corrupt>), ObjectError> {
    let listed = listed?;
    let Some((tenant, digest)) = &listed.blob else {
        return Ok((listed, None));
    };
    let all = async {
        let opened = store.open(bucket, tenant, digest).await?;
        opened.bytes.try_for_each(async |_| Ok(())).await
    };
    match all.await {
        Ok(()) => Ok((listed, None)),
        // Swept since it was listed.
        Err(ObjectError::Missing(_)) => Ok((listed, None)),
        Err(ObjectError::Corrupt { actual, path, .. }) => {
            let corrupt = Corrupt {
                service: bucket.0,
                tenant: tenant.to_string(),
                digest: digest.to_string(),
                found: actual.to_string(),
                place: path,
            };
            Ok((listed, Some(corrupt)))
        }
        Err(error) => Err(error),
    }
}
