//! A house on one of the drivers, with two tenants.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use stella::platform::{Databases, MIGRATIONS, ObjectStores, Platform, Setup};
use stella_api::evidence::IngestAnswer;
use stella_api::scope::Role;
use stella_api::{Page, Scope};
use stella_authority::{Authority, NewClient};
use stella_canonical::Digest;
use stella_client::{Call, Client, ClientError, Credentials, HttpClient, Reply, Session};
use stella_context::{Clock, SystemContext};
use stella_service::{KeyStore, RateLimits, RequestLimits, TrustedProxies};
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{Connection, DataFolder, ObjectStore, S3};
use stella_telemetry::{Form, Level, Options, Telemetry};
use stella_testkit::postgres::{self, TestDatabase};
use stella_testkit::{Contract, S3Server, s3};

use crate::link::Link;

/// Runs a test once on each driver, each time in a house of its own.
macro_rules! on_every_driver {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $($(#[$doc])* mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn case($world: $crate::world::World) $body

            #[tokio::test]
            async fn postgres() {
                case($crate::world::World::postgres().await).await;
            }

            #[tokio::test]
            async fn filesystem() {
                case($crate::world::World::filesystem().await).await;
            }

            #[tokio::test]
            async fn inmemory() {
                case($crate::world::World::inmemory().await).await;
            }
        })*
    };
}
pub(crate) use on_every_driver;

