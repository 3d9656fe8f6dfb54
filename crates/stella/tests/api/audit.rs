//! Who did what: recorded with what was done, seen by its own tenant alone, and whatever somebody with
//! all rights on the database does to it is told.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};
use stella_api::audit::{AuditOutcome, AuditRecord, AuditVerifyAnswer, AuditVerifyRequest};
use stella_api::authority::TenantSettings;
use stella_api::changes::LogAnswer;
use stella_api::health::Readiness;
use stella_api::{Page, Scope};
use stella_client::{Call, Credentials, Session};
use stella_signing::SigningKey;

use crate::by_hand::by_hand;
use crate::cli::Person;
use crate::coverage::seed;
use crate::process::Installation;
use crate::world::{World, on_every_driver};

const SIGABRT: i32 = 6;

/// The audit log of each service.
const LOGS: [&str; 4] = [
    "/api/v1/authority/audit",
    "/api/v1/evidence/audit",
    "/api/v1/replay/audit",
    "/api/v1/score/audit",
];

async fn records(world: &World, tenant: &str, log: &str) -> Vec<AuditRecord> {
    world.seal_all().await;
    let page: Page<AuditRecord> = world
        .auditor(tenant)
        .get(&format!("{log}?order=oldest&pageSize=500"))
        .await;
    assert_eq!(page.next_page_token, None);
    page.items
}

fn actions(records: &[AuditRecord]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.action.as_str())
        .collect()
}

async fn verified(world: &World, tenant: &str, log: &str) -> AuditVerifyAnswer {
    let asked = AuditVerifyRequest::default();
    world
        .auditor(tenant)
        .post(&format!("{log}/verify"), &asked)
        .await
}

