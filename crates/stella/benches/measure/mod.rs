//! What the benches share: a clock, and a server in threads of its own with its clients.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stella_api::scope::Role;
use stella_client::{Call, Client, Session};
use tokio::runtime::{Builder, Runtime};

use crate::fixtures;
use crate::world::World;

const SERVER: &str = "bench-server";
/// A batch of the bulk route.
const BATCH: usize = 500;

/// A server whose log is sealed each second, in a runtime of its own, and one for clients.
pub(crate) fn server(
    world: impl Future<Output = World> + Send + 'static,
) -> (Runtime, Runtime, Arc<World>) {
    let server = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(SERVER)
        // What a thread took is gone with it.
        .thread_keep_alive(Duration::from_secs(3600))
        .enable_all()
        .build()
        .unwrap();
    let clients = Builder::new_current_thread().enable_all().build().unwrap();
    let world = server.block_on(async { tokio::spawn(world).await.unwrap() });
    let world = Arc::new(world);
    let sealed = world.clone();
    server.spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            second.tick().await;
            sealed.seal().await;
        }
    });
    (server, clients, world)
}

pub(crate) fn client(world: &World, tenant: &str) -> Client {
    let scopes = [Role::Ingester.scopes(), Role::Analyst.scopes()].concat();
    Session::open(world.http(), world.credentials(tenant), &scopes).unwrap()
}

/// Of the server's threads, in seconds.
pub(crate) fn cpu() -> f64 {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        // Linux cuts the name of a thread.
        if name
            .split('(')
            .next_back()
            .is_some_and(|name| SERVER.starts_with(name))
        {
            let fields: Vec<u64> = rest
                .split_whitespace()
                .filter_map(|field| field.parse().ok())
                .collect();
            ticks += fields[10] + fields[11];
        }
    }
    ticks as f64 / 100.0
}

#[allow(clippy::disallowed_methods)] // a duration for a person
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work.await);
    start.elapsed()
}

pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

pub(crate) async fn batches(client: &Client, kind: &str, documents: &[Vec<u8>]) -> Duration {
    let batch = |some: &[Vec<u8>]| {
        let lines = some
            .iter()
            .map(|bytes| fixtures::encoded_line(bytes))
            .collect();
        fixtures::batch(kind, lines)
    };
    let calls: Vec<Call> = documents.chunks(BATCH).map(batch).collect();
    timed(async {
        for call in calls {
            let told = client.send(call).await.unwrap().success().unwrap();
            assert!(!String::from_utf8_lossy(&told.body).contains("\"problem\""));
        }
    })
    .await
}
