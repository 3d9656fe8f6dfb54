//! `asOf` and `knownAt`, against a tenant that never got anything else.

use serde_json::{Value, json};
use stella_api::evidence::{DocumentRecord, IngestAnswer, Outcome};
use stella_api::findings::{Finding, FindingPage};
use stella_api::{Page, Problem};
use stella_client::{Call, ClientError};
use stella_context::Clock;

use crate::by_hand::by_hand;
use crate::cli::Person;
use crate::dice::Dice;
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::{Caller, on_every_driver};

const DOCUMENTS: &str = "/api/v1/evidence/documents";
const FINDINGS: &str = "/api/v1/findings";

/// What was published at a time, and when the house had taken it in.
#[derive(Clone)]
struct Published {
    kind: &'static str,
    document: Value,
    at: String,
    arrived: String,
}

impl Published {
    fn new(kind: &'static str, document: Value, at: &str) -> Self {
        let (at, arrived) = (at.to_owned(), String::new());
        Self {
            kind,
            document,
            at,
            arrived,
        }
    }

    async fn to(&self, caller: &Caller) -> IngestAnswer {
        let document = bytes(&self.document);
        let mut envelope = fixtures::envelope(&document);
        envelope["upstream"]["fetchedAt"] = self.at.as_str().into();
        let call = fixtures::with_envelope(self.kind, &document, &envelope);
        caller.send(call).await.json().unwrap()
    }
}

