//! What stands beside the documents: columns that repeat what they say, and what is derived from
//! them. Whatever is done to it is told, and what is derived can be derived again.

use std::collections::BTreeMap;

use serde_json::json;
use stella_api::Code;
use stella_api::findings::{Finding, FindingPage};
use stella_api::rebuild::{RebuildAnswer, RebuildRequest};
use stella_api::verify::{VerifyAnswer, VerifyRequest};
use stella_client::Call;

use crate::by_hand::{by_hand, edit};
use crate::cli::Person;
use crate::fixtures::{self, advisory, bytes, sbom};
use crate::world::{World, on_every_driver, on_every_store};

const VERIFY: &str = "/api/v1/evidence/verify";
const REBUILD: &str = "/api/v1/evidence/rebuild";
const KEPT: &[&str] = &["provenance", "raw_documents"];

/// An advisory of two revisions that covers a component, another, VEX and KEV, and a large SBOM.
async fn filled(world: World) -> World {
    for tenant in ["acme", "globex"] {
        let ingester = world.ingester(tenant);
        let mut parts = sbom(&["alpha@1.0.0", "beta@1.0.0"]);
        parts["metadata"]["properties"] = json!([{"name": "x", "value": "y".repeat(300 * 1024)}]);
        ingester.ingest("sbom", &bytes(&parts)).await;
        let mut hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        hole["modified"] = "2026-01-01T00:00:00Z".into();
        ingester.ingest("advisory", &bytes(&hole)).await;
        hole["modified"] = "2026-01-02T00:00:00Z".into();
        ingester.ingest("advisory", &bytes(&hole)).await;
        let other = advisory("RUSTSEC-2026-0002", &["CVE-2026-2"], "beta", "2.0.0");
        ingester.ingest("advisory", &bytes(&other)).await;
        let vex = fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0");
        ingester.ingest("vex", &bytes(&vex)).await;
        ingester
            .ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"])))
            .await;
    }
    world.seal().await;
    world
}

async fn told(world: &World) -> BTreeMap<String, String> {
    let other: VerifyAnswer = world
        .analyst("globex")
        .post(VERIFY, &VerifyRequest::default())
        .await;
    assert_eq!(other.violations, [], "of globex");
    let answer: VerifyAnswer = world
        .analyst("acme")
        .post(VERIFY, &VerifyRequest::default())
        .await;
    let violations = answer.violations.into_iter();
    violations
        .map(|one| (one.code, one.examples[0].detail.clone()))
        .collect()
}

async fn findings(world: &World) -> Vec<Finding> {
    let page: FindingPage = world.analyst("acme").get("/api/v1/findings").await;
    page.items
}

async fn told_and_found(world: &World) -> (BTreeMap<String, String>, Vec<Finding>) {
    (told(world).await, findings(world).await)
}

async fn rebuilt(world: &World) -> RebuildAnswer {
    world
        .operator("acme")
        .post(REBUILD, &RebuildRequest::default())
        .await
}

