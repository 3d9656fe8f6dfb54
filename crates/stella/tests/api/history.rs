//! What publishers really changed, in any order: the same is derived.
//!
//! RustSec left `modified` as it was in every second revision, and took a withdrawal back; CISA put
//! its own date back in every fifth. Each revision comes with the time at which it was published as
//! its `fetchedAt`. `STELLA_HISTORY=all` replays all of it and not a part (`bench/history.sh`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use stella_api::evidence::DocumentRecord;
use stella_api::findings::Finding;
use stella_api::score::ScoreResult;
use stella_canonical::Digest;
use tokio::task::JoinSet;

use crate::derived;
use crate::dice::Dice;
use crate::fixtures::{self, batch, bytes, sbom};
use crate::world::{Caller, World};

/// How many documents are sent at a time, and by how many senders.
const TOGETHER: usize = 100;
const SENDERS: usize = 4;

/// A line of a history; where a file was deleted it has no text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    commit_time: jiff::Timestamp,
    doc: Option<String>,
}

/// A revision as it was published.
#[derive(Clone)]
struct Revision {
    publisher: &'static str,
    upstream_id: String,
    published: jiff::Timestamp,
    text: String,
    read: Value,
}

impl Revision {
    fn line(&self) -> String {
        let envelope = json!({
            "source": {"publisher": self.publisher, "stream": "history"},
            "upstream": {
                "id": self.upstream_id,
                "fetchedAt": self.published.to_string(),
                "contentDigest": Digest::of(self.text.as_bytes()),
            },
        });
        format!(
            "{}\n",
            json!({"envelope": envelope, "rawBase64": STANDARD.encode(&self.text)})
        )
    }
}