fn hour(n: u64) -> String {
    format!("2026-01-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24)
}

/// A publisher's life: advisories that change what they cover, are withdrawn and not, and go back
/// to what they were; VEX, a catalogue, SBOMs in several versions. Some at the same time.
fn published(dice: &mut Dice) -> Vec<Published> {
    let mut all: Vec<Published> = Vec::new();
    let mut pick = |end| usize::try_from(dice.below(end)).unwrap();
    for n in 0..60 {
        let at = hour(pick(48) as u64);
        if n % 5 == 4 {
            // Once more what was published before, at another time or at the same.
            let again = all[pick(all.len() as u64)].clone();
            all.push(Published { at, ..again });
            continue;
        }
        let (kind, document) = match pick(8) {
            0 => {
                let mut parts = sbom(&[&format!("alpha@1.{}.0", pick(3)), "beta@1.0.0"]);
                parts["serialNumber"] =
                    format!("urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-{:012}", pick(2)).into();
                parts["version"] = (9 + pick(3)).into();
                ("sbom", parts)
            }
            1 => {
                let mut vex =
                    fixtures::vex("CVE-2026-1", &format!("pkg:cargo/alpha@1.{}.0", pick(3)));
                vex["version"] = pick(9).into();
                ("vex", vex)
            }
            2 => (
                "signal",
                fixtures::kev(&["CVE-2026-0", "CVE-2026-1"][..=pick(2)]),
            ),
            _ => {
                let id = format!("RUSTSEC-2026-000{}", pick(3));
                let cve = format!("CVE-2026-{}", pick(2));
                let package = ["alpha", "beta", "gamma"][pick(3)];
                let mut hole = advisory(&id, &[&cve], package, ["1.1.0", "2.0.0"][pick(2)]);
                // What it says of its own time is of no use.
                hole["modified"] = hour(pick(3) as u64).into();
                if pick(4) == 0 {
                    hole["withdrawn"] = hole["modified"].clone();
                }
                ("advisory", hole)
            }
        };
        all.push(Published::new(kind, document, &at));
    }
    all
}

fn query(path: &str, parameters: &[(&str, &str)]) -> Call {
    Call::get(&format!(
        "{path}?{}",
        serde_urlencoded::to_string(parameters).unwrap()
    ))
}

/// The answer, or that there is nothing.
async fn asked<T: serde::de::DeserializeOwned>(caller: &Caller, call: Call) -> Option<T> {
    match caller.send(call).await.success() {
        Ok(reply) => Some(reply.json().unwrap()),
        Err(ClientError::Problem(problem)) => {
            assert!(
                ["NO_DATA", "NOT_FOUND"].contains(&problem.code.as_str()),
                "{problem:?}"
            );
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn documents(caller: &Caller, parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let page: Option<Page<DocumentRecord>> = asked(caller, query(DOCUMENTS, parameters)).await;
    let items = page.map(|page| page.items).unwrap_or_default();
    items
        .into_iter()
        .map(|one| (one.id, one.source.publisher))
        .collect()
}

async fn findings(caller: &Caller, parameters: &[(&str, &str)]) -> Option<Vec<Finding>> {
    let page: Option<FindingPage> = asked(caller, query(FINDINGS, parameters)).await;
    page.map(|page| page.items)
}

async fn problem(caller: &Caller, call: Call) -> Problem {
    match caller.send(call).await.success() {
        Err(ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

on_every_driver! {
    async fn the_past_is_what_a_tenant_without_the_rest_has(world) {
        let mut dice = Dice(20_260_101);
        let mut all = published(&mut dice);
        let sboms: std::collections::BTreeSet<String> = all.iter().filter(|one| one.kind == "sbom")
            .map(|one| stella_canonical::Digest::of(&bytes(&one.document)).to_string()).collect();
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        dice.shuffle(&mut all);
        for one in &mut all {
            one.to(&ingester).await;
            one.arrived = Clock::System.now().to_string();
        }
        let (mut told, mut nothing) = (0, 0);
        for n in 0..6 {
            let as_of = hour(8 + dice.below(42));
            let known_at = all[15 + usize::try_from(dice.below(45)).unwrap()].arrived.clone();
            // One of them, the other, both.
            let (by, known) = (n % 3 != 0, n % 3 != 1);
            let mut moment = Vec::new();
            if by { moment.push(("asOf", as_of.as_str())); }
            if known { moment.push(("knownAt", known_at.as_str())); }
            let tenant = format!("then-{n}");
            let fresh = world.newcomer(&tenant).await;
            let mut then: Vec<&Published> = all.iter()
                .filter(|one| (!by || one.at <= as_of) && (!known || one.arrived <= known_at)).collect();
            dice.shuffle(&mut then);
            for one in then {
                one.to(&fresh).await;
            }
            let there = world.analyst(&tenant);
            let with = |more: &[(&'static str, &'static str)]| [moment.clone(), more.to_vec()].concat();
            for more in [&[][..], &[("newest", "true")], &[("newest", "true"), ("kind", "sbom")], &[("identifier", "CVE-2026-1"), ("newest", "true")]] {
                assert_eq!(documents(&analyst, &with(more)).await, documents(&there, more).await, "{moment:?} {more:?}");
            }
            for sbom in &sboms {
                let of = [("sbom", sbom.as_str())];
                for more in [&[][..], &[("vulnerability", "cve-2026-0")], &[("purl", "pkg:cargo/alpha")], &[("purl", "pkg:cargo/beta@1.0.0"), ("vulnerability", "RUSTSEC-2026-0001")]] {
                    let (more, of) = (more.to_vec(), of.to_vec());
                    let past = findings(&analyst, &[of.clone(), moment.clone(), more.clone()].concat()).await;
                    assert_eq!(past, findings(&there, &[of, more.clone()].concat()).await, "{moment:?} {sbom} {more:?}");
                    match past {
                        Some(past) => told += past.len(),
                        None => nothing += 1,
                    }
                }
            }
        }
        assert!(told > 40 && nothing > 5, "{told} findings, {nothing} times nothing");
        // All that was ever published is what there is now.
        for sbom in &sboms {
            let now = findings(&analyst, &[("sbom", sbom)]).await;
            assert_eq!(findings(&analyst, &[("sbom", sbom), ("asOf", &hour(48))]).await, now);
        }
        // Another tenant's past is nothing.
        assert_eq!(documents(&world.analyst("globex"), &[("asOf", &hour(48))]).await, []);
    }

    /// The publisher went back to what it had said before: that is the newest again, in any order.
    async fn a_revision_that_is_published_again_is_the_newest_again(world) {
        let first = advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0");
        let mut second = advisory("RUSTSEC-2026-0001", &[], "alpha", "1.0.0");
        second["modified"] = "2026-05-01T00:00:00Z".into();
        let story = [
            Published::new("advisory", first.clone(), &hour(1)),
            Published::new("advisory", second, &hour(2)),
            Published::new("advisory", first, &hour(3)),
        ];
        let parts = Published::new("sbom", sbom(&["alpha@1.5.0"]), &hour(0));
        for (n, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].into_iter().enumerate() {
            let tenant = format!("order-{n}");
            let ingester = world.newcomer(&tenant).await;
            let analyst = world.analyst(&tenant);
            let id = parts.to(&ingester).await.id;
            let mut outcomes = Vec::new();
            for at in order {
                outcomes.push(story[at].to(&ingester).await.outcome);
            }
            assert_eq!(outcomes.iter().filter(|one| **one == Outcome::Identical).count(), 1, "{order:?}");
            // Sent once more it is the same again, and nothing is added.
            world.seal().await;
            let changes: stella_api::changes::ChangePage = analyst.get("/api/v1/evidence/changes").await;
            for at in order {
                assert_eq!(story[at].to(&ingester).await.outcome, Outcome::Identical);
            }
            assert_eq!(world.seal().await, 0);
            let seen: Vec<_> = changes.changes.iter().filter_map(|one| one.observed.fetched_at.as_deref()).collect();
            assert_eq!((changes.changes.len(), seen.len()), (4, 1));
            let found = async |at: u64| findings(&analyst, &[("sbom", &id), ("asOf", &hour(at))]).await.map(|all| all.len());
            assert_eq!((found(1).await, found(2).await, found(3).await), (Some(1), Some(0), Some(1)), "{order:?}");
            assert_eq!(findings(&analyst, &[]).await.unwrap().len(), 1, "{order:?}");
            let newest = documents(&analyst, &[("upstreamId", "RUSTSEC-2026-0001"), ("newest", "true")]).await;
            assert_eq!(newest.len(), 1);
            assert_eq!(newest[0].0, stella_canonical::Digest::of(&bytes(&story[0].document)).to_string());
        }
    }

    async fn what_no_time_is_and_a_page_of_another_time_are_refused(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let id = ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0", "beta@1.0.0"]))).await.id;
        for n in 0..4 {
            let package = ["alpha", "beta"][n % 2];
            ingester.ingest("advisory", &bytes(&advisory(&format!("RUSTSEC-2026-000{n}"), &[], package, "2.0.0"))).await;
        }
        let parameters = |path: &str, more: &[(&str, &str)]| {
            let of: &[(&str, &str)] = if path == FINDINGS { &[("sbom", &id)] } else { &[] };
            query(path, &[of, more].concat())
        };
        for path in [DOCUMENTS, FINDINGS] {
            for name in ["asOf", "knownAt"] {
                for wrong in ["", "yesterday", "2026-01-31", "1767323045", "2026-01-31T12:00:00"] {
                    let told = problem(&analyst, parameters(path, &[(name, wrong)])).await;
                    let place = format!("query:{name}");
                    assert_eq!((told.code.as_str(), &told.errors[0].pointer), ("REQUEST_INVALID", &place), "{wrong}");
                }
                for far in ["-009999-01-02T01:59:59Z", "0001-01-01T00:00:00Z"] {
                    let call = parameters(path, &[(name, far)]);
                    match path {
                        DOCUMENTS => assert_eq!(analyst.send(call).await.json::<Page<DocumentRecord>>().unwrap().items, []),
                        _ => assert_eq!(analyst.code(call).await, "NO_DATA"),
                    }
                }
                let call = parameters(path, &[(name, "9999-12-30T22:00:00Z")]);
                assert_eq!(analyst.send(call).await.json::<Page<Value>>().unwrap().items.len(), if path == FINDINGS { 4 } else { 5 });
            }
            // Every page of one time, and no page of another.
            let time = [("asOf", "2026-06-01T00:00:00+02:00")];
            let (mut seen, mut token): (Vec<Value>, Option<String>) = (Vec::new(), None);
            loop {
                let mut more = vec![time[0], ("pageSize", "2")];
                more.extend(token.as_deref().map(|token| ("pageToken", token)));
                let page: Page<Value> = analyst.send(parameters(path, &more)).await.json().unwrap();
                seen.extend(page.items);
                let Some(next) = page.next_page_token else { break };
                for other in [&[][..], &[("asOf", "2026-06-02T00:00:00Z")], &[time[0], ("knownAt", "2099-01-01T00:00:00Z")]] {
                    let call = parameters(path, &[other, &[("pageToken", &next)]].concat());
                    assert_eq!(analyst.code(call).await, "PAGE_TOKEN_INVALID");
                }
                token = Some(next);
            }
            let all: Page<Value> = analyst.send(parameters(path, &[("pageSize", "500")])).await.json().unwrap();
            assert_eq!(seen, all.items);
        }
        let told = problem(&analyst, query(FINDINGS, &[("asOf", &hour(1))])).await;
        assert_eq!((told.code.as_str(), told.errors[0].pointer.as_str()), ("REQUEST_INVALID", "query:sbom"));
    }

    /// That a document came again decides which revision stands: it is in the log too.
    async fn a_sighting_that_was_touched_is_told(world) {
        let hole = Published::new("advisory", advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"), &hour(1));
        for tenant in ["acme", "globex"] {
            let ingester = world.ingester(tenant);
            hole.to(&ingester).await;
            Published { at: hour(3), ..hole.clone() }.to(&ingester).await;
        }
        world.seal().await;
        let later = match world.owner_url {
            Some(_) => "+ interval '1 hour'",
            None => "+ 3600000000",
        };
        let copy = format!("INSERT INTO evidence.sightings (tenant, digest, publisher, stream, fetched_at, received_at) \
            SELECT tenant, digest, publisher, stream, fetched_at {later}, received_at FROM evidence.sightings WHERE tenant = 'acme'");
        let told = async || {
            let answer: stella_api::verify::VerifyAnswer = world.analyst("acme").post("/api/v1/evidence/verify", &json!({})).await;
            answer.violations.into_iter().map(|one| one.code).collect::<Vec<_>>()
        };
        assert_eq!(told().await, [""; 0]);
        let edits = [
            (copy, vec!["EVIDENCE_UNLOGGED"]),
            ("DELETE FROM evidence.sightings WHERE tenant = 'acme' AND fetched_at = (SELECT max(fetched_at) FROM evidence.sightings WHERE tenant = 'acme')".to_owned(), vec![]),
            (format!("UPDATE evidence.sightings SET received_at = received_at {later} WHERE tenant = 'acme'"), vec!["EVIDENCE_CORRUPT"]),
            (format!("UPDATE evidence.sightings SET received_at = received_at {} WHERE tenant = 'acme'", later.replace('+', "-")), vec![]),
            ("DELETE FROM evidence.sightings WHERE tenant = 'acme'".to_owned(), vec!["EVIDENCE_MISSING"]),
        ];
        for (statement, codes) in edits {
            by_hand(&world, "evidence", &["sightings"], &statement).await;
            assert_eq!(told().await, codes, "{statement}");
        }
    }

    async fn people_ask_for_the_past(world) {
        let person = Person::of(&world, "acme");
        let file = |text: &Value| person.file("document.json", &bytes(text)).to_str().unwrap().to_owned();
        let ingest = async |text: &Value, at: &str| {
            let ran = person.types(&["--clock", at, "evidence", "ingest", &file(text)]).await;
            assert_eq!(ran.exit, 0, "{}", ran.stderr);
        };
        ingest(&sbom(&["alpha@1.5.0"]), &hour(0)).await;
        ingest(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"), &hour(1)).await;
        ingest(&advisory("RUSTSEC-2026-0001", &[], "alpha", "1.0.0"), &hour(2)).await;
        let parts = stella_canonical::Digest::of(&bytes(&sbom(&["alpha@1.5.0"]))).hex();
        let listed = async |words: &[&str]| {
            let ran = person.types(&[words, &["-o", "json"]].concat()).await;
            assert_eq!(ran.exit, 0, "{}", ran.stderr);
            ran.json()["items"].as_array().unwrap().clone()
        };
        let of = ["findings", "list", "--sbom", &parts[..12]];
        assert_eq!(listed(&of).await.len(), 0);
        let then = listed(&[&of[..], &["--as-of", &hour(1)]].concat()).await;
        assert_eq!((then.len(), &then[0]["score"]), (1, &Value::Null));
        assert_eq!(listed(&[&of[..], &["--known-at", "2099-01-01T00:00:00Z"]].concat()).await.len(), 0);
        let list = ["evidence", "list", "--upstream-id", "RUSTSEC-2026-0001"];
        assert_eq!(listed(&list).await.len(), 2);
        assert_eq!(listed(&[&list[..], &["--as-of", &hour(1)]].concat()).await.len(), 1);
        let newest = listed(&[&list[..], &["--newest"]].concat()).await;
        assert_eq!((newest.len(), &newest[0]["upstream"]["fetchedAt"]), (1, &hour(2).into()));
        for (words, place) in [
            (&["findings", "list", "--as-of", "2026-01-31T00:00:00Z"][..], "say of which SBOM"),
            (&["evidence", "list", "--known-at", "yesterday"], "write a time of RFC 3339"),
        ] {
            let ran = person.types(words).await;
            assert!(ran.exit == 2 && ran.stderr.contains(place), "{} {}", ran.exit, ran.stderr);
        }
    }
}
