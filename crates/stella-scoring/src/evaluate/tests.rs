//! The rules of `cvss-kev-v1` one by one; `laws` holds what is true of every evaluation.

mod laws;

use std::collections::BTreeSet;

use stella_api::score::{Band, Bucket, GateEffect, StaleLevel};

use super::*;
use crate::signals::{CvssSignal, KevSignal, Source, VexSignal};
use crate::{Argument, arguments, output_digest_of, verify_ledger, verify_result};
use stella_api::VexStatus;

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; // 9.8
const MEDIUM: &str = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N"; // 5.5
const NEWER: &str = "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"; // 4.8

fn source(name: &str) -> Source {
    Source {
        document: Digest::of(name.as_bytes()),
        pointer: "/severity/0".to_owned(),
    }
}

fn cvss(vector: &str, own: bool) -> CvssSignal {
    let name = format!("{vector} {own}");
    CvssSignal {
        vector: vector.to_owned(),
        beside: None,
        source: source(&name),
        own,
    }
}

fn kev() -> KevSignal {
    let (cve, date_added) = ("CVE-2021-44228".to_owned(), "2021-12-10".to_owned());
    KevSignal {
        cve,
        date_added,
        source: source("kev"),
    }
}

fn vex(status: VexStatus, publisher: &str) -> VexSignal {
    let justification =
        (status == VexStatus::NotAffected).then(|| "component_not_present".to_owned());
    let source = source(&format!("{status} {publisher}"));
    VexSignal {
        status,
        justification,
        publisher: publisher.to_owned(),
        source,
    }
}

fn subject() -> Subject {
    let (vulnerability, purl) = (
        "GHSA-jfh8-c2jp-5v3q",
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
    );
    Subject {
        vulnerability: vulnerability.to_owned(),
        purl: purl.to_owned(),
    }
}

fn policy() -> TrustPolicy {
    TrustPolicy {
        vex_publishers: BTreeSet::from(["vendor".to_owned()]),
    }
}

/// Evaluates under the built-in profile, trusting `vendor`, and checks the result against itself.
fn score(signals: &Signals) -> ScoreResult {
    let evaluation = evaluate(&subject(), &Profile::cvss_kev_v1(), signals, &policy()).unwrap();
    let observed = Observed {
        evaluated_at: "2026-01-01T00:00:00Z".to_owned(),
        ..Observed::default()
    };
    let result = evaluation.into_result(observed).unwrap();
    verify_result(&result).unwrap();
    assert_eq!(arguments(&result).len(), result.steps.len());
    result
}

fn codes(result: &ScoreResult) -> Vec<&str> {
    result.steps.iter().map(|step| step.code.as_str()).collect()
}

fn signals(cvss: Vec<CvssSignal>, kev: Option<Vec<KevSignal>>, vex: Vec<VexSignal>) -> Signals {
    Signals {
        cvss,
        kev,
        vex,
        stale: Vec::new(),
    }
}

#[test]
fn cvss_alone() {
    let result = score(&signals(vec![cvss(CRITICAL, true)], Some(vec![]), vec![]));
    assert_eq!(
        (
            result.score_bps,
            result.score_low_bps,
            result.score_high_bps
        ),
        (Some(9_800), 9_800, 9_800)
    );
    assert_eq!(
        (result.band, result.bucket),
        (Band::Critical, Bucket::ActNow)
    );
    assert_eq!(
        codes(&result),
        ["CVSS_OWN_NEWEST", "CVSS_WEIGHTED", "KEV_NOT_LISTED"]
    );
    assert_eq!((result.steps[0].input, result.steps[0].output), (98, 9_800));
    assert_eq!(result.unknowns.completeness_bps, 10_000);
    assert_eq!(
        (result.unknowns.missing.len(), result.unknowns.next_best),
        (0, None)
    );
    assert!(result.conflicts.is_empty());
}

