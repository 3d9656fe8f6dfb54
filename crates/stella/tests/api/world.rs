//! A house on one of the drivers, with two tenants.

use std::net::SocketAddr;
use std::sync::Arc;

use stella::platform::{Databases, MIGRATIONS, Platform, Setup};
use stella_api::Scope;
use stella_api::evidence::IngestAnswer;
use stella_api::scope::Role;
use stella_authority::{Authority, NewClient};
use stella_canonical::Digest;
use stella_client::{Call, Client, ClientError, Credentials, HttpClient, Reply, Session};
use stella_context::{Clock, SystemContext};
use stella_service::RateLimits;
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{Connection, DataFolder, ObjectStore};
use stella_testkit::Contract;
use stella_testkit::postgres::{self, TestDatabase};

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

/// A running house.
pub struct World {
    pub url: String,
    pub platform: Platform,
    pub contract: Arc<Contract>,
    pub objects: tempfile::TempDir,
    /// The database as its owner sees it, on PostgreSQL.
    pub owner_url: Option<String>,
    /// The folder of the SQLite files, elsewhere.
    pub folder: Option<Arc<DataFolder>>,
    key: SigningKey,
}

/// One client of a tenant: every answer that it gets is checked against the contract.
pub struct Caller {
    client: Client,
    contract: Arc<Contract>,
}

impl World {
    pub async fn postgres() -> Self {
        let database = migrated_database().await;
        let connection = Connection::parse(&database.app_url).unwrap();
        let databases = Databases::postgres(&connection).await.unwrap();
        let owner_url = Some(database.owner_url.clone());
        Self::start(databases, None, owner_url, RateLimits::default()).await
    }

    pub async fn filesystem() -> Self {
        let root = tempfile::tempdir().unwrap().keep();
        Self::embedded(DataFolder::open(&root).unwrap()).await
    }

    pub async fn inmemory() -> Self {
        Self::embedded(DataFolder::temporary().unwrap()).await
    }

    pub async fn limited(limits: RateLimits) -> Self {
        let folder = DataFolder::temporary().unwrap();
        let databases = Databases::embedded(&folder).await.unwrap();
        Self::start(databases, Some(folder), None, limits).await
    }

    async fn embedded(folder: Arc<DataFolder>) -> Self {
        let databases = Databases::embedded(&folder).await.unwrap();
        Self::start(databases, Some(folder), None, RateLimits::default()).await
    }

    async fn start(
        databases: Databases,
        folder: Option<Arc<DataFolder>>,
        owner_url: Option<String>,
        limits: RateLimits,
    ) -> Self {
        stella::logging::start(stella::logging::Form::Text, "warn");
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let objects = tempfile::tempdir().unwrap();
        let setup = Setup {
            public_url: url.clone(),
            databases,
            objects: ObjectStore::seed_fs(objects.path()),
            master: MasterKey::new(&[7; 32], "test").unwrap(),
            clock: Clock::System,
            limits,
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
            contract,
            objects,
            owner_url,
            folder,
            key,
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

    pub fn analyst(&self, tenant: &str) -> Caller {
        self.caller(tenant, Role::Analyst.scopes())
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
    let system = SystemContext::new("test", Clock::System);
    for tenant in ["acme", "globex"] {
        let tenant = tenant.parse().unwrap();
        authority.ensure_tenant(&system, &tenant).await.unwrap();
        let client = NewClient {
            id: &format!("{tenant}-client"),
            tenant: &tenant,
            roles: &[Role::Ingester, Role::Analyst],
            key: key.public(),
        };
        authority.ensure_client(&system, &client).await.unwrap();
    }
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
