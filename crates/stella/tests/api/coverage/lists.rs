//! Every list: another tenant's things are in none, whatever is asked for.

use serde_json::{Value, json};
use stella_api::Page;
use stella_api::findings::Finding;
use stella_client::Call;

use crate::fixtures::{self, bytes, sbom};
use crate::world::{Caller, World, on_every_driver};

/// What acme has, and nobody else.
struct Own {
    sbom: String,
    vulnerability: &'static str,
    publisher: &'static str,
    purl: &'static str,
}

const ACME: &str = "ACMESEC-2026-0001";

/// An SBOM with two components, an advisory on both, and what follows from them.
pub(super) async fn ingest(world: &World, tenant: &str, id: &str, package: &str) -> String {
    let ingester = world.ingester(tenant);
    let advisory = fixtures::advisory(id, &[], package, "2.0.0");
    ingester.ingest("advisory", &bytes(&advisory)).await;
    let (one, two) = (format!("{package}@1.0.0"), format!("{package}@1.1.0"));
    let sbom = bytes(&sbom(&[&one, &two]));
    let sbom = ingester.ingest("sbom", &sbom).await.id;
    let analyst = world.analyst(tenant);
    let findings: Page<Finding> = analyst.get("/api/v1/findings").await;
    assert_eq!(findings.items.len(), 2);
    for finding in findings.items {
        let asked = json!({"findingId": finding.id});
        let score: Value = analyst.post("/api/v1/score/evaluate", &asked).await;
        let asked = json!({"scoreId": score["scoreId"]});
        let _: Value = analyst.post("/api/v1/replay/manifests", &asked).await;
    }
    sbom
}

struct List {
    path: String,
    filters: Vec<String>,
}

/// Every operation that answers a page of what a tenant has; who did what is in `audit`.
fn lists_of_things(world: &World) -> Vec<List> {
    let mut lists = lists(world);
    lists.retain(|list| !list.path.ends_with("/audit"));
    lists
}

/// Every operation that answers a page.
fn lists(world: &World) -> Vec<List> {
    let operations = world.contract.operations().into_iter();
    let lists = operations.filter_map(|(method, path, operation)| {
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let pages = answer["properties"]["items"].is_object();
        let names = operation["parameters"].as_array().into_iter().flatten();
        let names = names.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
        let filters = names.filter(|name| name != "pageSize" && name != "pageToken");
        let list = List {
            path,
            filters: filters.collect(),
        };
        (method == "GET" && pages).then_some(list)
    });
    lists.collect()
}

impl Own {
    /// What a filter is set to so that it finds things of acme and of nobody else; none where
    /// its values are the same for all.
    fn value(&self, filter: &str) -> Option<&str> {
        match filter {
            "sbom" => Some(&self.sbom),
            "vulnerability" | "identifier" | "upstreamId" => Some(self.vulnerability),
            "publisher" => Some(self.publisher),
            "purl" => Some(self.purl),
            "kind" | "band" | "verdict" | "fixable" | "asOf" | "knownAt" | "newest" => None,
            other => panic!("say in `value` what the filter {other} names"),
        }
    }
}

fn asking(path: &str, name: &str, value: &str) -> String {
    let query = serde_urlencoded::to_string([(name, value)]).unwrap();
    format!("{path}?{query}")
}

/// The items, or none where the list says that there is no data, or nothing of that name.
async fn items(caller: &Caller, path: &str) -> Vec<Value> {
    let reply = caller.send(Call::get(path)).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    match body["items"].as_array() {
        Some(items) => items.clone(),
        None => {
            let code = body["code"].as_str().unwrap();
            assert!(["NO_DATA", "NOT_FOUND"].contains(&code), "{path}: {body}");
            vec![]
        }
    }
}

async fn answer(caller: &Caller, path: &str) -> Value {
    let mut answer: Value =
        serde_json::from_slice(&caller.send(Call::get(path)).await.body).unwrap();
    answer.as_object_mut().unwrap().remove("traceId");
    answer
}

