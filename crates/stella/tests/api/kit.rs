//! What every service has.

use axum::http::HeaderName;
use stella_api::Problem;
use stella_api::health::{Alive, Readiness};
use stella_client::{Call, ClientError, Reply};
use stella_service::{Quota, RateLimits};

use crate::coverage::seed;
use crate::fixtures::{self, advisory, bytes};
use crate::world::{World, on_every_driver};

fn refused(reply: Reply) -> Problem {
    match reply.success() {
        Err(ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

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

    /// One proxy judges by the first and another by the last: none of two is believed.
    async fn a_header_that_stands_twice_is_refused_by_its_name(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
        let whoami = Call::get("/api/v1/authority/whoami");
        let posted = fixtures::ingest("advisory", &document);
        let rows = [
            (&analyst, &whoami, "X-Stella-Tenant", "acme", "header:X-Stella-Tenant"),
            (&analyst, &whoami, "X-StellaOps-Tenant", "acme", "header:X-StellaOps-Tenant"),
            (&ingester, &posted, "Content-Type", "application/json", "header:Content-Type"),
            (&ingester, &posted, "Stella-Provenance", "e30", "Stella-Provenance:"),
        ];
        for (caller, call, name, value, place) in rows {
            let mut call = call.clone();
            for _ in 0..2 {
                call.headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            let told = refused(caller.send(call).await);
            assert!(["REQUEST_INVALID", "ERR_AOC_004"].contains(&told.code.as_str()), "{told:?}");
            assert_eq!(told.errors[0].pointer, place);
        }
        // Those of a token are beside what the client sends itself.
        let repeated = |name: &str| {
            let name: HeaderName = name.parse().unwrap();
            let mut call = whoami.clone();
            for value in ["DPoP a.b.c", "DPoP d.e.f"] {
                call.headers.append(name.clone(), value.parse().unwrap());
            }
            call
        };
        let told = refused(world.http().send(repeated("Authorization")).await.unwrap());
        assert_eq!((told.code.as_str(), told.errors[0].pointer.as_str()), ("REQUEST_INVALID", "header:Authorization"));
    }

    /// Bytes are judged as they come: what undoing an encoding would make of them is not.
    async fn an_encoded_body_is_refused_by_its_header(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
        let asked = Call::post_json("/api/v1/replay/manifests", &serde_json::json!({"scoreId": "x"})).unwrap();
        let posted = fixtures::ingest("advisory", &document);
        for (caller, call) in [(&ingester, &posted), (&analyst, &asked)] {
            let with = |encoding: &str| call.clone().with("content-encoding".parse().unwrap(), encoding.parse().unwrap());
            for encoding in ["gzip", "identity, br", "nonsense"] {
                let told = refused(caller.send(with(encoding)).await);
                let place = (told.status, told.code.as_str(), told.errors[0].pointer.as_str());
                assert_eq!(place, (415, "MEDIA_TYPE_UNSUPPORTED", "header:Content-Encoding"));
            }
            assert_ne!(caller.send(with("identity")).await.status.as_u16(), 415);
        }
    }

    async fn unknown_routes_and_methods_are_problems_too(world) {
        let caller = world.analyst("acme");
        assert_eq!(caller.code(Call::get("/api/v1/nowhere")).await, "ROUTE_UNKNOWN");
        let post = Call::post("/api/v1/findings", "application/json", b"{}".to_vec());
        assert_eq!(caller.code(post).await, "METHOD_NOT_ALLOWED");
    }

    /// Whatever is answered with an `ETag`: the operations of the document that know 304.
    async fn what_the_caller_has_is_not_sent_again(world) {
        let seeded = seed(&world, "acme").await;
        let analyst = world.analyst("acme");
        let mut tried = std::collections::BTreeSet::new();
        for (method, path, operation) in world.contract.operations() {
            if operation["responses"]["304"].is_null() { continue }
            assert_eq!(method, "GET", "{path}");
            let id = seeded.iter().find(|(of, _)| *of == path).map(|(_, id)| id.as_str());
            let call = Call::get(&path.replace("{id}", id.unwrap_or_default()));
            let asked = |tag: &str| call.clone().with("if-none-match".parse().unwrap(), tag.parse().unwrap());
            let first = analyst.send(call.clone()).await;
            let tag = first.headers["etag"].to_str().unwrap().to_owned();
            let digest = stella_canonical::Digest::of(&first.body);
            assert_eq!(tag, format!("\"{digest}\""), "{path}");
            let known = analyst.send(asked(&format!("\"other\", W/{tag}"))).await;
            assert_eq!((known.status.as_u16(), &known.headers["etag"]), (304, &first.headers["etag"]), "{path}");
            let other = analyst.send(asked("\"other\"")).await;
            assert_eq!((other.status.as_u16(), &other.body), (200, &first.body), "{path}");
            tried.insert(path);
        }
        let immutable = seeded.iter().map(|(path, _)| *path).filter(|path| !path.contains("findings") && !path.contains("explain"));
        assert!(immutable.clone().all(|path| tried.contains(path)), "{tried:?}");
        assert_eq!(tried.len(), immutable.count() + 1, "and the settings: {tried:?}");
    }

    async fn changed_settings_have_another_tag(world) {
        let analyst = world.analyst("acme");
        let settings = || Call::get("/api/v1/authority/settings");
        let tag = analyst.send(settings()).await.headers["etag"].clone();
        world.trust("acme", "Example Vendor").await;
        let reply = analyst.send(settings().with("if-none-match".parse().unwrap(), tag.clone())).await;
        assert_eq!(reply.status.as_u16(), 200);
        assert_ne!(reply.headers["etag"], tag);
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

/// Each process counts by itself, so a storage driver makes no difference.
#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again() {
    let quota = |requests: u32| Quota {
        requests: requests.try_into().unwrap(),
        seconds: 36_000.try_into().unwrap(),
    };
    let limits = RateLimits {
        client: quota(5),
        tenant: quota(6),
    };
    let world = World::limited(limits).await;
    let whoami = || Call::get("/api/v1/authority/whoami");
    let header = |reply: &Reply, name: &str| reply.headers[name].to_str().unwrap().to_owned();
    let caller = world.analyst("acme");
    for left in (0..5).rev() {
        // What the token does not permit counts too, and so does an answer that is kept.
        let call = match left {
            0 => whoami(),
            1 => fixtures::ingest("advisory", b"{}"),
            _ => Call::post_json("/api/v1/score/evaluate", &serde_json::json!({})).unwrap(),
        };
        let reply = caller.send(call).await;
        let told = header(&reply, "ratelimit");
        assert!(
            told.starts_with(&format!("\"client\";r={left};t=")),
            "{told}"
        );
        let policy = "\"client\";q=5;w=36000, \"tenant\";q=6;w=36000";
        assert_eq!(header(&reply, "ratelimit-policy"), policy);
    }
    let reply = caller.send(whoami()).await;
    let wait: u32 = header(&reply, "retry-after").parse().unwrap();
    assert!((7000..=7200).contains(&wait), "{wait}");
    let told = refused(reply);
    assert_eq!((told.status, told.code.as_str()), (429, "RATE_LIMITED"));
    assert_eq!(told.detail, "the client may ask 5 times in 36000 seconds");

    // Without a token nobody is counted; another tenant has its own quota. An evaluation asks
    // the neighbours several times and counts once.
    assert!(
        world
            .http()
            .send(Call::get("/readyz"))
            .await
            .unwrap()
            .status
            .is_success()
    );
    let other = world.ingester("globex");
    other
        .ingest("sbom", &bytes(&fixtures::sbom(&["alpha@1.0.0"])))
        .await;
    other
        .ingest(
            "advisory",
            &bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0")),
        )
        .await;
    let analyst = world.analyst("globex");
    let findings: serde_json::Value = analyst.get("/api/v1/findings").await;
    let asked = serde_json::json!({"findingId": findings["items"][0]["id"]});
    let reply = analyst
        .send(Call::post_json("/api/v1/score/evaluate", &asked).unwrap())
        .await;
    assert_eq!(reply.status.as_u16(), 201);
    assert!(header(&reply, "ratelimit").starts_with("\"client\";r=1;t="));
}
