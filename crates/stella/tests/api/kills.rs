//! Clients write without a pause while the process is killed again and again, at random moments
//! and at every fault point: what was acknowledged is there, and nothing is there by half.
//!
//! A moment is a number of bytes that went by, or of answers that came; no time is waited for.
//! `bench/kill.sh` runs the same with hundreds of kills.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use stella_api::evidence::{DocumentRecord, EvidenceKind, IngestAnswer, Outcome};
use stella_api::findings::Finding;
use stella_api::{LineAnswer, LineResult};
use stella_canonical::Digest;
use stella_client::{Call, ClientError};
use stella_service::fault;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::dice::Dice;
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::process::{Installation, Running};
use crate::sealed::whole;
use crate::world::{Caller, World};

const CLIENTS: usize = 3;
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;
const NEVER: i64 = i64::MAX;
/// Documents of a group share a package: findings grow with the groups, not with their square.
const GROUP: usize = 20;

/// What the environment asks for, as `bench/kill.sh` does.
#[allow(clippy::disallowed_methods)] // how long to test, and no part of any configuration
fn asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// A document by its number: advisories, some of them large enough for the object store, some
/// revisions of the one before, and SBOMs.
fn document(n: usize) -> (&'static str, Vec<u8>) {
    let package = format!("package-{}", n / GROUP);
    let mut made = match n % GROUP {
        0 | 10 => {
            let mut parts = sbom(&[&format!("{package}@1.0.0")]);
            parts["serialNumber"] = format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-{n:012}").into();
            return ("sbom", bytes(&parts));
        }
        // Of the same advisory as the one before: it covers the SBOMs no longer.
        at @ (7 | 14) => {
            let id = format!("RUSTSEC-2026-{:06}", n - 1);
            let mut newer = advisory(&id, &[], &package, if at == 7 { "0.5.0" } else { "3.0.0" });
            newer["modified"] = "2026-05-01T00:00:00Z".into();
            newer
        }
        _ => advisory(&format!("RUSTSEC-2026-{n:06}"), &[], &package, "2.0.0"),
    };
    if n % (2 * GROUP) == 5 {
        made["details"] = "y".repeat(300 * 1024).into();
    }
    ("advisory", bytes(&made))
}

/// What the clients send, and what became of it.
struct Load {
    dice: Dice,
    /// How many documents were ever sent.
    sent: usize,
    /// Those without an answer: they are sent again first, as clients do.
    open: Vec<usize>,
    answered: BTreeSet<usize>,
}

impl Load {
    /// The next documents of one kind: one, or several for a batch.
    fn task(&mut self) -> (&'static str, Vec<usize>) {
        let most = match self.dice.below(2) {
            0 => 1,
            _ => 2 + self.dice.below(15),
        };
        let (mut kind, mut task) = ("", Vec::new());
        while (task.len() as u64) < most {
            let next = self.open.first().copied().unwrap_or(self.sent);
            let of = document(next).0;
            if !task.is_empty() && of != kind {
                break;
            }
            match self.open.is_empty() {
                true => self.sent += 1,
                false => drop(self.open.remove(0)),
            }
            kind = of;
            task.push(next);
        }
        (kind, task)
    }
}

/// Sends documents of one kind; what became of each.
async fn send(
    caller: &Caller,
    kind: &str,
    documents: &[Vec<u8>],
) -> Result<Vec<IngestAnswer>, ClientError> {
    if let [one] = documents {
        let reply = caller.try_send(fixtures::ingest(kind, one)).await?;
        return Ok(vec![reply.success().unwrap().json().unwrap()]);
    }
    let lines = documents.iter().map(|one| fixtures::line(one)).collect();
    let reply = caller.try_send(fixtures::batch(kind, lines)).await?;
    let lines: Vec<LineAnswer<IngestAnswer>> = reply.lines().unwrap();
    let answers = lines.into_iter().map(|line| match line.result {
        LineResult::Answer(answer) => answer,
        other => panic!("{other:?}"),
    });
    Ok(answers.collect())
}

/// One client, until nobody answers any more.
async fn client(caller: Caller, load: &RefCell<Load>, gate: &Gate) {
    loop {
        let (kind, task) = load.borrow_mut().task();
        let documents: Vec<Vec<u8>> = task.iter().map(|n| document(*n).1).collect();
        let Ok(answers) = send(&caller, kind, &documents).await else {
            load.borrow_mut().open.extend(task);
            return;
        };
        let named = answers.iter().map(|answer| answer.id.clone());
        let expected = documents.iter().map(|one| Digest::of(one).to_string());
        assert!(named.eq(expected), "{answers:?}");
        gate.answered(task.len());
        load.borrow_mut().answered.extend(task);
    }
}

/// Stands before the process and lets by so much, and then nothing.
struct Gate {
    url: String,
    server: Mutex<String>,
    bytes: AtomicI64,
    answers: AtomicI64,
    spent: Notify,
}

