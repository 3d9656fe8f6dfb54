//! Every operation of the OpenAPI document: refused without a token, without the scope, and
//! with another tenant's id. The document is made from the code, so a new route is tried here
//! as soon as it is there. So are ids in bodies (`bodies`) and lists (`lists`).

mod bodies;
mod lists;

use stella_api::Scope;
use stella_client::{Call, ClientError};

use crate::fixtures;
use crate::world::{World, on_every_driver};

/// The scopes of which an operation demands one; none where it is open to all.
pub fn demanded(operation: &serde_json::Value) -> Option<Vec<Scope>> {
    let security = operation.get("security")?.as_array()?;
    let named = security
        .iter()
        .flat_map(|one| one["opTok"].as_array().cloned().unwrap_or_default());
    Some(
        named
            .map(|name| name.as_str().unwrap().parse().unwrap())
            .collect(),
    )
}

/// A well-formed request; what is missing in it may be refused, but only after the permission.
fn request(method: &str, path: &str, id: &str) -> Call {
    let path = path.replace("{id}", id);
    match method {
        "GET" => Call::get(&path),
        _ => Call::post(&path, "application/json", b"{}".to_vec()),
    }
}

fn code(reply: stella_client::Reply) -> String {
    match reply.success() {
        Ok(_) => "ok".to_owned(),
        Err(ClientError::Problem(problem)) => problem.code,
        Err(other) => panic!("{other}"),
    }
}

/// Every scope that the roles hold and that may stand in one token without the demanded ones.
fn all_but(without: &[Scope]) -> Vec<Scope> {
    let held = stella_api::scope::Role::ALL
        .iter()
        .flat_map(|role| role.scopes());
    let mut scopes: Vec<Scope> = held
        .copied()
        .filter(|scope| !without.contains(scope))
        // It may not stand in one token with those that take evidence in.
        .filter(|scope| *scope != Scope::EvidenceAdmin)
        .collect();
    // Where the paired scope is the one that is missing, what needs it is left out too.
    scopes.retain(|scope| {
        scope
            .paired_with()
            .is_none_or(|other| !without.contains(&other))
    });
    scopes
}

/// One thing of each kind in a tenant, by the path of the operation that shows it.
pub async fn seed(world: &World, tenant: &str) -> Vec<(&'static str, String)> {
    let ingester = world.ingester(tenant);
    let advisory = fixtures::bytes(&fixtures::advisory(
        "RUSTSEC-2026-0001",
        &[],
        "alpha",
        "2.0.0",
    ));
    let document = ingester.ingest("advisory", &advisory).await.id;
    ingester
        .ingest("sbom", &fixtures::bytes(&fixtures::sbom(&["alpha@1.0.0"])))
        .await;
    let analyst = world.analyst(tenant);
    let findings: serde_json::Value = analyst.get("/api/v1/findings").await;
    let finding = findings["items"][0]["id"].as_str().unwrap().to_owned();
    let asked = serde_json::json!({"findingId": finding});
    let score: serde_json::Value = analyst.post("/api/v1/score/evaluate", &asked).await;
    let score = score["scoreId"].as_str().unwrap().to_owned();
    let asked = serde_json::json!({"scoreId": score});
    let manifest: serde_json::Value = analyst.post("/api/v1/replay/manifests", &asked).await;
    let of_manifest = |field: &str| manifest[field].as_str().unwrap().to_owned();
    vec![
        ("/api/v1/evidence/documents/{id}", document.clone()),
        ("/api/v1/evidence/documents/{id}/raw", document),
        ("/api/v1/findings/{id}", finding),
        ("/api/v1/score/{id}", score.clone()),
        ("/api/v1/score/{id}/explain", score.clone()),
        ("/api/v1/score/{id}/replay", score),
        (
            "/api/v1/replay/manifests/{id}",
            of_manifest("manifestDigest"),
        ),
        ("/api/v1/replay/snapshots/{id}", of_manifest("snapshotId")),
    ]
}

on_every_driver! {
    async fn every_operation_asks_for_its_scope_and_keeps_to_its_tenant(world) {
        let seeded = seed(&world, "acme").await;
        let stranger = world.analyst("globex");
        let mut tried = 0;
        for (method, path, operation) in world.contract.operations() {
            let Some(scopes) = demanded(&operation) else { continue };
            tried += 1;
            let id = seeded.iter().find(|(of, _)| *of == path).map(|(_, id)| id.clone());
            assert!(!path.contains('{') || id.is_some(), "say in `seed` what {path} shows");
            let id = id.unwrap_or_default();

            let call = request(&method, &path, &id);
            let reply = world.http().send(call.clone()).await.unwrap();
            world.contract.check(&call, &reply);
            assert_eq!(code(reply), "TOKEN_MISSING", "{method} {path}");

            let without = all_but(&scopes);
            if !scopes.is_empty() && !without.is_empty() {
                let caller = world.caller("acme", &without);
                assert_eq!(caller.code(request(&method, &path, &id)).await, "SCOPE_MISSING", "{method} {path}");
            }

            let header = ("x-stella-tenant".parse().unwrap(), "acme".parse().unwrap());
            let call = request(&method, &path, &id).with(header.0, header.1);
            let asked: Vec<Scope> = if scopes.is_empty() { vec![Scope::RiskRead] } else { with_pairs(&scopes) };
            let of_globex = world.caller("globex", &asked);
            assert_eq!(of_globex.code(call).await, "TENANT_MISMATCH", "{method} {path}");

            if path.contains('{') {
                let answer = stranger.code(request(&method, &path, &id)).await;
                assert_eq!(answer, "NOT_FOUND", "{method} {path}");
            }
        }
        assert!(tried >= 15, "only {tried} operations ask for a token");
    }
}

fn with_pairs(scopes: &[Scope]) -> Vec<Scope> {
    let held = |scope: &Scope| {
        stella_api::scope::Role::ALL
            .iter()
            .any(|role| role.scopes().contains(scope))
    };
    let scopes: Vec<Scope> = scopes.iter().copied().filter(held).collect();
    let pairs = scopes.iter().filter_map(|scope| scope.paired_with());
    scopes.iter().copied().chain(pairs).collect()
}
