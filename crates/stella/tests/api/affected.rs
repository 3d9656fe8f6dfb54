//! `stella evidence affected --offline` on published advisories: what must match does, and nothing
//! else.

use std::fs::{self, File};
use std::process::Command;

use serde_json::{Value, json};

#[test]
fn every_published_query_finds_its_advisories() {
    let Some(osv) = stella_testdata::dir("osv") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let table = fs::read_to_string(osv.join("derived/match-queries.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect())
        .collect();
    let asked: String = rows
        .iter()
        .map(|row| {
            json!({"ecosystem": row[0], "package": row[1], "version": row[2]}).to_string() + "\n"
        })
        .collect();
    let questions = scratch.path().join("questions.ndjson");
    fs::write(&questions, asked).unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    command
        .env_clear()
        .args(["evidence", "affected", "--offline", "-o", "ndjson"]);
    command.args([osv.join("rustsec"), osv.join("go")]);
    command.args(stella_testdata::files(&osv.join("pypa"), ""));
    let ran = command
        .stdin(File::open(questions).unwrap())
        .output()
        .unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), stderr.as_str()), (Some(0), ""));

    let answers = String::from_utf8(ran.stdout).unwrap();
    let answers: Vec<Value> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), rows.len());
    assert!(rows.len() > 8_000, "{} rows", rows.len());
    let mut differences = Vec::new();
    for (row, answer) in rows.iter().zip(answers) {
        let mut ids: Vec<&str> = row[3].split(',').filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        let expected =
            json!({"ecosystem": row[0], "package": row[1], "version": row[2], "ids": ids});
        if answer != expected {
            differences.push(format!("{answer}\n  expected {expected}"));
        }
    }
    let count = differences.len();
    assert!(
        count == 0,
        "{count} differences:\n{}",
        differences.join("\n")
    );
}
