//! Logs under many writers and several sealers, on every driver. The tables are Evidence's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};
use stella_context::{Actor, TraceId};
use stella_storage::{Connection, DataFolder, Migrations};
use stella_testkit::postgres;

use super::*;

const LOG: &str = "feed";
const TENANTS: [&str; 2] = ["acme", "globex"];

macro_rules! on_every_driver {
    ($($(#[$doc:meta])* async fn $name:ident($logs:ident) $body:block)*) => {
        $($(#[$doc])* mod $name {
            use super::*;

            async fn case($logs: Arc<Logs>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                case(logs(&on_postgres().await).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn filesystem() {
                let root = tempfile::tempdir().unwrap();
                let folder = DataFolder::open(root.path()).unwrap();
                case(logs(&migrations().open_sqlite(&folder).await.unwrap()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn inmemory() {
                let folder = DataFolder::temporary().unwrap();
                case(logs(&migrations().open_sqlite(&folder).await.unwrap()).await).await;
            }
        })*
    };
}

macro_rules! texts {
    ($engine:literal) => {
        [
            include_str!(concat!(
                "../../../stella-evidence/migrations/",
                $engine,
                "/0001_documents_and_findings.sql"
            )),
            include_str!(concat!(
                "../../../stella-evidence/migrations/",
                $engine,
                "/0006_log_of_what_was_taken_in.sql"
            )),
        ]
    };
}

fn migrator(texts: [&'static str; 2]) -> &'static Migrator {
    let of = |(version, text): (i64, &'static str)| {
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        Migration::new(version, "log".into(), MigrationType::Simple, text, false)
    };
    let all = (1..).zip(texts).map(of).collect();
    Box::leak(Box::new(Migrator::with_migrations(all)))
}

fn migrations() -> Migrations {
    Migrations {
        schema: "evidence",
        postgres: migrator(texts!("postgres")),
        sqlite: migrator(texts!("sqlite")),
    }
}

async fn on_postgres() -> Db {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "logsbare", async |_| {}).await;
    let database = postgres::clone(&cluster, "logsbare").await;
    let owner = Connection::parse(&database.owner_url).unwrap();
    migrations().run_postgres(&owner).await.unwrap();
    Db::postgres(&Connection::parse(&database.app_url).unwrap())
}

/// The logs as one more process opens them.
async fn logs(db: &Db) -> Arc<Logs> {
    let master = Arc::new(MasterKey::new(&[7; 32], "test").unwrap());
    let opened = Logs::open(&system(), db.clone(), "evidence", master).await;
    Arc::new(opened.unwrap())
}

fn system() -> SystemContext {
    SystemContext::new("test", Clock::System)
}

fn of(tenant: &str) -> OpContext {
    let actor = Actor {
        client_id: "test".to_owned(),
        subject: "test".to_owned(),
        roles: vec![],
    };
    let (tenant, scopes) = (tenant.parse().unwrap(), BTreeSet::new());
    OpContext::verified(tenant, actor, scopes, TraceId::generate(), Clock::System)
}

/// Adds entries in one transaction, which is committed or not.
async fn write(logs: &Logs, op: &OpContext, entries: &[String], commit: bool) {
    let mut tx = logs.db.write(op).await.unwrap();
    for text in entries {
        let new = [(text.as_str(), json!({"says": text}))];
        let log = (LOG, op.clock().now());
        logs.add(&mut tx, op.tenant(), log, &new).await.unwrap();
        tokio::task::yield_now().await;
    }
    if commit {
        tx.commit().await.unwrap();
        logs.committed();
    }
}

/// What a log says, by position; it must be whole.
async fn whole(logs: &Logs, op: &OpContext) -> Vec<String> {
    let mut walk = logs.walk(op, LOG, None, None).await.unwrap();
    let mut all = Vec::new();
    while let Some(entries) = logs.walk_on(op, &mut walk).await.unwrap() {
        all.extend(entries.into_iter().map(|entry| entry.subject));
    }
    assert_eq!((walk.size(), walk.unsealed()), (all.len() as u64, 0));
    assert_eq!(logs.walked(op, walk, 10).await.unwrap(), []);
    all
}

/// Reads on behind a position until it has seen so many, while others write and seal.
async fn follow(logs: Arc<Logs>, op: OpContext, until: usize) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), 0);
    while seen.len() < until {
        for entry in logs.after(&op, LOG, after, 7).await.unwrap() {
            assert_eq!(entry.position, after + 1, "a gap");
            after = entry.position;
            seen.push(entry.subject);
        }
        tokio::task::yield_now().await;
    }
    seen
}

const WRITERS: usize = 6;
const TRANSACTIONS: usize = 20;

/// What a transaction of a writer adds, and whether it is committed: one in four is not.
fn planned(tenant: &str, writer: usize, turn: usize) -> (Vec<String>, bool) {
    let size = 1 + (writer + turn) % 4;
    let entries = (0..size).map(|n| format!("{tenant} {writer} {turn:02} {n}"));
    (entries.collect(), (writer * 7 + turn) % 4 != 3)
}

/// Everything of a tenant that is committed.
fn committed(tenant: &str) -> BTreeSet<String> {
    let all = (0..WRITERS).flat_map(|writer| (0..TRANSACTIONS).map(move |turn| (writer, turn)));
    let planned = all.map(|(writer, turn)| planned(tenant, writer, turn));
    planned
        .filter(|(_, commit)| *commit)
        .flat_map(|(entries, _)| entries)
        .collect()
}

on_every_driver! {
    /// Whoever follows sees each committed entry once, in the one order, and of each transaction
    /// in the order in which it was written; what was rolled back nobody sees.
    async fn of_many_writers_and_several_sealers_nothing_is_missed_or_comes_twice(logs) {
        let followers: Vec<_> = TENANTS.iter().map(|tenant| {
            tokio::spawn(follow(logs.clone(), of(tenant), committed(tenant).len()))
        }).collect();
        let sealers = crate::Workers::start(vec![logs.sealer()]);
        let mut writers = Vec::new();
        for tenant in TENANTS {
            for writer in 0..WRITERS {
                let logs = logs.clone();
                writers.push(tokio::spawn(async move {
                    for turn in 0..TRANSACTIONS {
                        let (entries, commit) = planned(tenant, writer, turn);
                        write(&logs, &of(tenant), &entries, commit).await;
                        // A sealer of another process, whenever it comes.
                        if turn % 5 == writer % 5 {
                            logs.seal(&system()).await.unwrap();
                        }
                    }
                }));
            }
        }
        for writer in writers { writer.await.unwrap() }
        for (tenant, follower) in TENANTS.iter().zip(followers) {
            let seen = follower.await.unwrap();
            assert_eq!(whole(&logs, &of(tenant)).await, seen);
            let mut last: BTreeMap<&str, &str> = BTreeMap::new();
            for text in &seen {
                let (writer, rest) = text.split_at(tenant.len() + 2);
                let before = last.insert(writer, rest);
                assert!(before.is_none_or(|before| before < rest), "{text} after {before:?}");
            }
            assert_eq!(seen.len(), committed(tenant).len());
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), committed(tenant));
        }
        sealers.stop(Duration::from_secs(10)).await;
        assert_eq!(logs.seal(&system()).await.unwrap(), 0);
    }

    /// More than one transaction of the sealer takes.
    async fn a_long_backlog_is_sealed_and_signed_in_parts(logs) {
        let op = of("acme");
        let entries: Vec<String> = (0..2300).map(|n| format!("{n:04}")).collect();
        write(&logs, &op, &entries, true).await;
        write(&logs, &of("globex"), &entries[..3], true).await;
        let waits = logs.backlog().await.unwrap().unwrap();
        assert_eq!((waits.count, waits.stuck), (2303, None));
        let metrics = Metrics::local().unwrap();
        logs.meter(&metrics);
        let counted = |count| {
            let line = format!("log_unsealed_entries{{schema=\"evidence\"}} {count}");
            assert!(metrics.text().unwrap().lines().any(|one| one == line), "{line}");
        };
        logs.count_waits().await;
        counted(2303);
        assert_eq!(logs.seal(&system()).await.unwrap(), 2303);
        counted(0);
        assert_eq!(whole(&logs, &op).await, entries);
        let (checkpoint, _) = logs.checkpoint(&op, LOG).await.unwrap().unwrap();
        assert_eq!((checkpoint.size, checkpoint.tenant.as_str()), (2300, "acme"));
        assert_eq!(logs.backlog().await.unwrap(), None);
    }

    /// A walk is gone on with where it was paused; by what we signed, of this log, and no other.
    async fn a_walk_goes_on_where_it_was_paused(logs) {
        let op = of("acme");
        let entries: Vec<String> = (0..1600).map(|n| format!("{n:04}")).collect();
        write(&logs, &op, &entries, true).await;
        write(&logs, &of("globex"), &entries[..3], true).await;
        logs.seal(&system()).await.unwrap();
        let (_, earlier) = logs.checkpoint(&op, LOG).await.unwrap().unwrap();
        write(&logs, &op, &entries[..3], true).await;
        logs.seal(&system()).await.unwrap();
        let (mut resume, mut rounds, mut seen) = (None, 0, 0);
        loop {
            let mut walk = logs.walk(&op, LOG, Some(&earlier), resume.as_ref()).await.unwrap();
            assert_eq!(walk.position(), rounds * 500);
            rounds += 1;
            let Some(some) = logs.walk_on(&op, &mut walk).await.unwrap() else {
                assert_eq!(logs.walked(&op, walk, 10).await.unwrap(), []);
                break;
            };
            if some.len() < 500 {
                seen += some.len();
                assert_eq!(logs.walked(&op, walk, 10).await.unwrap(), []);
                break;
            }
            seen += some.len();
            walk.settle();
            // What was given out and not dealt with comes again.
            logs.walk_on(&op, &mut walk).await.unwrap();
            let (envelope, faults) = logs.pause(walk).await.unwrap();
            assert_eq!(faults, []);
            resume = Some(envelope);
        }
        assert_eq!((rounds, seen), (4, 1603));
        let resume = resume.unwrap();
        let mut made_up = resume.clone();
        made_up.signatures.clear();
        assert!(logs.walk(&op, LOG, Some(&earlier), Some(&made_up)).await.is_err());
        assert!(logs.walk(&op, LOG, Some(&earlier), Some(&earlier)).await.is_err(), "a checkpoint is no walk");
        assert!(logs.walk(&op, LOG, None, Some(&resume)).await.is_err(), "another checkpoint");
        assert!(logs.walk(&of("globex"), LOG, Some(&earlier), Some(&resume)).await.is_err());
    }

    /// Several logs of a schema have positions of their own.
    async fn logs_are_apart(logs) {
        let op = of("acme");
        write(&logs, &op, &["one".to_owned()], true).await;
        let mut tx = logs.db.write(&op).await.unwrap();
        for log in ["audit", LOG, "audit"] {
            let log = (log, op.clock().now());
            logs.add(&mut tx, op.tenant(), log, &[("two", json!({}))]).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(logs.seal(&system()).await.unwrap(), 4);
        assert_eq!(whole(&logs, &op).await.len(), 2);
        let audit = logs.after(&op, "audit", 0, 10).await.unwrap();
        assert_eq!(audit.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1, 2]);
        let (checkpoint, _) = logs.checkpoint(&op, "audit").await.unwrap().unwrap();
        assert_eq!((checkpoint.size, checkpoint.log.as_str()), (2, "audit"));
    }

    /// An end that an older binary signed is as good here, and is told with the schema.
    async fn an_end_without_a_schema_is_told_with_it(logs) {
        let op = of("acme");
        write(&logs, &op, &["one".to_owned()], true).await;
        logs.seal(&system()).await.unwrap();
        let (told, _) = logs.checkpoint(&op, LOG).await.unwrap().unwrap();
        assert_eq!(told.schema.as_deref(), Some("evidence"));
        let older = Checkpoint { schema: None, ..told.clone() };
        let signed = checkpoint::sign(&logs.key(&system()).await.unwrap(), &older).unwrap();
        let mut tx = logs.db.write(&op).await.unwrap();
        let mut head = logs.head(&mut tx, op.tenant(), LOG).await.unwrap().unwrap();
        head.envelope = Some(signed.clone());
        assert!(logs.move_head(&mut tx, op.tenant(), LOG, (1, &head)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(whole(&logs, &op).await, ["one"]);
        let (again, envelope) = logs.checkpoint(&op, LOG).await.unwrap().unwrap();
        assert_eq!(again, told);
        let older: Envelope = serde_json::from_str(&signed).unwrap();
        write(&logs, &op, &["two".to_owned()], true).await;
        assert_eq!(logs.seal(&system()).await.unwrap(), 1);
        for earlier in [older, envelope] {
            let mut walk = logs.walk(&op, LOG, Some(&earlier), None).await.unwrap();
            while logs.walk_on(&op, &mut walk).await.unwrap().is_some() {}
            assert_eq!(logs.walked(&op, walk, 10).await.unwrap(), []);
        }
    }
}

/// A sealer stops in the middle: others pass on at once, PostgreSQL lets its log go after a while,
/// and what it then still wants to write is not written.
#[tokio::test]
async fn a_sealer_that_froze_holds_its_log_for_a_while_and_writes_nothing() {
    let logs = logs(&on_postgres().await).await;
    let (acme, globex) = (of("acme"), of("globex"));
    write(&logs, &acme, &["one".to_owned(), "two".to_owned()], true).await;
    write(&logs, &globex, &["one".to_owned()], true).await;
    let mut frozen = logs.db.system_in(&system(), acme.tenant()).await.unwrap();
    let head = logs.take_head(&mut frozen, acme.tenant(), LOG, 300).await;
    assert!(head.unwrap().is_some());
    let waiting = logs
        .waiting(&mut frozen, acme.tenant(), LOG, 1)
        .await
        .unwrap();
    let numbered = [store::Numbered {
        position: 1,
        id: waiting[0].id,
        hash: stella_canonical::Digest::of(b""),
    }];
    let numbering = logs.number(&mut frozen, acme.tenant(), LOG, &numbered);
    numbering.await.unwrap();

    // Its head is new, so that one who wants it waits; once it is let go, all is sealed.
    let mut sealed = 0;
    while sealed < 3 {
        sealed += logs.seal(&system()).await.unwrap();
    }
    assert!(frozen.commit().await.is_err(), "it was given up on");
    assert_eq!(whole(&logs, &acme).await, ["one", "two"]);
    assert_eq!(whole(&logs, &globex).await, ["one"]);

    // A head that is there is passed over.
    write(&logs, &acme, &["three".to_owned()], true).await;
    write(&logs, &globex, &["two".to_owned()], true).await;
    let mut other = logs.db.system_in(&system(), acme.tenant()).await.unwrap();
    let head = logs.take_head(&mut other, acme.tenant(), LOG, 10_000).await;
    assert!(head.unwrap().is_some());
    assert_eq!(logs.seal(&system()).await.unwrap(), 1);
    drop(other);
    while logs.seal(&system()).await.unwrap() == 0 {}
    assert_eq!(whole(&logs, &acme).await.len(), 3);
}

/// The end that was read is the end that is moved: whoever comes by another way is refused.
#[tokio::test]
async fn an_end_that_moved_is_not_moved_again() {
    let logs = logs(&on_postgres().await).await;
    let op = of("acme");
    write(&logs, &op, &["one".to_owned()], true).await;
    logs.seal(&system()).await.unwrap();
    let mut tx = logs.db.system_in(&system(), op.tenant()).await.unwrap();
    let head = logs.head(&mut tx, op.tenant(), LOG).await.unwrap().unwrap();
    assert!(
        !logs
            .move_head(&mut tx, op.tenant(), LOG, (0, &head))
            .await
            .unwrap()
    );
    assert!(
        logs.move_head(&mut tx, op.tenant(), LOG, (1, &head))
            .await
            .unwrap()
    );
}
