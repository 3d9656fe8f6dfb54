//! What one more document costs where many are stored, with default durability:
//! `cargo bench -p stella --bench growth`, up to `STELLA_GROWTH` documents (1,000,000 if not said),
//! on PostgreSQL or, with `STELLA_DRIVER=filesystem`, on SQLite.
//!
//! At each size: a POST of an advisory that is in no SBOM and of one that makes a finding, an SBOM
//! of 100 components, and a page of findings, as medians; and how many rows PostgreSQL, which counts
//! them, read for each such advisory, through indexes and by going through whole tables.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_macros,
    unused_imports,
    unreachable_pub
)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool};
use stella_client::{Call, Client};

use crate::fixtures::{advisory, bytes, sbom};
use crate::measure::{batches, client, timed};
use crate::world::World;

#[path = "../tests/api/fixtures.rs"]
mod fixtures;
#[path = "../tests/api/link.rs"]
mod link;
mod measure;
#[path = "../tests/api/world.rs"]
mod world;

/// So many advisories name one package.
const A_PACKAGE: usize = 10;
/// How often each is measured.
const TIMES: usize = 100;
/// So many are sent before the next are made.
const FILL: usize = 5_000;

#[allow(clippy::disallowed_methods)] // how much to measure, and no part of any configuration
fn most() -> usize {
    let asked = std::env::var("STELLA_GROWTH").ok();
    asked.map_or(1_000_000, |text| text.parse().unwrap())
}

#[allow(clippy::disallowed_methods)] // what to measure, and no part of any configuration
fn driver() -> Option<String> {
    std::env::var("STELLA_DRIVER").ok()
}

fn document(n: usize, package: &str) -> Vec<u8> {
    let id = format!("OSV-2026-{n:08}");
    bytes(&advisory(
        &id,
        &[&format!("CVE-2026-{n:08}")],
        package,
        "2.0.0",
    ))
}

fn main() {
    let embedded = driver().is_some_and(|name| name == "filesystem");
    let (_server, clients, world) = match embedded {
        true => measure::server(World::filesystem()),
        false => measure::server(World::postgres()),
    };
    clients.block_on(async {
        let pool = match world.owner_url.as_deref() {
            Some(url) => Some(PgPoolOptions::new().connect(url).await.unwrap()),
            None => None,
        };
        let client = client(&world, "acme");
        let first: Vec<String> = (0..100).map(|n| format!("package-{n}@1.0.0")).collect();
        let first: Vec<&str> = first.iter().map(String::as_str).collect();
        post(&client, "sbom", &bytes(&sbom(&first))).await;
        println!(
            "{:>9} {:>9} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9}",
            "stored",
            "a second",
            "alone ms",
            "found ms",
            "SBOM ms",
            "page ms",
            "by index",
            "by scan"
        );
        let (mut stored, mut size) = (0, 1_000);
        while size <= most() {
            let from = stored;
            let took = timed(async {
                while stored < size {
                    let until = size.min(stored + FILL);
                    let package = |n: usize| format!("package-{}", n / A_PACKAGE);
                    let some: Vec<_> = (stored..until).map(|n| document(n, &package(n))).collect();
                    batches(&client, "advisory", &some).await;
                    stored = until;
                }
            });
            let rate = (size - from) as f64 / took.await.as_secs_f64();
            if let Some(pool) = &pool {
                pool.execute("ANALYZE").await.unwrap();
            }
            told(&client, pool.as_ref(), size, rate).await;
            size *= 10;
        }
    });
}

async fn told(client: &Client, pool: Option<&PgPool>, size: usize, rate: f64) {
    let new = |n: usize| 90_000_000 + size * 10 + n;
    let before = rows_read(pool).await;
    let mut alone = Vec::new();
    for n in 0..TIMES {
        let one = document(new(n), &format!("nobody-has-{size}-{n}"));
        alone.push(timed(post(client, "advisory", &one)).await);
    }
    let after = rows_read(pool).await;
    let (mut found, mut boms, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for n in TIMES..2 * TIMES {
        let one = document(new(n), &format!("package-{}", n % 100));
        found.push(timed(post(client, "advisory", &one)).await);
    }
    for n in 0..TIMES / 10 {
        let parts: Vec<String> = (0..100).map(|m| format!("package-{m}@1.{n}.0")).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let mut one = sbom(&parts);
        one["serialNumber"] = format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-{:012}", new(n)).into();
        boms.push(timed(post(client, "sbom", &bytes(&one))).await);
        pages.push(timed(page(client)).await);
    }
    let each = |at: usize| (after[at] - before[at]) / TIMES as i64;
    println!(
        "{size:>9} {rate:>9.0} {:>10.2} {:>10.2} {:>10.1} {:>10.1} {:>9} {:>9}",
        median(alone),
        median(found),
        median(boms),
        median(pages),
        each(0),
        each(1),
    );
}

async fn post(client: &Client, kind: &str, document: &[u8]) {
    let call = fixtures::ingest(kind, document);
    client.send(call).await.unwrap().success().unwrap();
}

async fn page(client: &Client) {
    let page: Value = client.get("/api/v1/findings?pageSize=50").await.unwrap();
    assert!(!page["items"].as_array().unwrap().is_empty());
}

fn median(all: Vec<Duration>) -> f64 {
    measure::median(all).as_secs_f64() * 1000.0
}

/// Rows of Evidence's tables that were read through indexes, and by going through tables. Sessions
/// tell these figures at most once a second.
#[allow(clippy::disallowed_methods)] // there is no event that says so
async fn rows_read(pool: Option<&PgPool>) -> [i64; 2] {
    let Some(pool) = pool else { return [0, 0] };
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (by_index, by_scan): (i64, i64) = sqlx::query_as(
        "SELECT sum(coalesce(idx_tup_fetch, 0))::bigint, sum(seq_tup_read)::bigint \
         FROM pg_stat_user_tables WHERE schemaname = 'evidence'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    [by_index, by_scan]
}
