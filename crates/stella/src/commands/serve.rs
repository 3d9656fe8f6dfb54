//! `stella serve`: the services of an installation, as its configuration says.

use std::sync::Arc;

use anyhow::Context as _;
use stella_api::Code;
use stella_cli::arguments::ServeArgs;
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_context::Clock;
use stella_service::Workers;
use stella_signing::MasterKey;
use stella_telemetry::{Form, Level, Metrics, Options, Telemetry};
use tokio::task::JoinSet;

use super::tls::Certificate;
use super::{connections, failed, listen};
use crate::configuration::{Environment, Problem, Problems, Settings};
use crate::platform::{Setup, Storage};

pub(super) async fn run(arguments: ServeArgs, session: &mut Session) -> Result<Answer, Failure> {
    let environment = Environment::named(&session.io.environment);
    let started = start(arguments, session).await;
    started.map_err(|failure| match form(environment) {
        Form::Json => failure.logged(),
        Form::Text => failure,
    })
}

/// How logs are written.
fn form(environment: Environment) -> Form {
    match environment.strict() {
        true => Form::Json,
        false => Form::Text,
    }
}

async fn start(arguments: ServeArgs, session: &mut Session) -> Result<Answer, Failure> {
    if arguments.services.is_some() {
        let exit = ExitCode::of_code(Code::ConfigValueInvalid);
        let text = session.labels.text("serve-all-services");
        return Err(Failure::told(Code::ConfigValueInvalid.as_str(), exit, text));
    }
    let settings = Settings::load(&arguments.configuration, &session.io.environment)?;
    if settings.environment.strict() && session.clock != Clock::System {
        return Err(Problem::told(&[Problem::clock()]));
    }
    let telemetry = Telemetry::start(Options {
        form: form(settings.environment),
        level: Level::INFO,
        secrets: settings.secrets.clone(),
        export: settings.export.clone(),
    });
    let telemetry = telemetry.map_err(|error| failed(error.into()))?;
    stella_telemetry::tell_panics();
    let served = serve(settings, session.clock, telemetry.metrics.clone()).await;
    super::end(telemetry).await;
    served.map_err(failed)?;
    Ok(Answer::done(ExitCode::Ok))
}

async fn serve(settings: Settings, clock: Clock, metrics: Metrics) -> anyhow::Result<()> {
    let key_file = &settings.master_key;
    let (master, certificate) = files(&settings)?;
    if let Some(owner) = settings.owner()
        && let Err(error) = super::migrate::postgres(&settings, owner).await
    {
        return Err(with_connections(error, &settings).await);
    }
    let mut storage = Storage::default();
    let databases = super::databases(&settings, &mut storage).await?;
    let drivers = settings.object_drivers().context("Storage:ObjectStore")?;
    let objects = storage.object_stores(&drivers, settings.data.as_deref())?;
    objects.probe().await?;
    let setup = Setup {
        public_url: settings.public_url.clone(),
        databases,
        objects,
        master: master.into(),
        clock,
        limits: settings.limits,
        requests: settings.requests,
        proxies: settings.proxies.clone(),
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
    let router = platform.house.router.clone();
    let mut background = JoinSet::new();
    let tls = match certificate {
        Some(certificate) => {
            let tls = certificate.acceptor()?;
            background.spawn(certificate.follow()?);
            Some(tls)
        }
        None => None,
    };
    let connections = settings.connections;
    let server = listen::serve(listener, tls, router, connections);
    let admin = listen::serve(admin, None, platform.house.admin.clone(), connections);
    let workers = Workers::start(platform.house.workers);
    stop.told().await;
    tracing::info!("stopping");
    background.abort_all();
    platform.house.streams.end();
    let (stopped, ()) = tokio::join!(server.stop(stop_within), workers.stop(stop_within));
    // Until the last request is answered, somebody may want to know how many are left.
    drop(admin);
    stopped
}

/// The files of keys and certificates, and all that is wrong with any.
fn files(settings: &Settings) -> Result<(MasterKey, Option<Arc<Certificate>>), Problems> {
    let certificate = settings.tls.clone();
    let certificate = certificate.map(|files| Certificate::load(files, settings.environment));
    match (super::master_key(settings), certificate.transpose()) {
        (Ok(master), Ok(certificate)) => Ok((master, certificate)),
        (master, certificate) => {
            let problems = [master.err(), certificate.err()].into_iter().flatten();
            Err(Problems(problems.flat_map(|Problems(some)| some).collect()))
        }
    }
}

/// What is wrong with the owner's connection, and with all others. That migrations are pending
/// follows from the first.
async fn with_connections(error: anyhow::Error, settings: &Settings) -> anyhow::Error {
    match error.downcast::<Problem>() {
        Ok(problem) => {
            let others = connections::problems(settings).await.into_iter();
            let others = others.filter(|one| one.code != Code::StorageSchemaOlder);
            Problems([problem].into_iter().chain(others).collect()).into()
        }
        Err(error) => error,
    }
}