/// As `on_every_driver`, and on `postgres` with `rustfs`: for what blobs have a part in.
macro_rules! on_every_store {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $crate::world::on_every_driver! {
            $($(#[$doc])* async fn $name($world) $body)*
        }

        mod on_rustfs {
            $(mod $name {
                #[allow(unused_imports)]
                use super::super::*;

                async fn case($world: $crate::world::World) $body

                #[tokio::test]
                async fn postgres() {
                    case($crate::world::World::rustfs().await).await;
                }
            })*
        }
    };
}
pub(crate) use on_every_store;

/// A running house.
pub struct World {
    pub url: String,
    pub platform: Platform,
    pub databases: Databases,
    pub contract: Arc<Contract>,
    /// The folder in which blobs end up.
    pub blobs: PathBuf,
    objects: Objects,
    /// The database as its owner sees it, on PostgreSQL.
    pub owner_url: Option<String>,
    /// The folder of the SQLite files, elsewhere.
    pub folder: Option<Arc<DataFolder>>,
    key: SigningKey,
}

/// What holds the blobs of a house.
enum Objects {
    Folder(tempfile::TempDir),
    Server(S3Server),
}

/// One client of a tenant: every answer that it gets is checked against the contract.
pub struct Caller {
    client: Client,
    contract: Arc<Contract>,
}

impl World {
    pub async fn postgres() -> Self {
        Self::postgres_of(&migrated_database().await).await
    }

    /// On a database that somebody migrated.
    pub async fn postgres_of(database: &TestDatabase) -> Self {
        Self::on_postgres(&database.app_url, database, Objects::folder()).await
    }

    /// PostgreSQL, and blobs in a bucket.
    pub async fn rustfs() -> Self {
        let database = migrated_database().await;
        let objects = Objects::Server(S3Server::start());
        Self::on_postgres(&database.app_url, &database, objects).await
    }

    /// A house whose database can go away and come back.
    pub async fn postgres_over_a_link() -> (Self, Link) {
        let database = migrated_database().await;
        let cluster = postgres::cluster().await;
        let link = Link::to(&cluster.host, cluster.port).await;
        let far = format!("{}:{}", cluster.host, cluster.port);
        let near = format!("127.0.0.1:{}", link.port());
        let url = database.app_url.replace(&far, &near);
        let world = Self::on_postgres(&url, &database, Objects::folder()).await;
        (world, link)
    }

    async fn on_postgres(url: &str, database: &TestDatabase, objects: Objects) -> Self {
        let connection = Connection::parse(url).unwrap();
        let databases = Databases::postgres(&connection).await.unwrap();
        let owner = Some(database.owner_url.clone());
        Self::start(databases, objects, None, owner, RateLimits::default()).await
    }

    pub async fn filesystem() -> Self {
        let root = tempfile::tempdir().unwrap().keep();
        Self::embedded(DataFolder::open(&root).unwrap()).await
    }

    pub async fn inmemory() -> Self {
        Self::embedded(DataFolder::temporary().unwrap()).await
    }

    pub async fn limited(limits: RateLimits) -> Self {
        Self::embedded_with(DataFolder::temporary().unwrap(), limits).await
    }

    pub async fn embedded(folder: Arc<DataFolder>) -> Self {
        Self::embedded_with(folder, RateLimits::default()).await
    }

    async fn embedded_with(folder: Arc<DataFolder>, limits: RateLimits) -> Self {
        let databases = Databases::embedded(&folder).await.unwrap();
        Self::start(databases, Objects::folder(), Some(folder), None, limits).await
    }

    async fn start(
        databases: Databases,
        objects: Objects,
        folder: Option<Arc<DataFolder>>,
        owner_url: Option<String>,
        limits: RateLimits,
    ) -> Self {
        let telemetry = Telemetry::start(Options {
            form: Form::Text,
            level: Level::WARN,
            secrets: Vec::new(),
            export: None,
        });
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (store, blobs) = objects.opened();
        let setup = Setup {
            public_url: url.clone(),
            databases: databases.clone(),
            objects: ObjectStores::all(&store),
            master: master(),
            clock: Clock::System,
            limits,
            requests: RequestLimits::default(),
            proxies: TrustedProxies::default(),
            metrics: telemetry.unwrap().metrics,
        };
        let platform = Platform::open(setup).await.unwrap();
        let key = SigningKey::generate().unwrap();
        people(&platform.authority, &key).await;
        let router = platform.house.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let contract = Arc::new(Contract::new(&stella::platform::openapi().unwrap()));
        Self {
            url,
            platform,
            databases,
            contract,
            blobs,
            objects,
            owner_url,
            folder,
            key,
        }
    }

    /// Signs as Replay does.
    pub async fn replay_key(&self) -> SigningKey {
        let keys = KeyStore::new(self.databases.replay.clone(), "replay", "replay", master());
        let system = SystemContext::new("test", Clock::System);
        keys.active(&system).await.unwrap()
    }

    /// The bucket's server, with `rustfs`.
    pub fn bucket(&self) -> &S3Server {
        match &self.objects {
            Objects::Server(server) => server,
            Objects::Folder(_) => panic!("blobs lie in a folder"),
        }
    }

    pub fn credentials(&self, tenant: &str) -> Credentials {
        credentials(&self.key, tenant)
    }

    pub fn http(&self) -> HttpClient {
        HttpClient::new(&self.url).unwrap()
    }

    /// A client of a tenant whose tokens hold just these scopes.
    pub fn caller(&self, tenant: &str, scopes: &[Scope]) -> Caller {
        let client = Session::open(self.http(), self.credentials(tenant), scopes).unwrap();
        Caller {
            client,
            contract: self.contract.clone(),
        }
    }

    pub fn ingester(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Ingester.scopes())
    }

    /// The ingester of one more tenant.
    pub async fn newcomer(&self, tenant: &str) -> Caller {
        person(&self.platform.authority, &self.key, tenant).await;
        self.ingester(tenant)
    }

    pub fn analyst(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Analyst.scopes())
    }

    pub fn auditor(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Auditor.scopes())
    }

    pub fn operator(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Operator.scopes())
    }

    /// Does a round of every service's sealer.
    pub async fn seal_all(&self) {
        let system = SystemContext::new("test", Clock::System);
        for logs in &self.platform.logs {
            logs.seal(&system).await.unwrap();
        }
    }

    /// Does a round of Evidence's sealer; no worker is started here.
    pub async fn seal(&self) -> usize {
        let system = SystemContext::new("test", Clock::System);
        self.platform.evidence.seal(&system).await.unwrap()
    }

    /// Lets VEX statements of a publisher move the scores of a tenant.
    pub async fn trust(&self, tenant: &str, publisher: &str) {
        let system = SystemContext::new("test", Clock::System);
        let tenant = tenant.parse().unwrap();
        self.platform
            .authority
            .trust_vex_publisher(&system, &tenant, publisher)
            .await
            .unwrap();
    }
}

fn master() -> Arc<MasterKey> {
    Arc::new(MasterKey::new(&[7; 32], "test").unwrap())
}

