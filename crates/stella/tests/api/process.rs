//! `stella serve` as a process of its own, which can be killed and started again.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use sqlx::{Connection as _, PgConnection};
use stella_api::scope::Role;
use stella_authority::Authority;
use stella_client::{Call, HttpClient, Peers, Session};
use stella_context::{Clock, SystemContext};
use stella_service::{KeySource, Sentinel};
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{Connection, DataFolder, Db};
use stella_testkit::{Contract, S3Server};

use crate::by_hand::{blobs, by_hand_at, by_hand_in};
use crate::cli::Person;
use crate::serve::blobs_in;
use crate::up::send;
use crate::world::{Caller, credentials, migrated_database, people, s3_of};

/// What is there between two starts.
pub struct Installation {
    root: tempfile::TempDir,
    settings: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// The database as its owner sees it, on PostgreSQL.
    owner_url: Option<String>,
    key: SigningKey,
    contract: Arc<Contract>,
    /// The bucket's server, with `rustfs`.
    server: Option<S3Server>,
}

/// The process, and what it said before it was ready.
pub struct Running {
    child: Child,
    pub url: String,
    /// Where it tells metrics.
    pub admin: String,
    pub told: String,
    /// The lines that it says later.
    pub later: Receiver<String>,
    key: SigningKey,
    contract: Arc<Contract>,
}

