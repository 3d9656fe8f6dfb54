//! Verifying what is stored: whatever somebody with all rights on the database does to it is told.

use std::collections::BTreeMap;

use serde_json::json;
use stella_api::Code;
use stella_api::changes::LogAnswer;
use stella_api::evidence::EvidenceKind;
use stella_api::health::Readiness;
use stella_api::rebuild::RebuildAnswer;
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_client::Call;
use stella_context::{Clock, SystemContext};

use crate::by_hand::{blobs, by_hand, edit};
use crate::cli::Person;
use crate::fixtures::{advisory, bytes, hole, sbom};
use crate::world::{World, on_every_driver, on_every_store};

const VERIFY: &str = "/api/v1/evidence/verify";

/// So large that it lies in the object store.
fn large() -> Vec<u8> {
    let mut hole = advisory("RUSTSEC-2026-0000", &[], "alpha", "2.0.0");
    hole["details"] = "y".repeat(300 * 1024).into();
    bytes(&hole)
}

/// Both tenants have taken in the same: four advisories, the first of them large, and an SBOM.
async fn filled(world: World) -> World {
    for tenant in ["acme", "globex"] {
        let ingester = world.ingester(tenant);
        ingester.ingest("advisory", &large()).await;
        for n in 1..4 {
            ingester.ingest("advisory", &hole(n)).await;
        }
        ingester
            .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
            .await;
    }
    assert_eq!(world.seal().await, 10);
    world
}

async fn verify(world: &World, tenant: &str, asked: &VerifyRequest) -> VerifyAnswer {
    world.analyst(tenant).post(VERIFY, asked).await
}

/// What does not hold of acme, by code; of globex everything does.
async fn told(world: &World) -> BTreeMap<String, u64> {
    told_with(world, &VerifyRequest::default()).await
}

async fn told_with(world: &World, asked: &VerifyRequest) -> BTreeMap<String, u64> {
    let other = verify(world, "globex", &VerifyRequest::default()).await;
    assert_eq!(other.violations, [], "{other:?}");
    let answer = verify(world, "acme", asked).await;
    let violations = answer.violations.iter();
    violations
        .map(|one| (one.code.clone(), one.count))
        .collect()
}

fn codes(expected: &[(Code, u64)]) -> BTreeMap<String, u64> {
    let pairs = expected
        .iter()
        .map(|(code, count)| (code.to_string(), *count));
    pairs.collect()
}

/// Statements, those that undo them, and what is told in between.
type Edit<'a> = (&'a [&'a str], &'a [&'a str], &'a [(Code, u64)]);

const LOG: &[&str] = &["log_entries", "sealed", "provenance", "raw_documents"];

async fn done(world: &World, statement: &str) {
    by_hand(world, "evidence", LOG, statement).await;
}

async fn checkpoint(world: &World) -> VerifyRequest {
    let log: LogAnswer = world.analyst("acme").get("/api/v1/evidence/log").await;
    VerifyRequest {
        checkpoint: Some(log.envelope),
        ..VerifyRequest::default()
    }
}

on_every_store! {
    async fn what_nobody_touched_holds(world) {
        let world = filled(world).await;
        world.ingester("acme").ingest("advisory", &hole(5)).await;
        let answer = verify(&world, "acme", &VerifyRequest::default()).await;
        assert_eq!((answer.violations.len(), answer.missing.len(), answer.truncated), (0, 0, false), "{answer:?}");
        assert_eq!(answer.checked, BTreeMap::from([(EvidenceKind::Advisory, 4), (EvidenceKind::Sbom, 1)]));
        let log = answer.log.unwrap();
        assert_eq!((log.size, log.unsealed, answer.window.to), (5, 1, 5));
        let signed: LogAnswer = world.analyst("acme").get("/api/v1/evidence/log").await;
        assert_eq!(log.root, signed.checkpoint.root);
    }

    async fn a_document_that_was_changed_or_taken_away_is_told(world) {
        let world = filled(world).await;
        let document = stella_canonical::Digest::of(&hole(2)).to_string();
        edit(&world, &document, 0).await;
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceCorrupt, 1)]));
        for blob in blobs(&world.blobs.join("evidence")) {
            if !blob.to_string_lossy().contains("acme") { continue }
            let mut bytes = std::fs::read(&blob).unwrap();
            bytes[9] ^= 1;
            std::fs::write(&blob, bytes).unwrap();
            assert_eq!(told(&world).await, codes(&[(Code::EvidenceCorrupt, 2)]));
            std::fs::remove_file(&blob).unwrap();
        }
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceMissing, 1), (Code::EvidenceCorrupt, 1)]));
        let answer = verify(&world, "acme", &VerifyRequest::default()).await;
        assert_eq!(answer.missing, [stella_canonical::Digest::of(&large()).to_string()]);
    }
}

