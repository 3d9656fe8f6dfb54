//! Evidence and Authority as far as RiskEngine asks them, and a RiskEngine beside them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use stella_api::findings::FindingRef;
use stella_api::{Code, Scope};
use stella_canonical::Digest;
use stella_client::Peers;
use stella_context::{Actor, Clock, OpContext, SystemContext, TraceId};
use stella_service::{Failure, Line, LineAnswers, Lines};
use stella_signing::MasterKey;
use stella_storage::Db;

use super::driver::Driver;
use crate::RiskEngine;

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const MEDIUM: &str = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N";
const READS: [Scope; 4] = [
    Scope::AdvisoryRead,
    Scope::VexRead,
    Scope::SbomRead,
    Scope::SignalsRead,
];

#[derive(Default)]
struct Answers {
    documents: BTreeMap<String, String>,
    findings: BTreeMap<String, Value>,
    trusted: Mutex<Vec<String>>,
    corrupt: AtomicBool,
    asked: AtomicUsize,
}

impl Answers {
    fn document(&mut self, body: &Value) -> String {
        let text = body.to_string();
        let digest = Digest::of(text.as_bytes()).to_string();
        self.documents.insert(digest.clone(), text);
        digest
    }

    /// A finding in the one SBOM of an advisory of its own.
    fn finding(&mut self, number: u8, severity: Option<&str>, informational: bool) -> String {
        let sbom = self.document(&json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "components": [{"type": "library", "bom-ref": "a", "name": "example",
                            "version": "1.0.0", "purl": "pkg:cargo/example@1.0.0"}],
        }));
        let (id, cve) = (
            format!("RUSTSEC-2024-000{number}"),
            format!("CVE-2024-000{number}"),
        );
        let severity = severity.map(|score| json!([{"type": "CVSS_V3", "score": score}]));
        let advisory = self.document(&json!({
            "schema_version": "1.6.0", "id": id, "aliases": [cve],
            "modified": "2024-02-01T00:00:00Z", "severity": severity.unwrap_or(json!([])),
            "affected": [{
                "package": {"ecosystem": "crates.io", "name": "example"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}]}],
            }],
        }));
        let vex = self.document(&json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": format!("https://example.org/{id}"),
            "author": "vendor", "timestamp": "2024-02-01T00:00:00Z", "version": 1,
            "statements": [{"vulnerability": {"name": cve}, "status": "not_affected",
                "justification": "component_not_present",
                "products": [{"@id": "pkg:cargo/example@1.0.0"}]}],
        }));
        let source = |role: &str, kind: &str, document: &str, publisher: &str, name: &str| {
            json!({"role": role, "kind": kind, "document": document, "publisher": publisher,
                   "upstreamId": name})
        };
        let finding = Digest::of(id.as_bytes()).to_string();
        let told = json!({
            "id": finding, "vulnerability": id, "publisher": "rustsec",
            "vulnerabilityIds": [id, cve], "fixedVersions": [],
            "component": {"sbom": sbom, "bomRef": "a", "pointer": "/components/0",
                          "purl": "pkg:cargo/example@1.0.0", "name": "example", "version": "1.0.0"},
            "matched": {"verdict": "affected", "rule": "range", "range": ">=0",
                        "document": advisory, "pointer": "/affected/0"},
            "informational": informational.then_some("unmaintained"),
            "sources": [source("sbom", "sbom", &sbom, "example", "sbom"),
                        source("advisory", "advisory", &advisory, "rustsec", &id),
                        source("vex", "vex", &vex, "vendor", "one name"),
                        source("vex", "vex", &vex, "vendor", "two names")],
        });
        self.findings.insert(finding.clone(), told);
        finding
    }
}

/// The neighbours, and what they were made to answer.
pub(super) struct Neighbours {
    answers: Arc<Answers>,
    engine: Arc<RiskEngine>,
    /// The database as its owner sees it, on PostgreSQL.
    owner: Option<PgPool>,
    pub(super) finding: String,
    pub(super) medium: String,
    pub(super) unscored: String,
    pub(super) informational: String,
}