#[test]
fn kev_is_a_floor_and_never_a_sum() {
    let raised = score(&signals(
        vec![cvss(MEDIUM, true)],
        Some(vec![kev()]),
        vec![],
    ));
    assert_eq!(raised.score_bps, Some(9_000));
    let step = &raised.steps[2];
    assert_eq!(
        (step.op, step.code.as_str(), step.delta_bps),
        (StepOp::Floor, "KEV_FLOOR", 3_500)
    );
    assert_eq!(step.evidence_digest, Some(Digest::of(b"kev").to_string()));
    let above = score(&signals(
        vec![cvss(CRITICAL, true)],
        Some(vec![kev()]),
        vec![],
    ));
    assert_eq!(
        (above.score_bps, codes(&above)[2]),
        (Some(9_800), "KEV_ABOVE_FLOOR")
    );
    assert_eq!(above.gates[0].effect, GateEffect::None);
}

#[test]
fn nothing_known_is_unknown_and_not_zero() {
    let result = score(&Signals::default());
    assert_eq!(
        (
            result.score_bps,
            result.score_low_bps,
            result.score_high_bps
        ),
        (None, 0, 10_000)
    );
    assert_eq!(
        (result.band, result.bucket),
        (Band::Unknown, Bucket::ActNow)
    );
    assert_eq!(result.unknowns.next_best.as_deref(), Some("cvss"));
    let missing: Vec<&str> = result
        .unknowns
        .missing
        .iter()
        .map(|it| it.reason_code.as_str())
        .collect();
    assert_eq!(missing, ["CVSS_NO_PUBLISHED_SEVERITY", "KEV_NO_CATALOGUE"]);
}

#[test]
fn gates_apply_where_there_is_no_score() {
    let listed = score(&signals(vec![], Some(vec![kev()]), vec![]));
    assert_eq!(
        (
            listed.score_bps,
            listed.score_low_bps,
            listed.score_high_bps
        ),
        (None, 9_000, 10_000)
    );
    assert_eq!(listed.band, Band::Unknown);
    let capped = score(&signals(
        vec![],
        Some(vec![kev()]),
        vec![vex(VexStatus::NotAffected, "vendor")],
    ));
    assert_eq!(
        (
            capped.score_bps,
            capped.score_low_bps,
            capped.score_high_bps
        ),
        (None, 0, 0)
    );
    assert_eq!(
        (capped.band, capped.bucket),
        (Band::Unknown, Bucket::Watchlist)
    );
}

#[test]
fn only_a_trusted_publisher_caps() {
    let listed = Some(vec![kev()]);
    let trusted = vec![vex(VexStatus::NotAffected, "vendor")];
    let result = score(&signals(
        vec![cvss(CRITICAL, true)],
        listed.clone(),
        trusted,
    ));
    assert_eq!((result.score_bps, result.band), (Some(0), Band::Info));
    let step = result.steps.last().unwrap();
    assert_eq!(
        (step.op, step.code.as_str(), step.delta_bps),
        (StepOp::Cap, "VEX_TRUSTED_NOT_AFFECTED", -9_800)
    );
    let untrusted = vec![vex(VexStatus::NotAffected, "Vendor")];
    let result = score(&signals(vec![cvss(CRITICAL, true)], listed, untrusted));
    assert_eq!(
        (result.score_bps, *codes(&result).last().unwrap()),
        (Some(9_800), "VEX_UNTRUSTED_NOT_AFFECTED")
    );
    assert_eq!(result.gates.last().unwrap().effect, GateEffect::None);
    let said = &arguments(&result)[3];
    assert_eq!(said["publisher"], Argument::Text("Vendor".to_owned()));
    assert_eq!(
        said["justification"],
        Argument::Text("component_not_present".to_owned())
    );
}

#[test]
fn a_score_beside_a_vector_that_is_not_its_own_is_flagged() {
    let beside = |text: &str| CvssSignal {
        beside: Some(text.to_owned()),
        ..cvss(CRITICAL, true)
    };
    let of = |texts: &[&str]| {
        let all = texts.iter().map(|text| beside(text)).collect();
        score(&signals(all, Some(vec![]), vec![]))
    };
    assert_eq!(of(&["9.8", "9.80"]).conflicts, []);
    let told = of(&["9.1", "9.8", "0"]);
    assert_eq!(told.score_bps, Some(9_800));
    let value = &told.conflicts[0].values[0];
    assert!(value.used);
    assert_eq!(value.misstated, ["0", "9.1"]);
    assert_ne!(told.input_digest, of(&["9.8"]).input_digest);
}

