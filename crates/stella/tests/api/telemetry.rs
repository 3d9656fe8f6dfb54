//! What a serving process tells of itself, and what it must not.

use std::process::Command;

use serde_json::Value;
use stella_client::{Call, HttpClient, Reply};
use stella_telemetry::{Form, Level, Options, Parent, Telemetry, under};
use tracing::Instrument as _;

use crate::collector::{Collector, attributes};
use crate::fixtures::{self, advisory, bytes};
use crate::process::{Installation, Running};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn ask(server: &str, call: Call) -> Reply {
    HttpClient::new(server).unwrap().send(call).await.unwrap()
}

fn with(call: Call, name: &'static str, value: &str) -> Call {
    call.with(name.parse().unwrap(), value.parse().unwrap())
}

async fn metrics(running: &Running) -> String {
    let reply = ask(&running.admin, Call::get("/metrics")).await;
    assert_eq!(reply.status.as_u16(), 200);
    let format = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.headers["content-type"], format);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// The value of the one line that begins with a name and has all these labels.
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let fits = |line: &&str| {
        let named = line.strip_prefix(name);
        named.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let found: Vec<&str> = text.lines().filter(fits).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:#?} in\n{text}");
    found[0].rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn requests_and_documents_are_counted_at_the_admin_address_alone() {
    let installation = Installation::filesystem().await;
    let running = installation.start(None);
    let ingester = running.ingester("acme");
    let document = bytes(&advisory("RUSTSEC-2099-0001", &[], "alpha", "2.0.0"));
    ingester.ingest("advisory", &document).await;
    ingester.ingest("advisory", &document).await;
    let analyst = running.analyst("acme");
    analyst
        .code(Call::get("/api/v1/evidence/documents/nothing"))
        .await;
    analyst.code(Call::get("/api/v1/nowhere")).await;
    let refused = fixtures::with_envelope("advisory", b"{}", &fixtures::envelope(&document));
    assert_eq!(ingester.code(refused).await, "ERR_AOC_005");

    let text = metrics(&running).await;
    let requests = "http_server_request_duration_seconds_count";
    let post = [
        r#"http_request_method="POST""#,
        r#"http_route="/api/v1/evidence/advisory""#,
        r#"stella_service="evidence""#,
        r#"url_scheme="http""#,
    ];
    let status = |code: &'static str| [&post[..], &[code]].concat();
    let new = status(r#"http_response_status_code="201""#);
    let old = status(r#"http_response_status_code="200""#);
    assert_eq!(value(&text, requests, &new), 1.0);
    assert_eq!(value(&text, requests, &old), 1.0);
    let bucket = "http_server_request_duration_seconds_bucket";
    let all = [&new[..], &[r#"le="+Inf""#]].concat();
    assert_eq!(value(&text, bucket, &all), 1.0);
    assert!(text.contains(r#"le="0.075""#) && !text.contains(r#"le="0.08""#));
    // A path is told as its route, and one that is none not at all.
    assert!(
        text.contains(r#"http_route="/api/v1/evidence/documents/{id}""#),
        "{text}"
    );
    assert!(!text.contains("nowhere") && !text.contains("documents/nothing"));
    assert_eq!(
        value(
            &text,
            "http_server_active_requests",
            &[r#"http_request_method="POST""#]
        ),
        0.0
    );

    let source = r#"source="rustsec""#;
    let tenant = r#"tenant="acme""#;
    for (result, count) in [("stored", 1.0), ("identical", 1.0), ("refused", 1.0)] {
        let result = format!("result=\"{result}\"");
        let labels = [source, tenant, &result];
        assert_eq!(
            value(&text, "ingestion_write_total", &labels),
            count,
            "{result}"
        );
    }
    let broken = [source, tenant, r#"code="ERR_AOC_005""#];
    assert_eq!(value(&text, "aoc_violation_total", &broken), 1.0);
    for (phase, count) in [("judge", 3.0), ("keep", 2.0), ("derive", 2.0)] {
        let phase = format!("phase=\"{phase}\"");
        let name = "ingestion_latency_seconds_count";
        assert_eq!(value(&text, name, &[&phase]), count, "{phase}");
    }

    // Each caller asked for a token, and who sends nonsense gets none.
    let form = "application/x-www-form-urlencoded";
    for body in ["grant_type=password", "scope=x"] {
        let call = Call::post("/oauth/token", form, body.as_bytes().to_vec());
        assert_eq!(ask(&running.url, call).await.status.as_u16(), 400);
    }
    let text = metrics(&running).await;
    let tokens = |labels: &[&str]| value(&text, "stella_authority_tokens", labels);
    let given = [r#"grant_type="client_credentials""#, r#"outcome="given""#];
    assert_eq!(tokens(&given), 2.0);
    for grant in [r#"grant_type="other""#, r#"grant_type="none""#] {
        let refused = [
            grant,
            r#"outcome="refused""#,
            r#"reason="invalid_dpop_proof""#,
        ];
        assert_eq!(tokens(&refused), 1.0);
    }

    let alive = ask(&running.admin, Call::get("/healthz")).await;
    assert_eq!(alive.status.as_u16(), 200);
    let ready: Value = ask(&running.admin, Call::get("/readyz"))
        .await
        .json()
        .unwrap();
    assert_eq!(ready["ready"], true);
    assert!(ready["checks"].as_array().unwrap().len() > 4, "{ready}");
    for (server, path) in [
        (&running.url, "/metrics"),
        (&running.admin, "/api/v1/findings"),
        (&running.admin, "/openapi.json"),
    ] {
        let reply = ask(server, Call::get(path)).await;
        assert_eq!(reply.status.as_u16(), 404, "{server}{path}");
    }
}

#[tokio::test]
async fn a_process_that_is_not_ready_tells_each_check_at_the_admin_address() {
    let (world, link) = crate::world::World::postgres_over_a_link().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = format!("http://{}", listener.local_addr().unwrap());
    let router = world.platform.house.admin.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let ready = async || ask(&admin, Call::get("/readyz")).await;
    assert_eq!(ready().await.status.as_u16(), 200);
    link.cut();
    let reply = ready().await;
    assert_eq!(reply.status.as_u16(), 503);
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    let checks = told["checks"].as_array().unwrap();
    let of = |name: &str, ready: bool| {
        let fits = |check: &&Value| check["name"] == name && check["ready"] == ready;
        checks.iter().filter(fits).count()
    };
    assert_eq!(
        (of("database", false), of("objectStore", true)),
        (4, 2),
        "{told}"
    );
}

/// The request lines of a log in JSON, by their paths.
fn requests<'a>(log: &'a [Value], path: &str) -> Vec<&'a Value> {
    let fits = |line: &&Value| line["message"] == "request" && line["url.path"] == path;
    log.iter().filter(fits).collect()
}

fn lines(log: &str) -> Vec<Value> {
    let line = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
    log.lines().map(line).collect()
}

/// An installation that logs as one in Production, and exports.
async fn exporting(to: &Collector) -> Installation {
    let installation = Installation::postgres().await;
    installation
        .with("Storage:AllowLocalhost=true")
        .with_variable("STELLA_ENVIRONMENT", "Production")
        .with_variable("OTEL_EXPORTER_OTLP_ENDPOINT", &to.url)
}

#[tokio::test]
async fn problems_log_lines_and_spans_say_the_trace_that_came_in() {
    let collector = Collector::start().await;
    let installation = exporting(&collector).await;
    let installation = installation
        .with_variable("OTEL_SERVICE_NAME", "risk")
        .with_variable(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=lab",
        )
        .with_variable("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter%2C22");
    let running = installation.start(None);
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let joined = with(Call::get("/api/v1/nowhere"), "traceparent", &parent);
    let problem: Value = serde_json::from_slice(&ask(&running.url, joined).await.body).unwrap();
    assert_eq!(problem["traceId"], TRACE);
    let bad = with(Call::get("/api/v1/elsewhere"), "traceparent", &parent[..54]);
    let problem: Value = serde_json::from_slice(&ask(&running.url, bad).await.body).unwrap();
    let fresh = problem["traceId"].as_str().unwrap().to_owned();
    assert!(fresh.len() == 32 && fresh != TRACE, "{fresh}");
    // What services ask one another hangs below what was asked of them.
    let ingester = running.ingester("acme");
    ingester
        .ingest("sbom", &bytes(&fixtures::sbom(&["alpha@1.0.0"])))
        .await;
    let document = bytes(&advisory("RUSTSEC-2099-0001", &[], "alpha", "2.0.0"));
    ingester.ingest("advisory", &document).await;
    let analyst = running.analyst("acme");
    let found: Value = analyst.get("/api/v1/findings").await;
    let asked = serde_json::json!({"findingId": found["items"][0]["id"]});
    let evaluate = "/api/v1/score/evaluate";
    let scored = analyst
        .send(Call::post_json(evaluate, &asked).unwrap())
        .await;
    let whole = scored.headers["x-trace-id"].to_str().unwrap().to_owned();

    let log = lines(&running.log_to_the_end().await);
    for (path, trace) in [("/api/v1/nowhere", TRACE), ("/api/v1/elsewhere", &fresh)] {
        let told = requests(&log, path);
        assert_eq!(told.len(), 1, "{path}");
        assert_eq!(told[0]["trace"], *trace);
        assert_eq!(told[0]["status"], 404);
    }
    let told = requests(&log, evaluate);
    let (service, tenant) = (&told[0]["stella.service"], &told[0]["stella.tenant"]);
    assert_eq!((service, tenant), (&"risk-engine".into(), &"acme".into()));

    let spans = collector.spans();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let of = |trace: &str| -> Vec<_> {
        spans
            .iter()
            .filter(|span| hex(&span.trace_id) == trace)
            .collect()
    };
    let joined = of(TRACE);
    assert_eq!(joined.len(), 1);
    assert_eq!(hex(&joined[0].parent_span_id), SPAN);
    assert_eq!((joined[0].name.as_str(), joined[0].kind), ("GET", 2));
    let fresh = of(&fresh);
    assert_eq!((fresh.len(), fresh[0].parent_span_id.len()), (1, 0));
    let whole = of(&whole);
    let outer: Vec<_> = whole
        .iter()
        .filter(|span| span.parent_span_id.is_empty())
        .collect();
    assert_eq!((outer.len(), outer[0].kind), (1, 2));
    assert_eq!(outer[0].name, "POST /api/v1/score/evaluate");
    let told = attributes(&outer[0].attributes);
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", evaluate),
        ("http.response.status_code", "201"),
        ("stella.service", "risk-engine"),
        ("stella.tenant", "acme"),
    ] {
        assert_eq!(
            told.get(key).map(String::as_str),
            Some(value),
            "{key} of {told:?}"
        );
    }
    assert!(whole.len() > 3, "the neighbours were asked");
    let parents: Vec<_> = whole.iter().map(|span| &span.span_id).collect();
    for inner in whole.iter().filter(|span| !span.parent_span_id.is_empty()) {
        assert!(inner.kind == 1 && parents.contains(&&inner.parent_span_id));
    }

    let resource = collector.resource();
    assert_eq!(resource["service.name"], "risk");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "lab");
    assert!(
        collector
            .headers()
            .iter()
            .all(|headers| headers["x-key"] == "hunter,22")
    );
    let exported = collector.metrics();
    for name in ["http.server.request.duration", "ingestion_write_total"] {
        assert!(
            exported.iter().any(|one| one == name),
            "{name} in {exported:?}"
        );
    }
}

/// What a request asks of other servers says whose it is.
#[tokio::test]
async fn a_call_within_a_trace_carries_it_on() {
    let telemetry = Telemetry::start(Options {
        form: Form::Text,
        level: Level::WARN,
        secrets: Vec::new(),
        export: None,
    });
    telemetry.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let neighbour = format!("http://{}", listener.local_addr().unwrap());
    let echo = async |headers: axum::http::HeaderMap| {
        let of = |name| {
            headers
                .get(name)
                .map_or("none", |value| value.to_str().unwrap())
        };
        format!("{} {}", of("traceparent"), of("tracestate"))
    };
    let router = axum::Router::new().route("/", axum::routing::get(echo));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let asked = async || {
        let reply = ask(&neighbour, Call::get("/")).await;
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    assert_eq!(asked().await, "none none");
    let parent = Parent::of(&format!("00-{TRACE}-{SPAN}-01"), Some("vendor=1")).unwrap();
    let span = tracing::info_span!(target: "stella", "request");
    under(&span, Some(&parent));
    let told = asked().instrument(span).await;
    assert!(told.starts_with(&format!("00-{TRACE}-")), "{told}");
    assert!(
        told.ends_with("-01 vendor=1") && !told.contains(SPAN),
        "{told}"
    );
}

/// What is planted, and none of which may be found in anything that the process tells.
const CANARIES: [&str; 20] = [
    "canaryBearerA1b2c3d4",
    "canaryProofE5f6g7h8",
    "canaryPasswordI9j0k1",
    "canaryQueryL2m3n4o5",
    "canaryPathTokenP6q7r8",
    "canaryPemS9t0u1v2",
    "canaryUrlW3x4y5z6",
    "canary.mail.path",
    "canary.mail.source",
    "canary.mail.state",
    "canaryBodyA7b8c9d0",
    "canaryCookieE1f2g3h4",
    "canaryBucketI5j6k7l8",
    "canaryHeaderM9n0o1p2",
    "canaryResourceQ3r4s5",
    "canaryMethodT6u7v8",
    "canaryGithubW9x0y1z2A3b4",
    "canaryPatC5d6e7f8g9h0",
    "AKIACANARYAWSKEYID12",
    "canaryAwsSecretI1j2k3l4m5n6o7p8q9r0s1t2u",
];

#[tokio::test]
async fn no_canary_leaves_the_process() {
    let collector = Collector::start().await;
    let installation = exporting(&collector).await;
    let installation = installation
        .with("Storage:ObjectStore:SecretAccessKey=canaryBucketI5j6k7l8")
        .with_variable(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20canaryHeaderM9n0o1p2",
        )
        .with_variable(
            "OTEL_RESOURCE_ATTRIBUTES",
            "note=password%3DcanaryResourceQ3r4s5",
        );
    let running = installation.start(None);
    let jwt = "eyJhbGciOiJFZERTQSJ9.canaryProofE5f6g7h8.c2lnbmF0dXJl";
    let sampled = format!("00-{TRACE}-{SPAN}-01");
    let planted = |path: &str| {
        let call = with(
            Call::get(path),
            "authorization",
            "DPoP canaryBearerA1b2c3d4",
        );
        let call = with(call, "dpop", jwt);
        let call = with(call, "cookie", "session=canaryCookieE1f2g3h4");
        let call = with(call, "tracestate", "vendor=canary.mail.state@example.org");
        with(call, "traceparent", &sampled)
    };
    for path in [
        "/api/v1/findings?access_token=canaryQueryL2m3n4o5".to_owned(),
        "/api/v1/canary.mail.path%40example.org".to_owned(),
        "/api/v1/password=canaryPasswordI9j0k1".to_owned(),
        format!(
            "/api/v1/{}",
            jwt.replace("canaryProofE5f6g7h8", "canaryPathTokenP6q7r8")
        ),
        "/-----BEGIN%20PRIVATE%20KEY-----canaryPemS9t0u1v2".to_owned(),
        "/see/https://jane:canaryUrlW3x4y5z6@example.org/x".to_owned(),
        "/git/ghp_canaryGithubW9x0y1z2A3b4".to_owned(),
        "/git/github_pat_canaryPatC5d6e7f8g9h0".to_owned(),
        "/s3/AKIACANARYAWSKEYID12:canaryAwsSecretI1j2k3l4m5n6o7p8q9r0s1t2u".to_owned(),
        "/objects/canaryBucketI5j6k7l8/canaryHeaderM9n0o1p2".to_owned(),
    ] {
        ask(&running.url, planted(&path)).await;
    }
    // Documents and what surrounds them are the tenant's, and no matter for the log.
    let ingester = running.ingester("acme");
    let document = bytes(&advisory("RUSTSEC-2099-0001", &[], "alpha", "2.0.0"));
    let mut envelope = fixtures::envelope(&document);
    envelope["source"]["publisher"] = "canary.mail.source@example.org".into();
    ingester
        .send(fixtures::with_envelope("advisory", &document, &envelope))
        .await;
    for body in [
        &br#"{"id": "canaryBodyA7b8c9d0", "password": "canaryBodyA7b8c9d0""#[..],
        br#"{"canaryBodyA7b8c9d0": 1}"#,
    ] {
        ingester
            .send(fixtures::with_envelope("advisory", body, &envelope))
            .await;
    }
    let mut method = planted("/api/v1/findings");
    method.method = "CANARYMETHODT6U7V8".parse().unwrap();
    ask(&running.url, method).await;

    let metrics = metrics(&running).await;
    let log = running.log_to_the_end().await;
    let exported = String::from_utf8_lossy(&collector.raw()).into_owned();
    for (place, told) in [
        ("the log", &log),
        ("/metrics", &metrics),
        ("OTLP", &exported),
    ] {
        assert!(!told.is_empty());
        for canary in CANARIES {
            let found = told.to_lowercase().find(&canary.to_lowercase());
            let around = found.map(|at| &told[at.saturating_sub(80)..]);
            let around = around.map(|text| text.chars().take(200).collect::<String>());
            assert_eq!(around, None, "{canary} is in {place}");
        }
    }
    // All were there: what was taken out left its mark, and a line of JSON is one still.
    let log = lines(&log);
    let path = |line: &&Value| {
        line["message"] == "request" && line["url.path"].as_str().unwrap().contains("[redacted]")
    };
    assert_eq!(log.iter().filter(path).count(), 9, "{log:#?}");
    assert!(metrics.contains(r#"source="[redacted]""#), "{metrics}");
    let spans = collector.spans();
    let marked = |text: &String| text.contains("[redacted]");
    let marked = spans
        .iter()
        .filter(|span| attributes(&span.attributes).values().any(marked));
    assert_eq!(marked.count(), 9);
    assert_eq!(collector.resource()["note"], "password=[redacted]");
    let headers = collector.headers();
    let sent = "Bearer canaryHeaderM9n0o1p2";
    assert!(
        headers
            .iter()
            .all(|headers| headers["authorization"] == sent)
    );
}

/// A collector that is away costs no request anything, and is told of once.
#[tokio::test]
async fn a_collector_that_is_away_is_told_once_and_holds_nobody_up() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let installation = Installation::filesystem()
        .await
        .with_variable("OTEL_EXPORTER_OTLP_ENDPOINT", away)
        .with_variable("OTEL_METRICS_EXPORTER", "none")
        // Often, so that it is tried many times.
        .with_variable("OTEL_BSP_SCHEDULE_DELAY", "5")
        .with_variable("OTEL_BSP_MAX_QUEUE_SIZE", "4")
        .with_variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2");
    let running = installation.start(None);
    let cannot = "telemetry cannot be exported";
    let mut told = Vec::new();
    // Until it has failed, and then long enough to fail many times more.
    let mut asked = 0;
    let http = HttpClient::new(&running.url).unwrap();
    while asked < 200 || !told.iter().any(|line: &String| line.contains(cannot)) {
        let reply = http.send(Call::get("/healthz")).await.unwrap();
        assert_eq!(reply.status.as_u16(), 200);
        told.extend(running.later.try_iter());
        asked += 1;
    }
    told.push(running.log_to_the_end().await);
    assert_eq!(told.join("\n").matches(cannot).count(), 1, "{told:#?}");
}

#[tokio::test]
async fn an_admin_address_for_others_is_taken_by_hand_and_told() {
    let installation = Installation::filesystem().await;
    let quiet = installation.start(None);
    assert!(
        quiet.admin.starts_with("http://127.0.0.1:"),
        "{}",
        quiet.admin
    );
    assert!(!quiet.told.contains("whoever reaches"), "{}", quiet.told);
    drop(quiet);
    let installation = installation.with("Server:AdminListen=0.0.0.0:0");
    let running = installation.start(None);
    assert!(
        running.told.contains("whoever reaches the admin address"),
        "{}",
        running.told
    );
}

#[test]
fn the_admin_address_and_the_export_are_judged_with_everything_else() {
    let check = |setting: &str, variable: (&str, &str)| {
        let complete = [
            "Storage:Driver=inmemory",
            "Storage:ObjectStore:Driver=seed-fs",
            "Security:MasterKeyFile=/nowhere",
            setting,
        ];
        let sets = complete.iter().flat_map(|one| ["--set", one]);
        let done = Command::new(env!("CARGO_BIN_EXE_stella"))
            .args(["config", "check"])
            .args(sets)
            .env_clear()
            .env("STELLA_ENVIRONMENT", "Testing")
            .env(variable.0, variable.1)
            .output()
            .unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stderr).unwrap(),
        )
    };
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let fine = check("Server:AdminListen=[::1]:9090", (endpoint, "http://c:4318"));
    assert_eq!(fine, (0, String::new()));
    let (exit, told) = check("Server:AdminListen=nowhere", (endpoint, "nowhere"));
    assert_eq!(exit, 78, "{told}");
    for line in [
        "CONFIG_VALUE_INVALID key=Server:AdminListen source=--set",
        "CONFIG_VALUE_INVALID key=OTEL_EXPORTER_OTLP_ENDPOINT source=$OTEL_EXPORTER_OTLP_ENDPOINT",
    ] {
        assert_eq!(told.matches(line).count(), 1, "{told}");
    }
    for same in ["127.0.0.1:7070", "0.0.0.0:7070"] {
        let (exit, told) = check(&format!("Server:AdminListen={same}"), ("x", "y"));
        assert_eq!(exit, 78, "{told}");
        assert!(
            told.contains("choose another port than that of Server:Listen"),
            "{told}"
        );
    }
}