impl Neighbours {
    pub(super) async fn open(driver: Driver) -> Self {
        let mut answers = Answers::default();
        let finding = answers.finding(1, Some(CRITICAL), false);
        let medium = answers.finding(2, Some(MEDIUM), false);
        let unscored = answers.finding(3, None, false);
        let informational = answers.finding(4, Some(CRITICAL), true);
        let answers = Arc::new(answers);
        let peers = Peers::default();
        peers.connect(
            Router::new()
                .route("/api/v1/findings/batch", post(findings))
                .route("/api/v1/evidence/documents/{id}/raw", get(raw))
                .route("/api/v1/authority/settings", get(settings))
                .with_state(answers.clone()),
        );
        let (db, owner) = driver.open().await;
        let master = Arc::new(MasterKey::new(&[7; 32], "test").unwrap());
        let system = SystemContext::new("test", Clock::System);
        let engine = RiskEngine::open(&system, db, peers, master).await;
        Self {
            answers,
            owner,
            engine: engine.unwrap(),
            finding,
            medium,
            unscored,
            informational,
        }
    }

    pub(super) fn engine(&self) -> &RiskEngine {
        &self.engine
    }

    pub(super) fn trust(&self, publishers: &[&str]) {
        *self.answers.trusted.lock().unwrap() =
            publishers.iter().map(|name| (*name).to_owned()).collect();
    }

    /// From now on documents come with other bytes.
    pub(super) fn corrupt(&self) {
        self.answers.corrupt.store(true, Ordering::SeqCst);
    }

    /// How often a document was asked for.
    pub(super) fn documents_asked(&self) -> usize {
        self.answers.asked.load(Ordering::SeqCst)
    }

    /// Runs a statement as somebody with all rights on the database would.
    pub(super) async fn run(&self, statement: &str) -> Result<(), sqlx::Error> {
        match (&self.engine.db, &self.owner) {
            (Db::Sqlite { writer, .. }, _) => {
                let run = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
                run.execute(writer).await.map(drop)
            }
            (Db::Postgres(_), Some(owner)) => {
                // Row-level security is forced on the owner too.
                let bound = format!("SET stella.tenant = 'acme'; {statement}");
                let run = sqlx::raw_sql(AssertSqlSafe(bound));
                run.execute(owner).await.map(drop)
            }
            (Db::Postgres(_), None) => panic!("PostgreSQL has an owner"),
        }
    }

    /// Edits every stored score, past the trigger that forbids it.
    pub(super) async fn edit(&self, assignment: &str) {
        let off = match self.engine.db {
            Db::Postgres(_) => "ALTER TABLE riskengine.risk_score_results DISABLE TRIGGER USER",
            Db::Sqlite { .. } => "DROP TRIGGER riskengine.risk_score_results_no_update",
        };
        self.run(off).await.unwrap();
        let update = format!("UPDATE riskengine.risk_score_results SET {assignment}");
        self.run(&update).await.unwrap();
    }
}

async fn findings(State(answers): State<Arc<Answers>>, lines: Lines) -> LineAnswers<Value, ()> {
    let one = |answers: &Answers, line: &Line| {
        let FindingRef { finding_id } = line.object()?;
        let finding = answers.findings.get(&finding_id).cloned();
        finding.ok_or_else(|| Failure::not_found(finding_id))
    };
    lines.each(move |lines| {
        let answers = answers.clone();
        async move { Ok(lines.iter().map(|line| one(&answers, line)).collect()) }
    })
}

async fn raw(State(answers): State<Arc<Answers>>, Path(id): Path<String>) -> Response {
    answers.asked.fetch_add(1, Ordering::SeqCst);
    match answers.documents.get(&id) {
        Some(text) if answers.corrupt.load(Ordering::SeqCst) => format!("{text} ").into_response(),
        Some(text) => text.clone().into_response(),
        None => (StatusCode::NOT_FOUND, Failure::new(Code::NotFound)).into_response(),
    }
}

async fn settings(State(answers): State<Arc<Answers>>) -> Json<Value> {
    Json(json!({"trustedVexPublishers": *answers.trusted.lock().unwrap()}))
}

/// An operation of a tenant at a time.
pub(super) fn operation(tenant: &str, time: &str) -> OpContext {
    acting(tenant, &READS, Clock::Fixed(time.parse().unwrap()))
}

/// An operation of a tenant with just these scopes.
pub(super) fn with_scopes(tenant: &str, scopes: &[Scope]) -> OpContext {
    acting(tenant, scopes, Clock::System)
}

fn acting(tenant: &str, scopes: &[Scope], clock: Clock) -> OpContext {
    let actor = Actor {
        client_id: "test".to_owned(),
        subject: "test".to_owned(),
        roles: vec![],
    };
    let scopes = scopes.iter().copied().collect();
    OpContext::verified(
        tenant.parse().unwrap(),
        actor,
        scopes,
        TraceId::generate(),
        clock,
    )
}
