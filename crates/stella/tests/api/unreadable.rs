//! Stored rows that were edited to what nobody can read: told as changed, by their names, and never
//! as something unforeseen.

use serde_json::json;
use stella_api::Problem;
use stella_api::replay::{ReplayCause, ReplayOutcome, ReplayVerdict};
use stella_client::{Call, ClientError};

use crate::by_hand::by_hand;
use crate::cli::Person;
use crate::fixtures::{bytes, sbom};
use crate::tamper::{replay, scored};
use crate::world::{Caller, World, on_every_driver};

async fn refused(caller: &Caller, call: Call) -> Problem {
    let reply = caller.send(call).await;
    match reply.success() {
        Err(ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

/// The code of a problem and the first thing that it names.
async fn told(caller: &Caller, call: Call) -> (String, String) {
    let problem = refused(caller, call).await;
    (problem.code, problem.errors[0].pointer.clone())
}

fn of(code: &str, named: impl ToString) -> (String, String) {
    (code.to_owned(), named.to_string())
}

async fn replay_score(world: &World, score: &str) -> ReplayVerdict {
    let asked = json!({"scoreId": score});
    world
        .analyst("acme")
        .post("/api/v1/replay/runs", &asked)
        .await
}

fn is_tampered(verdict: &ReplayVerdict, named: &str) {
    let told = (verdict.outcome, verdict.cause);
    assert_eq!(
        told,
        (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)),
        "{verdict:?}"
    );
    let mut subjects = verdict.differences.iter().map(|one| &one.subject);
    assert!(
        subjects.any(|one| one.contains(named)),
        "{named}: {verdict:?}"
    );
}

on_every_driver! {
    async fn an_edited_record_names_its_document(world) {
        let made = scored(&world).await;
        let statement = format!(
            "UPDATE evidence.provenance SET record = '{{}}' WHERE tenant = 'acme' AND digest = '{}'",
            made.advisory
        );
        by_hand(&world, "evidence", &["provenance"], &statement).await;
        let analyst = world.analyst("acme");
        let path = format!("/api/v1/evidence/documents/{}", made.advisory);
        for path in [path.clone(), format!("{path}/raw"), "/api/v1/evidence/documents".to_owned()] {
            let told = told(&analyst, Call::get(&path)).await;
            assert_eq!(told, of("EVIDENCE_CORRUPT", &made.advisory), "{path}");
        }
        is_tampered(&replay(&world, &made.manifest.token).await, &made.advisory);
        let person = Person::of(&world, "acme");
        let ran = person.types(&["replay", "verify", &made.manifest.token]).await;
        assert_eq!(ran.exit, 6, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(&made.advisory), "{}", ran.stdout);
    }

    async fn a_record_of_another_document_is_told_too(world) {
        let made = scored(&world).await;
        let statement = format!(
            "UPDATE evidence.provenance SET record = replace(record, '{0}', 'sha256:{1}') \
             WHERE tenant = 'acme' AND digest = '{0}'",
            made.advisory, "0".repeat(64)
        );
        by_hand(&world, "evidence", &["provenance"], &statement).await;
        let path = format!("/api/v1/evidence/documents/{}", made.advisory);
        let told = told(&world.analyst("acme"), Call::get(&path)).await;
        assert_eq!(told, of("EVIDENCE_CORRUPT", &made.advisory));
    }

    async fn an_edited_finding_is_named(world) {
        let made = scored(&world).await;
        let id = made.score.subject.finding_id.unwrap();
        let analyst = world.analyst("acme");
        for (column, value) in [("fixed_versions", "{"), ("identifiers", "{}"), ("verdict", "maybe")] {
            let edit = |from: &str| format!(
                "UPDATE evidence.findings SET {column} = {from} WHERE tenant = 'acme' AND id = '{id}'"
            );
            let keep = format!("UPDATE evidence.findings SET summary = {column} WHERE tenant = 'acme'");
            by_hand(&world, "evidence", &[], &keep).await;
            by_hand(&world, "evidence", &[], &edit(&format!("'{value}'"))).await;
            for path in ["/api/v1/findings".to_owned(), format!("/api/v1/findings/{id}")] {
                let told = told(&analyst, Call::get(&path)).await;
                assert_eq!(told, of("RECORD_CORRUPT", format!("finding {id}")), "{column}");
            }
            by_hand(&world, "evidence", &[], &edit("summary")).await;
        }
    }

    async fn what_was_derived_is_named_by_its_document(world) {
        let made = scored(&world).await;
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let statement = format!(
            "UPDATE evidence.packages SET affected = '[]' WHERE tenant = 'acme' AND digest = '{}'",
            made.advisory
        );
        by_hand(&world, "evidence", &[], &statement).await;
        let other = bytes(&sbom(&["alpha@1.0.0", "other@1.0.0"]));
        let named = format!("package statement of document {}", made.advisory);
        let kept = ingester.ingest("sbom", &other).await;
        let why = kept.notices.last().unwrap();
        assert!(why.code == "RECORD_CORRUPT" && why.message.contains(&named), "{kept:?}");

        let statement = "UPDATE evidence.heads SET digest = 'x' WHERE tenant = 'acme' AND kind = 'signal'";
        by_hand(&world, "evidence", &[], statement).await;
        let (code, named) = told(&analyst, Call::get("/api/v1/findings")).await;
        assert!(code == "RECORD_CORRUPT" && named.starts_with("head of "), "{code} {named}");

        // A due row that names nothing keeps nobody waiting.
        let statement = "UPDATE evidence.derivations_due SET kind = 'x' WHERE tenant = 'acme'";
        by_hand(&world, "evidence", &[], statement).await;
        let system = stella_context::SystemContext::new("test", stella_context::Clock::System);
        assert_eq!(world.platform.evidence.reconcile(&system).await.unwrap(), 0);
    }

    async fn an_edited_index_row_of_a_manifest_is_tampered_with(world) {
        let made = scored(&world).await;
        let score = &made.score.score_id;
        let digest = async |to: &str| {
            let edit = format!("UPDATE replay.manifests SET digest = '{to}' WHERE tenant = 'acme'");
            by_hand(&world, "replay", &["manifests"], &edit).await;
        };
        // What is no digest at all, and the digest of a blob that is no manifest.
        for other in ["nonsense", &made.manifest.snapshot_id] {
            digest(other).await;
            is_tampered(&replay_score(&world, score).await, &format!("manifest {other}"));
        }
        digest("nonsense").await;
        let call = Call::post_json("/api/v1/replay/manifests", &json!({"scoreId": score})).unwrap();
        assert_eq!(told(&world.analyst("acme"), call).await.0, "RECORD_CORRUPT");
        digest(&made.manifest.manifest_digest).await;

        let manifest = &made.manifest.manifest_digest;
        for other in ["nonsense", manifest] {
            let add = format!(
                "INSERT INTO replay.snapshots (tenant, id, created_at) \
                 SELECT tenant, '{other}', created_at FROM replay.manifests WHERE tenant = 'acme'"
            );
            by_hand(&world, "replay", &["snapshots"], &add).await;
            let edit = format!("UPDATE replay.manifests SET snapshot_id = '{other}' WHERE tenant = 'acme'");
            by_hand(&world, "replay", &["manifests"], &edit).await;
            is_tampered(&replay(&world, &made.manifest.token).await, &format!("snapshot {other}"));
        }
        let path = format!("/api/v1/replay/snapshots/{manifest}");
        let told = told(&world.analyst("acme"), Call::get(&path)).await;
        assert_eq!(told, of("RECORD_CORRUPT", format!("snapshot {manifest}")));
    }

    async fn an_edited_score_row_is_tampered_with(world) {
        let made = scored(&world).await;
        let score = &made.score.score_id;
        // A time that no calendar of ours holds.
        let never = if world.owner_url.is_some() { "'infinity'" } else { "9223372036854775807" };
        for (column, value) in [("evaluated_at", never), ("policy", "'[]'"), ("inputs", "'{'"), ("result", "'{}'")] {
            let edit = format!("UPDATE riskengine.risk_score_results SET {column} = {value} WHERE tenant = 'acme'");
            by_hand(&world, "riskengine", &["risk_score_results"], &edit).await;
            is_tampered(&replay(&world, &made.manifest.token).await, score);
            let path = format!("/api/v1/score/{score}");
            let code = refused(&world.analyst("acme"), Call::get(&path)).await.code;
            let expected = if column == "evaluated_at" { "RECORD_CORRUPT" } else { "SCORE_CORRUPT" };
            assert_eq!(code, expected, "{column}");
            // The next is told by itself, and a row that says nothing is told before others.
            if column == "evaluated_at" {
                let edit = "UPDATE riskengine.risk_score_results SET evaluated_at = created.evaluated_at \
                    FROM riskengine.evaluations created WHERE created.score_id = risk_score_results.score_id";
                by_hand(&world, "riskengine", &["risk_score_results"], edit).await;
            }
        }
    }

    async fn edited_settings_name_their_tenant(world) {
        let edit = "UPDATE authority.tenant_settings SET body = 'nonsense' WHERE tenant = 'acme'";
        by_hand(&world, "authority", &["tenant_settings"], edit).await;
        let told = told(&world.analyst("acme"), Call::get("/api/v1/authority/settings")).await;
        assert_eq!(told, of("RECORD_CORRUPT", "settings of tenant acme"));
    }
}
