//! The evaluation algorithm of the OSV schema,
//! <https://ossf.github.io/osv-schema/#evaluation>.

use serde::{Deserialize, Serialize};

use crate::stretch::{self, Stretch};
use crate::version::same_version;
use crate::{Affected, Coordinates, Ecosystem, Portion, Range, RangeKind, Version};

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
/// over where anything else is published. Of a version that may be exempt nobody can tell that it
/// is affected.
#[must_use]
pub fn evaluate(affected: &Affected, version: &str) -> Verdict {
    match exempted(affected, version) {
        Ok(true) => Verdict::NotAffected,
        Ok(false) => covered(affected, version),
        Err(reason) => match covered(affected, version) {
            Verdict::Affected { .. } => Verdict::Undetermined { reason },
            open => open,
        },
    }
}

/// Whether a version is exempt, or why nobody can tell.
fn exempted(affected: &Affected, version: &str) -> Result<bool, String> {
    let Portion { ranges, versions } = &affected.exempt;
    let mut doubt = None;
    for range in ranges {
        match of_versions(range)
            .and_then(|()| stretch::covering(&affected.ecosystem, range, version))
        {
            Ok(Some(_)) => return Ok(true),
            Ok(None) => {}
            Err(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    let listed = |listed: &String| same_version(&affected.ecosystem, listed, version);
    if versions.iter().any(listed) {
        return Ok(true);
    }
    doubt.map_or(Ok(false), Err)
}

/// What commits are exempt says nothing of versions, and no other range says it again.
fn of_versions(range: &Range) -> Result<(), String> {
    match range.kind {
        RangeKind::Git => Err("git range of what is not affected".to_owned()),
        _ => Ok(()),
    }
}

/// What [`evaluate()`] says where nothing is exempt.
fn covered(affected: &Affected, version: &str) -> Verdict {
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

/// Why a statement leaves versions undetermined, whichever they are: of a range with its index, or
/// of the whole, as of what is exempt.
#[must_use]
pub fn doubts(affected: &Affected) -> Vec<(Option<usize>, String)> {
    let ranges = affected.ranges.iter().enumerate();
    let compared = ranges.filter(|(_, range)| range.kind != RangeKind::Git);
    let doubted = compared.filter_map(|(at, range)| {
        Some((Some(at), stretch::unreadable(&affected.ecosystem, range)?))
    });
    let exempt = affected.exempt.ranges.iter().filter_map(|range| {
        let unreadable = || stretch::unreadable(&affected.ecosystem, range);
        Some((None, of_versions(range).err().or_else(unreadable)?))
    });
    let silent = silence(affected).map(|reason| (None, reason));
    doubted.chain(exempt).chain(silent).collect()
}

/// Says whether an advisory's statement covers a component; `None` where it speaks of another
/// package.
#[must_use]
pub fn match_component(affected: &Affected, component: &Coordinates) -> Option<Verdict> {
    if !component.is_named(&affected.ecosystem, &affected.package) {
        return None;
    }
    Some(match &component.version {
        Some(version) => evaluate_in(affected, &component.ecosystem, version),
        None => Verdict::Undetermined {
            reason: "component has no version".to_owned(),
        },
    })
}

/// Says whether an advisory's statement covers a version of a package by name; `None` where it
/// speaks of another package.
#[must_use]
pub fn match_package(
    affected: &Affected,
    ecosystem: &Ecosystem,
    package: &str,
    version: &str,
) -> Option<Verdict> {
    let named =
        affected.ecosystem.may_be(ecosystem) && ecosystem.same_package(package, &affected.package);
    named.then(|| evaluate_in(affected, ecosystem, version))
}

/// A statement on one release of a distribution that would cover a version whose release is not
/// said is undetermined: it may be of that release or of another, where the same version is
/// fixed or never was affected.
fn evaluate_in(affected: &Affected, ecosystem: &Ecosystem, version: &str) -> Verdict {
    let verdict = evaluate(affected, version);
    match (&verdict, affected.ecosystem.release(), ecosystem.release()) {
        (Verdict::Affected { .. }, Some(release), None) => Verdict::Undetermined {
            reason: format!(
                "component names no release of {}, the advisory is on {release}",
                ecosystem.family()
            ),
        },
        _ => verdict,
    }
}

/// The versions that end the stretches which cover a version, as published, in ascending order
/// and each once; empty where none covers it or none is fixed.
#[must_use]
pub fn fixed_versions(affected: &Affected, version: &str) -> Vec<String> {
    if exempted(affected, version) != Ok(false) {
        return Vec::new();
    }
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
#[allow(clippy::unwrap_used)]
mod tests;