/// Tries each list as a stranger, who sees none of acme's things in it, and as acme, who does.
async fn try_every_list(world: &World, acme: &Own, mine: usize) {
    let (owner, stranger) = (world.analyst("acme"), world.analyst("globex"));
    for List { path, filters } in lists_of_things(world) {
        let all = items(&stranger, &path).await;
        let theirs = items(&owner, &path).await;
        assert_eq!(
            all.len(),
            if all.is_empty() { 0 } else { mine },
            "{path}: {all:?}"
        );
        assert!(all.iter().all(|item| !theirs.contains(item)), "{path}");
        let told = json!(all).to_string();
        for name in ["acme", "ACMESEC", "alpha", &acme.sbom] {
            assert!(!told.contains(name), "{path}: {name} is in {told}");
        }
        for (filter, value) in filters
            .iter()
            .filter_map(|name| Some((name, acme.value(name)?)))
        {
            let asked = asking(&path, filter, value);
            assert!(
                !items(&owner, &asked).await.is_empty(),
                "{asked} finds nothing of the owner's"
            );
            assert_eq!(items(&stranger, &asked).await, [] as [Value; 0], "{asked}");
        }
        // Where another tenant's page ended leads into no page of theirs.
        let page: Value = owner.get(&asking(&path, "pageSize", "1")).await;
        let next = page["nextPageToken"]
            .as_str()
            .unwrap_or_else(|| panic!("{path}: one page"));
        let after = items(&stranger, &asking(&path, "pageToken", next)).await;
        assert!(
            after.iter().all(|item| all.contains(item)),
            "{path}: {after:?}"
        );
    }
}

on_every_driver! {
    async fn no_list_shows_another_tenants_things(world) {
        let stranger = world.analyst("globex");
        let paths: Vec<String> = lists_of_things(&world).into_iter().map(|list| list.path).collect();
        assert!(paths.len() >= 3, "{paths:?}");
        let mut before = Vec::new();
        for path in &paths {
            before.push(answer(&stranger, path).await);
        }
        let sbom = ingest(&world, "acme", ACME, "alpha").await;
        let acme = Own { sbom, vulnerability: ACME, publisher: "acmesec", purl: "pkg:cargo/alpha@1.0.0" };
        // What acme has changes nothing of what a tenant without data is told.
        for (path, before) in paths.iter().zip(&before) {
            assert_eq!(&answer(&stranger, path).await, before, "{path}");
        }
        try_every_list(&world, &acme, 0).await;
        ingest(&world, "globex", "GLOBEXSEC-2026-0002", "beta").await;
        try_every_list(&world, &acme, 2).await;
        for path in &paths {
            assert_eq!(items(&stranger, path).await.len(), 2, "{path}");
        }
    }

    async fn no_value_of_a_filter_is_a_fault_of_ours(world) {
        let readers = [world.analyst("acme"), world.auditor("acme")];
        ingest(&world, "acme", ACME, "alpha").await;
        for List { path, filters } in lists(&world) {
            let paging = ["pageSize".to_owned(), "pageToken".to_owned()];
            for filter in filters.iter().chain(&paging) {
                for value in ["", " ", "\0", "a\0b", "%", "\u{e4}", "'", "../x", "\u{10ffff}"] {
                    let asked = asking(&path, filter, value);
                    for reader in &readers {
                        let status = reader.send(Call::get(&asked)).await.status;
                        assert!(!status.is_server_error(), "{asked}: {status}");
                    }
                }
            }
        }
    }

    async fn no_id_in_a_path_is_a_fault_of_ours(world) {
        let analyst = world.analyst("acme");
        let paths = world.contract.operations().into_iter();
        for (method, path, _) in paths.filter(|(_, path, _)| path.contains("{id}")) {
            assert_eq!(method, "GET", "{path}: say here how it is asked");
            for id in ["%00", "a%00b", "%20", "%25", "%C3%A4", "%27", "..%2Fx", "x", "%F4%8F%BF%BF"] {
                let asked = path.replace("{id}", id);
                let status = analyst.send(Call::get(&asked)).await.status;
                assert!(status.is_client_error(), "{asked}: {status}");
            }
        }
    }
}