impl Objects {
    fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    fn opened(&self) -> (ObjectStore, PathBuf) {
        match self {
            Self::Folder(folder) => (
                ObjectStore::seed_fs(folder.path()),
                folder.path().to_path_buf(),
            ),
            Self::Server(server) => {
                let spools = std::env::temp_dir();
                let store = ObjectStore::rustfs(&s3_of(server), &spools).unwrap();
                (store, server.objects())
            }
        }
    }
}

/// How a test server's bucket is entered.
pub fn s3_of(server: &S3Server) -> S3 {
    S3 {
        endpoint: server.endpoint(),
        bucket: s3::BUCKET.to_owned(),
        region: "eu-central-1".to_owned(),
        access_key_id: s3::ACCESS_KEY_ID.to_owned(),
        secret_access_key: s3::SECRET_ACCESS_KEY.to_owned(),
    }
}

/// A database of its own with the tables of every service.
pub async fn migrated_database() -> TestDatabase {
    let cluster = postgres::cluster().await;
    let template = migrations_digest();
    postgres::template(&cluster, &template, async |owner: String| {
        let owner = Connection::parse(&owner).unwrap();
        for migrations in MIGRATIONS {
            migrations.run_postgres(&owner).await.unwrap();
            migrations
                .run_postgres(&owner)
                .await
                .expect("a second run changes nothing");
        }
    })
    .await;
    postgres::clone(&cluster, &template).await
}

/// Two tenants with a client each, which have one key.
pub async fn people(authority: &Authority, key: &SigningKey) {
    for tenant in ["acme", "globex"] {
        person(authority, key, tenant).await;
    }
}

async fn person(authority: &Authority, key: &SigningKey, tenant: &str) {
    let system = SystemContext::new("test", Clock::System);
    let tenant = tenant.parse().unwrap();
    authority.ensure_tenant(&system, &tenant).await.unwrap();
    let client = NewClient {
        id: &format!("{tenant}-client"),
        tenant: &tenant,
        roles: Role::ALL,
        key: key.public(),
    };
    authority.ensure_client(&system, &client).await.unwrap();
}

/// How the client of a tenant asks for tokens.
pub fn credentials(key: &SigningKey, tenant: &str) -> Credentials {
    Credentials {
        client_id: format!("{tenant}-client"),
        tenant: Some(tenant.to_owned()),
        key: key.clone(),
    }
}

/// The name of the template: what the migrations hold decides it.
fn migrations_digest() -> String {
    let mut all = String::new();
    for migrations in MIGRATIONS {
        for migration in migrations.postgres.iter() {
            all += migrations.schema;
            all += migration.sql.as_str();
        }
    }
    Digest::of(all.as_bytes()).hex()
}

impl Caller {
    pub fn new(client: Client, contract: Arc<Contract>) -> Self {
        Self { client, contract }
    }

    /// The answer, or that none came.
    pub async fn try_send(&self, call: Call) -> Result<Reply, ClientError> {
        self.client.send(call).await
    }

    pub async fn send(&self, call: Call) -> Reply {
        let reply = self.client.send(call.clone()).await.unwrap();
        self.contract.check(&call, &reply);
        reply
    }

    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        self.send(Call::get(path)).await.json().unwrap()
    }

    /// A list to its end; the path may hold a query.
    pub async fn all<T: serde::de::DeserializeOwned>(&self, path: &str) -> Vec<T> {
        let start = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page: Page<T> = self.get(&format!("{path}{start}pageSize=500{next}")).await;
            all.extend(page.items);
            match page.next_page_token {
                Some(token) => next = format!("&pageToken={token}"),
                None => return all,
            }
        }
    }

    pub async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> T {
        self.send(Call::post_json(path, body).unwrap())
            .await
            .json()
            .unwrap()
    }

    /// Posts a document and takes the answer.
    pub async fn ingest(&self, kind: &str, bytes: &[u8]) -> IngestAnswer {
        self.send(crate::fixtures::ingest(kind, bytes))
            .await
            .json()
            .unwrap()
    }

    /// The code of the problem that a call brings.
    pub async fn code(&self, call: Call) -> String {
        let reply = self.send(call).await;
        match reply.clone().success() {
            Err(ClientError::Problem(problem)) => problem.code,
            other => panic!("no problem: {other:?}"),
        }
    }
}
