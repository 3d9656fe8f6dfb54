//! `stella up`: everything in one process on embedded storage, for somebody new.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use stella_api::TenantId;
use stella_api::scope::{Role, Scope};
use stella_authority::NewClient;
use stella_cli::arguments::UpArgs;
use stella_cli::contexts::{Context, Contexts};
use stella_cli::scopes;
use stella_cli::{Answer, ExitCode, Failure, Format, Session};
use stella_client::{Client, Credentials, HttpClient};
use stella_context::{Clock, SystemContext};
use stella_service::{RateLimits, RequestLimits, TrustedProxies, Workers};
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{DataFolder, ObjectStore};
use stella_telemetry::{Form, Level, Metrics, Options, Telemetry};
use tokio::net::TcpListener;

use super::listen::Stop;
use super::{client_key, failed, listen};
use crate::configuration::{self, Problem};
use crate::platform::{Databases, ObjectStores, Platform, Setup};

const TENANT: &str = "local";
const CLIENT: &str = "cli";
const CONTEXT: &str = "local";
const PORT: u16 = 7070;
const ADMIN_PORT: u16 = 7071;

pub(super) async fn run(arguments: UpArgs, session: &mut Session) -> Result<Answer, Failure> {
    let export = configuration::export(&session.io.environment)
        .map_err(|problems| Problem::told(&problems))?;
    let telemetry = Telemetry::start(Options {
        form: Form::Text,
        level: Level::WARN,
        secrets: Vec::new(),
        export,
    });
    let telemetry = telemetry.map_err(|error| failed(error.into()))?;
    stella_telemetry::tell_panics();
    let answer = up(arguments, session, telemetry.metrics.clone()).await;
    super::end(telemetry).await;
    answer
}

async fn up(arguments: UpArgs, session: &mut Session, metrics: Metrics) -> Result<Answer, Failure> {
    let places = Places::of(&arguments, session)?;
    let mut stop = Stop::noted().map_err(failed)?;
    let (listener, address) = bind(places.address).await?;
    let (admin, admin_address) = match places.admin {
        Some(address) => {
            let (listener, address) = bind(address).await?;
            (Some(listener), Some(address))
        }
        None => (None, None),
    };
    let url = format!("http://{address}");
    tell_settings(session, &places.data, address, admin_address);
    let key = client_key(&places.key)?;
    let platform = tokio::select! {
        opened = open(&places, &url, &key, &arguments, (session.clock, metrics)) => opened.map_err(failed)?,
        // What is half done is undone as after a crash: it is in transactions.
        () = stop.told() => return Ok(Answer::done(ExitCode::Interrupted)),
    };
    remember(&places, &url, arguments.once)?;
    let connections = listen::Connections::default();
    let server = listen::serve(listener, None, platform.house.router.clone(), connections);
    let admin = admin
        .map(|listener| listen::serve(listener, None, platform.house.admin.clone(), connections));
    let workers = Workers::start(platform.house.workers);
    let ended = attend(&url, key, &arguments, session, &mut stop).await;
    platform.house.streams.end();
    let stopped = async {
        tokio::join!(
            server.stop(listen::PATIENCE),
            workers.stop(listen::PATIENCE)
        )
        .0
    };
    tokio::select! {
        stopped = stopped => stopped.map_err(failed)?,
        // Whoever says it again does not want to wait for the requests in flight.
        () = stop.told() => return Ok(Answer::done(ExitCode::Interrupted)),
    }
    drop(admin);
    let report = ended?;
    if arguments.once {
        print(&report, session)?;
    }
    Ok(Answer::done(report.exit_code()))
}

/// Makes the report, and without `--once` prints it and waits. The report, or one that says
/// that it was not waited for.
async fn attend(
    url: &str,
    key: SigningKey,
    arguments: &UpArgs,
    session: &mut Session,
    stop: &mut Stop,
) -> Result<Answer, Failure> {
    let report = tokio::select! {
        report = report(url, key, arguments.sample, session) => report?,
        () = stop.told() => return Ok(Answer::done(ExitCode::Interrupted)),
    };
    if !arguments.once {
        print(&report, session)?;
        session.progress(&session.labels.text("up-running"));
        stop.told().await;
    }
    Ok(report)
}

/// `up` prints text unless it is asked for another format.
fn print(report: &Answer, session: &mut Session) -> Result<(), Failure> {
    let format = session.options.output.unwrap_or(Format::Table);
    session.print_as(report, format).map(|_| ())
}

/// The address that is listened on then: with port 0 only the listener knows it.
async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = listen::bind(address, "up-listen-hint").await;
    let listener = bound.map_err(|unusable| unusable.told())?;
    let address = listener.local_addr();
    Ok((listener, address.map_err(|error| failed(error.into()))?))
}

/// Says what this verb sets by itself, also to a log: nothing is silently assumed.
fn tell_settings(
    session: &mut Session,
    data: &Path,
    address: SocketAddr,
    admin: Option<SocketAddr>,
) {
    let (data, address) = (data.display().to_string(), address.to_string());
    let admin = admin.map_or_else(|| "none".to_owned(), |address| address.to_string());
    let values = [
        ("data", data.as_str().into()),
        ("address", address.as_str().into()),
        ("admin", admin.as_str().into()),
    ];
    let text = session.labels.format("up-settings", &values);
    session.tell(&text);
}

