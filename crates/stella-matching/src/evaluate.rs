//! The evaluation algorithm of the OSV schema,
//! <https://ossf.github.io/osv-schema/#evaluation>.

use serde::{Deserialize, Serialize};

use crate::stretch::{self, Stretch};
use crate::version::same_version;
use crate::{Affected, Coordinates, Range, RangeKind, Version};

/// Whether a version is affected, and what said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "verdict",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Verdict {
    /// The version is covered.
    Affected {
        /// What covers it.
        rule: Rule,
        /// Where the covering stretch begins, as published; absent where the version was listed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        introduced: Option<String>,
        /// The first version after the stretch that is not affected, as published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fixed: Option<String>,
        /// The last version of the stretch, as published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_affected: Option<String>,
    },
    /// The version was compared with all that is published and is not covered.
    NotAffected,
    /// The version could not be compared with all that is published.
    Undetermined {
        /// Why, in lower case.
        reason: String,
    },
}

/// The part of an advisory that covers a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// A range's events.
    Range,
    /// The list of versions.
    Version,
}

/// Says whether a version is covered by what an advisory says about its package. Neither the
/// order of events nor that of ranges changes whether it is.
///
/// A list of versions and ranges are alternatives: one that covers is enough. Where none does,
/// one that could not be compared makes the answer undetermined. Ranges of commits are passed
/// over where anything else is published.
#[must_use]
pub fn evaluate(affected: &Affected, version: &str) -> Verdict {
    let mut doubt = None;
    for range in comparable(affected) {
        match stretch::covering(&affected.ecosystem, range, version) {
            Ok(Some(stretch)) => return by_range(&stretch),
            Ok(None) => {}
            Err(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    if affected
        .versions
        .iter()
        .any(|listed| same_version(&affected.ecosystem, listed, version))
    {
        return Verdict::Affected {
            rule: Rule::Version,
            introduced: None,
            fixed: None,
            last_affected: None,
        };
    }
    if let Some(reason) = doubt.or_else(|| silence(affected)) {
        return Verdict::Undetermined { reason };
    }
    Verdict::NotAffected
}

/// Says whether an advisory's statement covers a component; `None` where it speaks of another
/// package.
#[must_use]
pub fn match_component(affected: &Affected, component: &Coordinates) -> Option<Verdict> {
    if !component.is_named(&affected.ecosystem, &affected.package) {
        return None;
    }
    Some(match &component.version {
        Some(version) => evaluate(affected, version),
        None => Verdict::Undetermined {
            reason: "component has no version".to_owned(),
        },
    })
}

/// The versions that end the stretches which cover a version, as published, in ascending order
/// and each once; empty where none covers it or none is fixed.
#[must_use]
pub fn fixed_versions(affected: &Affected, version: &str) -> Vec<String> {
    let mut fixed: Vec<(Version, String)> = comparable(affected)
        .filter_map(|range| {
            stretch::covering(&affected.ecosystem, range, version)
                .ok()??
                .fixed
        })
        .collect();
    fixed.sort();
    fixed.dedup();
    fixed.into_iter().map(|(_, text)| text).collect()
}

fn comparable(affected: &Affected) -> impl Iterator<Item = &Range> {
    affected
        .ranges
        .iter()
        .filter(|range| range.kind != RangeKind::Git)
}

/// Why an advisory that covers nothing and raised no doubt still says nothing of a version.
fn silence(affected: &Affected) -> Option<String> {
    if !affected.versions.is_empty() || comparable(affected).next().is_some() {
        None
    } else if affected.ranges.is_empty() {
        Some("neither ranges nor versions".to_owned())
    } else {
        Some("git range only".to_owned())
    }
}

fn by_range(stretch: &Stretch) -> Verdict {
    Verdict::Affected {
        rule: Rule::Range,
        introduced: Some(stretch.introduced.clone()),
        fixed: stretch.fixed.as_ref().map(|(_, text)| text.clone()),
        last_affected: stretch.last_affected.as_ref().map(|(_, text)| text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ecosystem, Event};

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
            ecosystem: Ecosystem::Unsupported("npm".to_owned()),
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
            reason: "no version order for ecosystem \"npm\"".to_owned(),
        };
        assert_eq!(
            evaluate(&other("ECOSYSTEM", &["1.0.1"]), "1.0.0"),
            undetermined
        );
    }
}