on_every_driver! {
    async fn every_edit_is_told_and_undone_nothing_is(world) {
        let world = filled(world).await;
        let at = |position: u64| format!("tenant = 'acme' AND log = 'changes' AND position = {position}");
        let swap = [
            "UPDATE evidence.sealed SET position = -position WHERE tenant = 'acme' AND position IN (2, 3)",
            "UPDATE evidence.sealed SET position = 5 + position WHERE tenant = 'acme' AND position < 0",
        ];
        let rows: &[Edit<'_>] = &[
            // An entry: it says something else of its document, too.
            (
                &["UPDATE evidence.log_entries SET entry = replace(entry, 'RUSTSEC-2026-0002', 'x') WHERE tenant = 'acme' AND entry LIKE '%2026-0002%'"],
                &["UPDATE evidence.log_entries SET entry = replace(entry, '\"x\"', '\"RUSTSEC-2026-0002\"') WHERE tenant = 'acme' AND entry LIKE '%\"x\"%'"],
                &[(Code::EvidenceCorrupt, 1), (Code::LogCorrupt, 1)],
            ),
            // Two entries' places; the one behind them is chained to neither.
            (&swap, &swap, &[(Code::LogCorrupt, 3), (Code::LogUnsigned, 1)]),
            // A hash.
            (
                &[&format!("UPDATE evidence.sealed SET hash = replace(hash, 'sha256:', 'SHA256:') WHERE {}", at(3))],
                &[&format!("UPDATE evidence.sealed SET hash = replace(hash, 'SHA256:', 'sha256:') WHERE {}", at(3))],
                &[(Code::LogCorrupt, 1)],
            ),
            // What is said of who publishes a document.
            (
                &["UPDATE evidence.provenance SET record = replace(record, 'acme-client', 'globex-client') WHERE tenant = 'acme' AND kind = 'sbom'"],
                &["UPDATE evidence.provenance SET record = replace(record, 'globex-client', 'acme-client') WHERE tenant = 'acme' AND kind = 'sbom'"],
                &[(Code::EvidenceCorrupt, 1)],
            ),
            (
                &["UPDATE evidence.provenance SET publisher = publisher || 'x' WHERE tenant = 'acme' AND kind = 'sbom'"],
                &["UPDATE evidence.provenance SET publisher = substr(publisher, 1, length(publisher) - 1) WHERE tenant = 'acme' AND kind = 'sbom'"],
                &[(Code::EvidenceMissing, 1), (Code::EvidenceUnlogged, 1)],
            ),
            // Columns that repeat what the record, the log or the document say.
            // The end.
            (
                &["UPDATE evidence.log_heads SET size = size - 1 WHERE tenant = 'acme'"],
                &["UPDATE evidence.log_heads SET size = size + 1 WHERE tenant = 'acme'"],
                &[(Code::LogUnsigned, 2)],
            ),
            (
                &["UPDATE evidence.log_heads SET size = size + 1 WHERE tenant = 'acme'"],
                &["UPDATE evidence.log_heads SET size = size - 1 WHERE tenant = 'acme'"],
                &[(Code::LogCorrupt, 1)],
            ),
            (
                &["UPDATE evidence.log_heads SET envelope = replace(envelope, '\"keyid\":\"', '\"keyid\":\"x') WHERE tenant = 'acme'"],
                &["UPDATE evidence.log_heads SET envelope = replace(envelope, '\"keyid\":\"x', '\"keyid\":\"') WHERE tenant = 'acme'"],
                &[(Code::LogUnsigned, 1)],
            ),
        ];
        for (statements, undo, expected) in rows {
            for statement in *statements { done(&world, statement).await; }
            assert_eq!(told(&world).await, codes(expected), "{statements:?}");
            for statement in *undo { done(&world, statement).await; }
            assert_eq!(told(&world).await, codes(&[]), "undone: {undo:?}");
        }
        done(&world, "UPDATE evidence.log_heads SET envelope = NULL WHERE tenant = 'acme'").await;
        assert_eq!(told(&world).await, codes(&[(Code::LogUnsigned, 1)]));
        done(&world, "DELETE FROM evidence.log_heads WHERE tenant = 'acme'").await;
        assert_eq!(told(&world).await, codes(&[(Code::LogUnsigned, 1)]));
    }

    async fn every_row_that_is_deleted_is_told(world) {
        let world = filled(world).await;
        let document = stella_canonical::Digest::of(&hole(2)).to_string();
        // A document, and then all that the log has of it.
        done(&world, &format!("DELETE FROM evidence.provenance WHERE tenant = 'acme' AND digest = '{document}'")).await;
        // Its name, its package, its head and its finding are left; they go, and it is told still.
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceMissing, 1), (Code::EvidenceDerivedMismatch, 4)]));
        let answer: RebuildAnswer = world.operator("acme").post("/api/v1/evidence/rebuild", &json!({})).await;
        assert_eq!((answer.dropped, answer.failed), (4, 0), "{answer:?}");
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceMissing, 1)]));
        let of_it = format!("tenant = 'acme' AND subject = '{document}'");
        done(&world, &format!("DELETE FROM evidence.log_entries WHERE {of_it}")).await;
        // What nothing says the origin of was put there.
        let bytes = (Code::EvidenceUnlogged, 1);
        assert_eq!(told(&world).await, codes(&[(Code::LogCorrupt, 1), bytes]));
        // The feed does not pass over what is gone.
        let feed = |after| Call::get(&format!("/api/v1/evidence/changes?after={after}"));
        assert_eq!(world.analyst("acme").code(feed(0)).await, "RECORD_CORRUPT");
        assert!(world.analyst("acme").send(feed(3)).await.status.is_success());
        done(&world, "DELETE FROM evidence.sealed WHERE tenant = 'acme' AND position = 3").await;
        // The place itself, and the one that was chained to it.
        assert_eq!(told(&world).await, codes(&[(Code::LogCorrupt, 2), (Code::LogUnsigned, 1), bytes]));
        assert_eq!(world.analyst("acme").code(feed(0)).await, "RECORD_CORRUPT");
        // The last: its document waits for no place and has none.
        done(&world, "DELETE FROM evidence.sealed WHERE tenant = 'acme' AND position = 5").await;
        assert_eq!(told(&world).await, codes(&[(Code::LogCorrupt, 4), (Code::LogUnsigned, 1), bytes]));
    }

    async fn bytes_that_nobody_brought_are_told(world) {
        let world = filled(world).await;
        let made_up = stella_canonical::Digest::of(&hole(9)).to_string();
        done(&world, &format!("INSERT INTO evidence.raw_documents (tenant, digest, kind, size, bytes, received_at) \
            SELECT tenant, '{made_up}', kind, size, bytes, received_at FROM evidence.raw_documents \
            WHERE tenant = 'acme' AND kind = 'sbom'")).await;
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceUnlogged, 1)]));
        let answer = verify(&world, "acme", &VerifyRequest::default()).await;
        assert_eq!(answer.violations[0].examples[0].document.as_deref(), Some(made_up.as_str()));
        assert_eq!(Person::of(&world, "acme").types(&["evidence", "verify"]).await.exit, 6);
    }

    async fn what_waits_and_is_taken_away_is_told(world) {
        let world = filled(world).await;
        world.ingester("acme").ingest("advisory", &hole(6)).await;
        world.ingester("acme").ingest("advisory", &hole(7)).await;
        let (six, seven) = (stella_canonical::Digest::of(&hole(6)), stella_canonical::Digest::of(&hole(7)));
        done(&world, &format!("DELETE FROM evidence.log_entries WHERE tenant = 'acme' AND subject = '{six}'")).await;
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceUnlogged, 1), (Code::LogCorrupt, 1)]));
        done(&world, &format!("DELETE FROM evidence.unsealed WHERE tenant = 'acme' AND id IN \
            (SELECT id FROM evidence.log_entries WHERE tenant = 'acme' AND subject = '{seven}')")).await;
        assert_eq!(told(&world).await, codes(&[(Code::EvidenceUnlogged, 1), (Code::LogCorrupt, 2)]));
        // The others go on, and so does what is recorded of the four runs.
        world.ingester("acme").ingest("advisory", &hole(8)).await;
        assert_eq!(world.seal().await, 1 + 4);
    }

    /// Somebody takes everything back to an earlier end, which was signed: only a checkpoint that
    /// was kept elsewhere tells, also after the log has grown again.
    async fn a_log_taken_back_to_an_earlier_end_is_told_by_a_later_checkpoint(world) {
        let world = filled(world).await;
        let early = checkpoint(&world).await;
        done(&world, "INSERT INTO evidence.log_heads (tenant, log, size, last, subtrees, envelope) \
            SELECT tenant, 'saved', size, last, subtrees, envelope FROM evidence.log_heads WHERE tenant = 'acme'").await;
        world.ingester("acme").ingest("advisory", &hole(6)).await;
        world.seal().await;
        let late = checkpoint(&world).await;
        for kept in [&early, &late] {
            assert_eq!(told_with(&world, kept).await, codes(&[]));
        }
        let document = stella_canonical::Digest::of(&hole(6)).to_string();
        for table in ["log_entries WHERE subject", "provenance WHERE digest", "raw_documents WHERE digest"] {
            done(&world, &format!("DELETE FROM evidence.{table} = '{document}' AND tenant = 'acme'")).await;
        }
        // Also what is derived from it: it would betray that there was a document.
        for table in ["names WHERE digest", "packages WHERE digest", "heads WHERE digest", "findings WHERE advisory"] {
            done(&world, &format!("DELETE FROM evidence.{table} = '{document}' AND tenant = 'acme'")).await;
        }
        done(&world, "DELETE FROM evidence.sealed WHERE tenant = 'acme' AND position = 6").await;
        done(&world, "UPDATE evidence.log_heads SET (size, last, subtrees, envelope) = \
            (SELECT size, last, subtrees, envelope FROM evidence.log_heads WHERE tenant = 'acme' AND log = 'saved') \
            WHERE tenant = 'acme' AND log = 'changes'").await;
        assert_eq!(told_with(&world, &early).await, codes(&[]));
        assert_eq!(told_with(&world, &late).await, codes(&[(Code::LogRewritten, 1)]));
        for n in 7..9 {
            world.ingester("acme").ingest("advisory", &hole(n)).await;
        }
        world.seal().await;
        assert_eq!(told_with(&world, &early).await, codes(&[]));
        assert_eq!(told_with(&world, &late).await, codes(&[(Code::LogRewritten, 1)]));
        // Another tenant's is no checkpoint of this log, and neither is one that nobody signed.
        let log: LogAnswer = world.analyst("globex").get("/api/v1/evidence/log").await;
        let foreign = VerifyRequest { checkpoint: Some(log.envelope.clone()), ..VerifyRequest::default() };
        assert_eq!(told_with(&world, &foreign).await, codes(&[(Code::LogRewritten, 1)]));
        let mut made_up = log.envelope;
        made_up.signatures.clear();
        let made_up = VerifyRequest { checkpoint: Some(made_up), ..VerifyRequest::default() };
        assert_eq!(told_with(&world, &made_up).await, codes(&[(Code::LogRewritten, 1)]));
    }

    /// The sealer goes on from nobody's end but its own, and keeps no other tenant waiting.
    async fn an_end_that_was_not_signed_is_not_built_upon(world) {
        let world = filled(world).await;
        done(&world, "UPDATE evidence.log_heads SET envelope = replace(envelope, '\"keyid\":\"', '\"keyid\":\"x') WHERE tenant = 'acme'").await;
        for tenant in ["acme", "globex"] {
            world.ingester(tenant).ingest("advisory", &hole(6)).await;
        }
        let system = SystemContext::new("test", Clock::System);
        assert!(world.platform.evidence.seal(&system).await.is_err());
        let ready: Readiness = world.analyst("acme").get("/readyz").await;
        let check = ready.checks.into_iter().find(|check| check.name == "sealer" && check.service == "evidence");
        let backlog = check.unwrap().backlog.unwrap();
        assert_eq!((ready.ready, backlog.count, backlog.stuck.as_deref()), (true, 1, Some("LOG_CORRUPT")));
        assert_eq!(verify(&world, "globex", &VerifyRequest::default()).await.log.unwrap().size, 6);
    }

    /// What the head keeps besides the signature is told where it was edited, and keeps the sealer
    /// from nothing: it is made again of what was signed, and that is recorded.
    async fn a_head_that_was_edited_is_told_and_mended(world) {
        let world = filled(world).await;
        let edits = [
            "size = 1, subtrees = '[\"' || last || '\"]'",
            "subtrees = '[\"' || last || '\", \"' || last || '\"]'",
            "subtrees = 'none'",
            "last = NULL",
            "last = replace(last, 'sha256:', 'sha256:0')",
        ];
        for (n, edited) in edits.into_iter().enumerate() {
            let statement = format!("UPDATE evidence.log_heads SET {edited} WHERE tenant = 'acme' AND log = 'changes'");
            done(&world, &statement).await;
            let violations = told(&world).await;
            assert!(violations.keys().all(|code| code.starts_with("LOG_")) && !violations.is_empty(), "{edited}: {violations:?}");
            // The sealer mends it, or a person.
            match n % 2 {
                0 => {
                    world.ingester("acme").ingest("advisory", &hole(6 + n)).await;
                    world.seal().await;
                }
                _ => {
                    let answer: RebuildAnswer = world.operator("acme").post("/api/v1/evidence/rebuild", &json!({})).await;
                    assert_eq!(answer.mended, 0);
                }
            }
            assert_eq!(told(&world).await, codes(&[]), "{edited}");
            world.seal().await;
            let auditor = world.auditor("acme");
            let acts: serde_json::Value = auditor.get("/api/v1/evidence/audit?action=evidence.log.mended").await;
            assert_eq!(acts["items"].as_array().unwrap().len(), n + 1, "{edited}");
        }
    }

    async fn what_is_read_again_is_what_was_asked_for(world) {
        let world = filled(world).await;
        let document = stella_canonical::Digest::of(&hole(2)).to_string();
        edit(&world, &document, 0).await;
        let counted = async |asked: serde_json::Value| {
            let asked: VerifyRequest = serde_json::from_value(asked).unwrap();
            let answer = verify(&world, "acme", &asked).await;
            (answer.checked.values().sum::<u64>(), answer.violations.len())
        };
        assert_eq!(counted(json!({})).await, (5, 1));
        assert_eq!(counted(json!({"after": 2})).await, (3, 1));
        assert_eq!(counted(json!({"after": 3})).await, (2, 0));
        assert_eq!(counted(json!({"sources": ["rustsec"]})).await, (4, 1));
        assert_eq!(counted(json!({"sources": []})).await, (0, 0));
        assert_eq!(counted(json!({"since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"})).await, (5, 1));
        assert_eq!(counted(json!({"since": "2999-01-01T00:00:00Z"})).await, (0, 0));
        assert_eq!(counted(json!({"until": "2026-01-01T00:00:00Z"})).await, (0, 0));
        for wrong in [json!({"since": "yesterday"}), json!({"limit": 0}), json!({"limit": 501}), json!({"after": -1}), json!({"codes": []})] {
            let call = Call::post_json(VERIFY, &wrong).unwrap();
            assert_eq!(world.analyst("acme").code(call).await, "REQUEST_INVALID", "{wrong}");
        }
        for n in 1..4 {
            let document = stella_canonical::Digest::of(&hole(n)).to_string();
            edit(&world, &document, 3).await;
        }
        let asked = VerifyRequest { limit: Some(2), ..VerifyRequest::default() };
        let answer = verify(&world, "acme", &asked).await;
        assert_eq!((answer.violations[0].count, answer.violations[0].examples.len()), (3, 2));
    }

    /// In as many requests as there are documents it tells the same, each of it once.
    async fn what_is_cut_short_is_gone_on_with(world) {
        let world = filled(world).await;
        edit(&world, &stella_canonical::Digest::of(&hole(2)).to_string(), 0).await;
        done(&world, "UPDATE evidence.sealed SET hash = replace(hash, 'sha256:', 'SHA256:') WHERE tenant = 'acme' AND position = 2").await;
        let whole = verify(&world, "acme", &VerifyRequest::default()).await;
        let mut asked = VerifyRequest { seconds: Some(0), ..checkpoint(&world).await };
        let (mut rounds, mut counts, mut checked) = (0, BTreeMap::new(), 0);
        loop {
            let part = verify(&world, "acme", &asked).await;
            rounds += 1;
            checked += part.checked.values().sum::<u64>();
            for one in part.violations { *counts.entry(one.code).or_insert(0) += one.count; }
            (asked.after, asked.resume) = (Some(part.window.to), part.resume);
            if !part.truncated { break }
        }
        let expected = whole.violations.into_iter().map(|one| (one.code, one.count)).collect();
        assert_eq!((counts, checked), (expected, whole.checked.values().sum()));
        assert!(rounds > 5, "{rounds}");
        for wrong in [json!({"seconds": 41}), json!({"resume": {"payload": "", "payloadType": "", "signatures": []}})] {
            let call = Call::post_json(VERIFY, &wrong).unwrap();
            assert_eq!(world.analyst("acme").code(call).await, "REQUEST_INVALID", "{wrong}");
        }
    }

    /// The verbs, as a person types them: 0 where all holds, 6 where it does not.
    async fn the_command_line_tells_it_and_ends_so(world) {
        let world = filled(world).await;
        let person = Person::of(&world, "acme");
        let file = person.file("checkpoint.json", b"");
        let file = file.to_str().unwrap();
        let ran = person.types(&["evidence", "checkpoint", "-o", "json", "--out", file]).await;
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        let checked = async |words: &[&str]| {
            let words: Vec<&str> = ["evidence", "verify"].iter().chain(words).copied().collect();
            person.types(&words).await
        };
        let ran = checked(&["--checkpoint", file]).await;
        assert_eq!((ran.exit, &ran.json()["checked"]["advisory"]), (0, &4.into()), "{}", ran.stderr);
        let ran = checked(&["--checkpoint", "no/such"]).await;
        assert!(ran.exit == 2 && ran.stderr.contains("no/such"), "{}", ran.stderr);
        let odd = person.file("odd.json", b"{}");
        let ran = checked(&["--checkpoint", odd.to_str().unwrap()]).await;
        assert!(ran.exit == 2 && ran.stderr.contains("stella evidence checkpoint"), "{}", ran.stderr);
        let ran = checked(&["--since", "yesterday"]).await;
        assert!(ran.exit == 2 && ran.stderr.contains("yesterday"), "{}", ran.stderr);
        edit(&world, &stella_canonical::Digest::of(&hole(2)).to_string(), 0).await;
        let ran = checked(&["-o", "table"]).await;
        assert!(ran.exit == 6 && ran.stdout.contains("EVIDENCE_CORRUPT"), "{}", ran.stdout);
        let ran = checked(&["--publisher", "nobody"]).await;
        assert!(ran.exit == 4 && ran.stderr.contains("NOTHING_VERIFIED"), "{}", ran.stderr);
    }
}
