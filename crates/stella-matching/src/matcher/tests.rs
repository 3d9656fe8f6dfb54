use super::*;
use crate::{Event, Portion};

fn evaluate(affected: &Affected, version: &str) -> Verdict {
    Matcher::new(affected).evaluate(version)
}

fn fixed_versions(affected: &Affected, version: &str) -> Vec<String> {
    Matcher::new(affected).fixed_versions(version)
}

fn affected(kind: &str, events: &str, versions: &[&str]) -> Affected {
    let event = |text: &str| {
        let (kind, version) = text.split_at(1);
        let version = version.to_owned();
        match kind {
            "i" => Event::Introduced(version),
            "f" => Event::Fixed(version),
            "l" => Event::LastAffected(version),
            _ => Event::Limit(version),
        }
    };
    let range = |events: &str| Range {
        kind: RangeKind::from(kind.to_owned()),
        events: events.split_whitespace().map(event).collect(),
    };
    Affected {
        ecosystem: Ecosystem::CratesIo,
        package: "p".to_owned(),
        ranges: events
            .split('|')
            .filter(|events| !events.is_empty())
            .map(range)
            .collect(),
        versions: versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect(),
        exempt: Portion::default(),
    }
}

fn covered(events: &str, version: &str) -> bool {
    matches!(
        evaluate(&affected("SEMVER", events, &[]), version),
        Verdict::Affected { .. }
    )
}

#[test]
fn events_bound_what_is_affected() {
    for (events, inside, outside) in [
        (
            "i0 f1.2.0",
            vec!["0.0.0-0", "1.1.9", "1.2.0-rc.1"],
            vec!["1.2.0", "2.0.0"],
        ),
        (
            "i1.0.0 l1.2.0",
            vec!["1.0.0", "1.2.0", "1.2.0+build"],
            vec!["0.9.0", "1.2.1"],
        ),
        (
            "f2.1.0 i2.0.0 f1.2.0 i0",
            vec!["1.0.0", "2.0.0"],
            vec!["1.2.0", "1.9.0", "2.1.0"],
        ),
        ("i0 u2.0.0", vec!["1.0.0"], vec!["2.0.0", "3.0.0"]),
        ("i0 u*", vec!["1.0.0", "3.0.0"], vec![]),
        ("i0 f1.0.0|i2.0.0", vec!["0.1.0", "2.0.0"], vec!["1.0.0"]),
        // Two events at one version.
        (
            "i0 f1.0.0 i1.0.0 f2.0.0",
            vec!["1.0.0", "1.5.0"],
            vec!["2.0.0"],
        ),
        (
            "i1.0.0 f1.0.0 i1.5.0 f2.0.0",
            vec!["1.0.0", "1.5.0"],
            vec!["0.9.0", "2.0.0"],
        ),
        (
            "i0 f0.9.0 i1.0.0 f1.0.0",
            vec!["0.8.0"],
            vec!["0.9.0", "1.0.0", "1.1.0"],
        ),
        ("i1.0.0 l1.0.0", vec!["1.0.0"], vec!["0.9.0", "1.0.1"]),
        (
            "i0 l1.0.0 i1.0.0 l2.0.0",
            vec!["1.0.0", "1.0.1"],
            vec!["2.0.1"],
        ),
    ] {
        assert!(
            inside.iter().all(|version| covered(events, version)),
            "{events} covers {inside:?}"
        );
        assert!(
            !outside.iter().any(|version| covered(events, version)),
            "{events} leaves out {outside:?}"
        );
    }
}

#[test]
fn a_verdict_says_what_covers() {
    let two = affected("SEMVER", "i0 f1.2.0 i2.0.0 l2.3.0|i0 f1.1.0", &["9.9.9"]);
    let range = |introduced: &str, fixed: Option<&str>, last: Option<&str>| Verdict::Affected {
        rule: Rule::Range,
        introduced: Some(introduced.to_owned()),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
    };
    assert_eq!(evaluate(&two, "1.0.0"), range("0", Some("1.2.0"), None));
    assert_eq!(evaluate(&two, "2.1.0"), range("2.0.0", None, Some("2.3.0")));
    assert_eq!(fixed_versions(&two, "1.0.0"), ["1.1.0", "1.2.0"]);
    assert_eq!(fixed_versions(&two, "2.1.0"), [""; 0]);
    assert!(matches!(
        evaluate(&two, "9.9.9"),
        Verdict::Affected {
            rule: Rule::Version,
            ..
        }
    ));
}

