//! Another tenant's ids in the bodies of requests: as unknown as ids that nobody has.

use serde_json::{Value, json};
use stella_api::Scope;
use stella_api::replay::ManifestAnswer;
use stella_api::scope::Role;
use stella_client::Call;

use super::seed;
use crate::world::{Caller, World, on_every_driver};

/// What acme calls the things that bodies name.
struct Named {
    finding: String,
    score: String,
    manifest: ManifestAnswer,
}

async fn named(world: &World) -> Named {
    let seeded = seed(world, "acme").await;
    let id = |of: &str| {
        seeded
            .iter()
            .find(|(path, _)| *path == of)
            .unwrap()
            .1
            .clone()
    };
    let score = id("/api/v1/score/{id}");
    let asked = json!({"scoreId": score});
    let analyst = world.analyst("acme");
    let manifest: ManifestAnswer = analyst.post("/api/v1/replay/manifests", &asked).await;
    Named {
        finding: id("/api/v1/findings/{id}"),
        score,
        manifest,
    }
}

impl Named {
    /// What acme would write in a field, and the same of nobody; none where it names nothing
    /// that a tenant has.
    fn value(&self, field: &str) -> Option<(String, String)> {
        let nobodys = format!("sha256:{}", "0".repeat(64));
        // The token of a manifest that does not exist: 32 bytes, no expiry, its checksum.
        let unknown = "rt1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAbbZf1Q";
        match field {
            "findingId" => Some((self.finding.clone(), nobodys)),
            "scoreId" => Some((self.score.clone(), nobodys)),
            "token" => Some((self.manifest.token.clone(), unknown.to_owned())),
            "manifest" => Some((self.manifest.manifest_digest.clone(), nobodys)),
            "profile" | "since" | "until" | "sources" | "after" | "limit" | "checkpoint"
            | "resume" | "seconds" => None,
            other => panic!("say in `value` what the field {other} of a body names"),
        }
    }
}

/// Every operation with a JSON body of its own, and the fields of the body with their schemas.
fn bodies(world: &World) -> Vec<(String, serde_json::Map<String, Value>)> {
    let operations = world.contract.operations().into_iter();
    let with_body = operations.filter_map(|(method, path, operation)| {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str()?.rsplit('/').next()?.to_owned();
        assert_eq!(method, "POST", "{path}: say here how it is asked");
        let properties = world.contract.schema(&name)["properties"].as_object()?;
        Some((path, properties.clone()))
    });
    with_body.collect()
}

/// Whether a field of this schema may hold a value; what is within it is another matter.
fn may_hold(schema: &Value, value: &Value) -> bool {
    let of = match value {
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Number(_) => "integer",
        Value::Object(_) => "object",
        Value::Bool(_) | Value::Null => "boolean",
    };
    match schema["type"].as_array() {
        Some(types) => types.iter().any(|one| one == of),
        None => schema["type"].as_str().unwrap_or("object") == of,
    }
}

/// The problem that a body brings, without what is new with each request.
async fn problem(caller: &Caller, path: &str, body: &Value, asked: &str) -> Value {
    let reply = caller.send(Call::post_json(path, body).unwrap()).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let mut problem: Value = serde_json::from_str(&text.replace(asked, "ASKED")).unwrap();
    problem.as_object_mut().unwrap().remove("traceId");
    problem
}

on_every_driver! {
    async fn an_id_in_a_body_leads_only_to_the_own_tenants_things(world) {
        let acme = named(&world).await;
        seed_of_globex(&world).await;
        let (owner, stranger) = (world.analyst("acme"), world.analyst("globex"));
        let mut tried = 0;
        for (path, fields) in bodies(&world) {
            for (field, _) in fields {
                let Some((acmes, nobodys)) = acme.value(&field) else { continue };
                tried += 1;
                let body = json!({&field: acmes});
                let own = owner.send(Call::post_json(&path, &body).unwrap()).await;
                assert!(own.status.is_success(), "{path} {field}: {own:?}");
                let foreign = problem(&stranger, &path, &body, &acmes).await;
                assert_eq!(foreign["code"], "NOT_FOUND", "{path} {field}");
                // Not even that somebody has it shows.
                let unknown = problem(&stranger, &path, &json!({&field: nobodys}), &nobodys).await;
                assert_eq!(without_digests(&foreign), without_digests(&unknown), "{path} {field}");
            }
        }
        assert!(tried >= 5, "only {tried} fields name something");
    }

    /// Whatever else comes than an object with texts is told with its place and what was
    /// expected, and never by the name of a type of ours.
    async fn a_body_of_another_shape_is_told_with_its_place(world) {
        let more = [Scope::AuthorityAuditRead, Scope::EvidenceAdmin];
        let readers = [Role::Analyst.scopes(), &more].concat();
        let analyst = world.caller("acme", &readers);
        let values = || [json!(null), json!(true), json!(7), json!(["a"]), json!([]), json!({}), json!("a")];
        let mut tried = 0;
        for (path, fields) in bodies(&world) {
            let whole = values().into_iter().filter(|value| !value.is_object());
            let whole = whole.map(|body| (body, String::new()));
            let one = |(field, schema): (&String, &Value)| {
                let wrong = values().into_iter().filter(|value| !value.is_null() && !may_hold(schema, value));
                let of = |value| (json!({field: value}), format!("/{field}"));
                wrong.map(of).collect::<Vec<_>>()
            };
            let parts: Vec<_> = fields.iter().flat_map(one).collect();
            let unknown = (json!({"colour": 1}), "/colour".to_owned());
            for (body, place) in whole.chain(parts).chain([unknown]) {
                let told = problem(&analyst, &path, &body, "-").await;
                assert_eq!(told["code"], "REQUEST_INVALID", "{path} {body}: {told}");
                let error = &told["errors"][0];
                assert_eq!(error["pointer"], place.as_str(), "{path} {body}: {told}");
                let detail = error["detail"].as_str().unwrap();
                assert!(detail.contains("expected"), "{path} {body}: {detail}");
                assert!(!detail.contains("struct") && !detail.contains("Request"), "{path} {body}: {detail}");
                tried += 1;
            }
        }
        assert!(tried > 30, "only {tried} bodies were tried");
    }

    async fn what_is_no_id_in_a_body_is_refused(world) {
        let acme = named(&world).await;
        let analyst = world.analyst("acme");
        for (path, fields) in bodies(&world) {
            for field in fields.keys().filter(|field| acme.value(field).is_some()) {
                for wrong in ["", " ", "x", "../findings", "a/b", "a?b#c", "%00", "\u{0}", "\u{e4}", "\n"] {
                    let body = json!({field: wrong});
                    let reply = analyst.send(Call::post_json(&path, &body).unwrap()).await;
                    assert!(reply.status.is_client_error(), "{path} {field} {wrong:?}: {reply:?}");
                }
            }
        }
    }
}

/// Things of globex itself, so that what it is told is not for want of any.
async fn seed_of_globex(world: &World) {
    super::lists::ingest(world, "globex", "GLOBEXSEC-2026-0002", "beta").await;
}

/// A problem without the digests it repeats: those of a token's manifest, for one.
fn without_digests(problem: &Value) -> String {
    let text = problem.to_string();
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "DIGEST" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    })
}