impl Installation {
    pub async fn filesystem() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("data")).unwrap();
        let authority = stella_authority::MIGRATIONS
            .open_sqlite(&folder)
            .await
            .unwrap();
        let data = format!("Storage:DataDirectory={}", folder.root().display());
        let driver = "Storage:Driver=filesystem".to_owned();
        // The process cannot have the folder before this one has let it go.
        drop(folder);
        let store = "Storage:ObjectStore:Driver=seed-fs".to_owned();
        Self::set_up(root, authority, vec![driver, store, data], None).await
    }

    pub async fn postgres() -> Self {
        let root = tempfile::tempdir().unwrap();
        let database = migrated_database().await;
        let connection = Connection::parse(&database.app_url).unwrap();
        let settings = vec![
            "Storage:Driver=postgres".to_owned(),
            format!("ConnectionStrings:Default={}", database.app_url),
            "Storage:ObjectStore:Driver=seed-fs".to_owned(),
            format!(
                "Storage:DataDirectory={}",
                root.path().join("data").display()
            ),
        ];
        let owner = Some(database.owner_url);
        Self::set_up(root, Db::postgres(&connection), settings, owner).await
    }

    /// PostgreSQL, and blobs in a bucket.
    pub async fn rustfs() -> Self {
        let mut installation = Self::postgres().await;
        let server = S3Server::start();
        installation.settings.extend(blobs_in(s3_of(&server)));
        installation.server = Some(server);
        installation
    }

    /// Tenants and clients are made by Authority alone: the whole platform would hold on to
    /// the data folder.
    async fn set_up(
        root: tempfile::TempDir,
        authority: Db,
        settings: Vec<String>,
        owner_url: Option<String>,
    ) -> Self {
        let master = [7; 32];
        let master_file = root.path().join("master.key");
        std::fs::write(&master_file, master).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&master_file, private).unwrap();
        let master = Arc::new(MasterKey::new(&master, "test").unwrap());
        let system = SystemContext::new("test", Clock::System);
        let sentinel = Sentinel::new("http://localhost", KeySource::of_peers(Peers::default()));
        let metrics = stella_telemetry::Metrics::local().unwrap();
        let authority = Authority::open(&system, authority, master, sentinel, &metrics);
        let key = SigningKey::generate().unwrap();
        people(&authority.await.unwrap(), &key).await;
        let master = format!("Security:MasterKeyFile={}", master_file.display());
        Self {
            root,
            settings: settings.into_iter().chain([master]).collect(),
            environment: Vec::new(),
            owner_url,
            key,
            contract: Arc::new(Contract::new(&stella::platform::openapi().unwrap())),
            server: None,
        }
    }

    /// The same with one setting more.
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same with one variable more.
    pub fn with_variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    pub fn on_postgres(&self) -> bool {
        self.owner_url.is_some()
    }

    /// Whoever migrates the database.
    pub async fn owner(&self) -> PgConnection {
        let url = self.owner_url.as_deref().unwrap();
        PgConnection::connect(url).await.unwrap()
    }

    /// Runs a statement on acme's rows as somebody with all rights would.
    pub async fn by_hand(&self, schema: &str, statement: &str) {
        match &self.owner_url {
            Some(url) => by_hand_at(url, schema, &[], statement).await,
            None => by_hand_in(&self.root.path().join("data"), schema, statement).await,
        }
    }

    /// The blobs of a service.
    pub fn blobs(&self, service: &str) -> Vec<PathBuf> {
        let folder = match &self.server {
            Some(server) => server.objects(),
            None => self.root.path().join("data/objects"),
        };
        let folder = folder.join(service);
        match folder.is_dir() {
            true => blobs(&folder),
            false => Vec::new(),
        }
    }

    /// A file of its own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs a verb on the installation to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.run_until(words, None)
    }

    /// The same, or to a fault point.
    pub fn run_until(&self, words: &[&str], fault: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        command.env_clear().env("STELLA_ENVIRONMENT", "Testing");
        command.envs(fault.map(|point| ("STELLA_FAULT_POINT", point)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(words);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.output().unwrap()
    }

    /// Starts the process and waits until it listens.
    pub fn start(&self, fault: Option<&str>) -> Running {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
        command.env_clear().env("STELLA_ENVIRONMENT", "Testing");
        command.envs(fault.map(|point| ("STELLA_FAULT_POINT", point)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(["serve", "--set", &format!("Server:Listen={address}")]);
        command.args(["--set", "Server:AdminListen=127.0.0.1:0"]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut told = String::new();
        loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it never listened: {told}"));
            told += &(line.clone() + "\n");
            if line.contains("listening") {
                break;
            }
        }
        let admin = told
            .rsplit_once("\"admin\":\"")
            .or(told.rsplit_once("admin="));
        let admin = admin
            .unwrap()
            .1
            .split(['"', ' '])
            .next()
            .unwrap()
            .to_owned();
        // A pipe that nobody reads would stop it.
        let (log, later) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(log.send(line))));
        let tls = self
            .settings
            .iter()
            .any(|one| one.starts_with("Server:Tls"));
        let scheme = if tls { "https" } else { "http" };
        Running {
            child,
            admin: format!("http://{admin}"),
            later,
            url: format!("{scheme}://{address}"),
            told,
            key: self.key.clone(),
            contract: self.contract.clone(),
        }
    }
}

impl Running {
    fn caller(&self, tenant: &str, role: Role) -> Caller {
        let http = HttpClient::new(&self.url).unwrap();
        let client = Session::open(http, credentials(&self.key, tenant), role.scopes()).unwrap();
        Caller::new(client, self.contract.clone())
    }

    pub fn ingester(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Ingester)
    }

    pub fn analyst(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Analyst)
    }

    pub fn auditor(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Auditor)
    }

    pub fn operator(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Operator)
    }

    /// Somebody of a tenant at a command line of their own.
    pub fn person(&self, tenant: &str) -> Person {
        Person::at(&self.url, credentials(&self.key, tenant))
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        send(name, &self.child);
    }

    /// Waits until it says a line that holds a text.
    pub fn said(&self, text: &str) -> String {
        let mut lines = self.later.iter();
        let line = lines.find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("it ended and never said {text:?}"))
    }

    /// Asks the process to stop, as a supervisor does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// What it said from the beginning to the end, which it is asked for.
    pub async fn log_to_the_end(self) -> String {
        let end = move || {
            self.terminate();
            let later: Vec<String> = self.later.iter().collect();
            format!("{}{}", self.told, later.join("\n"))
        };
        // Who takes what the process has to say last runs here too.
        tokio::task::spawn_blocking(end).await.unwrap()
    }

    /// Ends the process, which learns nothing of it.
    pub fn kill(&mut self) -> ExitStatus {
        self.child.kill().unwrap();
        self.child.wait().unwrap()
    }

    pub fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends what ends the process, and waits for its end.
    pub async fn dies_of(mut self, caller: &Caller, call: Call) -> ExitStatus {
        let answer = caller.try_send(call).await;
        assert!(answer.is_err(), "{answer:?}");
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be dead already; what is left to do is to let its folder and port go.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
