//! What every service has.

use stella_api::health::{Alive, Readiness};
use stella_client::Call;

use crate::world::{World, on_every_driver};

on_every_driver! {
    async fn a_house_is_alive_and_ready(world) {
        let caller = world.analyst("acme");
        let alive: Alive = caller.get("/healthz").await;
        assert_eq!(alive.status, "alive");
        let ready: Readiness = caller.get("/readyz").await;
        assert!(ready.ready && ready.checks.len() >= 4, "{ready:?}");
    }

    async fn tenant_headers_may_only_repeat_the_token(world) {
        let caller = world.analyst("acme");
        let with = |pairs: &[(&str, &str)]| {
            pairs.iter().fold(Call::get("/api/v1/authority/whoami"), |call, (name, value)| {
                call.with(name.parse().unwrap(), value.parse().unwrap())
            })
        };
        assert!(caller.send(with(&[("x-stella-tenant", "acme")])).await.status.is_success());
        assert!(caller.send(with(&[("x-stellaops-tenant", "acme")])).await.status.is_success());
        assert_eq!(caller.code(with(&[("x-stellaops-tenant", "globex")])).await, "TENANT_MISMATCH");
        let both = with(&[("x-stella-tenant", "acme"), ("x-stellaops-tenant", "globex")]);
        assert_eq!(caller.code(both).await, "TENANT_HEADERS_DIFFER");
    }

    async fn unknown_routes_and_methods_are_problems_too(world) {
        let caller = world.analyst("acme");
        assert_eq!(caller.code(Call::get("/api/v1/nowhere")).await, "ROUTE_UNKNOWN");
        let post = Call::post("/api/v1/findings", "application/json", b"{}".to_vec());
        assert_eq!(caller.code(post).await, "METHOD_NOT_ALLOWED");
    }

    async fn a_trace_joins_the_callers(world) {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let header = format!("00-{trace}-00f067aa0ba902b7-01");
        let call = Call::get("/api/v1/nowhere").with("traceparent".parse().unwrap(), header.parse().unwrap());
        let problem: serde_json::Value =
            serde_json::from_slice(&world.analyst("acme").send(call).await.body).unwrap();
        assert_eq!(problem["traceId"], trace);
    }
}

/// The document that is checked in is the one that the code makes.
#[test]
fn the_checked_in_document_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let made = stella::platform::openapi().unwrap();
    assert!(
        checked_in == made,
        "docs/openapi.json differs: run `cargo run -p stella -- openapi -o json --out docs/openapi.json`"
    );
}

#[tokio::test]
async fn the_served_document_is_the_same() {
    let world = World::inmemory().await;
    let reply = world.http().send(Call::get("/openapi.json")).await.unwrap();
    let served: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let made: serde_json::Value =
        serde_json::from_str(&stella::platform::openapi().unwrap()).unwrap();
    assert_eq!(served, made);
}
