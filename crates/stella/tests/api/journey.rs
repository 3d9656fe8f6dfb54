//! The main job on published documents, from the command line: taken in, matched, explained,
//! replayed, and an edited byte found.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::by_hand::{by_hand_in, edit_in_sqlite};
use crate::up::{send, stella, text};

const SBOM: &str = "guac-data/docs/cyclonedx/syft-cyclonedx-docker.io-library-caddy.latest.json";

/// `stella up` on a free port, which the context names; its verbs are answered when it has
/// written its report's first line.
fn up(home: &Path) -> Child {
    let mut up = Command::new(env!("CARGO_BIN_EXE_stella"))
        .args(["up", "--listen", "127.0.0.1:0"])
        .env_clear()
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = up.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "{:?}", up.wait());
    up
}

fn down(mut up: Child) {
    send("INT", &up);
    up.wait().unwrap();
}

fn json(home: &Path, words: &[&str]) -> Value {
    let words = [words, &["-o", "json"]].concat();
    let done = stella(home, &words);
    assert!(done.status.success(), "{words:?}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn documents(folder: &Path) -> usize {
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension() == Some("json".as_ref()))
        .count()
}

#[tokio::test]
async fn published_advisories_on_a_published_sbom_are_explained_and_replayed() {
    let (Some(osv), Some(sbom)) = (stella_testdata::dir("osv"), stella_testdata::dir("sbom"))
    else {
        return;
    };
    let (rustsec, go, sbom) = (osv.join("rustsec"), osv.join("go"), sbom.join(SBOM));
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let running = up(home);

    let paths = [&rustsec, &go, &sbom].map(|path| path.to_str().unwrap());
    let words = [&["evidence", "ingest"], &paths[..]].concat();
    let taken = json(home, &words);
    let all = documents(&rustsec) + documents(&go) + 1;
    assert!(all > 5_000, "{all}");
    assert_eq!(
        (&taken["taken"], &taken["refused"]),
        (&all.into(), &0.into())
    );

    // The Go database publishes no severity: not scored, with the reason, and never low.
    let found = json(home, &["findings", "list", "--all"]);
    let found = found["items"].as_array().unwrap();
    assert!(found.len() > 50, "{}", found.len());
    for one in found {
        assert_eq!(one["why"], "not scored: no published severity", "{one}");
        assert_eq!(
            (&one["score"]["scoreBps"], &one["score"]["band"]),
            (&Value::Null, &"Unknown".into())
        );
    }
    let finding = &found[0]["finding"];
    let id = finding["id"].as_str().unwrap();
    let explanation = json(home, &["score", "explain", &id["sha256:".len()..][..8]]);
    let headline = explanation["headline"].as_str().unwrap();
    assert!(
        headline.contains("is not scored: no published severity"),
        "{headline}"
    );
    let named = |document: &Value| {
        let sources = explanation["sources"].as_array().unwrap();
        assert!(
            sources.iter().any(|one| one["document"] == *document),
            "{explanation}"
        );
    };
    named(&finding["matched"]["document"]);
    named(&finding["component"]["sbom"]);

    let token = explanation["replay"]["token"].as_str().unwrap();
    let verify = ["replay", "verify", token];
    let verdict = json(home, &verify);
    assert_eq!(verdict["outcome"], "match", "{verdict}");
    down(running);

    let advisory = finding["matched"]["document"].as_str().unwrap();
    let edit = edit_in_sqlite(advisory, 5);
    by_hand_in(&home.join("data/stella"), "evidence", &edit).await;
    let running = up(home);
    let told = stella(home, &verify);
    assert_eq!(told.status.code(), Some(6), "{}", text(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&told["outcome"], &told["cause"]),
        (&"mismatch".into(), &"tamper".into())
    );
    let [only] = &told["differences"].as_array().unwrap()[..] else {
        panic!("{told}");
    };
    assert_eq!(only["subject"], format!("document {advisory}"));
    assert_eq!(only["expected"], advisory);
    down(running);
}
