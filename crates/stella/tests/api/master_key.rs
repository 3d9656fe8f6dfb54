//! Replacing the master key: servers that know both, keys encrypted anew, the old one gone.

use serde_json::Value;
use stella_api::Page;
use stella_api::changes::{ChangePage, LogAnswer};
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_client::{Call, ClientError, HttpClient};

use crate::fixtures::hole;
use crate::process::{Installation, Running};
use crate::up::text;

/// The key ids that tokens are signed with.
async fn kids(running: &Running) -> Vec<Value> {
    let server = HttpClient::new(&running.url).unwrap();
    let jwks: Value = server
        .send(Call::get("/oauth/jwks"))
        .await
        .unwrap()
        .json()
        .unwrap();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].clone()).collect()
}

/// What `key reseal` did, or the text of its refusal with exit code 78.
fn reseal(installation: &Installation) -> Result<u64, String> {
    let ran = installation.run(&["key", "reseal"]);
    match ran.status.code() {
        Some(0) => {
            let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
            Ok(told["keys"].as_u64().unwrap())
        }
        Some(78) => Err(text(&ran.stderr)),
        other => panic!("{other:?}: {}", text(&ran.stderr)),
    }
}

async fn replaced(installation: Installation) {
    let running = installation.start(None);
    let before = kids(&running).await;
    assert!(!before.is_empty());
    drop(running);

    let (old, new) = (
        installation.file("master.key"),
        installation.file("new.key"),
    );
    std::fs::write(&new, [9; 32]).unwrap();
    let installation = installation.with(&format!("Security:MasterKeyFile={}", new.display()));
    // Who forgets the old one reads which key is wrong, and nothing is changed: a key that only
    // this one opens would be resealed by no pair of them.
    let refused = reseal(&installation).unwrap_err();
    assert!(refused.contains("key=Security:MasterKeyFile"), "{refused}");
    for (service, purpose) in [("authority", "token"), ("evidence", "log")] {
        let told = installation.run(&["key", "rotate", service, purpose]);
        assert_eq!(told.status.code(), Some(78), "{}", text(&told.stderr));
        let told = text(&told.stderr);
        assert!(told.contains("key=Security:MasterKeyFile"), "{told}");
        assert_eq!(stored(&installation, service, purpose).len(), 1);
    }
    let gone = format!(
        "Security:PreviousMasterKeyFile={}",
        installation.file("gone").display()
    );
    let installation = installation.with(&gone);
    let refused = reseal(&installation).unwrap_err();
    assert!(
        refused.contains("key=Security:PreviousMasterKeyFile"),
        "{refused}"
    );

    // Servers that know both go on with the keys there are, before and after.
    let both = format!("Security:PreviousMasterKeyFile={}", old.display());
    let installation = installation.with(&both);
    let running = installation.start(None);
    assert_eq!(kids(&running).await, before);
    running.analyst("acme");
    drop(running);
    assert_eq!(reseal(&installation), Ok(6));
    assert_eq!(reseal(&installation), Ok(0));

    let installation = installation.with("Security:PreviousMasterKeyFile=");
    let running = installation.start(None);
    assert_eq!(kids(&running).await, before);
    drop(running);
    let installation = installation.with(&format!("Security:MasterKeyFile={}", old.display()));
    let told = installation.run(&["serve"]);
    assert_eq!(told.status.code(), Some(78), "{}", text(&told.stderr));
}

