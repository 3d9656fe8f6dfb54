//! The routes of Replay.

use std::sync::Arc;

use axum::extract::State;
use stella_api::authority::JwksAnswer;
use stella_api::replay::{
    ManifestAnswer, ManifestRecord, ManifestRequest, ReplayRequest, ReplayVerdict, SnapshotRecord,
};
use stella_api::scope::{ReplayRead, ReplayRun};
use stella_service::{
    Answer, Authorized, Fail, Json, Kept, Path, Public, Routes, Tagged, failures, route,
};

use crate::Replay;

type Domain = State<Arc<Replay>>;

failures!(Manifests: NotFound, IdAmbiguous, EvidenceCorrupt, ScoreCorrupt);
failures!(Runs: NotFound, ReplayTokenInvalid, ReplayTokenExpired);
failures!(Snapshots: NotFound, ObjectCorrupt, ObjectMissing);

pub(crate) fn routes() -> Routes<Arc<Replay>> {
    let routes = route!(Routes::default(), make_manifest);
    let routes = route!(routes, show_manifest);
    let routes = route!(routes, keys);
    let routes = route!(routes, run);
    route!(routes, show_snapshot)
}

/// Gives the replay token of a score: 201 with a new manifest, 200 with the one that is there.
#[utoipa::path(post, path = "/api/v1/replay/manifests", tag = "replay",
    request_body = ManifestRequest)]
async fn make_manifest(
    op: Authorized<ReplayRun>,
    State(replay): Domain,
    Json(request): Json<ManifestRequest>,
) -> Result<Kept<ManifestAnswer>, Fail<Manifests>> {
    let (new, body) = replay.manifest(&op, &request.score_id).await?;
    let location = format!("/api/v1/replay/snapshots/{}", body.snapshot_id);
    Ok(Kept {
        new,
        location,
        body,
    })
}

/// Shows a manifest with its signature.
#[utoipa::path(get, path = "/api/v1/replay/manifests/{id}", tag = "replay",
    params(("id" = String, Path, description = "the manifest's digest, as `manifestDigest` gives it")))]
async fn show_manifest(
    op: Authorized<ReplayRead>,
    State(replay): Domain,
    Path(id): Path<String>,
) -> Result<Tagged<ManifestRecord>, Fail<Snapshots>> {
    Ok(Tagged(replay.stored_manifest(&op, &id).await?))
}

/// The public keys that manifests are checked with.
#[utoipa::path(get, path = "/api/v1/replay/keys", tag = "replay")]
async fn keys(_: Public, State(replay): Domain) -> Result<Answer<JwksAnswer>, Fail<()>> {
    Ok(Answer(replay.jwks().await?))
}

/// Gives an answer again from what is stored, and says whether it is the same.
#[utoipa::path(post, path = "/api/v1/replay/runs", tag = "replay", request_body = ReplayRequest)]
async fn run(
    op: Authorized<ReplayRun>,
    State(replay): Domain,
    Json(request): Json<ReplayRequest>,
) -> Result<Answer<ReplayVerdict>, Fail<Runs>> {
    Ok(Answer(replay.replay(&op, &request).await?))
}

/// Shows a snapshot.
#[utoipa::path(get, path = "/api/v1/replay/snapshots/{id}", tag = "replay",
    params(("id" = String, Path, description = "the digest of the canonical snapshot")))]
async fn show_snapshot(
    op: Authorized<ReplayRead>,
    State(replay): Domain,
    Path(id): Path<String>,
) -> Result<Tagged<SnapshotRecord>, Fail<Snapshots>> {
    Ok(Tagged(replay.snapshot(&op, &id).await?))
}