impl Gate {
    /// The gate and the installation that is reached by it.
    async fn before(installation: Installation) -> (Arc<Self>, Installation) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let installation = installation.with(&format!("Server:PublicUrl={url}"));
        let gate = Arc::new(Self {
            url,
            server: Mutex::default(),
            bytes: NEVER.into(),
            answers: NEVER.into(),
            spent: Notify::new(),
        });
        let standing = gate.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(standing.clone().forward(near));
            }
        });
        (gate, installation)
    }

    /// A process behind it.
    fn start(&self, installation: &Installation, fault: Option<&str>) -> Running {
        let mut running = installation.start(fault);
        let server = std::mem::replace(&mut running.url, self.url.clone());
        *self.server.lock().unwrap() = server.trim_start_matches("http://").to_owned();
        self.until(NEVER, NEVER);
        // What several connections said of the process before.
        let _ = self.spent.notified().now_or_never();
        running
    }

    fn until(&self, bytes: i64, answers: i64) {
        self.bytes.store(bytes, Ordering::SeqCst);
        self.answers.store(answers, Ordering::SeqCst);
    }

    fn answered(&self, count: usize) {
        let count = i64::try_from(count).unwrap();
        if self.answers.fetch_sub(count, Ordering::SeqCst) <= count {
            self.bytes.store(0, Ordering::SeqCst);
            self.spent.notify_one();
        }
    }

    async fn forward(self: Arc<Self>, near: TcpStream) {
        let server = self.server.lock().unwrap().clone();
        let Ok(far) = TcpStream::connect(server).await else {
            return;
        };
        let ((asked, answered), (from, to)) = (near.into_split(), far.into_split());
        // Whichever side ends first ends both.
        tokio::select! {
            _ = self.pass(asked, to) => {}
            _ = self.pass(from, answered) => {}
        }
    }

    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let count = i64::try_from(read).unwrap();
            let left = self.bytes.fetch_sub(count, Ordering::SeqCst).max(0);
            if left <= count {
                self.spent.notify_one();
            }
            let passing = usize::try_from(left).unwrap().min(read);
            to.write_all(&buffer[..passing]).await?;
        }
    }
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Bytes(i64),
    Answers(i64),
    Point(&'static str),
}

/// The clients write until the process has ended so.
async fn until(end: End, gate: &Gate, installation: &Installation, load: &RefCell<Load>) {
    let fault = match end {
        End::Point(point) => Some(point),
        _ => None,
    };
    let mut running = gate.start(installation, fault);
    let clients = (0..CLIENTS).map(|_| client(running.ingester("acme"), load, gate));
    let writing = futures_util::future::join_all(clients.collect::<Vec<_>>());
    match end {
        End::Point(_) => {
            writing.await;
            assert_eq!(running.end().signal(), Some(SIGABRT), "{end:?}");
            return;
        }
        End::Bytes(bytes) => gate.until(bytes, NEVER),
        End::Answers(answers) => gate.until(NEVER, answers),
    }
    let killing = async {
        gate.spent.notified().await;
        running.kill()
    };
    let (_, died) = tokio::join!(writing, killing);
    assert_eq!(died.signal(), Some(SIGKILL), "{end:?}");
}

