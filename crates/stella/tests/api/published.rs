//! Documents that publishers really issued: the Go advisories on caddy, and an SBOM of it.

use serde_json::json;
use stella_api::Page;
use stella_api::explain::Explanation;
use stella_api::findings::Finding;
use stella_api::replay::{ManifestAnswer, ReplayOutcome, ReplayVerdict};
use stella_api::score::ScoreResult;

use crate::world::on_every_driver;

const SBOM: &str = "guac-data/docs/cyclonedx/syft-cyclonedx-docker.io-library-caddy.latest.json";

on_every_driver! {
    async fn advisories_on_caddy_become_findings_that_say_why(world) {
        let (Some(osv), Some(sbom)) = (stella_testdata::dir("osv"), stella_testdata::dir("sbom")) else { return };
        let (ingester, analyst) = (world.ingester("acme"), world.analyst("acme"));
        let mut documents: Vec<Vec<u8>> = std::fs::read_dir(osv.join("go")).unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .filter(|text| text.windows(18).any(|part| part == b"caddyserver/caddy/"))
            .collect();
        documents.sort();
        assert!(documents.len() > 5, "{}", documents.len());
        for document in &documents {
            ingester.ingest("advisory", document).await;
        }
        let sbom = ingester.ingest("sbom", &std::fs::read(sbom.join(SBOM)).unwrap()).await.id;
        let page: Page<Finding> = analyst.get("/api/v1/findings?pageSize=500").await;
        assert!(page.items.len() > 5, "{}", page.items.len());
        assert!(page.items.iter().all(|one| one.component.sbom == sbom));

        // No Go advisory publishes a severity: unknown, with the reason, and never low.
        let finding = page.items.iter().find(|one| one.informational.is_none()).unwrap();
        let score: ScoreResult = analyst.post("/api/v1/score/evaluate", &json!({"findingId": finding.id})).await;
        assert_eq!((score.score_bps, score.score_high_bps), (None, 10_000));
        assert_eq!(score.unknowns.missing[0].reason_code, "CVSS_NO_PUBLISHED_SEVERITY");
        let told: Explanation = analyst.get(&format!("/api/v1/score/{}/explain", score.score_id)).await;
        let sources: Vec<&str> = told.sources.iter().map(|source| source.document.as_str()).collect();
        assert!(sources.contains(&finding.matched.document.as_str()) && sources.contains(&sbom.as_str()));
        let manifest: ManifestAnswer = analyst.post("/api/v1/replay/manifests", &json!({"scoreId": score.score_id})).await;
        let verdict: ReplayVerdict = analyst.post("/api/v1/replay/runs", &json!({"token": manifest.token})).await;
        assert_eq!(verdict.outcome, ReplayOutcome::Match);
    }
}
