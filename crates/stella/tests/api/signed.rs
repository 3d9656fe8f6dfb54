//! Signatures of manifests: others can check them, and an edited one is found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stella_api::authority::JwksAnswer;
use stella_api::dsse::Envelope;
use stella_api::replay::{Manifest, ManifestRecord, ReplayCause, ReplayOutcome};
use stella_attest::{PublicKey, Statement};
use stella_client::Call;
use stella_signing::SigningKey;

use crate::by_hand::by_hand;
use crate::tamper::{replay, scored};
use crate::world::on_every_driver;

/// The type of what Replay signs.
pub const PREDICATE: &str = "https://stella-ops.org/replay/v1";

on_every_driver! {
    async fn a_manifest_carries_a_signature_that_others_can_check(world) {
        let made = scored(&world).await;
        let analyst = world.analyst("acme");
        let path = format!("/api/v1/replay/manifests/{}", made.manifest.manifest_digest);
        let record: ManifestRecord = analyst.get(&path).await;
        let published: JwksAnswer = world.http().send(Call::get("/api/v1/replay/keys")).await.unwrap().json().unwrap();
        let keys: Vec<PublicKey> = published.keys.iter().map(|key| PublicKey::from_jwk(key).unwrap()).collect();
        let verified = stella_attest::verify(&record.envelope.unwrap(), &keys).unwrap();
        let statement: Statement<Manifest> = serde_json::from_slice(&verified.payload).unwrap();
        assert_eq!(statement.predicate, record.manifest);
        assert_eq!(statement.subject[0].digest["sha256"], made.manifest.manifest_digest["sha256:".len()..]);
        assert_eq!(record.manifest.determined.output_digest, made.score.output_digest);

        // Keys of a purpose stay with it: none of Authority's verifies a manifest.
        let tokens: JwksAnswer = world.http().send(Call::get("/oauth/jwks")).await.unwrap().json().unwrap();
        assert!(published.keys.iter().all(|key| !tokens.keys.contains(key)));
    }

    async fn an_edited_signature_is_found_and_named(world) {
        let made = scored(&world).await;
        let digest = &made.manifest.manifest_digest;
        let path = format!("/api/v1/replay/manifests/{digest}");
        let record: ManifestRecord = world.analyst("acme").get(&path).await;
        let good = record.envelope.unwrap();
        let mut other = good.clone();
        other.payload = STANDARD.encode(String::from_utf8(STANDARD.decode(&good.payload).unwrap()).unwrap().replace("engineVersion", "engineversion"));
        let mut strange = good.clone();
        strange.signatures[0].keyid = "strange".to_owned();
        let text = |envelope: &Envelope| serde_json::to_string(envelope).unwrap();
        let mut none = good.clone();
        none.signatures.clear();
        let wrong = [
            ("envelope", "{}".to_owned(), ""), ("envelope", text(&other), ""), ("envelope", text(&strange), ""),
            ("envelope", text(&none), ""), ("observed", "{}".to_owned(), "/observed"),
        ];
        let put = async |column: &str, value: &str| {
            let statement = format!("UPDATE replay.manifests SET {column} = '{value}' WHERE tenant = 'acme'");
            by_hand(&world, "replay", &["manifests"], &statement).await;
        };
        for (column, value, pointer) in wrong {
            put(column, &value).await;
            let verdict = replay(&world, &made.manifest.token).await;
            assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)), "{column} {value}");
            let [one] = verdict.differences.as_slice() else { panic!("{:?}", verdict.differences) };
            assert_eq!((one.subject.as_str(), one.pointer.as_str()), (format!("manifest signature {digest}").as_str(), pointer));
            put("envelope", &text(&good)).await;
        }
        put("observed", &serde_json::to_string(&record.manifest.observed).unwrap()).await;
        assert_eq!(replay(&world, &made.manifest.token).await.outcome, ReplayOutcome::Match);

        let statement = "UPDATE replay.manifests SET envelope = NULL WHERE tenant = 'acme'";
        by_hand(&world, "replay", &["manifests"], statement).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.cause, verdict.signed), (Some(ReplayCause::Tamper), false));
        assert_eq!(verdict.differences[0].actual, "unsigned");
    }

    /// Who can write to every table and does not hold the master key cannot forge a manifest.
    async fn a_key_that_somebody_put_there_signs_nothing(world) {
        let made = scored(&world).await;
        let path = format!("/api/v1/replay/manifests/{}", made.manifest.manifest_digest);
        let mut record: ManifestRecord = world.analyst("acme").get(&path).await;
        record.manifest.observed.created_at = "1999-01-01T00:00:00Z".to_owned();
        let forger = SigningKey::generate().unwrap();
        let digest = made.manifest.manifest_digest.parse().unwrap();
        let statement = Statement::new("stella.replay/v1", &digest, PREDICATE, &record.manifest);
        let envelope = forger.attest(statement.unsigned().unwrap()).unwrap();
        let (envelope, observed) = (
            serde_json::to_string(&envelope).unwrap(),
            serde_json::to_string(&record.manifest.observed).unwrap(),
        );
        let (kid, x) = (forger.kid(), &forger.public().x);
        let add = format!(
            "INSERT INTO replay.signing_keys (kid, purpose, state, x, sealed, created_at) \
             SELECT '{kid}', purpose, 'retired', '{x}', sealed, created_at FROM replay.signing_keys WHERE purpose = 'replay'"
        );
        by_hand(&world, "replay", &["signing_keys"], &add).await;
        let swap = format!("UPDATE replay.manifests SET envelope = '{envelope}', observed = '{observed}' WHERE tenant = 'acme'");
        by_hand(&world, "replay", &["manifests"], &swap).await;

        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.cause, verdict.signed), (Some(ReplayCause::Tamper), false));
        assert_eq!(verdict.differences[0].actual, "foreign-key");
        let published: JwksAnswer = world.http().send(Call::get("/api/v1/replay/keys")).await.unwrap().json().unwrap();
        assert!(published.keys.iter().all(|key| key.kid.as_deref() != Some(kid)));
    }

    /// What `outputDigest` leaves out (when, by which release) is under the signature too.
    async fn an_edited_time_of_a_result_is_found(world) {
        let made = scored(&world).await;
        let before = &made.score.evaluated_at;
        let edit = format!(
            "UPDATE riskengine.risk_score_results SET result = replace(result, '{before}', '1999-01-01T00:00:00Z')"
        );
        by_hand(&world, "riskengine", &["risk_score_results"], &edit).await;
        let verdict = replay(&world, &made.manifest.token).await;
        assert_eq!((verdict.outcome, verdict.cause), (ReplayOutcome::Mismatch, Some(ReplayCause::Tamper)));
    }
}