on_every_driver! {
    async fn every_column_that_repeats_something_is_told_by_its_name(world) {
        let world = filled(world).await;
        let later = match world.owner_url {
            Some(_) => "+ interval '1 hour'",
            None => "+ 3600000000",
        };
        let advisory = "WHERE tenant = 'acme' AND kind = 'advisory' AND upstream_id = 'RUSTSEC-2026-0002'";
        let raw = format!("WHERE tenant = 'acme' AND digest IN (SELECT digest FROM evidence.provenance {advisory})");
        for column in ["revision_at", "fetched_at", "received_at"] {
            let statement = format!("UPDATE evidence.provenance SET {column} = {column} {later} {advisory}");
            by_hand(&world, "evidence", KEPT, &statement).await;
            let told = told(&world).await;
            assert_eq!(told.len(), 1, "{column}: {told:?}");
            assert!(told["EVIDENCE_CORRUPT"].contains(&format!("provenance.{column}")), "{told:?}");
            let back = format!("UPDATE evidence.provenance SET {column} = {column} {} {advisory}", later.replace('+', "-"));
            by_hand(&world, "evidence", KEPT, &back).await;
        }
        assert_eq!(told(&world).await, BTreeMap::new());
        let edits = [
            ("provenance", "document_version", "document_version || 'x'", "substr(document_version, 1, length(document_version) - 1)", advisory),
            ("provenance", "record", "replace(record, 'RUSTSEC', 'RUSTSOC')", "replace(record, 'RUSTSOC', 'RUSTSEC')", advisory),
            ("raw_documents", "kind", "'vex'", "'advisory'", &raw),
            ("raw_documents", "size", "size + 1", "size - 1", &raw),
            ("raw_documents", "received_at", &format!("received_at {later}"), &format!("received_at {}", later.replace('+', "-")), &raw),
        ];
        for (table, column, edited, before, rows) in edits {
            by_hand(&world, "evidence", KEPT, &format!("UPDATE evidence.{table} SET {column} = {edited} {rows}")).await;
            let found = told(&world).await;
            assert!(found["EVIDENCE_CORRUPT"].contains(column), "{column}: {found:?}");
            by_hand(&world, "evidence", KEPT, &format!("UPDATE evidence.{table} SET {column} = {before} {rows}")).await;
            assert_eq!(told(&world).await, BTreeMap::new(), "{column}");
        }
        // Those that the log names a document by.
        for (column, code) in [("upstream_id", Code::EvidenceCorrupt), ("kind", Code::EvidenceCorrupt), ("publisher", Code::EvidenceMissing), ("stream", Code::EvidenceMissing)] {
            let edited = if column == "kind" { "'vex'".to_owned() } else { format!("{column} || 'x'") };
            let before = if column == "kind" { "'advisory'".to_owned() } else { format!("substr({column}, 1, length({column}) - 1)") };
            let digest = {
                let other = fixtures::advisory("RUSTSEC-2026-0002", &["CVE-2026-2"], "beta", "2.0.0");
                stella_canonical::Digest::of(&bytes(&other))
            };
            let rows = format!("WHERE tenant = 'acme' AND digest = '{digest}'");
            by_hand(&world, "evidence", KEPT, &format!("UPDATE evidence.provenance SET {column} = {edited} {rows}")).await;
            let found = told(&world).await;
            assert!(found.contains_key(code.as_str()), "{column}: {found:?}");
            by_hand(&world, "evidence", KEPT, &format!("UPDATE evidence.provenance SET {column} = {before} {rows}")).await;
            assert_eq!(told(&world).await, BTreeMap::new(), "{column}");
        }
    }

    async fn every_derived_row_that_was_touched_is_told_and_mended(world) {
        let world = filled(world).await;
        let before = findings(&world).await;
        assert_eq!(before.len(), 2);
        let of = "WHERE tenant = 'acme'";
        let edits = [
            format!("DELETE FROM evidence.findings {of} AND upstream_id = 'RUSTSEC-2026-0001'"),
            format!("UPDATE evidence.findings SET summary = 'harmless' {of}"),
            format!("UPDATE evidence.findings SET verdict = 'undetermined' {of} AND upstream_id = 'RUSTSEC-2026-0002'"),
            format!("UPDATE evidence.findings SET upstream_id = 'RUSTSEC-2026-0002' {of}"),
            format!("UPDATE evidence.findings SET publisher = 'nobody' {of}"),
            format!("UPDATE evidence.findings SET sbom = 'sha256:00' {of}"),
            format!("UPDATE evidence.findings SET derivation = 0 {of}"),
            format!("UPDATE evidence.findings SET id = id || 'x' {of}"),
            format!("DELETE FROM evidence.names {of} AND identifier = 'CVE-2026-1'"),
            format!("UPDATE evidence.names SET identifier = 'CVE-2026-9' {of} AND identifier = 'CVE-2026-2'"),
            "INSERT INTO evidence.names (tenant, identifier, digest) VALUES ('acme', 'CVE-2026-3', 'sha256:00')".to_owned(),
            format!("DELETE FROM evidence.packages {of}"),
            format!("UPDATE evidence.packages SET affected = replace(affected, '2.0.0', '0.1.0') {of}"),
            format!("UPDATE evidence.packages SET affected = 'none' {of}"),
            format!("UPDATE evidence.components SET version = '9.0.0' {of}"),
            format!("UPDATE evidence.components SET purl = 'none' {of}"),
            format!("DELETE FROM evidence.components {of}"),
            "INSERT INTO evidence.components (tenant, ecosystem, package, sbom, reference, pointer, purl, name, version) \
             SELECT tenant, ecosystem, package, sbom, 'more', pointer, purl, name, version FROM evidence.components WHERE tenant = 'acme' AND name = 'alpha'".to_owned(),
            format!("DELETE FROM evidence.heads {of}"),
            format!("UPDATE evidence.heads SET digest = (SELECT p.digest FROM evidence.provenance p WHERE p.tenant = 'acme' AND p.upstream_id = heads.upstream_id ORDER BY revision_at LIMIT 1) {of} AND upstream_id = 'RUSTSEC-2026-0001'"),
            "INSERT INTO evidence.heads (tenant, kind, publisher, upstream_id, digest) SELECT tenant, kind, publisher, 'CVE-2026-4', digest FROM evidence.heads WHERE tenant = 'acme' AND kind = 'vex'".to_owned(),
        ];
        for statement in edits {
            by_hand(&world, "evidence", &[], &statement).await;
            let found = told(&world).await;
            assert_eq!(found.keys().collect::<Vec<_>>(), ["EVIDENCE_DERIVED_MISMATCH"], "{statement}: {found:?}");
            let answer = rebuilt(&world).await;
            assert!(answer.mended + answer.dropped > 0 && answer.failed == 0, "{statement}: {answer:?}");
            assert_eq!(told(&world).await, BTreeMap::new(), "{statement}");
            assert_eq!(findings(&world).await, before, "{statement}");
            let again = rebuilt(&world).await;
            assert_eq!((again.compared, again.mended, again.dropped, again.next), (6, 0, 0, None), "{statement}");
        }
    }

    /// What is due is left out of what is compared: so it is derived first, and hides nothing.
    async fn what_waits_to_be_derived_from_is_derived_and_hides_nothing(world) {
        let world = filled(world).await;
        let before = findings(&world).await;
        let of = "WHERE tenant = 'acme'";
        let due = |row: &str, rows: &str| format!("INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, due_at) \
            SELECT tenant, {row}, received_at FROM evidence.provenance {of} {rows}");
        let edited = format!("UPDATE evidence.findings SET verdict = 'undetermined' {of}");
        // Rows that are no stored document's are told, and keep nothing from being mended.
        let strays = [
            ("'vex', publisher, upstream_id, digest", "AND kind IN ('sbom', 'advisory')", 4),
            ("'none', publisher, upstream_id, digest", "AND kind = 'advisory'", 3),
            ("kind, publisher, upstream_id, 'sha256:00'", "AND upstream_id = 'RUSTSEC-2026-0002'", 1),
            ("kind, publisher, upstream_id || 'x', digest", "AND kind = 'sbom'", 1),
        ];
        for (row, rows, count) in strays {
            by_hand(&world, "evidence", &[], &due(row, rows)).await;
            by_hand(&world, "evidence", &[], &edited).await;
            let answer: VerifyAnswer = world.analyst("acme").post(VERIFY, &VerifyRequest::default()).await;
            let [told] = answer.violations.as_slice() else { panic!("{row}: {answer:?}") };
            let told_of_due = told.examples.iter().filter(|one| one.detail.contains("derivations_due: "));
            assert_eq!((told.code.as_str(), told_of_due.count()), ("EVIDENCE_DERIVED_MISMATCH", count), "{row}: {told:?}");
            let answer = rebuilt(&world).await;
            assert_eq!((answer.dropped, answer.failed), (count as u64, 0), "{row}: {answer:?}");
            assert_eq!(told_and_found(&world).await, (BTreeMap::new(), before.clone()), "{row}");
        }
        // Those of stored documents are worked off.
        for edit in [edited.clone(), format!("DELETE FROM evidence.findings {of}"), format!("DELETE FROM evidence.heads {of}")] {
            by_hand(&world, "evidence", &[], &due("kind, publisher, upstream_id, digest", "")).await;
            by_hand(&world, "evidence", &[], &edit).await;
            assert_eq!(told_and_found(&world).await, (BTreeMap::new(), before.clone()), "{edit}");
        }
        // One that cannot be derived from is told by its own code.
        by_hand(&world, "evidence", &[], &due("kind, publisher, upstream_id, digest", "AND kind = 'advisory'")).await;
        by_hand(&world, "evidence", &[], &format!("UPDATE evidence.packages SET affected = 'none' {of}")).await;
        by_hand(&world, "evidence", &[], &edited).await;
        let found = told(&world).await;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["EVIDENCE_DERIVED_MISMATCH", "RECORD_CORRUPT"], "{found:?}");
        assert_eq!(rebuilt(&world).await.failed, 0);
        assert_eq!(told_and_found(&world).await, (BTreeMap::new(), before));
    }

    /// Also where findings were derived from a row that is no document's.
    async fn one_run_drops_what_is_no_documents(world) {
        let world = filled(world).await;
        for n in 3..7 {
            let hole = advisory(&format!("RUSTSEC-2026-000{n}"), &[], "gamma", "2.0.0");
            world.ingester("acme").ingest("advisory", &bytes(&hole)).await;
        }
        world.seal().await;
        let before = findings(&world).await;
        let none = stella_canonical::Digest::of(b"none").to_string();
        let ghost = |table: &str, columns: &str, values: &str, of: &str| format!(
            "INSERT INTO evidence.{table} (tenant, {columns}) SELECT tenant, {values} FROM evidence.{table} WHERE tenant = 'acme' AND {of}");
        let component = "ecosystem, package, sbom, reference, pointer, purl, name, version";
        let ghosts = [
            ghost("names", "identifier, digest", &format!("identifier, '{none}'"), "identifier = 'CVE-2026-2'"),
            format!("UPDATE evidence.packages SET digest = '{none}' WHERE tenant = 'acme' AND package = 'beta'"),
            ghost("components", component, &component.replace("sbom", &format!("'{none}'")), "name = 'alpha'"),
            ghost("components", component, "ecosystem, 'gamma', sbom, 'more', pointer, 'pkg:cargo/gamma@1.0.0', 'gamma', version", "name = 'alpha'"),
            ghost("components", component, &component.replace("sbom", &format!("'{none}'")).replace("purl", "'none'"), "name = 'alpha'"),
            ghost("heads", "kind, publisher, upstream_id, digest", "kind, publisher, 'RUSTSEC-2026-0009', digest", "upstream_id = 'RUSTSEC-2026-0002'"),
            format!("UPDATE evidence.findings SET advisory = '{none}', upstream_id = 'RUSTSEC-2026-0009' WHERE tenant = 'acme' AND upstream_id = 'RUSTSEC-2026-0002'"),
            format!("UPDATE evidence.findings SET sbom = '{none}' WHERE tenant = 'acme'"),
        ];
        for statement in ghosts {
            by_hand(&world, "evidence", &[], &statement).await;
            let due = "INSERT INTO evidence.derivations_due (tenant, kind, publisher, upstream_id, digest, due_at) \
                SELECT tenant, kind, publisher, upstream_id, digest, received_at FROM evidence.provenance \
                WHERE tenant = 'acme' AND kind = 'advisory'";
            // Of any other what is due would be mended before it is told.
            if statement.contains("components") {
                by_hand(&world, "evidence", &[], due).await;
            }
            assert!(!told(&world).await.is_empty(), "{statement}");
            let answer = rebuilt(&world).await;
            assert_eq!(answer.failed, 0, "{statement}: {answer:?}");
            assert_eq!(told_and_found(&world).await, (BTreeMap::new(), before.clone()), "{statement}");
        }
    }

    /// Whoever types it is told the remedy; what cannot be read keeps nothing else from being mended.
    async fn the_command_line_mends(world) {
        let world = filled(world).await;
        let person = Person::of(&world, "acme");
        by_hand(&world, "evidence", &[], "DELETE FROM evidence.findings WHERE tenant = 'acme'").await;
        let ran = person.types(&["evidence", "verify", "-o", "table"]).await;
        assert!(ran.exit == 6 && ran.stdout.contains("EVIDENCE_DERIVED_MISMATCH"), "{}", ran.stdout);
        assert!(ran.stdout.contains("stella evidence rebuild"), "{}", ran.stdout);
        let ran = person.types(&["evidence", "rebuild", "-o", "json"]).await;
        assert_eq!((ran.exit, &ran.json()["mended"]), (0, &2.into()), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(person.types(&["evidence", "verify"]).await.exit, 0);
        let other = advisory("RUSTSEC-2026-0002", &["CVE-2026-2"], "beta", "2.0.0");
        edit(&world, &stella_canonical::Digest::of(&bytes(&other)).to_string(), 0).await;
        by_hand(&world, "evidence", &[], "DELETE FROM evidence.heads WHERE tenant = 'acme'").await;
        let ran = person.types(&["evidence", "rebuild", "-o", "table"]).await;
        assert!(ran.exit == 6 && ran.stdout.contains("EVIDENCE_CORRUPT"), "{}", ran.stdout);
        assert_eq!(findings(&world).await.len(), 2);
    }
}

on_every_store! {
    async fn what_is_derived_of_blobs_is_compared_too(world) {
        let world = filled(world).await;
        assert_eq!(told(&world).await, BTreeMap::new());
        by_hand(&world, "evidence", &[], "UPDATE evidence.components SET version = '9.0.0' WHERE tenant = 'acme'").await;
        assert!(told(&world).await["EVIDENCE_DERIVED_MISMATCH"].contains("components: "));
        let call = Call::post_json(REBUILD, &json!({"before": 1})).unwrap();
        assert_eq!(world.operator("acme").code(call).await, "REQUEST_INVALID");
        assert!(rebuilt(&world).await.mended > 0);
        assert_eq!(told(&world).await, BTreeMap::new());
    }
}
