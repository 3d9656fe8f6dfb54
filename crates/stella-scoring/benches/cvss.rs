//! Vectors read and scored a second, on one core, beside the crate `cvss` of RustSec and PyPI's
//! `cvss`: `cargo bench -p stella-scoring --bench cvss`. The vectors are the published and the
//! random ones of `../shared/data`. PyPI's is measured where `STELLA_PYTHON` names an interpreter
//! that has it.
#![allow(clippy::unwrap_used, clippy::print_stdout, unused_crate_dependencies)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use stella_scoring::cvss::Vector;

/// Each vector is scored so often.
const ROUNDS: usize = 50;
const PYTHON: &str = "
import sys, time, cvss
of = cvss.CVSS4 if sys.argv[2] == '4' else cvss.CVSS3
vectors = open(sys.argv[1]).read().split()
start = time.perf_counter()
for vector in vectors:
    of(vector).scores() if sys.argv[2] == '3' else of(vector).base_score
print(len(vectors) / (time.perf_counter() - start))
";

#[allow(clippy::disallowed_methods)] // a duration for a person
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[allow(clippy::disallowed_methods)] // which interpreter, and no part of any configuration
fn python() -> Option<String> {
    std::env::var("STELLA_PYTHON").ok()
}

fn told(what: &str, rate: f64, ours: f64) {
    println!("{what:<48} {rate:>12.0} a second {:>8.2}", rate / ours);
}

fn main() {
    let Some(folder) = stella_testdata::dir("cvss") else {
        return;
    };
    let files = [
        ("3", "v3-random-20k-python-oracle.tsv"),
        ("4", "v4-first-random-20k.tsv"),
    ];
    for (version, file) in files {
        let text = std::fs::read_to_string(folder.join("derived").join(file)).unwrap();
        let lines = text.lines().map(|line| line.split('\t').next().unwrap());
        let vectors: Vec<&str> = lines.filter(|text| text.starts_with("CVSS:")).collect();
        let count = (vectors.len() * ROUNDS) as f64;
        let all = |score: &dyn Fn(&str)| {
            let took =
                timed(|| (0..ROUNDS).for_each(|_| vectors.iter().for_each(|one| score(one))));
            count / took.as_secs_f64()
        };
        let ours = all(&|text| {
            black_box(Vector::parse(text).unwrap().score());
        });
        told(&format!("v{version}: read and scored"), ours, ours);
        let read: Vec<Vector> = vectors.iter().map(|one| one.parse().unwrap()).collect();
        let took = timed(|| {
            for _ in 0..ROUNDS {
                for one in &read {
                    black_box(black_box(one).score());
                }
            }
        });
        told(
            &format!("v{version}: scored"),
            count / took.as_secs_f64(),
            ours,
        );
        // It reads v3 vectors with base metrics alone.
        let others: Vec<String> = (vectors.iter())
            .map(|one| match version {
                "3" => one.split('/').take(9).collect::<Vec<_>>().join("/"),
                _ => (*one).to_owned(),
            })
            .collect();
        let took = timed(|| {
            for _ in 0..ROUNDS {
                for one in &others {
                    black_box(one.parse::<cvss::Cvss>().ok().map(|one| one.score()));
                }
            }
        });
        told(
            &format!("v{version}: RustSec's crate"),
            count / took.as_secs_f64(),
            ours,
        );
        if let Some(python) = python() {
            let file = std::env::temp_dir().join(format!("stella-cvss-{version}"));
            std::fs::write(&file, vectors.join("\n")).unwrap();
            let mut run = Command::new(python);
            run.args(["-c", PYTHON]).arg(&file).arg(version);
            let run = run.output().unwrap();
            let told_rate = String::from_utf8_lossy(&run.stdout);
            let rate = told_rate.trim().parse().unwrap_or_else(|_| {
                panic!("{}", String::from_utf8_lossy(&run.stderr));
            });
            told(&format!("v{version}: PyPI's cvss"), rate, ours);
        }
    }
}