on_every_driver! {
    async fn what_was_done_is_told_with_who_did_it(world) {
        world.trust("acme", "example").await;
        world.trust("acme", "example").await;
        let seeded = seed(&world, "acme").await;
        let id = |path: &str| seeded.iter().find(|(of, _)| *of == path).unwrap().1.clone();
        let score = id("/api/v1/score/{id}");
        let manifest = id("/api/v1/replay/manifests/{id}");
        let verdict: Value = world.analyst("acme").post("/api/v1/replay/runs", &json!({"manifest": manifest})).await;
        assert_eq!(verdict["outcome"], "match");

        let authority = records(&world, "acme", LOGS[0]).await;
        assert_eq!(actions(&authority), [
            "authority.tenant.created", "authority.client.created", "authority.client.key-added",
            "authority.client.role-added", "authority.client.role-added", "authority.client.role-added",
            "authority.client.role-added", "authority.publisher.trusted",
        ]);
        assert_eq!(authority[0].entry.actor.client, None);
        assert_eq!(authority[7].entry.target, "example");
        let replay = records(&world, "acme", LOGS[2]).await;
        assert_eq!(actions(&replay), ["replay.snapshot.taken", "replay.manifest.made", "replay.run.finished"]);
        let run = &replay[2].entry;
        assert_eq!(run.actor.client.as_deref(), Some("acme-client"));
        assert_eq!((run.target.as_str(), run.details["verdict"].as_str()), (manifest.as_str(), "match"));
        assert_eq!(run.trace_id.as_ref().map(String::len), Some(32));
        let risk = records(&world, "acme", LOGS[3]).await;
        assert_eq!(actions(&risk), ["risk-engine.score.evaluated"]);
        assert_eq!(risk[0].entry.target, score);
        // What was taken in stands in the log of changes; the audit log does not repeat it.
        assert_eq!(actions(&records(&world, "acme", LOGS[1]).await), [] as [&str; 0]);

        for log in LOGS {
            assert_eq!(verified(&world, "acme", log).await.violations, [], "{log}");
            let other = serde_json::to_string(&records(&world, "globex", log).await).unwrap();
            assert!(!other.contains("acme") && !other.contains(&score), "{other}");
        }
    }

    async fn a_list_goes_by_position_and_takes_filters(world) {
        world.seal_all().await;
        let auditor = world.auditor("acme");
        let mut seen = Vec::new();
        let mut path = format!("{}?pageSize=2", LOGS[0]);
        loop {
            let page: Page<AuditRecord> = auditor.get(&path).await;
            seen.extend(page.items.iter().map(|record| record.position));
            let Some(token) = page.next_page_token else { break };
            path = format!("{}?pageSize=2&pageToken={token}", LOGS[0]);
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
        let count = async |query: &str| {
            let page: Page<AuditRecord> = auditor.get(&format!("{}?{query}", LOGS[0])).await;
            page.items.len()
        };
        assert_eq!(count("action=authority.client.role-added").await, 4);
        assert_eq!(count("action=authority.client").await, 0);
        assert_eq!(count("since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z").await, 7);
        assert_eq!(count("until=2020-01-01T00:00:00Z").await, 0);
        assert_eq!(auditor.code(Call::get(&format!("{}?since=now", LOGS[0]))).await, "REQUEST_INVALID");
    }

    /// Ten a minute of a tenant: a flood fills no disk.
    async fn who_asks_for_what_is_not_theirs_is_recorded_as_often_as_is_bearable(world) {
        let caller = world.caller("globex", &[Scope::RiskRead]);
        assert_eq!(caller.code(Call::get(LOGS[3])).await, "SCOPE_MISSING");
        let header = ("x-stella-tenant".parse().unwrap(), "acme".parse().unwrap());
        let call = Call::get("/api/v1/score").with(header.0, header.1);
        assert_eq!(caller.code(call).await, "TENANT_MISMATCH");
        let told = records(&world, "globex", LOGS[3]).await;
        assert_eq!(actions(&told), ["risk-engine.api.refused"; 2]);
        let of = |n: usize| (told[n].entry.target.as_str(), told[n].entry.reason.as_deref().unwrap());
        assert_eq!(of(0), ("GET /api/v1/score/audit", "SCOPE_MISSING"));
        assert_eq!(of(1), ("GET /api/v1/score", "TENANT_MISMATCH"));
        assert!(records(&world, "acme", LOGS[3]).await.is_empty());
        for _ in 0..40 {
            caller.code(Call::get(LOGS[3])).await;
        }
        let told = records(&world, "globex", LOGS[3]).await.len();
        // The minute may have turned meanwhile.
        assert!((10..=20).contains(&told), "{told}");
    }
    async fn an_export_is_the_same_bytes_and_verifies_without_a_server(world) {
        seed(&world, "acme").await;
        world.seal_all().await;
        let person = Person::of(&world, "acme");
        let export = async |name: &str| {
            let file = person.file(name, b"");
            let ran = person.types(&["audit", "export", "--out", file.to_str().unwrap()]).await;
            assert_eq!(ran.exit, 0, "{}", ran.stderr);
            (std::fs::read_to_string(&file).unwrap(), file)
        };
        let ((first, file), (second, _)) = (export("one").await, export("two").await);
        assert_eq!(first, second);
        let verify = async |words: &[&str]| {
            let words: Vec<&str> = ["audit", "verify"].iter().chain(words).copied().collect();
            person.types(&words).await
        };
        let ran = verify(&[file.to_str().unwrap()]).await;
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        let logs = ran.json();
        assert!(logs["items"].as_array().unwrap().iter().all(|log| log["tenant"] == "acme"));
        let logs = logs["items"].as_array().unwrap();
        assert_eq!(logs.iter().map(|log| log["service"].as_str().unwrap()).collect::<Vec<_>>(), ["authority", "evidence", "replay", "risk-engine"]);
        // Nothing was recorded in one of them, and that is signed.
        assert_eq!(logs[1]["log"]["size"], 0);
        let key = logs[0]["key"].as_str().unwrap();
        // Each service signs with a key of its own; one that nobody passed counts for nothing.
        assert_eq!(verify(&[file.to_str().unwrap(), "--key", key]).await.exit, 6);
        // A thumbprint may begin with a hyphen and is no option.
        assert_eq!(verify(&[file.to_str().unwrap(), "--key", "-thumbprint"]).await.exit, 6);
        let keys: Vec<&str> = logs.iter().flat_map(|log| ["--key", log["key"].as_str().unwrap()]).collect();
        assert_eq!(verify(&[&[file.to_str().unwrap()], keys.as_slice()].concat()).await.exit, 0);
        // Edited, removed, reordered, cut.
        let lines: Vec<&str> = first.lines().collect();
        let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n");
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        let cut = lines[..lines.len() - 1].join("\n");
        for changed in [first.replacen("success", "failure", 1), without(2), swapped.join("\n"), cut] {
            let file = person.file("changed", changed.as_bytes());
            let ran = verify(&[file.to_str().unwrap(), "-o", "table"]).await;
            assert!(ran.exit == 6 && ran.stdout.contains("LOG_UNSIGNED"), "{}", ran.stdout);
        }
        // That one was empty says no line that nobody signed.
        let unsigned = first.replacen(lines[0], r#"{"empty":true,"service":"authority"}"#, 1);
        let unsigned = person.file("unsigned", unsigned.as_bytes());
        assert_ne!(verify(&[unsigned.to_str().unwrap()]).await.exit, 0);
        // A whole log that was cut out, also one that nothing was recorded in.
        let heads = lines.iter().enumerate().filter(|(_, line)| line.contains("\"service\":"));
        let heads: Vec<usize> = heads.map(|(at, _)| at).chain([lines.len()]).collect();
        assert_eq!(heads.len(), 5, "{first}");
        for pair in heads.windows(2) {
            let rest = [&lines[..pair[0]], &lines[pair[1]..]].concat().join("\n");
            let file = person.file("rest", rest.as_bytes());
            let ran = verify(&[file.to_str().unwrap(), "-o", "table"]).await;
            assert!(ran.exit == 6 && ran.stdout.contains("was cut out"), "{}", ran.stdout);
        }
        // An end that somebody else signed, of another service or tenant, in its place.
        let replaced = |by: String| [&[by.as_str()], &lines[heads[1]..]].concat().join("\n");
        let end: LogAnswer = world.auditor("globex").get(&format!("{}/log", LOGS[3])).await;
        let foreign = json!({"service": "risk-engine", "checkpoint": end.checkpoint, "envelope": end.envelope, "keys": end.keys});
        let empty = lines[heads[1]].replacen("\"service\":\"evidence\"", "\"service\":\"authority\"", 1);
        assert_ne!(empty, lines[heads[1]]);
        let file = person.file("replaced", replaced(empty).as_bytes());
        let ran = verify(&[file.to_str().unwrap(), "-o", "table"]).await;
        assert!(ran.exit == 6 && ran.stdout.contains("in the schema evidence"), "{}", ran.stdout);
        for (added, told) in [(foreign.to_string(), "globex"), (lines[heads[3]].to_owned(), "twice")] {
            let file = person.file("added", format!("{first}{added}\n").as_bytes());
            let ran = verify(&[file.to_str().unwrap()]).await;
            assert!(ran.exit == 2 && ran.stderr.contains(told), "{}", ran.stderr);
        }
        let of_one = lines[heads[0]..heads[1]].join("\n");
        let of_one = person.file("of-one", of_one.as_bytes());
        let of_one = of_one.to_str().unwrap();
        assert_eq!(verify(&[of_one, "--service", "authority"]).await.exit, 0);
        assert_eq!(verify(&[of_one]).await.exit, 6);
        for odd in ["", "{}", "x"] {
            let file = person.file("odd", odd.as_bytes());
            let ran = verify(&[file.to_str().unwrap()]).await;
            assert!(ran.exit == 2 && ran.stderr.contains("stella audit export"), "{}", ran.stderr);
        }
        let ran = verify(&[]).await;
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        by_hand(&world, "replay", &["log_entries"], "DELETE FROM replay.log_entries WHERE tenant = 'acme' AND subject = 'replay.manifest.made'").await;
        let ran = verify(&["--service", "replay", "-o", "table"]).await;
        assert!(ran.exit == 6 && ran.stdout.contains("LOG_CORRUPT"), "{}", ran.stdout);
        let ran = person.types(&["audit", "list", "-o", "table"]).await;
        assert!(ran.exit == 0 && ran.stdout.contains("risk-engine.score.evaluated"), "{}", ran.stdout);
        // Entries without an end are no empty log.
        by_hand(&world, "riskengine", &[], "DELETE FROM riskengine.log_heads WHERE tenant = 'acme' AND log = 'audit'").await;
        let ran = person.types(&["audit", "export", "--service", "risk-engine"]).await;
        assert!(ran.exit == 6 && ran.stderr.contains("RECORD_CORRUPT"), "{}", ran.stderr);
    }

    /// Whoever has a client's name and not its key; of nobody's name nothing is recorded.
    async fn a_token_that_is_refused_is_told_to_the_tenant_of_the_client(world) {
        let key = SigningKey::generate().unwrap();
        let refused = async |client: &str| {
            let credentials = Credentials { client_id: client.to_owned(), ..world.credentials("acme") };
            let credentials = Credentials { key: key.clone(), ..credentials };
            let session = Session::open(world.http(), credentials, &[Scope::RiskRead]).unwrap();
            assert!(session.send(Call::get(LOGS[0])).await.is_err());
        };
        refused("acme-client").await;
        refused("nobody").await;
        let told = records(&world, "acme", LOGS[0]).await;
        let last = &told.last().unwrap();
        assert_eq!((told.len(), last.action.as_str()), (8, "authority.token.refused"));
        assert_eq!((last.entry.target.as_str(), last.entry.reason.as_deref()), ("acme-client", Some("invalid_client")));
        assert_eq!(last.entry.outcome, AuditOutcome::Failure);
    }

    async fn whatever_is_done_to_the_log_is_told(world) {
        world.seal_all().await;
        let done = async |statement: &str| by_hand(&world, "authority", &["log_entries", "sealed"], statement).await;
        let told = async || {
            assert_eq!(verified(&world, "globex", LOGS[0]).await.violations, []);
            let codes = verified(&world, "acme", LOGS[0]).await.violations.into_iter();
            codes.map(|one| (one.code, one.count)).collect::<Vec<_>>()
        };
        let corrupt = |count| ("LOG_CORRUPT".to_owned(), count);
        let unsigned = ("LOG_UNSIGNED".to_owned(), 1);
        // Edited.
        done("UPDATE authority.log_entries SET entry = replace(entry, 'success', 'failure') WHERE tenant = 'acme' AND subject = 'authority.tenant.created'").await;
        assert_eq!(told().await, [corrupt(1)]);
        done("UPDATE authority.log_entries SET entry = replace(entry, 'failure', 'success') WHERE tenant = 'acme' AND subject = 'authority.tenant.created'").await;
        assert_eq!(told().await, []);
        // Renamed.
        done("UPDATE authority.log_entries SET subject = 'x' WHERE tenant = 'acme' AND subject = 'authority.tenant.created'").await;
        assert_eq!(told().await, [corrupt(1)]);
        done("UPDATE authority.log_entries SET subject = 'authority.tenant.created' WHERE tenant = 'acme' AND subject = 'x'").await;
        // Reordered: two, and the one that is chained to them.
        let swap = [
            "UPDATE authority.sealed SET position = -position WHERE tenant = 'acme' AND position IN (2, 3)",
            "UPDATE authority.sealed SET position = 5 + position WHERE tenant = 'acme' AND position < 0",
        ];
        for statement in swap { done(statement).await; }
        assert_eq!(told().await, [corrupt(3), unsigned.clone()]);
        for statement in swap { done(statement).await; }
        assert_eq!(told().await, []);
        // Removed: what it says, and then its place too.
        let second = "SELECT id FROM authority.sealed WHERE tenant = 'acme' AND position = 2";
        done(&format!("DELETE FROM authority.log_entries WHERE tenant = 'acme' AND id IN ({second})")).await;
        assert_eq!(told().await, [corrupt(1)]);
        done("DELETE FROM authority.sealed WHERE tenant = 'acme' AND position = 2").await;
        assert_eq!(told().await, [corrupt(2), unsigned]);
    }

    /// The end is taken back and what follows sealed anew: a checkpoint kept elsewhere tells.
    async fn a_log_that_was_cut_and_sealed_again_is_told_by_a_checkpoint(world) {
        let saved = "INSERT INTO authority.log_heads (tenant, log, size, last, subtrees, envelope) \
            SELECT tenant, 'saved', size, last, subtrees, envelope FROM authority.log_heads WHERE tenant = 'acme'";
        let done = async |statement: &str| by_hand(&world, "authority", &["log_entries", "sealed"], statement).await;
        world.seal_all().await;
        done(saved).await;
        world.trust("acme", "example").await;
        world.seal_all().await;
        let kept: LogAnswer = world.auditor("acme").get(&format!("{}/log", LOGS[0])).await;
        done("DELETE FROM authority.log_entries WHERE tenant = 'acme' AND subject = 'authority.publisher.trusted'").await;
        done("DELETE FROM authority.sealed WHERE tenant = 'acme' AND position = 8").await;
        done("UPDATE authority.log_heads SET (size, last, subtrees, envelope) = \
            (SELECT size, last, subtrees, envelope FROM authority.log_heads WHERE tenant = 'acme' AND log = 'saved') \
            WHERE tenant = 'acme' AND log = 'audit'").await;
        world.trust("acme", "another").await;
        world.seal_all().await;
        assert_eq!(verified(&world, "acme", LOGS[0]).await.violations, []);
        let asked = AuditVerifyRequest { checkpoint: Some(kept.envelope), resume: None };
        let told: AuditVerifyAnswer = world.auditor("acme").post(&format!("{}/verify", LOGS[0]), &asked).await;
        assert_eq!(told.violations[0].code, "LOG_REWRITTEN");
    }
}

/// Ends the process between an act and its commit: neither the act nor its record is there, and after
/// another try both are.
async fn an_act_and_its_record(installation: Installation) {
    let trust = ["tenant", "trust", "acme", "example"];
    let ended = installation.run_until(&trust, Some("audit-added"));
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{ended:?}");
    for expected in [0, 1] {
        if expected == 1 {
            assert!(installation.run(&trust).status.success());
        }
        let running = installation.start(None);
        let auditor = running.auditor("acme");
        loop {
            let ready: Readiness = auditor.get("/readyz").await;
            if ready.checks.iter().all(|check| check.backlog.is_none()) {
                break;
            }
            tokio::task::yield_now().await;
        }
        let settings: TenantSettings = auditor.get("/api/v1/authority/settings").await;
        assert_eq!(settings.trusted_vex_publishers.len(), expected);
        let asked = format!("{}?action=authority.publisher.trusted", LOGS[0]);
        let page: Page<AuditRecord> = auditor.get(&asked).await;
        assert_eq!(page.items.len(), expected);
    }
}

mod an_act_and_its_record_are_there_together_or_not_at_all {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        an_act_and_its_record(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        an_act_and_its_record(Installation::filesystem().await).await;
    }
}