#[test]
fn own_newest_version_counts_and_the_rest_are_conflicts() {
    let all = vec![
        cvss(CRITICAL, false),
        cvss(MEDIUM, true),
        cvss(NEWER, true),
        cvss("9.8", true),
    ];
    let result = score(&signals(all, Some(vec![]), vec![]));
    assert_eq!(result.score_bps, Some(4_800));
    assert_eq!(result.contributions[0].raw, NEWER);
    let conflict = &result.conflicts[0];
    assert_eq!(conflict.resolution, "CVSS_OWN_NEWEST");
    let values: Vec<_> = conflict
        .values
        .iter()
        .map(|value| (value.normalized, value.used))
        .collect();
    assert_eq!(
        values,
        [
            (Some(4_800), true),
            (Some(5_500), false),
            (Some(9_800), false),
            (None, false)
        ]
    );
    assert_eq!(conflict.values[3].error.as_deref(), Some("CVSS_SYNTAX"));
}

#[test]
fn highest_among_aliases_counts_where_the_advisory_has_none() {
    let all = vec![
        cvss(NEWER, false),
        cvss(CRITICAL, false),
        cvss("CVSS:3.1/AV:N", true),
    ];
    let result = score(&signals(all, Some(vec![]), vec![]));
    assert_eq!(
        (result.score_bps, codes(&result)[0]),
        (Some(9_800), "CVSS_ALIAS_HIGHEST")
    );
    let said = &arguments(&result)[0];
    assert_eq!(said["version"], Argument::Text("3.1".to_owned()));
    assert_eq!(said["score"], Argument::Text("9.8".to_owned()));
}

#[test]
fn documents_that_agree_are_no_conflict() {
    let written_out = format!("{CRITICAL}/E:X");
    let all = vec![
        cvss(CRITICAL, true),
        cvss(CRITICAL, false),
        cvss(&written_out, false),
    ];
    let result = score(&signals(all, Some(vec![]), vec![]));
    assert!(result.conflicts.is_empty());
    assert_eq!(
        (
            result.contributions.len(),
            result.contributions[0].sources.len()
        ),
        (1, 3)
    );
}

#[test]
fn unreadable_vectors_are_reported_and_never_guessed() {
    let result = score(&signals(vec![cvss("cvss:3.1/AV:N", true)], None, vec![]));
    assert_eq!((result.score_bps, result.band), (None, Band::Unknown));
    assert_eq!(result.unknowns.missing[0].reason_code, "CVSS_ALL_INVALID");
    assert_eq!(result.unknowns.missing[0].sources.len(), 1);
    assert_eq!(
        result.conflicts[0].values[0].error.as_deref(),
        Some("CVSS_CASE")
    );
}

#[test]
fn a_missing_catalogue_says_what_it_could_do() {
    let result = score(&signals(vec![cvss(MEDIUM, true)], None, vec![]));
    assert_eq!(
        (result.score_bps, result.score_high_bps, result.bucket),
        (Some(5_500), 9_000, Bucket::ActNow)
    );
    let delta = &result.unknowns.delta_if_present[0];
    assert_eq!(
        (delta.signal.as_str(), delta.low, delta.high),
        ("kev", 5_500, 9_000)
    );
    assert_eq!(result.unknowns.next_best.as_deref(), Some("kev"));
}

/// A base score, whatever a publisher's temporal metrics make of it.
#[test]
fn temporal_metrics_lower_nothing() {
    let temporal = format!("{CRITICAL}/E:U/RL:O/RC:U");
    let result = score(&signals(vec![cvss(&temporal, true)], Some(vec![]), vec![]));
    let base = score(&signals(vec![cvss(CRITICAL, true)], Some(vec![]), vec![]));
    assert_eq!(result.score_bps, base.score_bps);
    assert_eq!(result.contributions[0].raw, temporal);
}

