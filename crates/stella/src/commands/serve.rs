//! `stella serve`: the services of an installation, as its configuration says.

use std::path::Path;

use anyhow::Context as _;
use stella_api::Code;
use stella_cli::arguments::ServeArgs;
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_context::{Clock, SystemContext};
use stella_signing::MasterKey;
use stella_telemetry::{Form, Level, Metrics, Options, Telemetry};

use super::{failed, listen};
use crate::configuration::{Environment, Problem, Settings};
use crate::platform::{Platform, Setup, Storage};

pub(super) async fn run(arguments: ServeArgs, session: &mut Session) -> Result<Answer, Failure> {
    if arguments.services.is_some() {
        let exit = ExitCode::of_code(Code::ConfigValueInvalid);
        let text = session.labels.text("serve-all-services");
        return Err(Failure::told(Code::ConfigValueInvalid.as_str(), exit, text));
    }
    let settings = Settings::load(&arguments.configuration, &session.io.environment)?;
    let form = match settings.environment {
        Environment::Production | Environment::Staging => Form::Json,
        Environment::Development | Environment::Testing => Form::Text,
    };
    let telemetry = Telemetry::start(Options {
        form,
        level: Level::INFO,
        secrets: settings.secrets.clone(),
        export: settings.export.clone(),
    });
    let telemetry = telemetry.map_err(|error| failed(error.into()))?;
    stella_telemetry::tell_panics();
    let served = serve(settings, telemetry.metrics.clone()).await;
    super::end(telemetry).await;
    served.map_err(failed)?;
    Ok(Answer::done(ExitCode::Ok))
}

async fn serve(settings: Settings, metrics: Metrics) -> anyhow::Result<()> {
    let key_file = &settings.master_key;
    let master = master_key(key_file, settings.environment)?;
    if let Some(owner) = settings.owner() {
        super::migrate::postgres(owner).await?;
    }
    let mut storage = Storage::default();
    let databases = storage.open(&settings.drivers()).await?;
    let drivers = settings.object_drivers().context("Storage:ObjectStore")?;
    let objects = storage.object_stores(&drivers, settings.data.as_deref())?;
    objects.probe().await?;
    let setup = Setup {
        public_url: settings.public_url.clone(),
        databases,
        objects,
        master: master.into(),
        clock: Clock::System,
        limits: settings.limits,
        metrics,
    };
    let platform = super::open(setup, key_file).await?;
    let listener = listen::bind(settings.listen, "serve-listen-hint").await?;
    let admin = listen::bind(settings.admin_listen, "serve-admin-listen-hint").await?;
    // With port 0 only the listener knows where it listens.
    let address = listener.local_addr().context("the address")?;
    let admin_address = admin.local_addr().context("the admin address")?;
    if !admin_address.ip().is_loopback() {
        tracing::warn!(admin = %admin_address, "whoever reaches the admin address reads its metrics");
    }
    tracing::info!(%address, admin = %admin_address, url = settings.public_url, "listening");
    let stop_within = settings.stop_within;
    let mut stop = listen::Stop::noted()?;
    let server = listen::serve(listener, platform.house.router.clone());
    let admin = listen::serve(admin, platform.house.admin.clone());
    let reconciling = tokio::spawn(reconcile(platform));
    stop.told().await;
    tracing::info!("stopping");
    reconciling.abort();
    // Until the last request is answered, somebody may want to know how many are left.
    let stopped = server.stop(stop_within).await;
    drop(admin);
    stopped
}

/// The key of the file. Others may not read it where anything counts; while developing it is told.
fn master_key(file: &Path, environment: Environment) -> Result<MasterKey, Problem> {
    let key = MasterKey::load(file).map_err(|error| Problem::master_key(file, &error))?;
    if stella_signing::open_to_others(file).unwrap_or_default() {
        let problem = Problem::master_key_open(file);
        if environment.strict() {
            return Err(problem);
        }
        tracing::warn!("{problem}");
    }
    Ok(key)
}

/// Works off what a process that died left undone; this process or another.
async fn reconcile(platform: Platform) {
    let mut timer = tokio::time::interval(std::time::Duration::from_secs(10));
    let system = SystemContext::new("reconciler", Clock::System);
    loop {
        timer.tick().await;
        if let Err(error) = platform.evidence.reconcile(&system).await {
            tracing::warn!(%error, "deriving what was kept before");
        }
    }
}
