//! What the design's aims cost, each beside the bare thing that it stands around, in one run:
//! `cargo bench -p stella --bench aims`. Ratios tell; times are those of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_macros,
    unused_imports,
    unreachable_pub
)]

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, query_scalar};
use stella_canonical::Digest;
use stella_client::{Call, HttpClient};
use stella_context::{Actor, Clock, OpContext, TraceId};
use stella_signing::{SigningKey, dpop_proof};
use stella_storage::{Bucket, ObjectStore, on};
use stella_testkit::S3Server;

use crate::fixtures::{advisory, bytes, line};
use crate::measure::{median, timed};
use crate::world::{World, s3_of};

#[path = "../tests/api/fixtures.rs"]
mod fixtures;
#[path = "../tests/api/link.rs"]
mod link;
mod measure;
#[path = "../tests/api/world.rs"]
mod world;

/// How often what is short is measured.
const TIMES: usize = 500;
const SEALED: usize = 5_000;
const BLOBS: usize = 48;
const BLOB: usize = 4 << 20;

fn main() {
    // As a test runs: the house and who asks it share a thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        println!("{:<52} {:>12} {:>8}", "what", "measured", "ratio");
        request().await;
        row_level_security().await;
        idempotency().await;
        sealing().await;
        blobs().await;
    });
}

fn told(what: &str, measured: Duration, bare: Duration) {
    let ratio = measured.as_secs_f64() / bare.as_secs_f64();
    println!("{what:<52} {:>9} us {ratio:>8.2}", measured.as_micros());
}

/// In MB a second.
fn throughput(what: &str, took: Duration, bare: Duration) {
    let rate = (BLOBS * BLOB) as f64 / 1e6 / took.as_secs_f64();
    let ratio = took.as_secs_f64() / bare.as_secs_f64();
    println!("{what:<52} {rate:>7.0} MB/s {ratio:>8.2}");
}

fn hole(name: &str) -> Vec<u8> {
    bytes(&advisory(name, &[], "alpha", "2.0.0"))
}

fn op() -> OpContext {
    let actor = Actor {
        client_id: "acme-client".to_owned(),
        subject: "acme-client".to_owned(),
        roles: vec![],
    };
    let scopes = std::collections::BTreeSet::new();
    let tenant = "acme".parse().unwrap();
    OpContext::verified(tenant, actor, scopes, TraceId::generate(), Clock::System)
}

/// The whole kit around an answer that touches no database, and the same bytes from bare axum.
async fn request() {
    let world = World::inmemory().await;
    let path = "/api/v1/authority/whoami";
    let answer = world.analyst("acme").send(Call::get(path)).await.body;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bare = HttpClient::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let json = [("content-type", "application/json")];
    let router = Router::new().route(path, get(async move || (json, answer.clone())));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let key = SigningKey::generate().unwrap();
    let token = token(&world, &key).await;
    let (kit, url) = (world.http(), format!("{}{path}", world.url));
    let (mut around, mut alone) = (Vec::new(), Vec::new());
    for n in 0..TIMES {
        // Made before the clock runs: it is the caller's work. Both send as much.
        let now = Clock::System.now().as_second();
        let proof = dpop_proof(&key, "GET", &url, now, &n.to_string(), Some(&token)).unwrap();
        let call = Call::get(path)
            .with(
                "authorization".parse().unwrap(),
                format!("DPoP {token}").parse().unwrap(),
            )
            .with("dpop".parse().unwrap(), proof.parse().unwrap());
        let same = call.clone();
        alone.push(timed(async { bare.send(same).await.unwrap().success().unwrap() }).await);
        around.push(timed(async { kit.send(call).await.unwrap().success().unwrap() }).await);
    }
    let alone = median(alone);
    told("GET, bare axum handler", alone, alone);
    told(
        "GET, whole kit (token, DPoP, quota, log)",
        median(around),
        alone,
    );
}

/// A token bound to a key, as the session asks for it.
async fn token(world: &World, key: &SigningKey) -> String {
    let credentials = world.credentials("acme");
    let now = Clock::System.now().as_second();
    let claims = serde_json::json!({
        "iss": credentials.client_id, "sub": credentials.client_id, "aud": world.url,
        "jti": "1", "iat": now, "exp": now + 60,
    });
    let assertion = stella_signing::sign_jwt(&credentials.key, "JWT", &claims).unwrap();
    let form = serde_urlencoded::to_string([
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", &assertion),
        ("scope", "risk:read"),
    ]);
    let url = format!("{}/oauth/token", world.url);
    let proof = dpop_proof(key, "POST", &url, now, "token", None).unwrap();
    let call = Call::post(
        "/oauth/token",
        "application/x-www-form-urlencoded",
        form.unwrap(),
    )
    .with("dpop".parse().unwrap(), proof.parse().unwrap());
    let answer: stella_api::authority::TokenAnswer =
        world.http().send(call).await.unwrap().json().unwrap();
    answer.access_token
}

