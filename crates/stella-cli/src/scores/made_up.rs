//! Made-up wire values for the tests of what is drawn.

use stella_api::Code;
use stella_api::evidence::EvidenceKind;
use stella_api::explain::{Explanation, Sentence};
use stella_api::findings::{Finding, FindingComponent, FindingSource, Match, SourceRole, Verdict};
use stella_api::replay::ManifestAnswer;
use stella_api::score::ScoreResult;
use stella_canonical::Digest;

use super::Scoring;
use crate::problem::of_code;

pub(crate) fn digest(of: &str) -> String {
    Digest::of(of.as_bytes()).to_string()
}

pub(crate) fn finding(name: &str, version: &str) -> Finding {
    Finding {
        id: digest(name),
        component: FindingComponent {
            sbom: digest("sbom"),
            bom_ref: Some(format!("ref-{name}")),
            pointer: "/components/3".into(),
            purl: format!("pkg:cargo/{name}@{version}"),
            name: name.into(),
            version: version.into(),
        },
        vulnerability: "RUSTSEC-2099-0001".into(),
        publisher: "rustsec".into(),
        vulnerability_ids: vec!["RUSTSEC-2099-0001".into(), "CVE-2099-4863".into()],
        summary: Some("heap overflow \u{1b}[31mwhile decoding".into()),
        matched: Match {
            verdict: Verdict::Affected,
            rule: "range".into(),
            range: "<0.9.3".into(),
            document: digest("advisory"),
            pointer: "/affected/0/ranges/0".into(),
        },
        fixed_versions: vec!["0.9.3".into()],
        informational: None,
        sources: vec![
            source(
                SourceRole::Sbom,
                EvidenceKind::Sbom,
                "unknown",
                "urn:uuid:1",
            ),
            source(
                SourceRole::Advisory,
                EvidenceKind::Advisory,
                "rustsec",
                "RUSTSEC-2099-0001",
            ),
            source(SourceRole::Kev, EvidenceKind::Signal, "cisa", "cisa-kev"),
        ],
    }
}

fn source(role: SourceRole, kind: EvidenceKind, publisher: &str, id: &str) -> FindingSource {
    FindingSource {
        role,
        kind,
        document: digest(id),
        publisher: publisher.into(),
        upstream_id: id.into(),
    }
}

/// A CVSS score of 8.8 that a KEV listing raises to 90.
pub(crate) fn critical() -> ScoreResult {
    from_json(serde_json::json!({
        "scoreId": digest("score"),
        "subject": {"vulnerability": "RUSTSEC-2099-0001", "purl": "pkg:cargo/libwebp-sys@0.9.2", "findingId": digest("libwebp-sys")},
        "profile": {"id": "cvss-kev-v1", "version": "1.0.0", "digest": digest("profile")},
        "engine": {"version": "0.1.0", "semantics": 1},
        "scoreBps": 9000, "scoreLowBps": 9000, "scoreHighBps": 9000,
        "band": "Critical", "bucket": "ActNow",
        "steps": [],
        "contributions": [
            {"signal": "cvss", "raw": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "normalized": 8800, "weight": 10000, "points": 8800, "reasonCode": "CVSS_OWN_NEWEST", "sources": []},
            {"signal": "kev", "raw": "CVE-2099-4863 2099-09-13", "normalized": null, "weight": 0, "points": 200, "reasonCode": "KEV_FLOOR", "sources": []},
            {"signal": "vex", "raw": "affected", "by": "Acme", "normalized": null, "weight": 0, "points": 0, "reasonCode": "VEX_STATEMENT_NOTED", "sources": []},
        ],
        "gates": [],
        "unknowns": {"completenessBps": 10000, "band": "Complete", "missing": [], "deltaIfPresent": []},
        "conflicts": [
            {"signal": "cvss", "resolution": "CVSS_OWN_NEWEST", "values": [
                {"raw": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "normalized": 8800, "used": true, "misstated": ["9.1"], "sources": [{"documentId": digest("o"), "digest": digest("o"), "pointer": ""}]},
                {"raw": "AV:X", "normalized": null, "used": false, "error": "CVSS_METRIC_UNKNOWN", "sources": [{"documentId": digest("o"), "digest": digest("o"), "pointer": ""}]},
            ]},
        ],
        "staleInputs": [],
        "inputDigest": digest("input"), "outputDigest": digest("output"),
        "evaluatedAt": "2099-01-02T03:04:05Z", "proofRef": null,
    }))
}

