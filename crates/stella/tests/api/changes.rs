//! The feed of what was taken in: one order, without a gap, and its signed end.

use stella_api::Scope;
use stella_api::changes::{Change, ChangePage, LogAnswer};
use stella_api::evidence::EvidenceKind;
use stella_api::health::Readiness;
use stella_attest::{PublicKey, Statement, verify};
use stella_client::Call;

use crate::fixtures::{bytes, hole, kev, sbom};
use crate::wire::Wire;
use crate::world::{Caller, World, on_every_driver};

const CHANGES: &str = "/api/v1/evidence/changes";

/// Everything behind a position, a few at a time.
async fn follow(caller: &Caller, mut after: u64, limit: u32) -> (Vec<Change>, u64) {
    let mut all = Vec::new();
    loop {
        let page: ChangePage = caller
            .get(&format!("{CHANGES}?after={after}&limit={limit}"))
            .await;
        all.extend(page.changes);
        if page.next == after {
            return (all, after);
        }
        after = page.next;
    }
}

fn positions(changes: &[Change]) -> Vec<u64> {
    changes.iter().map(|change| change.position).collect()
}

on_every_driver! {
    async fn what_is_taken_in_is_told_once_and_in_order(world) {
        let (acme, globex) = (world.ingester("acme"), world.ingester("globex"));
        let reader = world.analyst("acme");
        globex.ingest("advisory", &hole(9)).await;
        let mut taken = Vec::new();
        for n in 0..5 {
            taken.push(acme.ingest("advisory", &hole(n)).await.id);
        }
        // It is told after it has its place, which is the tenant's own.
        assert_eq!(follow(&reader, 0, 2).await, (vec![], 0));
        assert_eq!(world.seal().await, 6);
        let (told, next) = follow(&reader, 0, 2).await;
        assert_eq!((positions(&told), next), (vec![1, 2, 3, 4, 5], 5));
        let documents: Vec<&String> = told.iter().map(|change| &change.document).collect();
        assert_eq!(documents, taken.iter().collect::<Vec<_>>());
        let first = &told[0].observed;
        assert_eq!((first.event.as_str(), first.kind), ("advisory.observation.updated@1", EvidenceKind::Advisory));
        assert_eq!((first.upstream_id.as_str(), first.size), ("RUSTSEC-2026-0000", hole(0).len() as u64));

        // The same again is nothing new, and whoever goes on sees only what is.
        acme.ingest("advisory", &hole(0)).await;
        acme.ingest("advisory", &hole(7)).await;
        assert_eq!(world.seal().await, 1);
        let (more, _) = follow(&reader, next, 50).await;
        assert_eq!(positions(&more), [6]);
        let (others, _) = follow(&world.analyst("globex"), 0, 50).await;
        assert_eq!(positions(&others), [1]);
        assert_eq!(world.seal().await, 0);
    }

    async fn a_reader_sees_the_kinds_of_its_scopes_and_goes_on_behind_the_others(world) {
        let acme = world.ingester("acme");
        acme.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        acme.ingest("advisory", &hole(1)).await;
        acme.ingest("signal", &bytes(&kev(&["CVE-2026-1"]))).await;
        acme.ingest("advisory", &hole(2)).await;
        world.seal().await;
        let of = |scopes: &[Scope]| world.caller("acme", scopes);
        let (told, next) = follow(&of(&[Scope::SbomRead]), 0, 1).await;
        assert_eq!((positions(&told), next), (vec![1], 4));
        let (told, _) = follow(&of(&[Scope::AdvisoryRead, Scope::AocVerify]), 0, 3).await;
        assert_eq!(positions(&told), [2, 4]);
        for wrong in ["after=x", "after=-1", "after=9223372036854775808", "limit=0", "limit=501", "after=1&page=2"] {
            let call = Call::get(&format!("{CHANGES}?{wrong}"));
            assert_eq!(of(&[Scope::SbomRead]).code(call).await, "REQUEST_INVALID", "{wrong}");
        }
        // Beyond the end is no empty page: a log that was restored would lose its followers silently.
        let end: ChangePage = of(&[Scope::SbomRead]).get(&format!("{CHANGES}?after=4")).await;
        assert_eq!((end.changes.len(), end.next), (0, 4));
        for (tenant, beyond) in [("acme", 5), ("acme", i64::MAX), ("globex", 1)] {
            let reader = world.caller(tenant, &[Scope::SbomRead]);
            for path in [CHANGES.to_owned(), format!("{CHANGES}/stream")] {
                let call = Call::get(&format!("{path}?after={beyond}"));
                assert_eq!(reader.code(call).await, "POSITION_BEYOND_END", "{tenant} {path} {beyond}");
            }
            let call = Call::get(&format!("{CHANGES}/stream"));
            let call = call.with("last-event-id".parse().unwrap(), beyond.to_string().parse().unwrap());
            assert_eq!(reader.code(call).await, "POSITION_BEYOND_END", "{tenant} {beyond}");
        }
    }

    async fn a_stream_tells_what_is_there_and_what_comes_and_is_gone_on_with(world) {
        let acme = world.ingester("acme");
        let parts = |version: u8| bytes(&sbom(&[&format!("alpha@{version}.0.0")]));
        let of_globex = world.ingester("globex").ingest("sbom", &parts(9)).await.id;
        acme.ingest("advisory", &hole(1)).await;
        acme.ingest("sbom", &parts(1)).await;
        acme.ingest("sbom", &parts(2)).await;
        world.seal().await;
        let path = format!("{CHANGES}/stream");
        let who = ("acme", Scope::SbomRead);
        let next = async |mut wire: Wire| {
            let read = move || {
                let event = wire.event().unwrap();
                let change: Change = serde_json::from_str(&event.data).unwrap();
                assert_eq!(event.id, change.position.to_string());
                assert_eq!(event.name, change.observed.event);
                (wire, change)
            };
            tokio::task::spawn_blocking(read).await.unwrap()
        };
        let wire = Wire::follow(&world, &path, who, "").await;
        let (wire, first) = next(wire).await;
        assert!(wire.head.contains("content-type: text/event-stream"), "{}", wire.head);
        let (wire, second) = next(wire).await;
        // Advisories are not for this reader.
        assert_eq!(positions(&[first, second.clone()]), [2, 3]);
        let coming = tokio::spawn(next(wire));
        let id = acme.ingest("sbom", &parts(4)).await.id;
        world.seal().await;
        let (wire, third) = coming.await.unwrap();
        assert_eq!((third.position, third.document), (4, id));
        drop(wire);

        // Gone on with by the id of an event, which goes before a position in the path.
        let wire = Wire::follow(&world, &format!("{path}?after=0"), who, "last-event-id: 2\r\n").await;
        assert_eq!(next(wire).await.1, second);
        let others = Wire::follow(&world, &path, ("globex", Scope::SbomRead), "").await;
        let (_, other) = next(others).await;
        assert_eq!((other.position, other.document), (1, of_globex));
        let reader = world.analyst("acme");
        for wrong in [
            Call::get(&format!("{path}?after=x")),
            Call::get(&path).with("last-event-id".parse().unwrap(), "x".parse().unwrap()),
        ] {
            assert_eq!(reader.code(wrong).await, "REQUEST_INVALID");
        }
    }

    async fn the_end_of_the_log_is_signed_and_each_tenants_own(world) {
        let reader = world.analyst("acme");
        let log = || Call::get("/api/v1/evidence/log");
        assert_eq!(reader.code(log()).await, "NO_DATA");
        for tenant in ["acme", "globex"] {
            world.ingester(tenant).ingest("advisory", &hole(1)).await;
        }
        assert_eq!(reader.code(log()).await, "NO_DATA");
        world.seal().await;
        let one: LogAnswer = reader.get("/api/v1/evidence/log").await;
        assert_eq!((one.checkpoint.size, one.checkpoint.tenant.as_str()), (1, "acme"));
        // One entry is the whole tree.
        assert_eq!(one.checkpoint.last, Some(one.checkpoint.root.clone()));
        let keys: Vec<PublicKey> = one.keys.iter().map(|key| PublicKey::from_jwk(key).unwrap()).collect();
        let verified = verify(&one.envelope, &keys).unwrap();
        let statement: Statement<stella_api::log::Checkpoint> = serde_json::from_slice(&verified.payload).unwrap();
        assert_eq!(statement.predicate, one.checkpoint);
        let other: LogAnswer = world.analyst("globex").get("/api/v1/evidence/log").await;
        assert_ne!(other.checkpoint.root, one.checkpoint.root, "the same document in another tenant");
        world.ingester("acme").ingest("advisory", &hole(2)).await;
        world.seal().await;
        let two: LogAnswer = reader.get("/api/v1/evidence/log").await;
        assert!(two.checkpoint.size == 2 && two.checkpoint.root != one.checkpoint.root);
    }

    async fn what_waits_for_its_place_shows_in_readiness_and_of_nobody_by_name(world) {
        let waits = async |world: &World| {
            let ready: Readiness = world.analyst("acme").get("/readyz").await;
            assert!(ready.ready);
            let told = serde_json::to_string(&ready).unwrap();
            assert!(!told.contains("sha256:") && !told.contains("globex"), "{told}");
            let check = ready.checks.into_iter().find(|check| check.name == "sealer" && check.service == "evidence");
            check.unwrap().backlog
        };
        assert_eq!(waits(&world).await, None);
        world.ingester("globex").ingest("advisory", &hole(1)).await;
        world.ingester("globex").ingest("advisory", &hole(2)).await;
        let backlog = waits(&world).await.unwrap();
        assert_eq!((backlog.count, backlog.stuck), (2, None));
        assert!(backlog.oldest_seconds.unwrap() < 60);
        world.seal().await;
        assert_eq!(waits(&world).await, None);
    }
}
