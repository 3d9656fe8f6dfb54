//! What does not fit into memory goes through it. nextest gives each test a process of its own,
//! so that the peak is this test's; with `rustfs` it is that of the test server too.

use super::streams::Source;
use super::*;

const MIB: u64 = 1024 * 1024;

/// How much more memory than before was resident at most while bytes went in and came out.
async fn grown(it: &Store, size: u64) -> u64 {
    let acme = tenant("acme");
    // What every first call costs: threads, pools, TLS.
    it.put_from("acme", b"x", 1).await.unwrap();
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    let stored = it
        .store
        .put_from(BUCKET, &acme, Source::of(size), size)
        .await
        .unwrap();
    let mut opened = it.store.open(BUCKET, &acme, &stored.digest).await.unwrap();
    let mut given = 0;
    while let Some(chunk) = opened.bytes.try_next().await.unwrap() {
        given += chunk.len() as u64;
    }
    assert_eq!(given, size);
    let grown = peak() - before;
    println!("{size} bytes through {grown}");
    grown
}

/// The most bytes that were resident since the peak was cleared.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

on_every_store! {
    async fn sixty_four_megabytes_go_through_a_few(it) {
        let bound = if it.server.is_some() { 24 * MIB } else { 8 * MIB };
        let grown = grown(&it, 64 * MIB).await;
        assert!(grown < bound, "{grown}");
    }
}

/// `cargo nextest run -p stella-storage --run-ignored only gigabyte`
mod a_gigabyte_goes_through_less_than_sixty_four_megabytes {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "takes a minute"]
    async fn seed_fs() {
        let grown = grown(&Store::seed_fs(), 1024 * MIB).await;
        assert!(grown < 64 * MIB, "{grown}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "takes a minute"]
    async fn rustfs() {
        let grown = grown(&Store::rustfs(), 1024 * MIB).await;
        assert!(grown < 64 * MIB, "{grown}");
    }
}