#[test]
fn what_cannot_be_compared_is_undetermined() {
    let reason = |affected: &Affected, version: &str| match evaluate(affected, version) {
        Verdict::Undetermined { reason } => reason,
        other => format!("{other:?}"),
    };
    assert_eq!(
        reason(&affected("GIT", "i0", &[]), "1.0.0"),
        "git range only"
    );
    assert_eq!(
        reason(&affected("SEMVER", "", &[]), "1.0.0"),
        "neither ranges nor versions"
    );
    assert_eq!(
        reason(&affected("SEMVER", "f1.0.0", &[]), "1.0.0"),
        "range without an introduced event"
    );
    assert_eq!(
        reason(&affected("NEW", "i0", &[]), "1.0.0"),
        "unknown range type \"NEW\""
    );
    let unread = "reading \"1.0\" as a SemVer version: ";
    assert!(reason(&affected("SEMVER", "i0", &[]), "1.0").starts_with(unread));
    assert!(reason(&affected("SEMVER", "i0 f1.0", &[]), "1.0.0").starts_with(unread));
    assert_eq!(
        evaluate(&affected("GIT", "i0", &["1.0.1"]), "1.0.0"),
        Verdict::NotAffected
    );
}

#[test]
fn an_unknown_ecosystem_has_lists_and_semver_ranges_only() {
    let other = |kind, versions: &[&str]| Affected {
        ecosystem: Ecosystem::Unsupported("NuGet".to_owned()),
        ..affected(kind, "i0 f2.0.0", versions)
    };
    assert!(matches!(
        evaluate(&other("SEMVER", &[]), "1.0.0"),
        Verdict::Affected { .. }
    ));
    assert!(matches!(
        evaluate(&other("ECOSYSTEM", &["1.0.0"]), "1.0.0"),
        Verdict::Affected { .. }
    ));
    let undetermined = Verdict::Undetermined {
        reason: "no version order for ecosystem \"NuGet\"".to_owned(),
    };
    assert_eq!(
        evaluate(&other("ECOSYSTEM", &["1.0.1"]), "1.0.0"),
        undetermined
    );
}

#[test]
fn a_range_of_another_order_is_semver() {
    let pypi = |kind| Affected {
        ecosystem: Ecosystem::PyPi,
        ..affected(kind, "i0 f1.0.0-rc.2", &[])
    };
    assert!(matches!(
        evaluate(&pypi("SEMVER"), "1.0.0-rc.1"),
        Verdict::Affected { .. }
    ));
    assert!(matches!(
        evaluate(&pypi("ECOSYSTEM"), "1.0.0.dev1"),
        Verdict::Affected { .. }
    ));
    assert!(matches!(
        evaluate(&pypi("SEMVER"), "1.0"),
        Verdict::Undetermined { .. }
    ));
}

#[test]
fn a_release_that_is_not_said_leaves_it_open() {
    let on = |ecosystem: &str| Affected {
        ecosystem: Ecosystem::from_osv(ecosystem),
        package: "curl".to_owned(),
        ..affected("ECOSYSTEM", "i0 f7.88.1-10+deb12u5", &[])
    };
    let verdict = |ecosystem: &str, rest: &str| {
        let purl = format!("pkg:deb/debian/curl@{rest}");
        Matcher::new(&on(ecosystem)).match_component(&Coordinates::from_purl(&purl).unwrap())
    };
    let old = "7.88.1-10%2Bdeb12u4";
    let said = |version: &str, release: &str| format!("{version}?distro=debian-{release}");
    for (ecosystem, rest) in [
        ("Debian:12", said(old, "12")),
        ("Debian:12", said(old, "12.5")),
        ("Debian", old.to_owned()),
        ("Debian", said(old, "11")),
    ] {
        let verdict = verdict(ecosystem, &rest);
        assert!(matches!(verdict, Some(Verdict::Affected { .. })), "{rest}");
    }
    assert_eq!(verdict("Debian:12", &said(old, "11")), None);
    assert_eq!(verdict("Ubuntu:22.04:LTS", old), None);
    assert_eq!(
        verdict("Debian:12", old),
        Some(Verdict::Undetermined {
            reason: "component names no release of Debian, the advisory is on 12".to_owned()
        })
    );
    // Of whatever release it is, this statement does not cover it.
    assert_eq!(verdict("Debian:12", "8.0-1"), Some(Verdict::NotAffected));
}