/// A history in the order in which it was published.
fn history(file: &str, publisher: &'static str, id: &str) -> Option<Vec<Revision>> {
    let text = std::fs::read_to_string(stella_testdata::dir("history")?.join(file)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let revision = |line: Line| {
        let text = line.doc?;
        let read: Value = serde_json::from_str(&text).unwrap();
        Some(Revision {
            publisher,
            upstream_id: read.pointer(id)?.as_str()?.to_owned(),
            published: line.commit_time,
            text,
            read,
        })
    };
    let mut all: Vec<Revision> = lines.filter_map(revision).collect();
    all.sort_by_key(|one| one.published);
    Some(all)
}

/// All of it, or the documents of which there is something to tell and every so-manieth of others.
fn part_of(all: Vec<Revision>, every: u8) -> Vec<Revision> {
    #[allow(clippy::disallowed_methods)] // how much is tried, not what
    let whole = std::env::var_os("STELLA_HISTORY").is_some_and(|said| said == "all");
    let mut seen: BTreeMap<&str, Vec<&Revision>> = BTreeMap::new();
    all.iter()
        .for_each(|one| seen.entry(&one.upstream_id).or_default().push(one));
    // Published again as it was before, or withdrawn, for ever or not.
    let told = |revisions: &Vec<&Revision>| {
        let texts: BTreeSet<&str> = revisions.iter().map(|one| one.text.as_str()).collect();
        let withdrawn = |one: &&Revision| one.read.get("withdrawn").is_some_and(Value::is_string);
        texts.len() < revisions.len() || revisions.iter().any(withdrawn)
    };
    let chosen = |id: &str| whole || Digest::of(id.as_bytes()).as_bytes()[0].is_multiple_of(every);
    let kept: BTreeSet<String> = seen
        .iter()
        .filter(|(id, revisions)| chosen(id) || told(revisions))
        .map(|(id, _)| (*id).to_owned())
        .collect();
    all.into_iter()
        .filter(|one| kept.contains(&one.upstream_id))
        .collect()
}

/// SBOMs with each package that the advisories ever named, in versions of which some are fixed.
fn sboms(revisions: &[Revision]) -> Vec<Vec<u8>> {
    let affected = revisions
        .iter()
        .filter_map(|one| one.read.get("affected")?.as_array());
    let names: BTreeSet<&str> = affected
        .flatten()
        .filter_map(|one| one.pointer("/package/name")?.as_str())
        .collect();
    let parts = ["0.1.0", "0.4.2", "1.2.0"]
        .iter()
        .enumerate()
        .map(|(n, version)| {
            let crates: Vec<String> = names
                .iter()
                .map(|name| format!("{name}@{version}"))
                .collect();
            let crates: Vec<&str> = crates.iter().map(String::as_str).collect();
            let mut parts = sbom(&crates);
            parts["serialNumber"] =
                format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e000{n}").into();
            bytes(&parts)
        });
    parts.collect()
}

/// A body of lines of one kind.
type Body = (&'static str, String);

fn bodies(revisions: &[Revision]) -> Vec<Body> {
    let chunks = revisions.chunks(TOGETHER);
    chunks
        .map(|chunk| ("advisory", chunk.iter().map(Revision::line).collect()))
        .collect()
}

async fn send(caller: &Caller, (kind, lines): Body) {
    let count = lines.lines().count();
    let reply = caller.send(batch(kind, lines)).await.success().unwrap();
    let answers = std::str::from_utf8(&reply.body).unwrap();
    let taken = answers.lines().filter(|line| line.contains("\"outcome\""));
    assert_eq!(taken.count(), count, "{answers}");
}

/// What followed in a tenant.
#[derive(Debug, PartialEq)]
struct Followed {
    derived: Digest,
    findings: Vec<Finding>,
    scores: Vec<String>,
}

async fn followed(world: &World, tenant: &str) -> Followed {
    let analyst = world.analyst(tenant);
    let findings: Vec<Finding> = analyst.all("/api/v1/findings").await;
    let mut scores = Vec::new();
    let scored = findings.iter().filter(|one| one.informational.is_none());
    for finding in scored.step_by(findings.len() / 5 + 1) {
        let asked = json!({"findingId": finding.id});
        let score: ScoreResult = analyst.post("/api/v1/score/evaluate", &asked).await;
        scores.push(score.output_digest);
    }
    Followed {
        derived: derived::digest(world, tenant).await,
        findings,
        scores,
    }
}

/// Of each document that counts which was published last, now and at some times of the past.
async fn newest_are_those_published_last(analyst: &Caller, revisions: &[Revision]) {
    let times = (1..=4).map(|quarter| revisions[quarter * revisions.len() / 4 - 1].published);
    for at in times {
        let mut last: BTreeMap<&str, String> = BTreeMap::new();
        for one in revisions.iter().filter(|one| one.published <= at) {
            let digest = Digest::of(one.text.as_bytes()).to_string();
            last.insert(&one.upstream_id, digest);
        }
        let path = format!("/api/v1/evidence/documents?kind=advisory&newest=true&asOf={at}");
        let newest: Vec<DocumentRecord> = analyst.all(&path).await;
        let newest = newest
            .iter()
            .map(|one| (one.upstream.id.as_str(), one.id.clone()));
        assert!(newest.collect::<BTreeMap<_, _>>() == last, "as of {at}");
    }
}

/// Replays revisions in three orders, each in a tenant of its own, and a part of them in a fourth.
async fn replayed(world: &World, revisions: &[Revision], sboms: &[Vec<u8>]) -> Followed {
    let parts: Body = (
        "sbom",
        sboms
            .iter()
            .map(|one| fixtures::encoded_line(one))
            .collect(),
    );
    let published = world.ingester("acme");
    send(&published, parts.clone()).await;
    for body in bodies(revisions) {
        send(&published, body).await;
    }
    let first = followed(world, "acme").await;
    assert!(
        first.findings.len() > 20 && first.scores.len() > 2,
        "{}",
        first.findings.len()
    );

    newest_are_those_published_last(&world.analyst("acme"), revisions).await;

    let mut revisions = revisions.to_vec();
    revisions.reverse();
    let reversed = world.ingester("globex");
    for body in bodies(&revisions) {
        send(&reversed, body).await;
    }
    send(&reversed, parts.clone()).await;
    assert!(followed(world, "globex").await == first, "reversed");

    Dice(7).shuffle(&mut revisions);
    let mut waiting = bodies(&revisions);
    waiting.insert(waiting.len() / 2, parts.clone());
    let shuffled = Arc::new(world.newcomer("shuffled").await);
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (shuffled, waiting) = (shuffled.clone(), waiting.clone());
        senders.spawn(async move {
            loop {
                let body = waiting.lock().await.pop();
                let Some(body) = body else { return };
                send(&shuffled, body).await;
            }
        });
    }
    senders.join_all().await;
    assert!(followed(world, "shuffled").await == first, "shuffled");

    // A tenant with a part of it has that part alone, and the others have what they had.
    let half = revisions.len() / 2;
    let other = world.newcomer("other").await;
    send(&other, ("sbom", fixtures::encoded_line(&sboms[0]))).await;
    for body in bodies(&revisions[..half]) {
        send(&other, body).await;
    }
    let its = followed(world, "other").await;
    let named: BTreeSet<&str> = revisions[..half]
        .iter()
        .map(|one| one.upstream_id.as_str())
        .collect();
    let own = Digest::of(&sboms[0]).to_string();
    assert!(!its.findings.is_empty() && its.derived != first.derived);
    for finding in &its.findings {
        assert!(
            named.contains(finding.vulnerability.as_str()),
            "{}",
            finding.vulnerability
        );
        assert_eq!(finding.component.sbom, own);
    }
    assert_eq!(derived::digest(world, "acme").await, first.derived);
    first
}

#[tokio::test]
async fn any_order_of_what_was_published_derives_the_same_on_both_engines() {
    let rustsec = history("rustsec-osv.ndjson", "rustsec", "/id");
    let cisa = history("cisa-csaf.ndjson", "cisa", "/document/tracking/id");
    let (Some(rustsec), Some(cisa)) = (rustsec, cisa) else {
        return;
    };
    let (rustsec, cisa) = (part_of(rustsec, 16), part_of(cisa, 24));
    let sboms = sboms(&rustsec);
    let mut revisions = [rustsec, cisa].concat();
    revisions.sort_by_key(|one| one.published);
    println!("{} revisions", revisions.len());
    let postgres = replayed(&World::postgres().await, &revisions, &sboms).await;
    let sqlite = replayed(&World::filesystem().await, &revisions, &sboms).await;
    assert!(postgres == sqlite);
}
