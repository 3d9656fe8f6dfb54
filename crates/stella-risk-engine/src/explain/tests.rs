use std::collections::BTreeSet;

use proptest::prelude::*;
use stella_api::VexStatus;
use stella_api::evidence::EvidenceKind;
use stella_api::findings::{FindingSource, SourceRole};
use stella_scoring::{
    CvssSignal, KevSignal, Observed, Profile, ReasonCode, Signals, Source, Subject, TrustPolicy,
    VexSignal, evaluate,
};

use super::*;

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; // 9.8
const LOW: &str = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N"; // 5.5

fn source(name: &str) -> Source {
    Source {
        document: Digest::of(name.as_bytes()),
        pointer: String::new(),
    }
}

fn cvss(vector: &str, own: bool) -> Vec<CvssSignal> {
    let (vector, source) = (vector.to_owned(), source("advisory"));
    vec![CvssSignal {
        vector,
        beside: None,
        source,
        own,
    }]
}

fn kev(date: &str) -> Option<Vec<KevSignal>> {
    Some(vec![KevSignal {
        cve: "CVE-2023-4863".to_owned(),
        date_added: date.to_owned(),
        source: source("kev"),
    }])
}

fn vex(status: VexStatus, publisher: &str, justification: Option<&str>) -> Vec<VexSignal> {
    vec![VexSignal {
        status,
        justification: justification.map(str::to_owned),
        publisher: publisher.to_owned(),
        source: source("vex"),
    }]
}

fn explained(signals: &Signals) -> Explanation {
    let subject = Subject {
        vulnerability: "RUSTSEC-2023-0061".to_owned(),
        purl: "pkg:cargo/libwebp-sys@0.9.2".to_owned(),
    };
    let policy = TrustPolicy {
        vex_publishers: BTreeSet::from(["vendor".to_owned()]),
    };
    let evaluation = evaluate(&subject, &Profile::cvss_kev_v1(), signals, &policy).unwrap();
    let observed = Observed {
        finding_id: Some(Digest::of(b"finding").to_string()),
        ..Observed::default()
    };
    let stored = Stored {
        result: evaluation.into_result(observed).unwrap(),
        sbom: Digest::of(b"sbom").to_string(),
        component_pointer: "/components/0".to_owned(),
        policy,
        sources: vec![FindingSource {
            role: SourceRole::Advisory,
            kind: EvidenceKind::Advisory,
            document: Digest::of(b"advisory").to_string(),
            publisher: "rustsec".to_owned(),
            upstream_id: "RUSTSEC-2023-0061".to_owned(),
        }],
    };
    explanation(stored, Some("en")).unwrap()
}

/// Cases that together give every reason there is.
fn cases() -> Vec<Signals> {
    let signals = |cvss, kev, vex| Signals {
        cvss,
        kev,
        vex,
        stale: vec![],
    };
    let absent = Some("component_not_present");
    vec![
        signals(cvss(LOW, true), kev("2023-09-13"), vec![]),
        signals(
            cvss(VECTOR, false),
            kev(""),
            vex(VexStatus::NotAffected, "vendor", absent),
        ),
        signals(
            vec![],
            Some(vec![]),
            vex(VexStatus::NotAffected, "stranger", None),
        ),
        signals(
            cvss("CVSS:3.1/AV:X", true),
            None,
            vex(VexStatus::Fixed, "vendor", None),
        ),
        signals(
            vec![],
            None,
            [VexStatus::NotAffected, VexStatus::Affected]
                .iter()
                .flat_map(|status| vex(*status, "vendor", absent))
                .collect(),
        ),
    ]
}

#[test]
fn every_reason_has_a_sentence_with_all_its_values() {
    let mut seen = BTreeSet::new();
    for signals in cases() {
        for sentence in explained(&signals).sentences {
            assert!(!sentence.text.contains(['{', '}']), "{}", sentence.text);
            let absent = ["(none)", "since none"];
            assert!(!absent.iter().any(|shown| sentence.text.contains(shown)));
            assert!(sentence.text.ends_with('.'), "{}", sentence.text);
            seen.insert(sentence.code);
        }
    }
    for reason in ReasonCode::ALL {
        assert!(Labels::english().has(&reason.label_key()), "{reason}");
        assert!(seen.contains(reason.as_str()), "no case gives {reason}");
    }
}

#[test]
fn the_sentences_add_up_to_the_score() {
    for signals in cases() {
        let told = explained(&signals);
        let sum: i64 = told.sentences.iter().map(|one| one.delta_bps).sum();
        let score = told.score.score_bps.unwrap_or(told.score.score_low_bps);
        assert_eq!(sum, i64::from(score));
    }
}

#[test]
fn a_raised_score_reads_so() {
    let told = explained(&cases()[0]);
    assert_eq!(
        told.headline,
        "RUSTSEC-2023-0061 in pkg:cargo/libwebp-sys@0.9.2 scores 90 of 100: Critical."
    );
    let texts: Vec<_> = told.sentences.iter().map(|one| one.text.as_str()).collect();
    let expected = [
        "The advisory itself states the CVSS 3.1 vector \
         CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N: a base score of 5.5, which is 55 points.",
        "The severity is the whole weight of the profile and brings 55 points.",
        "CVE-2023-4863 is in the catalogue of known exploited vulnerabilities since 2023-09-13: \
         that raises the score from 55 to 90.",
    ];
    assert_eq!(texts, expected);
    let kev = Digest::of(b"kev").to_string();
    assert_eq!(
        told.sentences[2].evidence_digest.as_deref(),
        Some(kev.as_str())
    );
    assert_eq!(told.sources.len(), 1);
}

#[test]
fn an_unknown_score_says_what_it_could_be() {
    let told = explained(&cases()[2]);
    assert_eq!(
        told.headline,
        "RUSTSEC-2023-0061 in pkg:cargo/libwebp-sys@0.9.2 is not scored: no published severity \
         can be used. It could be anything up to 100."
    );
}

#[test]
fn an_unknown_score_that_is_exploited_says_where_it_begins() {
    let told = explained(&Signals {
        kev: kev("2023-09-13"),
        ..Signals::default()
    });
    assert!(
        told.headline
            .ends_with("It is 90 at the least and could be up to 100.")
    );
}

#[test]
fn another_language_falls_back_and_the_answer_says_so() {
    assert_eq!(
        [language(None), language(Some("xx")), language(Some("en"))],
        ["en"; 3]
    );
}

#[test]
fn points_are_exact() {
    let cases = [
        (0, "0"),
        (9_000, "90"),
        (8_150, "81.5"),
        (9_805, "98.05"),
        (-5, "-0.05"),
        (-9_800, "-98"),
        (10_000, "100"),
    ];
    for (bps, text) in cases {
        assert_eq!(points(bps), text);
    }
}

proptest! {
    #[test]
    fn points_lose_nothing(bps in -1_000_000_i64..1_000_000) {
        let text = points(bps);
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{rest:0<2}");
        prop_assert_eq!(digits.parse::<i64>().unwrap(), bps);
    }
}
