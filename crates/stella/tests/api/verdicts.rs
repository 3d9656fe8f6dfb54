//! The other verdicts of a replay: another engine, another profile, inputs that are gone, and
//! all that was edited at once.

use serde_json::{Value, json};
use stella_api::replay::{ManifestRecord, ReplayCause, ReplayOutcome, ReplayVerdict};
use stella_attest::Statement;
use stella_canonical::{Digest, canonical};
use stella_client::Call;

use crate::by_hand::{blobs, by_hand};
use crate::fixtures::{advisory, bytes};
use crate::signed::PREDICATE;
use crate::tamper::{Scored, replay, scored, scored_of};
use crate::world::{World, on_every_store};

/// Puts another manifest in the place of a score's, as the binary of another version would have
/// left it, signed, and replays the score.
async fn with_manifest(world: &World, made: &Scored, edits: &[(&str, Value)]) -> ReplayVerdict {
    let folder = world.blobs.join("replay/acme");
    let place = |digest: &Digest| {
        let hex = digest.hex();
        folder.join(&hex[..2]).join(&hex)
    };
    let digest: Digest = made.manifest.manifest_digest.parse().unwrap();
    let manifest = std::fs::read(place(&digest)).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for (field, value) in edits {
        assert!(manifest.get(*field).is_some(), "a manifest has no {field}");
        manifest[*field] = value.clone();
    }
    let blob = canonical(&manifest).unwrap();
    let digest = Digest::of(&blob);
    std::fs::create_dir_all(place(&digest).parent().unwrap()).unwrap();
    std::fs::write(place(&digest), blob).unwrap();
    let path = format!("/api/v1/replay/manifests/{}", made.manifest.manifest_digest);
    let record: ManifestRecord = world.analyst("acme").get(&path).await;
    let signed = json!({"determined": manifest, "observed": record.manifest.observed});
    let statement = Statement::new("stella.replay/v1", &digest, PREDICATE, signed);
    let key = world.replay_key().await;
    let envelope = key.attest(statement.unsigned().unwrap()).unwrap();
    let envelope = serde_json::to_string(&envelope).unwrap();
    let statement = format!(
        "UPDATE replay.manifests SET digest = '{digest}', envelope = '{envelope}' WHERE tenant = 'acme'"
    );
    by_hand(world, "replay", &["manifests"], &statement).await;
    let verdict: ReplayVerdict = world
        .analyst("acme")
        .post(
            "/api/v1/replay/runs",
            &json!({"scoreId": made.score.score_id}),
        )
        .await;
    assert_eq!(verdict.manifest_digest, digest.to_string());
    verdict
}

fn places(verdict: &ReplayVerdict) -> Vec<(&str, &str)> {
    let differences = verdict.differences.iter();
    differences
        .map(|one| (one.subject.split(' ').next().unwrap(), one.pointer.as_str()))
        .collect()
}

fn mismatch(cause: ReplayCause) -> (ReplayOutcome, Option<ReplayCause>) {
    (ReplayOutcome::Mismatch, Some(cause))
}

const MISSING: (ReplayOutcome, Option<ReplayCause>) =
    (ReplayOutcome::CannotReplay, Some(ReplayCause::Missing));

