//! Replay: the same answer from stored inputs, and what an edited byte anywhere brings.

use std::path::{Path, PathBuf};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use stella_api::Page;
use stella_api::findings::Finding;
use stella_api::replay::{ManifestAnswer, ReplayCause, ReplayOutcome, ReplayVerdict};
use stella_api::score::ScoreResult;
use stella_client::Call;

use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::{World, on_every_driver};

struct Scored {
    score: ScoreResult,
    manifest: ManifestAnswer,
    advisory: String,
}

async fn scored(world: &World) -> Scored {
    let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
    let advisory = ingester.ingest("advisory", &bytes(&hole)).await.id;
    ingester
        .ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"])))
        .await;
    let page: Page<Finding> = analyst.get("/api/v1/findings").await;
    let asked = json!({"findingId": page.items[0].id});
    let score: ScoreResult = analyst.post("/api/v1/score/evaluate", &asked).await;
    let asked = json!({"scoreId": score.score_id});
    let manifest: ManifestAnswer = analyst.post("/api/v1/replay/manifests", &asked).await;
    Scored {
        score,
        manifest,
        advisory,
    }
}

async fn replay(world: &World, token: &str) -> ReplayVerdict {
    world
        .analyst("acme")
        .post("/api/v1/replay/runs", &json!({"token": token}))
        .await
}

/// Runs a statement as somebody with all rights on the database would.
async fn by_hand(world: &World, schema: &str, tables: &[&str], statement: &str) {
    if let Some(url) = &world.owner_url {
        let mut owner = PgConnection::connect(url).await.unwrap();
        owner
            .execute("SELECT set_config('stella.tenant', 'acme', false)")
            .await
            .unwrap();
        for table in tables {
            let off = format!("ALTER TABLE {schema}.{table} DISABLE TRIGGER USER");
            owner.execute(AssertSqlSafe(off)).await.unwrap();
        }
        let done = owner
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        return;
    }
    let root = world.folder.as_ref().unwrap().root();
    by_hand_in(root, schema, statement).await;
}

