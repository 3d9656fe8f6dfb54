//! Replacing the master key: servers that know both, keys encrypted anew, the old one gone.

use serde_json::Value;
use stella_client::{Call, HttpClient};

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
    // Who forgets the old one reads which key is wrong, and nothing is changed.
    let refused = reseal(&installation).unwrap_err();
    assert!(refused.contains("key=Security:MasterKeyFile"), "{refused}");
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

#[tokio::test]
async fn a_master_key_is_replaced_on_embedded_storage() {
    replaced(Installation::filesystem().await).await;
}

#[tokio::test]
async fn a_master_key_is_replaced_on_postgresql() {
    replaced(Installation::postgres().await).await;
}
