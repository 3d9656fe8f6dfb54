//! `stella tenant`: who may use an installation, said by whoever holds its configuration.

use std::sync::Arc;

use serde::Serialize;
use stella_api::{Code, TenantId};
use stella_authority::{Authority, AuthorityError};
use stella_cli::arguments::{ConfigurationArgs, TenantCommand, TenantCreateArgs, TenantTrustArgs};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_client::Peers;
use stella_context::{Clock, SystemContext};
use stella_locale::Labels;
use stella_service::{KeySource, Sentinel};
use stella_telemetry::Metrics;

use super::{databases, failed, master_key, wrong_master_key};
use crate::configuration::Settings;
use crate::platform::Storage;

#[derive(Serialize)]
struct Created {
    tenant: TenantId,
}

#[derive(Serialize)]
struct Trusted {
    tenant: TenantId,
    publisher: String,
}

pub(super) async fn run(command: TenantCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        TenantCommand::Create(arguments) => create(arguments, session).await,
        TenantCommand::Trust(arguments) => trust(arguments, session).await,
    }
}

async fn create(asked: TenantCreateArgs, session: &Session) -> Result<Answer, Failure> {
    let tenant = asked.tenant;
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    let made = authority.ensure_tenant(&system(), &tenant).await;
    made.map_err(|error| failed(error.into()))?;
    let values = [("tenant", tenant.as_str().into())];
    let told = session.labels.format("tenant-created", &values);
    Ok(Answer::new(&Created { tenant })?.line(told))
}

async fn trust(asked: TenantTrustArgs, session: &Session) -> Result<Answer, Failure> {
    let (tenant, publisher) = (&asked.tenant, asked.publisher.as_str());
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    authority
        .trust_vex_publisher(&system(), tenant, publisher)
        .await
        .map_err(unknown_or_failed)?;
    let values = [
        ("tenant", tenant.as_str().into()),
        ("publisher", publisher.into()),
    ];
    let told = session.labels.format("tenant-trusts", &values);
    let trusted = Trusted {
        tenant: tenant.clone(),
        publisher: publisher.to_owned(),
    };
    Ok(Answer::new(&trusted)?.line(told))
}

/// That a tenant is not there is said with the verb that makes it.
pub(super) fn unknown_or_failed(error: AuthorityError) -> Failure {
    let AuthorityError::TenantUnknown(tenant) = &error else {
        return failed(error.into());
    };
    let values = [("tenant", tenant.as_str().into())];
    let labels = Labels::english();
    let exit = ExitCode::of_code(Code::NotFound);
    Failure::told(
        Code::NotFound.as_str(),
        exit,
        labels.format("tenant-unknown", &values),
    )
    .hint(labels.format("tenant-unknown-hint", &values))
}

pub(super) fn system() -> SystemContext {
    SystemContext::new("operator", Clock::System)
}

/// Authority alone: no port, no blobs.
pub(super) async fn open(
    configuration: &ConfigurationArgs,
    session: &Session,
) -> anyhow::Result<Arc<Authority>> {
    let settings = Settings::load(configuration, &session.io.environment)?;
    let master = master_key(&settings)?.into();
    let databases = databases(&settings, &mut Storage::default()).await?;
    let keys = KeySource::of_peers(Peers::default());
    let sentinel = Sentinel::new(&settings.public_url, keys);
    // Nobody reads them: what is counted goes with the process.
    let metrics = Metrics::local()?;
    let db = databases.authority;
    let opened = Authority::open(&system(), db, master, sentinel, &metrics).await;
    opened.map_err(|error| wrong_master_key(&settings.master_key, error.into()))
}
