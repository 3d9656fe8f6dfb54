//! The tasks of this workspace that cargo has no command for: `cargo xtask --help`.

mod ci;
mod examples;
mod floors;
mod postgres;
mod sample;
mod seeds;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must be true of a change; the one definition of green
    Ci,
    /// Only the tests; what follows goes to cargo-nextest, such as `-p stella-replay`
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        nextest: Vec<String>,
    },
    /// Checks that crates depend only downward
    Floors,
    /// Writes the sample that `stella up --sample` takes in
    Sample {
        /// Only compares it with what is there
        #[arg(long)]
        check: bool,
    },
    /// Writes what each fuzz target starts from, a folder a target
    Seeds { folder: PathBuf },
    /// The PostgreSQL cluster that the tests share
    #[command(subcommand)]
    Postgres(Postgres),
}

#[derive(Subcommand)]
enum Postgres {
    /// Stops it and removes its data
    Stop,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Cli::parse().task {
        Task::Ci => ci::run_all(&root),
        Task::Test { nextest } => ci::test(&root, &nextest),
        Task::Floors => floors::check(&root),
        Task::Sample { check } => sample::run(check),
        Task::Seeds { folder } => seeds::write(&folder),
        Task::Postgres(Postgres::Stop) => postgres::stop(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