struct Places {
    data: PathBuf,
    config: PathBuf,
    key: PathBuf,
    /// Where this run listens.
    address: SocketAddr,
    /// Where metrics are told: nobody can ask for those of a run that ends by itself.
    admin: Option<SocketAddr>,
    /// Where a run without `--once` would listen.
    without_once: SocketAddr,
}

impl Places {
    fn of(arguments: &UpArgs, session: &Session) -> Result<Self, Failure> {
        let environment = &session.io.environment;
        let data = match &arguments.data {
            Some(data) => data.clone(),
            None => environment.data_dir()?,
        };
        let config = environment.config_dir()?;
        let on = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let port = if arguments.once { 0 } else { PORT };
        // A free port is another one each time, so that it says nothing of the next run.
        let lasting = arguments.listen.filter(|address| address.port() != 0);
        let key = config.join("keys").join(format!("{TENANT}-{CLIENT}.pem"));
        Ok(Self {
            data,
            config,
            key,
            address: arguments.listen.unwrap_or(on(port)),
            // Who chose an address runs several, or has something at the usual ones.
            admin: match (arguments.once, arguments.listen) {
                (true, _) => None,
                (false, None) => Some(on(ADMIN_PORT)),
                (false, Some(_)) => Some(on(0)),
            },
            without_once: lasting.unwrap_or(on(PORT)),
        })
    }
}

async fn open(
    places: &Places,
    url: &str,
    key: &SigningKey,
    arguments: &UpArgs,
    (clock, metrics): (Clock, Metrics),
) -> anyhow::Result<Platform> {
    let folder = DataFolder::open(&places.data)?;
    let key_file = folder.root().join("master.key");
    let master = MasterKey::load_or_create(&key_file)
        .map_err(|error| Problem::master_key(&key_file, &error))?;
    let databases = Databases::embedded(&folder).await?;
    let objects = ObjectStore::seed_fs(&folder.root().join("objects"));
    let setup = Setup {
        public_url: url.to_owned(),
        databases,
        objects: ObjectStores::all(&objects),
        master: master.into(),
        clock,
        limits: RateLimits::default(),
        requests: RequestLimits::default(),
        proxies: TrustedProxies::default(),
        metrics,
    };
    let platform = super::open(setup, &key_file).await?;
    let system = SystemContext::new("stella up", clock);
    let tenant: TenantId = TENANT.parse()?;
    let authority = &platform.authority;
    authority.ensure_tenant(&system, &tenant).await?;
    let roles = Role::ALL;
    let client = NewClient {
        id: CLIENT,
        tenant: &tenant,
        roles,
        key: key.public(),
    };
    authority.ensure_client(&system, &client).await?;
    if arguments.sample {
        let publisher = stella_cli::sample::PUBLISHER;
        authority
            .trust_vex_publisher(&system, &tenant, publisher)
            .await?;
    }
    // The report is of all that was kept, also by one that did not get to derive.
    platform.evidence.reconcile(&system).await?;
    Ok(platform)
}

/// Makes the context `local` known to the verbs. With `once` nobody will answer at the address
/// of now: the context names that of a plain `stella up`, so that the next verb says what to do,
/// and one that is there stays as it is.
fn remember(places: &Places, url: &str, once: bool) -> Result<(), Failure> {
    let server = match once {
        true => format!("http://{}", places.without_once),
        false => url.to_owned(),
    };
    let context = Context {
        server,
        tenant: TENANT.to_owned(),
        client: Some(CLIENT.to_owned()),
        key_file: Some(places.key.clone()),
    };
    Contexts::update(&places.config, |contexts| {
        if once {
            if contexts.has(CONTEXT) {
                return Ok(());
            }
            return contexts.upsert(CONTEXT, context);
        }
        contexts.upsert(CONTEXT, context)?;
        contexts.make_current(CONTEXT)
    })
}

/// What a newcomer sees. An empty store is told as such, with what to do; it is no failure here.
async fn report(
    url: &str,
    key: SigningKey,
    sample: bool,
    session: &mut Session,
) -> Result<Answer, Failure> {
    if sample {
        let ingest = client(url, &key, scopes::INGEST)?;
        stella_cli::sample::ingest(&ingest, session.clock).await?;
    }
    let read = client(url, &key, scopes::EXPLAIN)?;
    stella_cli::newcomer_report(&read, session).await
}

fn client(url: &str, key: &SigningKey, scopes: &[Scope]) -> Result<Client, Failure> {
    let credentials = Credentials {
        client_id: CLIENT.to_owned(),
        tenant: Some(TENANT.to_owned()),
        key: key.clone(),
    };
    let http = HttpClient::new(url).map_err(|error| failed(error.into()))?;
    stella_client::Session::open(http, credentials, scopes).map_err(|error| failed(error.into()))
}