on_every_store! {
    async fn an_answer_of_another_engine_says_so(world) {
        let made = scored(&world).await;
        let older = json!(made.score.engine.semantics + 1);
        let edits = [("engineSemantics", older), ("outputDigest", json!(Digest::of(b"other")))];
        let verdict = with_manifest(&world, &made, &edits).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Engine));
        assert_eq!(places(&verdict), [("manifest", "/engineSemantics"), ("manifest", "/outputDigest")]);
        // What this engine says is told beside it.
        assert_eq!(verdict.recomputed.unwrap().output_digest, made.score.output_digest);
    }

    async fn another_engine_is_told_even_where_it_says_the_same(world) {
        let made = scored(&world).await;
        let older = json!(made.score.engine.semantics + 1);
        let verdict = with_manifest(&world, &made, &[("engineSemantics", older)]).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Engine));
        assert_eq!(places(&verdict), [("manifest", "/engineSemantics")]);
    }

    async fn another_answer_of_the_same_engine_is_tampered_with(world) {
        let made = scored(&world).await;
        let other = json!(Digest::of(b"other"));
        let verdict = with_manifest(&world, &made, &[("outputDigest", other)]).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Tamper));
        assert_eq!(places(&verdict), [("manifest", "/outputDigest")]);
    }

    async fn another_profile_says_which(world) {
        let made = scored(&world).await;
        let other = Digest::of(b"another profile").to_string();
        let verdict = with_manifest(&world, &made, &[("profileDigest", json!(other))]).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Profile));
        let [one] = verdict.differences.as_slice() else { panic!("{:?}", verdict.differences) };
        assert_eq!(one.subject, format!("profile {}", made.score.profile.id));
        assert_eq!((&one.expected, &one.actual), (&other, &made.score.profile.digest));
        assert_eq!(verdict.recomputed, None);
    }

    async fn a_profile_that_there_is_no_more_says_so(world) {
        let made = scored(&world).await;
        let verdict = with_manifest(&world, &made, &[("profileId", json!("gone-v1"))]).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Profile));
        assert_eq!(verdict.differences[0].subject, "profile gone-v1");
        assert_eq!(verdict.differences[0].actual, "missing");
    }

    async fn without_a_documents_row_nothing_can_be_replayed(world) {
        let made = scored(&world).await;
        let at = format!("WHERE tenant = 'acme' AND digest = '{}'", made.advisory);
        // First what refers to it, so that no foreign key stands in the way.
        for table in ["provenance", "raw_documents"] {
            let statement = format!("DELETE FROM evidence.{table} {at}");
            by_hand(&world, "evidence", &[table], &statement).await;
        }
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), MISSING);
        let one = &verdict.differences[0];
        assert_eq!(one.subject, format!("document {}", made.advisory));
        assert_eq!((one.expected.as_str(), one.actual.as_str()), ("present", "missing"));
        assert_eq!(verdict.recomputed, None);
    }

    async fn without_a_large_documents_blob_nothing_can_be_replayed(world) {
        let mut hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        hole["details"] = "y".repeat(300 * 1024).into();
        let made = scored_of(&world, &bytes(&hole)).await;
        let [blob] = blobs(&world.blobs.join("evidence/acme")).try_into().unwrap();
        let before = std::fs::read(&blob).unwrap();
        std::fs::remove_file(&blob).unwrap();
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), MISSING);
        assert_eq!(verdict.differences[0].subject, format!("document {}", made.advisory));
        let analyst = world.analyst("acme");
        let raw = Call::get(&format!("/api/v1/evidence/documents/{}/raw", made.advisory));
        assert_eq!(analyst.code(raw).await, "OBJECT_MISSING");
        let evidence = blobs(&world.blobs.join("evidence/globex"));
        assert_eq!(evidence.len(), 1, "the other tenant's blob is its own");

        std::fs::write(&blob, [&before[..], b" "].concat()).unwrap();
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Tamper));
        std::fs::write(&blob, before).unwrap();
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!(verdict.outcome, ReplayOutcome::Match);
    }

    /// More documents than a leaf holds, so that the snapshot has several nodes of one kind.
    async fn every_edited_node_of_a_snapshot_is_told(world) {
        let ingester = world.ingester("acme");
        for number in 0..300 {
            let id = format!("RUSTSEC-2025-{number:04}");
            ingester.ingest("advisory", &bytes(&advisory(&id, &[], "beta", "2.0.0"))).await;
        }
        let made = scored(&world).await;
        let nodes: Vec<_> = blobs(&world.blobs.join("replay/acme"))
            .into_iter()
            .filter(|path| std::fs::read(path).unwrap().starts_with(b"{\"digests\":[\"sha256:"))
            .collect();
        assert!(nodes.len() > 16, "{}", nodes.len());
        for node in &nodes {
            let mut edited = std::fs::read(node).unwrap();
            edited[20] ^= 1;
            std::fs::write(node, edited).unwrap();
        }
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), mismatch(ReplayCause::Tamper));
        for node in &nodes {
            let name = node.file_name().unwrap().to_str().unwrap();
            let told = verdict.differences.iter().filter(|one| one.subject.ends_with(name));
            assert_eq!(told.count(), 1, "{name}");
        }
        assert_eq!(verdict.differences.len(), nodes.len());
    }
}