/// A row by its key: as services read it, and from a table without row-level security.
async fn row_level_security() {
    let world = World::postgres().await;
    fill(&world, 2_000).await;
    let digest = Digest::of(&hole("RUSTSEC-2026-1000")).to_string();
    let owner = world.owner_url.as_deref().unwrap();
    let mut owner = PgConnection::connect(owner).await.unwrap();
    for statement in [
        "SELECT set_config('stella.tenant', 'acme', false)",
        "CREATE TABLE evidence.bare (LIKE evidence.provenance INCLUDING INDEXES)",
        "INSERT INTO evidence.bare SELECT * FROM evidence.provenance",
        "ANALYZE evidence.bare",
        "ANALYZE evidence.provenance",
    ] {
        sqlx::raw_sql(statement).execute(&mut owner).await.unwrap();
    }
    let select = |table: &str| {
        AssertSqlSafe(format!(
            "SELECT record FROM evidence.{table} WHERE tenant = $1 AND digest = $2"
        ))
    };
    let (op, db) = (op(), world.databases.evidence.clone());
    let (mut bare, mut bound, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        for (table, into) in [("bare", &mut bare), ("provenance", &mut bound)] {
            let query = query_scalar::<_, String>(select(table));
            let query = query.bind("acme").bind(&digest);
            into.push(timed(async { query.fetch_one(&mut owner).await.unwrap() }).await);
        }
        let service = async {
            let mut tx = db.read(&op).await.unwrap();
            let text: String = on!(&mut tx, c => query_scalar(select("provenance"))
                .bind("acme").bind(&digest).fetch_one(c))
            .unwrap();
            tx.commit().await.unwrap();
            text
        };
        read.push(timed(service).await);
    }
    let bare = median(bare);
    told("SELECT by key, no row-level security", bare, bare);
    told("SELECT by key, row-level security", median(bound), bare);
    told(
        "the same in a transaction bound to the tenant",
        median(read),
        bare,
    );
}

/// A document with and without `Idempotency-Key`.
async fn idempotency() {
    for (driver, world) in [
        ("postgres", World::postgres().await),
        ("filesystem", World::filesystem().await),
    ] {
        let ingester = world.ingester("acme");
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for n in 0..TIMES {
            let call = |name: &str| fixtures::ingest("advisory", &hole(&format!("{name}-{n}")));
            let name = "idempotency-key".parse().unwrap();
            let keyed = call("keyed").with(name, n.to_string().parse().unwrap());
            let plain = call("plain");
            let send = async |call| ingester.try_send(call).await.unwrap().success().unwrap();
            without.push(timed(send(plain)).await);
            with.push(timed(send(keyed)).await);
        }
        let without = median(without);
        told(&format!("POST a document, {driver}"), without, without);
        told(
            &format!("POST with Idempotency-Key, {driver}"),
            median(with),
            without,
        );
    }
}

async fn fill(world: &World, count: usize) {
    let ingester = world.ingester("acme");
    let all: Vec<usize> = (0..count).collect();
    for some in all.chunks(500) {
        let lines = some
            .iter()
            .map(|n| line(&hole(&format!("RUSTSEC-2026-{n:04}"))));
        let call = fixtures::batch("advisory", lines.collect());
        ingester.try_send(call).await.unwrap().success().unwrap();
    }
}

async fn sealing() {
    for (driver, world) in [
        ("postgres", World::postgres().await),
        ("filesystem", World::filesystem().await),
    ] {
        fill(&world, SEALED).await;
        let took = timed(async { assert_eq!(world.seal().await, SEALED) }).await;
        let rate = SEALED as f64 / took.as_secs_f64();
        println!("{:<52} {rate:>5.0} rows/s", format!("sealing, {driver}"));
    }
}

/// The object stores beside a copy of files with SHA-256.
async fn blobs() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    std::fs::create_dir_all(&from).unwrap();
    std::fs::create_dir_all(root.path().join("to")).unwrap();
    let files: Vec<_> = (0..BLOBS).map(|n| from.join(n.to_string())).collect();
    for (n, file) in files.iter().enumerate() {
        let mut blob = vec![0; BLOB];
        blob[..8].copy_from_slice(&n.to_le_bytes());
        std::fs::write(file, blob).unwrap();
    }
    let copy = async |sync: bool| {
        for (n, file) in files.iter().enumerate() {
            let bytes = std::fs::read(file).unwrap();
            std::hint::black_box(Digest::of(&bytes));
            let to = root.path().join(format!("to/{sync}-{n}"));
            std::fs::write(&to, bytes).unwrap();
            if sync {
                std::fs::File::open(&to).unwrap().sync_all().unwrap();
            }
        }
    };
    let plain = timed(copy(false)).await;
    throughput("copy of files with SHA-256", plain, plain);
    throughput("the same, each synced", timed(copy(true)).await, plain);
    let server = S3Server::start();
    let stores = [
        ("seed-fs", ObjectStore::seed_fs(&root.path().join("store"))),
        (
            "S3, the tests' server on this machine",
            ObjectStore::rustfs(&s3_of(&server), root.path()).unwrap(),
        ),
    ];
    let (bucket, tenant) = (Bucket("evidence"), "acme".parse().unwrap());
    for (name, store) in stores {
        let put = async {
            for file in &files {
                let bytes = std::fs::read(file).unwrap();
                store.put(bucket, &tenant, bytes).await.unwrap();
            }
        };
        throughput(&format!("put, {name}"), timed(put).await, plain);
        let got = async {
            for file in &files {
                let digest = Digest::of(&std::fs::read(file).unwrap());
                store.get(bucket, &tenant, &digest).await.unwrap();
            }
        };
        // The digest is asked for by its bytes: as much is read and hashed once more.
        throughput(
            &format!("read and hash, then get, {name}"),
            timed(got).await,
            plain,
        );
    }
}