/// Only where a stretch begins does `0` stand before every version.
#[test]
fn zero_ends_a_stretch_as_the_version_that_it_is() {
    let pypi = |events: &str| Affected {
        ecosystem: Ecosystem::PyPi,
        ..affected("ECOSYSTEM", events, &[])
    };
    let covers = |events: &str, version: &str| {
        matches!(evaluate(&pypi(events), version), Verdict::Affected { .. })
    };
    assert!(covers("i0 l0", "0") && covers("i0 l0", "0.0") && covers("i0 l0", "0.dev1"));
    assert!(!covers("i0 l0", "0.1") && !covers("i0 l0", "2020.2"));
    assert!(covers("i0 f0", "0.dev1") && !covers("i0 f0", "0"));
    assert!(covers("i0 f0 i1 f2", "1.5") && !covers("i0 f0 i1 f2", "0.5"));
}

#[test]
fn what_is_exempt_is_looked_at_first() {
    let but_for = |kind, events, versions: &[&str]| {
        let exempt = affected(kind, events, versions);
        Affected {
            exempt: Portion {
                ranges: exempt.ranges,
                versions: exempt.versions,
            },
            ..affected("SEMVER", "i0 f2.0.0", &["3.0.0"])
        }
    };
    let exempt = but_for("SEMVER", "i1.0.0 f1.2.0|i1.5.0 l1.5.2", &["0.1.0", "3.0.0"]);
    let reading = |version: &str| evaluate(&exempt, version);
    for version in ["1.0.0", "1.1.9", "1.5.2", "0.1.0", "3.0.0", "2.0.0"] {
        assert_eq!(reading(version), Verdict::NotAffected, "{version}");
        assert_eq!(fixed_versions(&exempt, version), [""; 0], "{version}");
    }
    for version in ["0.9.0", "1.2.0", "1.5.3", "0.1.0+build"] {
        assert!(
            matches!(reading(version), Verdict::Affected { .. }),
            "{version}"
        );
        assert_eq!(fixed_versions(&exempt, version), ["2.0.0"], "{version}");
    }
    for (kind, events, why) in [
        ("NEW", "i0", "unknown range type \"NEW\""),
        ("SEMVER", "f1.0.0", "range without an introduced event"),
        ("GIT", "i0", "git range of what is not affected"),
    ] {
        let open = but_for(kind, events, &["1.0.0"]);
        let reason = why.to_owned();
        assert_eq!(doubts(&open), [(None, reason.clone())]);
        let undetermined = Verdict::Undetermined { reason };
        assert_eq!(evaluate(&open, "1.5.0"), undetermined);
        assert_eq!(fixed_versions(&open, "1.5.0"), [""; 0]);
        // Exempt or not, these are not affected.
        assert_eq!(evaluate(&open, "1.0.0"), Verdict::NotAffected);
        assert_eq!(evaluate(&open, "2.5.0"), Verdict::NotAffected);
    }
}

#[test]
fn a_listed_version_may_be_spelt_otherwise() {
    let listed = |ecosystem: &str, listed: &[&str]| {
        Matcher::new(&Affected {
            ecosystem: Ecosystem::from_osv(ecosystem),
            ..affected("ECOSYSTEM", "", listed)
        })
    };
    for (ecosystem, versions, same, others) in [
        (
            "PyPI",
            ["1.0", "2004d"],
            ["1.0.0", "2004d"],
            ["1.0.1", "2004D"],
        ),
        (
            "crates.io",
            ["1.0.0+a", "one"],
            ["1.0.0+a", "one"],
            ["1.0.0+b", "1.0.0"],
        ),
        (
            "Go",
            ["v1.0.0+incompatible", "1.2"],
            ["1.0.0+incompatible", "v1.2.0"],
            ["v1.0.0", "1.2.1"],
        ),
        ("NuGet", ["1.0", "1.1"], ["1.0", "1.1"], ["1.0.0", "1"]),
    ] {
        let matcher = listed(ecosystem, &versions);
        for version in same {
            let verdict = matcher.evaluate(version);
            assert!(matches!(verdict, Verdict::Affected { .. }), "{version}");
        }
        for version in others {
            assert_eq!(matcher.evaluate(version), Verdict::NotAffected, "{version}");
        }
    }
}

#[test]
fn each_of_many_stretches_is_found() {
    let events: String = (1..500).map(|n| format!("i{n}.1.0 f{n}.2.0 ")).collect();
    let matcher = Matcher::new(&affected("SEMVER", &events, &[]));
    for n in 1..500 {
        let fixed = matcher.fixed_versions(&format!("{n}.1.5"));
        assert_eq!(fixed, [format!("{n}.2.0")]);
        for outside in [format!("{n}.0.9"), format!("{n}.2.0")] {
            assert_eq!(matcher.evaluate(&outside), Verdict::NotAffected);
        }
    }
}
