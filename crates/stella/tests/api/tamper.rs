//! Replay: the same answer from stored inputs, and what an edited byte anywhere brings.

use serde_json::json;
use stella_api::Page;
use stella_api::evidence::Outcome;
use stella_api::findings::{Finding, FindingPage};
use stella_api::health::Readiness;
use stella_api::replay::{ManifestAnswer, ReplayCause, ReplayOutcome, ReplayVerdict};
use stella_api::score::ScoreResult;
use stella_client::Call;

use crate::by_hand::{blobs, by_hand, edit};
use crate::cli::Person;
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::{Caller, World, on_every_store};

pub struct Scored {
    pub score: ScoreResult,
    pub manifest: ManifestAnswer,
    pub advisory: String,
}

/// A finding of acme with its score and manifest; globex has the same documents.
pub async fn scored(world: &World) -> Scored {
    let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
    scored_of(world, &bytes(&hole)).await
}

pub async fn scored_of(world: &World, hole: &[u8]) -> Scored {
    let other = world.ingester("globex");
    other.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
    other.ingest("advisory", hole).await;
    score(&world.ingester("acme"), &world.analyst("acme"), hole).await
}

/// The finding of a tenant that had none, with its score and manifest.
pub async fn score(ingester: &Caller, analyst: &Caller, hole: &[u8]) -> Scored {
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    let advisory = ingester.ingest("advisory", hole).await.id;
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

pub async fn replay(world: &World, token: &str) -> ReplayVerdict {
    world
        .analyst("acme")
        .post("/api/v1/replay/runs", &json!({"token": token}))
        .await
}

on_every_store! {
    async fn an_edited_advisory_is_told_to_who_needs_it_and_keeps_nobody_else_waiting(world) {
        let made = scored(&world).await;
        edit(&world, &made.advisory, 0).await;

        // It cannot be matched against. What came is kept all the same, and told so each time.
        let mut other = sbom(&["alpha@1.0.0", "other@1.0.0"]);
        other["serialNumber"] = "urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0002".into();
        let other = bytes(&other);
        for outcome in [Outcome::Stored, Outcome::Identical] {
            let kept = world.ingester("acme").ingest("sbom", &other).await;
            assert_eq!((kept.outcome, kept.notices.len()), (outcome, 1), "{kept:?}");
            let told = &kept.notices[0];
            assert!(told.code == "EVIDENCE_CORRUPT" && told.message.contains(&made.advisory), "{told:?}");
        }
        // Its tenant reads that no finding of it is no all-clear, and another's list says nothing.
        let document = stella_canonical::Digest::of(&other).to_string();
        let list = format!("/api/v1/findings?sbom={document}");
        let page: FindingPage = world.analyst("acme").get(&list).await;
        let stuck = page.stuck.unwrap();
        assert_eq!((page.items.len(), page.pending, stuck.document), (0, 1, document));
        assert!(stuck.code == "EVIDENCE_CORRUPT" && stuck.detail.contains(&made.advisory), "{}", stuck.detail);
        let page: FindingPage = world.analyst("globex").get("/api/v1/findings").await;
        assert_eq!((page.items.len(), page.pending, page.stuck), (1, 0, None));
        // The service serves on, and says what waits and why.
        let stuck = async || {
            let ready: Readiness = world.analyst("acme").get("/readyz").await;
            assert!(ready.ready, "{ready:?}");
            // Anybody may ask: whose document it is and which is told to nobody.
            let told = serde_json::to_string(&ready).unwrap();
            assert!(!told.contains("sha256:") && !told.contains("acme"), "{told}");
            let check = ready.checks.into_iter().find(|check| check.name == "derivations").unwrap();
            check.backlog.map(|left| (left.count, left.stuck))
        };
        let told = "EVIDENCE_CORRUPT".to_owned();
        assert_eq!(stuck().await, Some((1, Some(told.clone()))));

        // The document stays due; the other tenant's is worked off all the same.
        world.ingester("globex").ingest("sbom", &bytes(&sbom(&["gamma@1.0.0"]))).await;
        let due = "INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, due_at) \
            SELECT tenant, kind, publisher, upstream_id, digest, received_at FROM evidence.provenance \
            WHERE tenant = 'globex' AND kind = 'sbom'";
        if let Some(url) = &world.owner_url {
            let due = format!("SET stella.tenant = 'globex'; {due}");
            let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(due)).execute(&mut owner).await.unwrap();
        } else {
            by_hand(&world, "evidence", &[], due).await;
        }
        let system = stella_context::SystemContext::new("test", stella_context::Clock::System);
        let evidence = &world.platform.evidence;
        assert!(evidence.reconcile(&system).await.unwrap() > 0);
        assert_eq!(evidence.reconcile(&system).await.unwrap(), 0);
        assert_eq!(stuck().await, Some((1, Some(told))));
        // What another process worked off is told no more.
        by_hand(&world, "evidence", &[], "DELETE FROM evidence.derivations_due").await;
        assert_eq!(stuck().await, None);
    }

    /// Before anything is derived a list would have no ground: what waits is told all the same.
    async fn an_advisory_that_waits_is_no_empty_store(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
        let kept = ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await.id;
        assert_eq!(analyst.code(Call::get("/api/v1/findings")).await, "NO_DATA");
        let due = "INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, due_at) \
            SELECT tenant, kind, publisher, upstream_id, digest, received_at FROM evidence.provenance \
            WHERE tenant = 'acme'";
        by_hand(&world, "evidence", &[], due).await;
        let page: FindingPage = analyst.get("/api/v1/findings").await;
        assert_eq!((page.items.len(), page.pending, page.stuck), (0, 1, None));
        let person = Person::of(&world, "acme");
        let ran = person.types(&["findings", "list", "-o", "table"]).await;
        assert!(ran.exit == 0 && ran.stderr.starts_with("warning: 1 taken in and not matched yet"), "{}", ran.stderr);
        // Once more takes it up, and then the list holds all that there is.
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        ingester.ingest("advisory", &hole).await;
        let page: FindingPage = analyst.get(&format!("/api/v1/findings?sbom={kept}")).await;
        assert_eq!((page.items.len(), page.pending), (1, 0));
    }

    async fn a_person_is_told_what_is_kept_and_cannot_be_derived_from(world) {
        let made = scored(&world).await;
        edit(&world, &made.advisory, 0).await;
        let person = Person::of(&world, "acme");
        let mut parts = sbom(&["alpha@1.0.0", "other@1.0.0"]);
        parts["serialNumber"] = "urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0002".into();
        let parts = person.file("parts.json", &bytes(&parts));
        let parts = parts.to_str().unwrap();
        let ran = person.types(&["evidence", "ingest", parts, "-o", "json"]).await;
        let told = ran.json();
        assert_eq!((ran.exit, &told["taken"], &told["refused"]), (6, &1.into(), &0.into()), "{told}");
        assert_eq!((&told["noticed"][0]["path"], &told["noticed"][0]["code"]), (&parts.into(), &"EVIDENCE_CORRUPT".into()));
        let ran = person.types(&["evidence", "ingest", parts, "-o", "table"]).await;
        assert!(ran.stdout.contains(&made.advisory) && ran.stdout.contains("hint: restore it"), "{}", ran.stdout);
        for format in ["table", "json", "ndjson"] {
            let ran = person.types(&["findings", "list", "--no-score", "-o", format]).await;
            assert_eq!(ran.exit, 6, "{}", ran.stderr);
            assert!(ran.stderr.starts_with("warning: 1 taken in and not matched"), "{}", ran.stderr);
            assert!(ran.stderr.contains(&made.advisory) && ran.stderr.contains("stella evidence show"), "{}", ran.stderr);
        }
    }

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
        assert!(verdict.signed);
    }

    async fn a_cut_or_foreign_token_is_refused(world) {
        let made = scored(&world).await;
        let token = &made.manifest.token;
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
        let digest = &made.manifest.manifest_digest;
        for body in [
            json!({}), json!({"token": token, "scoreId": "x"}), json!({"token": token, "manifest": digest}),
            json!({"manifest": "sha256:"}),
        ] {
            let call = Call::post_json("/api/v1/replay/runs", &body).unwrap();
            assert_eq!(analyst.code(call).await, "REQUEST_INVALID");
        }
    }

    async fn an_answer_is_asked_for_again_by_manifest_token_or_score(world) {
        let made = scored(&world).await;
        let by_token = replay(&world, &made.manifest.token).await;
        assert_eq!(by_token.outcome, ReplayOutcome::Match);
        let digest = json!({"manifest": made.manifest.manifest_digest});
        for asked in [&digest, &json!({"scoreId": made.score.score_id})] {
            let verdict: ReplayVerdict = world.analyst("acme").post("/api/v1/replay/runs", asked).await;
            assert_eq!(verdict, by_token);
        }
        let call = Call::post_json("/api/v1/replay/runs", &digest).unwrap();
        assert_eq!(world.analyst("globex").code(call).await, "NOT_FOUND");
    }

    async fn an_edited_document_is_found_and_named(world) {
        let made = scored(&world).await;
        edit(&world, &made.advisory, 5).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
        let [one] = verdict.differences.as_slice() else { panic!("{:?}", verdict.differences) };
        assert_eq!((&one.subject, &one.expected), (&format!("document {}", made.advisory), &made.advisory));
        assert!(one.actual.parse::<stella_canonical::Digest>().is_ok_and(|found| found.to_string() != made.advisory), "{one:?}");
        let raw = format!("/api/v1/evidence/documents/{}/raw", made.advisory);
        assert_eq!(world.analyst("acme").code(Call::get(&raw)).await, "EVIDENCE_CORRUPT");
    }

    async fn whoever_lists_findings_reads_which_document_was_edited(world) {
        let ingester = world.ingester("acme");
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let hole = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
        let hole = ingester.ingest("advisory", &bytes(&hole)).await.id;
        edit(&world, &hole, 5).await;
        let listed = Person::of(&world, "acme").types(&["findings", "list"]).await;
        assert_eq!(listed.exit, 6);
        assert!(listed.stderr.contains(&hole), "{}", listed.stderr);
    }

    async fn an_edited_result_is_found_and_named(world) {
        let made = scored(&world).await;
        let statement = "UPDATE riskengine.risk_score_results SET result = replace(result, '\"scoreBps\":9100', '\"scoreBps\":1000')";
        by_hand(&world, "riskengine", &["risk_score_results"], statement).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
        let [one] = verdict.differences.as_slice() else { panic!("{:?}", verdict.differences) };
        assert_eq!((&one.subject, one.expected.as_str()), (&format!("score {}", made.score.score_id), "as-given"));
        assert!(one.actual.parse::<u32>().is_ok(), "{one:?}");
        let path = format!("/api/v1/score/{}", made.score.score_id);
        assert_eq!(world.analyst("acme").code(Call::get(&path)).await, "SCORE_CORRUPT");
    }

    async fn every_edited_or_missing_blob_is_found(world) {
        let made = scored(&world).await;
        let all = blobs(&world.blobs.join("replay"));
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