/// No vector is published and there is no KEV catalogue.
pub(crate) fn unknown() -> ScoreResult {
    let mut value = serde_json::to_value(critical()).unwrap_or_default();
    value["scoreBps"] = serde_json::Value::Null;
    value["scoreLowBps"] = 0.into();
    value["scoreHighBps"] = 10_000.into();
    value["band"] = "Unknown".into();
    value["contributions"] = serde_json::json!([]);
    value["conflicts"] = serde_json::json!([]);
    value["unknowns"] = serde_json::json!({
        "completenessBps": 0, "band": "Insufficient", "nextBest": "cvss",
        "missing": [
            {"signal": "cvss", "reasonCode": "CVSS_NO_PUBLISHED_SEVERITY", "sources": []},
            {"signal": "kev", "reasonCode": "KEV_NO_CATALOGUE", "sources": []},
        ],
        "deltaIfPresent": [
            {"signal": "cvss", "low": 0, "high": 10000},
            {"signal": "kev", "low": 0, "high": 10000},
        ],
    });
    from_json(value)
}

fn from_json(value: serde_json::Value) -> ScoreResult {
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn evaluated() -> Vec<(Finding, Scoring)> {
    let mut unmaintained = finding("old", "1.0.0");
    unmaintained.informational = Some("unmaintained".into());
    let mut unclear = finding("unclear", "weird");
    unclear.matched.verdict = Verdict::Undetermined;
    unclear.matched.rule = "VERSION_UNREADABLE".into();
    let failure = of_code(Code::EvidenceCorrupt, "stored bytes differ");
    vec![
        (unmaintained, Scoring::Informational("unmaintained".into())),
        (
            finding("libwebp-sys", "0.9.2"),
            Scoring::Scored(Box::new(critical())),
        ),
        (finding("broken", "3.0.0"), Scoring::Failed(failure)),
        (unclear, Scoring::Scored(Box::new(unknown()))),
    ]
}

pub(crate) fn explanation() -> Explanation {
    let sentence = |delta_bps, text: &str| Sentence {
        code: "CODE".into(),
        delta_bps,
        text: text.into(),
        evidence_digest: None,
    };
    Explanation {
        score: critical(),
        lang: "en".into(),
        headline: "RUSTSEC-2099-0001 in libwebp-sys 0.9.2 scores 90, Critical.".into(),
        sentences: vec![
            sentence(0, "The advisory publishes CVSS 3.1 8.8."),
            sentence(8800, "It counts in full."),
            sentence(
                200,
                "CISA lists CVE-2099-4863 as exploited since 2099-09-13, so that the score is at least 90.",
            ),
        ],
        sources: finding("libwebp-sys", "0.9.2").sources,
        digest: digest("explanation"),
    }
}

pub(crate) fn explanation_of_unknown() -> Explanation {
    let mut explanation = explanation();
    explanation.score = unknown();
    explanation.headline = "RUSTSEC-2099-0001 in libwebp-sys 0.9.2 cannot be scored.".into();
    explanation.sentences.truncate(1);
    explanation.sentences[0].text = "No source publishes a severity.".into();
    explanation
}

pub(crate) fn manifest() -> ManifestAnswer {
    ManifestAnswer {
        token: format!("rt1.{}", "A".repeat(54)),
        manifest_digest: digest("manifest"),
        snapshot_id: digest("snapshot"),
        signed: false,
    }
}