/// The same in a data folder.
pub async fn by_hand_in(root: &Path, schema: &str, statement: &str) {
    let file = root.join("db").join(format!("{schema}.sqlite"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(":memory:");
    let mut raw = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let attach = format!("ATTACH DATABASE '{}' AS {schema}", file.display());
    raw.execute(AssertSqlSafe(attach)).await.unwrap();
    let triggers: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT name FROM {schema}.sqlite_master WHERE type = 'trigger'"
    )))
    .fetch_all(&mut raw)
    .await
    .unwrap();
    for trigger in triggers {
        raw.execute(AssertSqlSafe(format!("DROP TRIGGER {schema}.{trigger}")))
            .await
            .unwrap();
    }
    let done = raw
        .execute(AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

/// Every blob of Replay.
fn blobs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(blobs(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

async fn lost(world: &World, token: &str, document: &str) {
    let verdict = replay(world, token).await;
    assert_eq!(
        (verdict.outcome, verdict.cause),
        (ReplayOutcome::CannotReplay, Some(ReplayCause::Missing))
    );
    let subjects: Vec<&str> = verdict
        .differences
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    assert_eq!(subjects, [format!("document {document}")]);
}

on_every_driver! {
    async fn the_same_answer_comes_again_and_a_token_is_given_once(world) {
        let made = scored(&world).await;
        assert!(made.manifest.token.starts_with("rt1."));
        let analyst = world.analyst("acme");
        // More evidence changes neither the token nor the verdict.
        let other = bytes(&advisory("RUSTSEC-2026-0002", &[], "beta", "2.0.0"));
        world.ingester("acme").ingest("advisory", &other).await;
        let asked = json!({"scoreId": made.score.score_id});
        let again: ManifestAnswer = analyst.post("/api/v1/replay/manifests", &asked).await;
        assert_eq!(again, made.manifest);
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Match, None));
        assert_eq!(verdict.recomputed.unwrap().output_digest, made.score.output_digest);
        assert!(!verdict.signed);
    }

    async fn a_cut_or_foreign_token_is_refused(world) {
        let token = scored(&world).await.manifest.token;
        let analyst = world.analyst("acme");
        let mut swapped = token.clone().into_bytes();
        swapped[10] = if swapped[10] == b'A' { b'B' } else { b'A' };
        let wrong = [
            token[..token.len() - 1].to_owned(), token[..20].to_owned(), "rt1.".to_owned(), String::new(),
            token.replace("rt1.", "rt2."), String::from_utf8(swapped).unwrap(), format!("{token}A"),
        ];
        for token in wrong {
            let call = Call::post_json("/api/v1/replay/runs", &json!({"token": token})).unwrap();
            assert_eq!(analyst.code(call).await, "REPLAY_TOKEN_INVALID", "{token}");
        }
        let call = Call::post_json("/api/v1/replay/runs", &json!({"token": token})).unwrap();
        assert_eq!(world.analyst("globex").code(call).await, "NOT_FOUND");
        for body in [json!({}), json!({"token": token, "scoreId": "x"})] {
            let call = Call::post_json("/api/v1/replay/runs", &body).unwrap();
            assert_eq!(analyst.code(call).await, "REQUEST_INVALID");
        }
    }

    async fn an_edited_document_is_found_and_named(world) {
        let made = scored(&world).await;
        let statement = if world.owner_url.is_some() {
            "UPDATE evidence.raw_documents SET bytes = set_byte(bytes, 5, 33) WHERE digest = "
        } else {
            "UPDATE evidence.raw_documents SET bytes = CAST(substr(bytes, 1, 5) || x'21' || substr(bytes, 7) AS BLOB) WHERE digest = "
        };
        let statement = format!("{statement}'{}'", made.advisory);
        by_hand(&world, "evidence", &["raw_documents"], &statement).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
        let told = verdict.differences.iter().any(|one| one.subject.contains(&made.advisory));
        assert!(told, "{:?}", verdict.differences);
        let raw = format!("/api/v1/evidence/documents/{}/raw", made.advisory);
        assert_eq!(world.analyst("acme").code(Call::get(&raw)).await, "EVIDENCE_CORRUPT");
    }

    async fn an_edited_result_is_found_and_named(world) {
        let made = scored(&world).await;
        let statement = "UPDATE riskengine.risk_score_results SET result = replace(result, '\"scoreBps\":9100', '\"scoreBps\":1000')";
        by_hand(&world, "riskengine", &["risk_score_results"], statement).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
        let told = verdict.differences.iter().any(|one| one.subject.contains(&made.score.score_id));
        assert!(told, "{:?}", verdict.differences);
        let path = format!("/api/v1/score/{}", made.score.score_id);
        assert_eq!(world.analyst("acme").code(Call::get(&path)).await, "SCORE_CORRUPT");
    }

    async fn an_answer_of_another_engine_or_profile_is_told_by_its_cause(world) {
        let made = scored(&world).await;
        let objects = stella_storage::ObjectStore::seed_fs(world.objects.path());
        let acme = "acme".parse().unwrap();
        let kept = objects.get(stella_storage::Bucket("replay"), &acme, &made.manifest.manifest_digest.parse().unwrap()).await.unwrap();
        let kept: stella_api::replay::Determined = serde_json::from_slice(&kept).unwrap();
        let other = stella_canonical::Digest::of(b"another").to_string();
        let engine = stella_api::replay::Determined {
            engine_semantics: kept.engine_semantics + 1, output_digest: other.clone(), ..kept.clone()
        };
        let profile = stella_api::replay::Determined { profile_digest: other, ..kept.clone() };
        let mut row = made.manifest.manifest_digest.clone();
        for (manifest, cause, place) in [(engine, ReplayCause::Engine, "/outputDigest"), (profile, ReplayCause::Profile, "")] {
            // As an installation of that engine or profile would have kept it.
            let blob = stella_canonical::canonical(&manifest).unwrap();
            let digest = objects.put(stella_storage::Bucket("replay"), &acme, blob).await.unwrap().to_string();
            let statement = format!("UPDATE replay.manifests SET digest = '{digest}' WHERE digest = '{row}'");
            by_hand(&world, "replay", &["manifests"], &statement).await;
            row = digest;
            let asked = json!({"scoreId": made.score.score_id});
            let verdict: ReplayVerdict = world.analyst("acme").post("/api/v1/replay/runs", &asked).await;
            assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(cause)));
            assert!(verdict.differences.iter().any(|one| one.pointer == place), "{:?}", verdict.differences);
        }
    }

    async fn a_lost_document_cannot_be_replayed(world) {
        let made = scored(&world).await;
        for table in ["provenance", "raw_documents"] {
            let statement = format!("DELETE FROM evidence.{table} WHERE digest = '{}'", made.advisory);
            by_hand(&world, "evidence", &["provenance", "raw_documents"], &statement).await;
        }
        lost(&world, &made.manifest.token, &made.advisory).await;
    }

    async fn a_lost_blob_of_a_document_cannot_be_replayed(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut large = sbom(&["alpha@1.0.0"]);
        large["metadata"] = json!({"properties": [{"name": "room", "value": " ".repeat(300 * 1024)}]});
        let large = ingester.ingest("sbom", &bytes(&large)).await.id;
        ingester.ingest("advisory", &bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"))).await;
        let page: Page<Finding> = analyst.get("/api/v1/findings").await;
        let score: ScoreResult = analyst.post("/api/v1/score/evaluate", &json!({"findingId": page.items[0].id})).await;
        let manifest: ManifestAnswer = analyst.post("/api/v1/replay/manifests", &json!({"scoreId": score.score_id})).await;
        let [blob] = blobs(&world.objects.path().join("evidence")).try_into().unwrap();
        std::fs::remove_file(&blob).unwrap();
        lost(&world, &manifest.token, &large).await;
        let raw = format!("/api/v1/evidence/documents/{large}/raw");
        assert_eq!(analyst.code(Call::get(&raw)).await, "OBJECT_MISSING");
    }

    async fn every_edited_or_missing_blob_is_found(world) {
        let made = scored(&world).await;
        let all = blobs(&world.objects.path().join("replay"));
        assert!(all.len() >= 4, "{all:?}");
        for blob in all {
            let before = std::fs::read(&blob).unwrap();
            let mut edited = before.clone();
            edited[0] ^= 1;
            std::fs::write(&blob, &edited).unwrap();
            let verdict = replay(&world, &made.manifest.token).await;
            assert_eq!(verdict.cause, Some(ReplayCause::Tamper), "{}", blob.display());
            std::fs::remove_file(&blob).unwrap();
            let verdict = replay(&world, &made.manifest.token).await;
            assert_eq!(verdict.outcome, ReplayOutcome::CannotReplay, "{}", blob.display());
            std::fs::write(&blob, &before).unwrap();
        }
        assert_eq!(replay(&world, &made.manifest.token).await.outcome, ReplayOutcome::Match);
    }
}