/// Whether the tenant has a document: without one, lists answer so and are not empty.
async fn stored_any(caller: &Caller) -> bool {
    let reply = caller.send(Call::get("/api/v1/evidence/documents")).await;
    match reply.success() {
        Ok(_) => true,
        Err(ClientError::Problem(problem)) if problem.code == "NO_DATA" => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// The findings of a house that nobody disturbed, from the same documents in the same order.
async fn undisturbed(documents: &[(&'static str, &Vec<u8>)]) -> Vec<Finding> {
    let world = World::inmemory().await;
    let ingester = world.ingester("acme");
    for same in documents.chunk_by(|(a, _), (b, _)| a == b) {
        let bytes: Vec<Vec<u8>> = same.iter().map(|(_, bytes)| (*bytes).clone()).collect();
        send(&ingester, same[0].0, &bytes).await.unwrap();
    }
    world.analyst("acme").all("/api/v1/findings").await
}

/// Ends the process in each of these ways and looks at what is left.
async fn survives(driver: &str, installation: Installation, dice: Dice, ends: Vec<End>) {
    let (gate, installation) = Gate::before(installation).await;
    let load = RefCell::new(Load {
        dice,
        sent: 0,
        open: Vec::new(),
        answered: BTreeSet::new(),
    });
    for end in &ends {
        until(*end, &gate, &installation, &load).await;
    }
    let Load {
        sent,
        open,
        answered,
        ..
    } = load.into_inner();
    // At the end a first group is whole, even if each process ended before it: there are findings.
    let in_the_end = sent.max(GROUP);
    let last = gate.start(&installation, None);
    let (ingester, analyst) = (last.ingester("acme"), last.analyst("acme"));
    let all: BTreeMap<String, (&'static str, Vec<u8>)> = (0..in_the_end)
        .map(document)
        .map(|(kind, bytes)| (Digest::of(&bytes).to_string(), (kind, bytes)))
        .collect();

    // Before anything is sent again.
    let (mut lost, mut half) = (Vec::new(), Vec::new());
    let raw = async |id: &str| {
        let call = Call::get(&format!("/api/v1/evidence/documents/{id}/raw"));
        analyst.send(call).await.success().map(|reply| reply.body)
    };
    for n in &answered {
        let bytes = document(*n).1;
        let id = Digest::of(&bytes).to_string();
        if !raw(&id).await.is_ok_and(|stored| stored == bytes) {
            lost.push(id);
        }
    }
    let records: Vec<DocumentRecord> = match stored_any(&analyst).await {
        true => analyst.all("/api/v1/evidence/documents").await,
        false => Vec::new(),
    };
    for record in &records {
        let sent = all.get(&record.id).map(|(_, bytes)| bytes);
        let stored = raw(&record.id).await.ok();
        if sent.is_none() || stored.as_deref() != sent.map(Vec::as_slice) {
            half.push(record.id.clone());
        }
    }
    println!(
        "{driver:<12} {:>6} {sent:>6} {:>12} {:>6} {:>12}",
        ends.len(),
        answered.len(),
        lost.len(),
        half.len(),
    );
    assert_eq!((lost, half), (vec![], vec![]));

    for n in open.into_iter().chain(sent..in_the_end) {
        let (kind, bytes) = document(n);
        ingester.ingest(kind, &bytes).await;
    }
    for n in 0..in_the_end {
        let (kind, bytes) = document(n);
        let answer = ingester.ingest(kind, &bytes).await;
        assert_eq!(answer.outcome, Outcome::Identical, "{n}");
    }
    let changes = whole(&analyst).await;
    let positions = changes.iter().map(|change| change.position);
    assert!(positions.eq(1..=all.len() as u64), "a gap, or one twice");
    let told: BTreeSet<&String> = changes.iter().map(|change| &change.document).collect();
    assert!(told.into_iter().eq(all.keys()));
    let in_order: Vec<_> = changes
        .iter()
        .map(|change| &all[&change.document])
        .map(|(kind, bytes)| (*kind, bytes))
        .collect();
    let found: Vec<Finding> = analyst.all("/api/v1/findings").await;
    assert!(!found.is_empty());
    assert!(found == undisturbed(&in_order).await, "other findings");
    let verified = last.person("acme").types(&["evidence", "verify"]).await;
    assert_eq!(verified.exit, 0, "{}{}", verified.stdout, verified.stderr);
    let checked = verified.json()["checked"].clone();
    let checked: BTreeMap<EvidenceKind, usize> = serde_json::from_value(checked).unwrap();
    assert_eq!(checked.values().sum::<usize>(), all.len());
    drop(last);
    let verified = installation.run(&["storage", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

/// A fresh seed, or the one that is asked for.
fn dice() -> Dice {
    let fresh = || std::hash::RandomState::new().hash_one(0);
    let seed = asked("STELLA_KILLS_SEED").unwrap_or_else(fresh);
    eprintln!("again: STELLA_KILLS_SEED={seed}");
    Dice(seed)
}

async fn at_random(driver: &str, installation: Installation) {
    let mut dice = dice();
    let kills = asked("STELLA_KILLS").unwrap_or(4);
    let ends = (0..kills).map(|_| match dice.below(3) {
        0 => End::Answers(1 + i64::try_from(dice.below(100)).unwrap()),
        _ => End::Bytes({
            // As many early moments as late ones.
            let most = 20_000 << dice.below(7);
            i64::try_from(10_000 + dice.below(most)).unwrap()
        }),
    });
    let ends = ends.collect();
    survives(driver, installation, dice, ends).await;
}

async fn at_every_point(driver: &str, installation: Installation) {
    // What comes in here is no act of the audit log, which `audit.rs` kills on its own.
    let points = fault::POINTS.iter();
    let passed = points.filter(|point| !point.starts_with("audit-"));
    let ends = passed.map(|point| End::Point(point));
    survives(driver, installation, dice(), ends.collect()).await;
}

macro_rules! on_every_driver {
    ($($case:ident: $test:ident)*) => {
        $(mod $test {
            use super::*;

            #[tokio::test]
            async fn postgres() {
                $case("postgres", Installation::postgres().await).await;
            }

            #[tokio::test]
            async fn filesystem() {
                $case("filesystem", Installation::filesystem().await).await;
            }

            #[tokio::test]
            async fn rustfs() {
                $case("rustfs", Installation::rustfs().await).await;
            }
        })*
    };
}

on_every_driver! {
    at_random: killed_at_random_nothing_acknowledged_is_lost
    at_every_point: killed_at_every_point_nothing_acknowledged_is_lost
}
