//! PyPI's schemathesis over the whole API: requests made from the OpenAPI document, sound and
//! broken ones, each with a token; no 5xx, and no answer that the document does not have.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use stella_api::Scope;
use stella_api::scope::Role;

use crate::tamper::scored;
use crate::up::text;
use crate::world::World;

/// So many requests for each operation and kind of data; more by hand, where one looks for more:
/// `STELLA_SCHEMATHESIS_EXAMPLES=500 cargo nextest run -p stella schemathesis`.
const EXAMPLES: &str = "10";

async fn over(world: World) {
    // Something of everything, so that ids out of lists lead somewhere; globex has the same.
    scored(&world).await;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = tempfile::tempdir().unwrap();
    let credentials = world.credentials("acme");
    let key = home.path().join("key.pem");
    credentials.key.store(&key).unwrap();
    let document = home.path().join("openapi.json");
    std::fs::write(&document, stella::platform::openapi().unwrap()).unwrap();
    let roles = Role::ALL;
    let scopes: BTreeSet<&str> = roles
        .iter()
        .flat_map(|role| role.scopes())
        // It may not stand in one token with those that take evidence in: `hooks.py`.
        .filter(|scope| **scope != Scope::EvidenceAdmin)
        .map(|scope| scope.as_str())
        .collect();
    let scopes: Vec<&str> = scopes.into_iter().collect();
    let own = here.join("tests/api/schemathesis");
    #[allow(clippy::disallowed_methods)] // said by whoever runs the test
    let examples = std::env::var("STELLA_SCHEMATHESIS_EXAMPLES");
    let mut command = Command::new(here.join("../../target/tools/bin/schemathesis"));
    command
        .args([
            "--config-file",
            own.join("schemathesis.toml").to_str().unwrap(),
            "run",
        ])
        .arg(&document)
        .args([
            "--url",
            &world.url,
            "--seed",
            "1",
            "--no-color",
            "--generation-database",
            "none",
        ])
        // A stream goes on for a minute; `changes` has its tests.
        .args(["--exclude-path-regex", "/stream$"])
        .args(["--max-examples", examples.as_deref().unwrap_or(EXAMPLES)])
        .env("PYTHONPATH", &own)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("STELLA_URL", &world.url)
        .env("STELLA_KEY", &key)
        .env("STELLA_CLIENT", &credentials.client_id)
        .env("STELLA_TENANT", credentials.tenant.unwrap())
        .env("STELLA_SCOPES", scopes.join(" "))
        .current_dir(home.path());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let ran = ran.await.unwrap().expect("schemathesis: run ./setup");
    let told = text(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", text(&ran.stderr));
    // It must have come through the door: a token that is refused would look like success.
    assert!(told.contains("Tested:"), "{told}");
    assert!(!told.contains("authentication failed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_on_postgresql() {
    over(World::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_on_embedded_storage() {
    over(World::inmemory().await).await;
}
