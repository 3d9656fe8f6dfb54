//! Scores and their explanations over HTTP.

use serde_json::{Value, json};
use stella_api::explain::Explanation;
use stella_api::findings::Finding;
use stella_api::score::{Band, ScoreResult};
use stella_api::{LineAnswer, LineResult, Page};
use stella_client::Call;

use crate::fixtures::{self, advisory, bytes, sbom, unscored};
use crate::world::{Caller, on_every_driver};

async fn finding(analyst: &Caller, vulnerability: &str) -> Finding {
    let path = format!("/api/v1/findings?vulnerability={vulnerability}");
    let page: Page<Finding> = analyst.get(&path).await;
    page.items.into_iter().next().unwrap()
}

async fn evaluate(analyst: &Caller, finding: &str) -> ScoreResult {
    analyst
        .post("/api/v1/score/evaluate", &json!({"findingId": finding}))
        .await
}

on_every_driver! {
    async fn a_score_adds_up_from_its_documents(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let hole = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        let hole = ingester.ingest("advisory", &bytes(&hole)).await.id;
        let found = finding(&analyst, "CVE-2026-1").await;

        // The vector's own score: 9.1, without a catalogue to tell of exploitation.
        let plain = evaluate(&analyst, &found.id).await;
        assert_eq!((plain.score_bps, plain.band), (Some(9_100), Band::Critical));
        let again = analyst.send(Call::post_json("/api/v1/score/evaluate", &json!({"findingId": found.id})).unwrap()).await;
        assert_eq!(again.status.as_u16(), 200);
        assert_eq!(again.json::<ScoreResult>().unwrap(), plain);

        // VEX of a publisher that nobody trusts is shown and moves nothing; trusted, it caps.
        let vex = bytes(&fixtures::vex("CVE-2026-1", "pkg:cargo/alpha@1.0.0"));
        ingester.ingest("vex", &vex).await;
        assert_eq!(evaluate(&analyst, &found.id).await.score_bps, Some(9_100));
        world.trust("acme", "Example Vendor").await;
        let capped = evaluate(&analyst, &found.id).await;
        assert_eq!((capped.score_bps, capped.band), (Some(0), Band::Info));

        let told: Explanation = analyst.get(&format!("/api/v1/score/{}/explain", capped.score_id)).await;
        let sum: i64 = told.sentences.iter().map(|sentence| sentence.delta_bps).sum();
        assert_eq!(sum, 0);
        assert_eq!(told.sentences.len(), capped.steps.len());
        let documents: Vec<&str> = told.sources.iter().map(|source| source.document.as_str()).collect();
        assert!(documents.contains(&hole.as_str()), "{documents:?}");
        // By the finding's id the newest score is meant.
        let newest: ScoreResult = analyst.get(&format!("/api/v1/score/{}", &found.id[..20])).await;
        assert_eq!(newest, capped);
        let first: ScoreResult = analyst.get(&format!("/api/v1/score/{}", plain.score_id)).await;
        assert_eq!(first, plain);
    }

    async fn kev_is_a_floor_and_no_severity_is_unknown_never_info(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0", "beta@1.0.0", "gamma@1.0.0"]))).await;
        let mut low = advisory("RUSTSEC-2026-0001", &["CVE-2026-1"], "alpha", "2.0.0");
        low["severity"][0]["score"] = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N".into();
        ingester.ingest("advisory", &bytes(&low)).await;
        ingester.ingest("advisory", &bytes(&unscored("RUSTSEC-2026-0002", "beta", "2.0.0"))).await;
        let mut broken = advisory("RUSTSEC-2026-0003", &[], "gamma", "2.0.0");
        broken["severity"][0]["score"] = "CVSS:3.1/AV:N/AV:N/nonsense".into();
        ingester.ingest("advisory", &bytes(&broken)).await;
        ingester.ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"]))).await;

        let listed = evaluate(&analyst, &finding(&analyst, "RUSTSEC-2026-0001").await.id).await;
        assert_eq!((listed.score_bps, listed.band), (Some(9_000), Band::Critical));
        let unknown = evaluate(&analyst, &finding(&analyst, "RUSTSEC-2026-0002").await.id).await;
        assert_eq!((unknown.score_bps, unknown.band), (None, Band::Unknown));
        assert_eq!((unknown.score_low_bps, unknown.score_high_bps), (0, 10_000));
        let unread = evaluate(&analyst, &finding(&analyst, "RUSTSEC-2026-0003").await.id).await;
        assert_eq!(unread.score_bps, None);
        assert_eq!(unread.unknowns.missing[0].reason_code, "CVSS_ALL_INVALID");

        // Unknown ones sort first.
        let page: Page<ScoreResult> = analyst.get("/api/v1/score?pageSize=2").await;
        assert_eq!(page.items[0].score_bps, None);
        let token = page.next_page_token.unwrap();
        let rest: Page<ScoreResult> = analyst.get(&format!("/api/v1/score?pageSize=2&pageToken={token}")).await;
        assert_eq!(rest.items[0].score_id, listed.score_id);
        let critical: Page<ScoreResult> = analyst.get("/api/v1/score?band=Critical").await;
        assert_eq!(critical.items.len(), 1);
    }

    async fn an_extract_of_the_catalogue_says_what_is_listed_and_no_more(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0", "beta@1.0.0"]))).await;
        for (id, cve, package) in [("RUSTSEC-2026-0001", "CVE-2026-1", "alpha"), ("RUSTSEC-2026-0002", "CVE-2026-2", "beta")] {
            ingester.ingest("advisory", &bytes(&advisory(id, &[cve], package, "2.0.0"))).await;
        }
        let mut extract = fixtures::kev(&["CVE-2026-1"]);
        extract["count"] = 1352.into();
        ingester.ingest("signal", &bytes(&extract)).await;
        let code = |result: &ScoreResult| result.gates.iter().find(|gate| gate.id == "kev-floor").unwrap().reason_code.clone();
        let listed = evaluate(&analyst, &finding(&analyst, "RUSTSEC-2026-0001").await.id).await;
        assert_eq!(code(&listed), "KEV_ABOVE_FLOOR");
        let other = finding(&analyst, "RUSTSEC-2026-0002").await.id;
        let unsaid = evaluate(&analyst, &other).await;
        assert_eq!((code(&unsaid), unsaid.unknowns.missing[0].reason_code.as_str()), ("KEV_NO_CATALOGUE".into(), "KEV_NO_CATALOGUE"));
        // The whole catalogue does say it.
        ingester.ingest("signal", &bytes(&fixtures::kev(&["CVE-2026-1"]))).await;
        assert_eq!(code(&evaluate(&analyst, &other).await), "KEV_NOT_LISTED");
    }

    async fn informational_findings_have_no_score(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut old = advisory("RUSTSEC-2026-0003", &[], "beta", "9.0.0");
        old["affected"][0]["database_specific"] = json!({"informational": "unmaintained"});
        ingester.ingest("advisory", &bytes(&old)).await;
        ingester.ingest("sbom", &bytes(&sbom(&["beta@1.0.0"]))).await;
        let found = finding(&analyst, "RUSTSEC-2026-0003").await;
        let call = Call::post_json("/api/v1/score/evaluate", &json!({"findingId": found.id})).unwrap();
        assert_eq!(analyst.code(call).await, "SCORE_NOT_APPLICABLE");
    }

    async fn a_batch_scores_as_single_calls_would_and_a_bad_line_touches_no_other(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut old = advisory("RUSTSEC-2026-0003", &[], "beta", "9.0.0");
        old["affected"][0]["database_specific"] = json!({"informational": "unmaintained"});
        ingester.ingest("advisory", &bytes(&old)).await;
        for n in 1..3 {
            let hole = advisory(&format!("RUSTSEC-2026-000{n}"), &[], "alpha", "2.0.0");
            ingester.ingest("advisory", &bytes(&hole)).await;
        }
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0", "beta@1.0.0"]))).await;
        let [first, second, none] = ["0001", "0002", "0003"].map(|n| format!("RUSTSEC-2026-{n}"));
        let id = async |id: &str| finding(&analyst, id).await.id;
        let (first, second, none) = (id(&first).await, id(&second).await, id(&none).await);
        let alone = evaluate(&analyst, &second).await;
        let unknown = format!("sha256:{}", "0".repeat(64));
        let ids = [&first, &second, &unknown, &none, &first];
        let mut text: Vec<String> = ids.iter().map(|id| json!({"findingId": id}).to_string()).collect();
        text.push("[]".to_owned());
        text.push(json!({"findingId": first, "profile": "none"}).to_string());
        let batch = || Call::post("/api/v1/score/evaluate/batch", "application/x-ndjson", text.join("\n"));
        let told: Vec<LineAnswer<ScoreResult>> = analyst.send(batch()).await.lines().unwrap();
        let shown: Vec<_> = told.iter().map(|line| match &line.result {
            LineResult::Answer(result) => result.subject.finding_id.clone().unwrap(),
            LineResult::Problem(problem) | LineResult::Ended(problem) => problem.code.clone(),
        }).collect();
        let expected = [&first, &second, "NOT_FOUND", "SCORE_NOT_APPLICABLE", &first, "REQUEST_INVALID", "PROFILE_UNKNOWN"];
        assert_eq!(shown, expected);
        assert_eq!(told[1].result, LineResult::Answer(alone));
        let one = evaluate(&analyst, &first).await;
        assert_eq!(told[0].result, LineResult::Answer(one));
        let all: Page<ScoreResult> = analyst.get("/api/v1/score").await;
        assert_eq!(all.items.len(), 2);
        // Of another tenant there is nothing, whoever names it.
        let foreign: Vec<LineAnswer<ScoreResult>> = world.analyst("globex").send(batch()).await.lines().unwrap();
        for line in foreign {
            assert!(matches!(line.result, LineResult::Problem(_)));
        }
    }

    async fn a_published_score_that_is_not_its_vectors_is_kept_and_flagged(world) {
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        ingester.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let record = |said: f64| json!({
            "dataType": "CVE_RECORD", "dataVersion": "5.1",
            "cveMetadata": {"cveId": "CVE-2026-1", "state": "PUBLISHED", "assignerShortName": "acme"},
            "containers": {"cna": {
                "providerMetadata": {"orgId": "b3476cb9-2e3d-41a6-98d0-0f47421a65b6"},
                "descriptions": [{"lang": "en", "value": "a hole"}],
                "affected": [{"packageName": "alpha", "collectionURL": "https://crates.io/",
                    "versions": [{"version": "0", "lessThan": "2.0.0", "status": "affected", "versionType": "semver"}]}],
                "metrics": [{"cvssV3_1": {"version": "3.1", "baseScore": said, "baseSeverity": "CRITICAL",
                    "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
            }},
        });
        let taken = ingester.ingest("advisory", &bytes(&record(9.5))).await;
        let notice = taken.notices.iter().find(|notice| notice.code == "CVSS_MISSTATED").unwrap();
        assert_eq!(notice.pointer, "/containers/cna/metrics/0/cvssV3_1");
        let score = evaluate(&analyst, &finding(&analyst, "CVE-2026-1").await.id).await;
        assert_eq!((score.score_bps, score.conflicts[0].values[0].misstated.as_slice()), (Some(9_800), &["9.5".to_owned()][..]));
        let taken = world.ingester("globex").ingest("advisory", &bytes(&record(9.8))).await;
        assert!(taken.notices.iter().all(|notice| notice.code != "CVSS_MISSTATED"), "{:?}", taken.notices);
    }

    async fn wrong_requests_are_told_with_their_place(world) {
        let analyst = world.analyst("acme");
        let rows: [(&str, Value); 4] = [
            ("REQUEST_INVALID", json!({})),
            ("REQUEST_INVALID", json!({"findingId": "sha256:00", "colour": "red"})),
            ("REQUEST_INVALID", json!({"findingId": 7})),
            ("NOT_FOUND", json!({"findingId": format!("sha256:{}", "0".repeat(64))})),
        ];
        for (expected, body) in rows {
            let call = Call::post_json("/api/v1/score/evaluate", &body).unwrap();
            assert_eq!(analyst.code(call).await, expected, "{body}");
        }
        let malformed = Call::post("/api/v1/score/evaluate", "application/json", b"{\"a\":".to_vec());
        assert_eq!(analyst.code(malformed).await, "BODY_MALFORMED");
        let doubled = b"{\"findingId\":\"a\",\"findingId\":\"b\"}".to_vec();
        let doubled = Call::post("/api/v1/score/evaluate", "application/json", doubled);
        assert_eq!(analyst.code(doubled).await, "BODY_MALFORMED");
    }
}
