//! `stella storage`, as an operator types it, on blobs that an installation left.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use stella_api::Code;
use stella_api::replay::{ReplayOutcome, ReplayVerdict};
use stella_client::{Call, ClientError};

use crate::fixtures::{self, advisory, bytes};
use crate::process::Installation;
use crate::tamper::score;
use crate::up::text;
use crate::world::World;

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn told(output: &Output, exit: i32) -> Value {
    assert_eq!(output.status.code(), Some(exit), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn age(blob: &Path) {
    let file = std::fs::File::options().append(true).open(blob).unwrap();
    let written: SystemTime = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - MONTH).unwrap();
}

/// What a sweep finds: each with whether it was removed.
fn orphans(swept: &Value) -> Vec<(&str, bool)> {
    let all = swept["orphans"].as_array().unwrap().iter();
    all.map(|one| {
        (
            one["service"].as_str().unwrap(),
            one["removed"].as_bool().unwrap(),
        )
    })
    .collect()
}

async fn swept_and_verified(installation: Installation) {
    let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let dying = installation.start(Some("evidence-blob-put"));
    let ingester = dying.ingester("acme");
    let made = score(&ingester, &dying.analyst("acme"), &hole).await;
    // It dies between a blob and its row.
    let mut large = advisory("RUSTSEC-2026-0002", &[], "beta", "1.0.0");
    large["details"] = "y".repeat(300 * 1024).into();
    let large = bytes(&large);
    dying
        .dies_of(&ingester, fixtures::ingest("advisory", &large))
        .await;
    let replayed = installation.blobs("replay");
    assert!(replayed.len() >= 3, "{replayed:?}");
    assert_eq!(installation.blobs("evidence").len(), 1);

    let verified = told(&installation.run(&["storage", "verify"]), 0);
    assert_eq!(verified["blobs"], replayed.len() + 1);
    assert_eq!(verified["corrupt"], json!([]));
    // The row may be on its way: it is not listed by itself, and never removed.
    assert_eq!(
        orphans(&told(&installation.run(&["storage", "sweep"]), 0)),
        []
    );
    let now = told(
        &installation.run(&["storage", "sweep", "--older-than", "0s"]),
        0,
    );
    assert_eq!(orphans(&now), [("evidence", false)]);
    let hasty = installation.run(&["storage", "sweep", "--older-than", "23h", "--remove"]);
    told(&hasty, 2);
    assert!(
        text(&hasty.stderr).contains("24h"),
        "{}",
        text(&hasty.stderr)
    );

    let all = ["evidence", "replay"].map(|service| installation.blobs(service));
    all.iter().flatten().for_each(|blob| age(blob));
    let listed = told(&installation.run(&["storage", "sweep"]), 0);
    assert_eq!(orphans(&listed), [("evidence", false)]);
    let removed = told(&installation.run(&["storage", "sweep", "--remove"]), 0);
    assert_eq!(orphans(&removed), [("evidence", true)]);
    assert_eq!(installation.blobs("evidence").len(), 0);
    assert_eq!(installation.blobs("replay"), replayed);

    let again = installation.start(None);
    let asked = json!({"token": made.manifest.token});
    let verdict: ReplayVerdict = again
        .analyst("acme")
        .post("/api/v1/replay/runs", &asked)
        .await;
    assert_eq!(verdict.outcome, ReplayOutcome::Match);
    drop(again);

    for blob in &replayed {
        let before = std::fs::read(blob).unwrap();
        std::fs::write(blob, [b"!", &before[..]].concat()).unwrap();
        let output = installation.run(&["storage", "verify"]);
        let verified = told(&output, 6);
        let [corrupt] = &verified["corrupt"].as_array().unwrap()[..] else {
            panic!("{verified}")
        };
        assert_eq!(
            (&corrupt["service"], &corrupt["tenant"]),
            (&"replay".into(), &"acme".into())
        );
        let name = blob.file_name().unwrap().to_str().unwrap();
        assert_eq!(corrupt["digest"], format!("sha256:{name}"));
        // One that a row leads to and that is gone, as after half a restore.
        std::fs::remove_file(blob).unwrap();
        let verified = told(&installation.run(&["storage", "verify"]), 6);
        let gone =
            json!([{"service": "replay", "tenant": "acme", "digest": format!("sha256:{name}")}]);
        assert_eq!(verified["missing"], gone);
        std::fs::write(blob, before).unwrap();
    }
    // Who knows what a changed snapshot led to? Then nothing is an orphan.
    let snapshot = made.manifest.snapshot_id.trim_start_matches("sha256:");
    let snapshot = replayed
        .iter()
        .find(|blob| blob.ends_with(snapshot))
        .unwrap();
    std::fs::write(snapshot, "{}").unwrap();
    age(snapshot);
    let output = installation.run(&["storage", "sweep", "--remove"]);
    told(&output, 6);
    assert!(
        text(&output.stderr).contains("OBJECT_CORRUPT"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(installation.blobs("replay"), replayed);
}

mod orphans_are_swept_and_corrupt_blobs_are_told {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        swept_and_verified(Installation::postgres().await).await;
    }

    #[tokio::test]
    async fn filesystem() {
        swept_and_verified(Installation::filesystem().await).await;
    }

    #[tokio::test]
    async fn rustfs() {
        swept_and_verified(Installation::rustfs().await).await;
    }
}

#[tokio::test]
async fn a_sweep_waits_for_the_folder_and_a_verification_does_not() {
    let installation = Installation::filesystem().await;
    let running = installation.start(None);
    let output = installation.run(&["storage", "sweep"]);
    told(&output, 10);
    assert!(text(&output.stderr).contains("STORAGE_DIRECTORY_LOCKED"));
    told(&installation.run(&["storage", "verify"]), 0);
    drop(running);
}

#[tokio::test]
async fn a_bucket_that_may_not_be_entered_any_more_is_told_by_its_code() {
    let world = World::rustfs().await;
    let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
    let mut large = advisory("RUSTSEC-2026-0001", &[], "alpha", "1.0.0");
    large["details"] = "y".repeat(300 * 1024).into();
    let kept = ingester.ingest("advisory", &bytes(&large)).await.id;
    world.bucket().revoke();
    large["id"] = "RUSTSEC-2026-0002".into();
    let put = fixtures::ingest("advisory", &bytes(&large));
    let get = Call::get(&format!("/api/v1/evidence/documents/{kept}/raw"));
    let refused = Code::ObjectStoreRefused.as_str();
    assert_eq!(ingester.code(put).await, refused);
    assert_eq!(analyst.code(get).await, refused);
    // What needs no blob is served all the same; the process says what is missing.
    let small = bytes(&advisory("RUSTSEC-2026-0003", &[], "alpha", "1.0.0"));
    ingester.ingest("advisory", &small).await;
    let told = world.http().send(Call::get("/readyz")).await.unwrap();
    let Err(ClientError::Problem(told)) = told.success() else {
        panic!("it is ready")
    };
    let places: Vec<&str> = told.errors.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(places, ["evidence:objectStore", "replay:objectStore"]);
}

async fn copied_and_put_back(installation: Installation) {
    let hole = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    let running = installation.start(None);
    let (ingester, analyst) = (running.ingester("acme"), running.analyst("acme"));
    let made = score(&ingester, &analyst, &hole).await;
    // Whose blobs they are stays as it is, also where one name begins like another.
    let globex = running.ingester("globex");
    score(&globex, &running.analyst("globex"), &hole).await;
    drop(running);
    let folder = installation.file("copy");
    let folder = folder.to_str().unwrap();
    let run = |verb| installation.run(&["storage", verb, folder]);
    let counts = |done: Value| {
        let of = |name: &str| done[name].as_u64().unwrap();
        (of("blobs"), of("present"))
    };
    let all = installation.blobs("replay");
    let count = u64::try_from(all.len()).unwrap();
    assert_eq!(counts(told(&run("backup"), 0)), (count, 0));
    assert_eq!(counts(told(&run("backup"), 0)), (0, count));

    for blob in &all[..2] {
        std::fs::remove_file(blob).unwrap();
    }
    assert_eq!(counts(told(&run("restore"), 0)), (2, count - 2));
    told(&installation.run(&["storage", "verify"]), 0);
    let running = installation.start(None);
    let asked = json!({"token": made.manifest.token});
    let verdict: ReplayVerdict = running
        .analyst("acme")
        .post("/api/v1/replay/runs", &asked)
        .await;
    assert_eq!(verdict.outcome, ReplayOutcome::Match);
    drop(running);

    // One that is no longer what its name says is replaced, on either side; a folder that is
    // not there is no copy of nothing.
    let rotten = &all[2];
    let sound = std::fs::read(rotten).unwrap();
    std::fs::write(rotten, "").unwrap();
    assert_eq!(counts(told(&run("restore"), 0)), (1, count - 1));
    assert_eq!(std::fs::read(rotten).unwrap(), sound);
    let typo = installation.file("kopy");
    let missing = installation.run(&["storage", "restore", typo.to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(4), "{}", text(&missing.stderr));
    // A folder that cannot be made is told as that, and so is the store in the copy's place.
    let file = installation.file("no-folder");
    std::fs::write(&file, "").unwrap();
    let refused = installation.run(&["storage", "backup", file.to_str().unwrap()]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("may write"), "{said}");
    let store = installation.file("data/objects");
    if all[0].starts_with(&store) {
        let store = store.to_str().unwrap();
        for verb in ["backup", "restore"] {
            let refused = installation.run(&["storage", verb, store]);
            let said = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{said}");
            assert!(said.contains("object store itself"), "{said}");
        }
    }
    // Nor is the folder above it, below it, or another.
    let (above, below) = (
        installation.file("."),
        std::path::Path::new(folder).join("replay"),
    );
    for other in [above.to_str().unwrap(), below.to_str().unwrap(), "/etc"] {
        let refused = installation.run(&["storage", "restore", other]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{other}: {said}");
        assert!(said.contains("evidence and replay"), "{said}");
    }

    // A copy that somebody changed is put nowhere.
    let lost = &all[0];
    let name = lost.file_name().unwrap();
    let copy = crate::by_hand::blobs(std::path::Path::new(folder));
    let copy = copy.iter().find(|one| one.file_name() == Some(name));
    std::fs::write(copy.unwrap(), "changed").unwrap();
    std::fs::remove_file(lost).unwrap();
    let refused = told(&run("restore"), 6);
    assert_eq!(refused["corrupt"].as_array().unwrap().len(), 1, "{refused}");
    assert_eq!(counts(refused), (0, count - 1));
    assert!(!lost.exists());
}

mod blobs_are_copied_and_put_back {
    use super::*;

    #[tokio::test]
    async fn filesystem() {
        copied_and_put_back(Installation::filesystem().await).await;
    }

    #[tokio::test]
    async fn rustfs() {
        copied_and_put_back(Installation::rustfs().await).await;
    }
}
