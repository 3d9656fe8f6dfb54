//! How fast published advisories are taken in on PostgreSQL with its default durability, beside bare
//! statements that keep the same bytes: `cargo bench -p stella --bench ingest`. The RustSec and Go
//! databases and CSAF of `../shared/data`; a document counts when it is durable, derived from, and answers by
//! its id. The CPU is that of the server's threads, without PostgreSQL's and the clients'.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_macros,
    unused_imports,
    unreachable_pub
)]

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use stella_client::{Call, Client};

use crate::measure::{batches, client, cpu, timed};
use crate::world::World;

#[path = "../tests/api/fixtures.rs"]
mod fixtures;
#[path = "../tests/api/link.rs"]
mod link;
mod measure;
#[path = "../tests/api/world.rs"]
mod world;

/// How many documents are posted one by one by one client, and by eight.
const ALONE: usize = 500;
const TOGETHER: usize = 2_000;

fn main() {
    let (Some(osv), Some(csaf)) = (stella_testdata::dir("osv"), stella_testdata::dir("csaf"))
    else {
        return;
    };
    let documents = read(&[osv.join("rustsec"), osv.join("go")]);
    let cisa = read(&[csaf.join("cisagov/csaf_files/OT/white")]);
    let red_hat = read(&[csaf.join("trustify/datasets/ds3/csaf")]);
    let (_server, clients, world) = measure::server(World::postgres());
    println!("{} documents", documents.len());
    println!(
        "{:<46} {:>9} {:>12} {:>8}",
        "what", "a second", "CPU ms each", "ratio"
    );
    clients.block_on(async {
        let pool = PgPoolOptions::new().max_connections(8);
        let pool = pool
            .connect(world.owner_url.as_deref().unwrap())
            .await
            .unwrap();
        let table = "CREATE TABLE bare (id bigserial PRIMARY KEY, bytes bytea NOT NULL)";
        sqlx::query(table).execute(&pool).await.unwrap();
        for (count, at_once) in [(ALONE, 1), (TOGETHER, 8)] {
            let some = &documents[..count];
            let bare = inserts(&pool, some, at_once).await;
            let name = format!("INSERT of the bytes alone, {at_once} at a time");
            told(&name, count, bare, bare, None);
            let tenant = if at_once == 1 { "globex" } else { "acme" };
            let client = client(&world, tenant);
            let before = cpu();
            let took = posts(&client, some, at_once).await;
            let name = format!("POST, {at_once} at a time");
            told(&name, count, took, bare, Some(cpu() - before));
            answers(&client, some).await;
        }
        let copy = copied(&pool, &documents).await;
        told("COPY of the bytes alone", documents.len(), copy, copy, None);
        // acme has 2,000 of them: the rest are new.
        let rest = &documents[TOGETHER..];
        let client = client(&world, "acme");
        let before = cpu();
        let took = batches(&client, "advisory", rest).await;
        told(
            "batches of 500 lines",
            rest.len(),
            took,
            copy * rest.len() as u32 / documents.len() as u32,
            Some(cpu() - before),
        );
        answers(&client, rest).await;
        for (name, kind, some) in [
            ("CSAF advisories of CISA", "advisory", &cisa),
            ("CSAF VEX of Red Hat", "vex", &red_hat),
        ] {
            let bare = copied(&pool, some).await;
            let before = cpu();
            let took = batches(&client, kind, some).await;
            let name = format!("{name} ({}), batches", some.len());
            told(&name, some.len(), took, bare, Some(cpu() - before));
            answers(&client, some).await;
        }
    });
}

/// What lies in some folders and is evidence.
fn read(folders: &[PathBuf]) -> Vec<Vec<u8>> {
    let files = folders
        .iter()
        .flat_map(|folder| stella_testdata::files(folder, ".json"));
    let all = files.map(|path| std::fs::read(path).unwrap());
    all.filter(|bytes| stella_formats::read(bytes).is_ok())
        .collect()
}

fn told(what: &str, count: usize, took: Duration, bare: Duration, cpu: Option<f64>) {
    let rate = count as f64 / took.as_secs_f64();
    let each = cpu.map_or("-".to_owned(), |seconds| {
        format!("{:.2}", seconds * 1000.0 / count as f64)
    });
    let ratio = took.as_secs_f64() / bare.as_secs_f64();
    println!("{what:<46} {rate:>9.0} {each:>12} {ratio:>8.2}");
}

async fn inserts(pool: &PgPool, documents: &[Vec<u8>], at_once: usize) -> Duration {
    let insert = |bytes: Vec<u8>| async move {
        let insert = sqlx::query("INSERT INTO bare (bytes) VALUES ($1)").bind(bytes);
        insert.execute(pool).await.unwrap();
    };
    let all = stream::iter(documents.to_vec())
        .map(insert)
        .buffer_unordered(at_once);
    timed(all.for_each(async |()| {})).await
}

async fn copied(pool: &PgPool, documents: &[Vec<u8>]) -> Duration {
    let mut connection = pool.acquire().await.unwrap();
    timed(async {
        let mut copy = connection
            .copy_in_raw("COPY bare (bytes) FROM STDIN")
            .await
            .unwrap();
        for bytes in documents {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            copy.send(format!("\\\\x{hex}\n").into_bytes())
                .await
                .unwrap();
        }
        copy.finish().await.unwrap();
    })
    .await
}

async fn posts(client: &Client, documents: &[Vec<u8>], at_once: usize) -> Duration {
    let calls: Vec<Call> = documents
        .iter()
        .map(|bytes| fixtures::ingest("advisory", bytes))
        .collect();
    let post = |call: Call| async move {
        client.send(call).await.unwrap().success().unwrap();
    };
    let all = stream::iter(calls).map(post).buffer_unordered(at_once);
    timed(all.for_each(async |()| {})).await
}

/// The last document answers by its id.
async fn answers(client: &Client, documents: &[Vec<u8>]) {
    let last = stella_formats::read(documents.last().unwrap()).unwrap();
    let id = last.upstream().id.unwrap();
    let path = format!("/api/v1/evidence/documents?identifier={id}");
    let page: Value = client.get(&path).await.unwrap();
    assert!(!page["items"].as_array().unwrap().is_empty(), "{id}");
}