#[test]
fn a_publisher_who_contradicts_itself_caps_nothing() {
    let says = |statuses: &[VexStatus], publisher| {
        let vex = statuses.iter().map(|status| vex(*status, publisher));
        signals(vec![cvss(MEDIUM, true)], Some(vec![]), vex.collect())
    };
    let both = [VexStatus::NotAffected, VexStatus::Affected];
    let result = score(&says(&both, "vendor"));
    assert_eq!(result.score_bps, Some(5_500));
    assert_eq!(result.conflicts[0].resolution, "VEX_SELF_CONTRADICTED");
    assert!(result.conflicts[0].values.iter().all(|value| !value.used));
    // Another publisher's word is another matter.
    let mut signals = says(&both[..1], "vendor");
    signals.vex.push(vex(VexStatus::Affected, "somebody"));
    assert_eq!(score(&signals).score_bps, Some(0));
}

/// Each reason has a fixture that emits it.
#[test]
fn every_reason_is_emitted() {
    let other = |status| vex(status, "vendor");
    let fixtures = [
        Signals::default(),
        signals(vec![cvss("?", true)], Some(vec![]), vec![]),
        signals(
            vec![cvss(MEDIUM, true)],
            Some(vec![kev()]),
            vec![other(VexStatus::NotAffected)],
        ),
        signals(
            vec![cvss(CRITICAL, false)],
            Some(vec![kev()]),
            vec![other(VexStatus::Affected)],
        ),
        signals(vec![], None, vec![vex(VexStatus::NotAffected, "somebody")]),
        signals(
            vec![],
            None,
            vec![
                other(VexStatus::NotAffected),
                other(VexStatus::UnderInvestigation),
            ],
        ),
    ];
    let emitted: BTreeSet<String> = fixtures
        .iter()
        .flat_map(|signals| score(signals).steps)
        .map(|step| step.code)
        .collect();
    let all: BTreeSet<String> = ReasonCode::ALL
        .iter()
        .map(|reason| reason.to_string())
        .collect();
    assert_eq!(emitted, all);
    assert_eq!(ReasonCode::KevFloor.label_key(), "reason-kev-floor");
}

/// A stored result in which anything was touched no longer agrees with itself.
#[test]
fn tampering_shows() {
    let good = score(&signals(
        vec![cvss(MEDIUM, true)],
        Some(vec![kev()]),
        vec![],
    ));
    let mut changed = good.clone();
    changed.score_bps = Some(8_000);
    assert!(verify_ledger(&changed).is_err());
    let mut changed = good.clone();
    changed.contributions[0].sources[0].pointer.push('0');
    verify_ledger(&changed).unwrap();
    assert!(verify_result(&changed).is_err());
    let mut changed = good.clone();
    changed.subject.finding_id = Some("sha256:0".to_owned());
    assert_eq!(
        output_digest_of(&changed).unwrap().to_string(),
        good.output_digest
    );
    assert!(verify_result(&changed).is_err());
    let mut changed = good.clone();
    changed.steps[0].delta_bps = i64::MAX;
    assert!(verify_result(&changed).is_err());
    let mut changed = good;
    changed.engine.version = "9.9.9".to_owned();
    changed.evaluated_at = "2030-01-01T00:00:00Z".to_owned();
    verify_result(&changed).unwrap();
}

/// The digests of one evaluation, so that no change of them goes unseen: results of released
/// versions must replay. A change here is a change of `SEMANTICS`.
#[test]
fn digests_stay() {
    let all = vec![cvss(MEDIUM, true), cvss(CRITICAL, false)];
    let statements = vec![vex(VexStatus::NotAffected, "somebody")];
    let mut signals = signals(all, Some(vec![kev()]), statements);
    signals.stale.push(StaleInput {
        content: "vex".to_owned(),
        level: StaleLevel::Warn,
        as_of: "2025-12-01T00:00:00Z".to_owned(),
    });
    let result = score(&signals);
    assert_eq!(
        result.profile.digest,
        "sha256:76725edf649ce94d8d200526bc8569cc259e237fd738a9d3f098691184c0f270"
    );
    assert_eq!(
        result.input_digest,
        "sha256:0f92c1274db5007d863eede25f0e919576ba2a39b707d6682ffe49c3bd108adf"
    );
    assert_eq!(
        result.output_digest,
        "sha256:f1b77a4c3aeb8634bf47629d5da0570ff949250ae80429099e6799ffd86e99b3"
    );
    assert_eq!(
        result.score_id,
        "sha256:2c180f1839e73b2c085454d25ed6f6c41b7692cd8f5a01f8a343ff85098f30ad"
    );
}