/// Keys of a purpose by their states, as `key list` shows them.
fn stored(installation: &Installation, service: &str, purpose: &str) -> Vec<(String, String)> {
    let ran = installation.run(&["key", "list"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let told: Vec<Value> = serde_json::from_slice(&ran.stdout).unwrap();
    let of = told
        .iter()
        .filter(|key| key["service"] == service && key["purpose"] == purpose);
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    of.map(|key| (text(key, "state"), text(key, "kid")))
        .collect()
}

/// Rotates a key; gives the new one's id.
fn rotate(installation: &Installation, service: &str, purpose: &str) -> String {
    let ran = installation.run(&["key", "rotate", service, purpose]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    told["kid"].as_str().unwrap().to_owned()
}

/// Beneath a server that goes on: new tokens, ends of logs and manifests are signed by new keys,
/// and what the old ones signed verifies.
#[tokio::test]
async fn signing_keys_are_rotated_beneath_a_server() {
    let installation = Installation::postgres().await;
    let running = installation.start(None);
    let of_before = running.auditor("acme");
    let ingester = running.ingester("acme");
    ingester.ingest("advisory", &hole(1)).await;
    let before = stored(&installation, "authority", "token");
    assert_eq!(before.len(), 1);

    let token = rotate(&installation, "authority", "token");
    let log = rotate(&installation, "evidence", "log");
    let now = stored(&installation, "authority", "token");
    let old = ("retired".to_owned(), before[0].1.clone());
    assert_eq!(now, [("active".to_owned(), token.clone()), old]);

    // A token of before is good, and one of now is signed by the new key.
    let _: Page<Value> = of_before.get("/api/v1/authority/audit").await;
    assert!(kids(&running).await.contains(&token.clone().into()));
    let last = ingester.ingest("advisory", &hole(2)).await.id;
    let after = running.auditor("acme");
    let sealed = async || -> LogAnswer {
        // The sealer gives it its place within a second.
        loop {
            let page: ChangePage = running
                .analyst("acme")
                .get("/api/v1/evidence/changes")
                .await;
            if page.changes.iter().any(|change| change.document == last) {
                return running.analyst("acme").get("/api/v1/evidence/log").await;
            }
        }
    };
    assert_eq!(sealed().await.envelope.signatures[0].keyid, log);
    let verified: VerifyAnswer = running
        .analyst("acme")
        .post("/api/v1/evidence/verify", &VerifyRequest::default())
        .await;
    assert_eq!(verified.violations, []);
    let _: Page<Value> = after.get("/api/v1/authority/audit").await;

    let refused = installation.run(&["key", "rotate", "evidence", "token"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(text(&refused.stderr).contains("stella key list"));
}

/// Keys that are encrypted anew behind a server's back: it says so, and gives no reason to ask for
/// token after token.
#[tokio::test]
async fn a_server_that_was_not_told_of_the_new_master_key_says_so() {
    let installation = Installation::postgres().await;
    let running = installation.start(None);
    let (old, new) = (
        installation.file("master.key"),
        installation.file("new.key"),
    );
    std::fs::write(&new, [9; 32]).unwrap();
    let both = installation
        .with(&format!("Security:MasterKeyFile={}", new.display()))
        .with(&format!("Security:PreviousMasterKeyFile={}", old.display()));
    assert_eq!(reseal(&both), Ok(6));

    let server = HttpClient::new(&running.url).unwrap();
    let problem = async |path| match server.send(Call::get(path)).await.unwrap().success() {
        Err(ClientError::Problem(told)) if told.status == 503 => *told,
        other => panic!("{path}: {other:?}"),
    };
    let code = "SIGNING_KEY_UNUSABLE";
    let ready = problem("/readyz").await;
    let told = ready.errors.iter();
    let told: Vec<(&str, &str)> = told.map(|one| (&*one.pointer, &*one.code)).collect();
    let services = ["authority", "evidence", "replay", "risk-engine"];
    let places = services.map(|service| format!("{service}:keys"));
    assert_eq!(told, places.each_ref().map(|place| (&**place, code)));
    let detail = &ready.errors[0].detail;
    for part in ["authority.signing_keys/", "Security:MasterKeyFile"] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(problem("/oauth/jwks").await.code, code);
    let asked = Call::get("/api/v1/findings");
    assert_eq!(running.analyst("acme").code(asked).await, code);

    let told = both.start(None);
    let _: Page<Value> = told.auditor("acme").get("/api/v1/authority/audit").await;
}

#[tokio::test]
async fn a_master_key_is_replaced_on_embedded_storage() {
    replaced(Installation::filesystem().await).await;
}

#[tokio::test]
async fn a_master_key_is_replaced_on_postgresql() {
    replaced(Installation::postgres().await).await;
}
