//! `cargo xtask ci`: the steps that a change must pass, all of them told in one run.
//!
//! Lints and tests share the dev profile. Lints and documentation share the metadata of the
//! dependencies, so that each of these is compiled once as metadata and once as code.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{examples, floors, postgres, sample};

/// A step's name, and what it does in the workspace's folder.
type Step = (&'static str, fn(&Path) -> Result<()>);

/// The quick ones first: what they find is told within seconds.
const STEPS: &[Step] = &[
    ("shell syntax", |root| {
        run("bash", root, &["-n", "setup", ".ci/run"])
    }),
    ("formatting", |root| {
        cargo(root, &["fmt", "--all", "--check"])
    }),
    ("floors", floors::check),
    ("doc examples", examples::check),
    ("sample", |_| sample::run(true)),
    // Without advisories: their database is a repository of its own that needs the network,
    // and a new entry would fail a change that did not cause it.
    ("licences, bans, sources", |root| {
        cargo(
            root,
            &["deny", "--locked", "check", "bans", "licenses", "sources"],
        )
    }),
    ("unused dependencies", |root| {
        cargo(root, &["shear", "--locked", "--deny-warnings"])
    }),
    ("lints", |root| {
        let flags = [
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ];
        cargo(root, &flags)
    }),
    ("tests", |root| test(root, &["--workspace".to_owned()])),
    ("documentation", documentation),
];

/// Runs every step, whatever the others say, and prints what each took.
pub(crate) fn run_all(root: &Path) -> Result<()> {
    let mut told = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        #[allow(clippy::disallowed_methods)] // measured for a person
        let start = Instant::now();
        let outcome = step(root);
        if let Err(error) = &outcome {
            println!("{error:#}");
        }
        let took = start.elapsed();
        println!(
            "== {name}: {} in {:.1} s",
            verdict(outcome.is_ok()),
            took.as_secs_f64()
        );
        told.push((*name, outcome.is_ok(), took));
    }
    print!("\n{}", summary(&told));
    let failed = told.iter().filter(|(_, ok, _)| !ok).count();
    if failed > 0 {
        bail!("{failed} of {} steps failed", told.len());
    }
    Ok(())
}

fn verdict(ok: bool) -> &'static str {
    if ok { "ok" } else { "FAILED" }
}

fn summary(told: &[(&str, bool, Duration)]) -> String {
    let line = |name: &str, ok, took: Duration| {
        format!(
            "{:<26}{:<8}{:>7.1} s\n",
            name,
            verdict(ok),
            took.as_secs_f64()
        )
    };
    let lines: String = told
        .iter()
        .map(|(name, ok, took)| line(name, *ok, *took))
        .collect();
    let all = told.iter().all(|(_, ok, _)| *ok);
    lines + &line("all", all, told.iter().map(|(_, _, took)| *took).sum())
}

/// Runs the tests on a PostgreSQL cluster of their own, which ends with them.
pub(crate) fn test(root: &Path, nextest: &[String]) -> Result<()> {
    let noted = root.join("target/skipped-tests");
    match fs::remove_file(&noted) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", noted.display()));
        }
        _ => postgres::stop(root)?,
    }
    let mut arguments = vec!["nextest", "run", "--locked", "--profile", "ci"];
    arguments.extend(nextest.iter().map(String::as_str));
    let tested = cargo(root, &arguments);
    let skipped = fs::read_to_string(&noted)
        .unwrap_or_default()
        .lines()
        .count();
    if skipped > 0 {
        println!("{skipped} look-ups of test data skipped: none found (set STELLA_DATA)");
    }
    postgres::stop(root)?;
    tested
}

fn documentation(root: &Path) -> Result<()> {
    let flags = [
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    checked(
        command("cargo", root)?
            .args(flags)
            .env("RUSTDOCFLAGS", "-Dwarnings"),
    )
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    run("cargo", root, arguments)
}

fn run(program: &str, root: &Path, arguments: &[&str]) -> Result<()> {
    checked(command(program, root)?.args(arguments))
}

/// A program in the workspace's folder that finds the tools that `./setup` installed.
fn command(program: &str, root: &Path) -> Result<Command> {
    #[allow(clippy::disallowed_methods)] // handed on to the programs, not read
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = [root.join("target/tools/bin")];
    let path: OsString = env::join_paths(tools.into_iter().chain(env::split_paths(&path)))?;
    let mut command = Command::new(program);
    // A snapshot that differs is a failure here, never a new file.
    command
        .current_dir(root)
        .env("PATH", path)
        .env("INSTA_UPDATE", "no");
    Ok(command)
}

fn checked(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("running {command:?}"))?;
    if status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
    bail!(
        "{} {}: {status}",
        command.get_program().to_string_lossy(),
        arguments.join(" ")
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_every_step_and_the_whole() {
        let second = Duration::from_secs(1);
        let told = summary(&[("lints", true, second), ("tests", false, second)]);
        let words: Vec<Vec<&str>> = told
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(words[0], ["lints", "ok", "1.0", "s"]);
        assert_eq!(words[1], ["tests", "FAILED", "1.0", "s"]);
        assert_eq!(words[2], ["all", "FAILED", "2.0", "s"]);
    }

    #[test]
    fn a_failing_program_is_named() {
        let error = run("false", Path::new("/"), &["now"]).unwrap_err();
        assert_eq!(error.to_string(), "false now: exit status: 1");
    }
}
