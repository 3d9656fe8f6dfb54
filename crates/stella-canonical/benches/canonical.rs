//! Canonical JSON beside the SHA-256 of the same bytes, on one core:
//! `cargo bench -p stella-canonical --bench canonical`. The documents are those of RustSec and Go in
//! `../shared/data`.
#![allow(clippy::unwrap_used, clippy::print_stdout, unused_crate_dependencies)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use stella_canonical::{Digest, canonicalize, json};

#[allow(clippy::disallowed_methods)] // a duration for a person
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    let Some(folder) = stella_testdata::dir("osv") else {
        return;
    };
    let mut documents: Vec<Vec<u8>> = Vec::new();
    for feed in ["rustsec", "go"] {
        let files = stella_testdata::files(&folder.join(feed), ".json");
        documents.extend(files.iter().map(|path| std::fs::read(path).unwrap()));
    }
    let bytes: usize = documents.iter().map(Vec::len).sum();
    let megabytes = bytes as f64 / 1e6;
    let each = |work: &dyn Fn(&[u8])| timed(|| documents.iter().for_each(|one| work(one)));
    let hashed = each(&|one| {
        black_box(Digest::of(one));
    });
    let told = |what: &str, took: Duration| {
        let rate = megabytes / took.as_secs_f64();
        let ratio = took.as_secs_f64() / hashed.as_secs_f64();
        println!("{what:<32} {rate:>8.0} MB/s {ratio:>8.2}");
    };
    println!("{} documents, {megabytes:.1} MB", documents.len());
    told("SHA-256", hashed);
    let strict = each(&|one| {
        let _ = black_box(json::parse(one));
    });
    told("strict reading", strict);
    let all = each(&|one| {
        let _ = black_box(canonicalize(one));
    });
    told("reading and canonical writing", all);
}
