//! What CVE records say of packages, as it is matched.
//!
//! Most name a vendor and a product, which no package URL does: no component is matched with
//! those. What a record says of versions that it does not list (`unknown`, where it says nothing)
//! makes no finding either.

use std::cmp::Ordering;

use stella_formats::{CveAffected, CveRecord, CveVersion};
use stella_matching::{
    Affected, Coordinates, Ecosystem, Event, Portion, Range, RangeKind, compare, is_version,
};

use crate::coverage::NamedPackage;

/// The collections whose packages are those of an ecosystem, by the addresses that records give.
const COLLECTIONS: [(&str, &str); 9] = [
    ("https://crates.io", "crates.io"),
    ("https://packagist.org", "Packagist"),
    ("https://pkg.go.dev", "Go"),
    ("https://pypi.org", "PyPI"),
    ("https://pypi.python.org", "PyPI"),
    ("https://registry.npmjs.org", "npm"),
    ("https://repo.maven.apache.org/maven2", "Maven"),
    ("https://rubygems.org", "RubyGems"),
    ("https://www.npmjs.com", "npm"),
];

/// What is exempt is told again with each statement that it is before: of a product at most so
/// many times what it lists, since it would grow by the square.
const TOLD_AGAIN: usize = 8;

pub(crate) fn packages(record: &CveRecord) -> Vec<NamedPackage> {
    if record.is_rejected() {
        return Vec::new();
    }
    let all = record.containers.iter().flat_map(|one| &one.affected);
    all.flat_map(stated).collect()
}

fn stated(said: &CveAffected) -> Vec<NamedPackage> {
    let Some((ecosystem, package)) = named(said) else {
        return Vec::new();
    };
    let statements = statements(said, &ecosystem).into_iter();
    let named = statements.map(|(affected, exempt)| NamedPackage {
        pointer: said.pointer.clone(),
        informational: None,
        affected: Affected {
            ecosystem: ecosystem.clone(),
            package: package.clone(),
            ranges: affected.ranges,
            versions: affected.versions,
            exempt,
        },
    });
    named.collect()
}

/// What is affected, with what is exempt from it. The first entry that speaks of a version decides:
/// what is affected by an entry behind one that says otherwise is a statement of its own.
fn statements(said: &CveAffected, ecosystem: &Ecosystem) -> Vec<(Portion, Portion)> {
    let mut all: Vec<(Portion, Portion)> = Vec::new();
    let mut exempt = Portion::default();
    let (mut told, mut is_newest) = (0, false);
    for version in &said.versions {
        let read = read(version, ecosystem);
        if !read.affected.is_empty() {
            match all.last_mut() {
                Some((last, _)) if is_newest => last.extend(read.affected),
                Some((last, _)) if told + exempt.len() > TOLD_AGAIN * said.versions.len() => {
                    last.extend(doubt("statuses that change too often"));
                }
                _ => {
                    told += exempt.len();
                    is_newest = true;
                    all.push((read.affected, exempt.clone()));
                }
            }
        }
        is_newest &= read.decided.is_empty();
        exempt.extend(read.decided);
    }
    match said.default_status.as_deref() {
        Some("affected") => {
            let mut rest = Portion {
                ranges: vec![everything(ecosystem)],
                versions: Vec::new(),
            };
            // Of the last one everything holds more; what is listed counts as it is spelt.
            if let Some((last, _)) = all.pop_if(|_| is_newest) {
                rest.versions = last.versions;
            }
            // First: no version is fixed where an entry ends and all the rest is affected.
            all.insert(0, (rest, exempt));
        }
        Some("unaffected") => {}
        _ if said.versions.is_empty() => all.push((doubt("unknown status"), exempt)),
        _ => {}
    }
    all
}

/// The package of an ecosystem that a record names.
pub(crate) fn named(said: &CveAffected) -> Option<(Ecosystem, String)> {
    let purl = said.purl.as_deref();
    if let Some(at) = purl.and_then(|purl| Coordinates::from_purl(purl).ok()) {
        return Some((at.ecosystem, at.package));
    }
    let collection = said.collection_url.as_deref()?.trim_end_matches('/');
    let known = COLLECTIONS.iter().find(|(url, _)| *url == collection);
    Some((Ecosystem::from_osv(known?.1), said.package_name.clone()?))
}

/// What an entry says of the versions that it is the first to speak of.
#[derive(Default)]
struct Read {
    /// Which are affected, or that nobody can tell.
    affected: Portion,
    /// Which are not, so that no later entry counts for them.
    decided: Portion,
}

fn read(version: &CveVersion, ecosystem: &Ecosystem) -> Read {
    let status = version.status.as_deref().unwrap_or("unknown");
    let is_range = version.less_than.is_some() || version.less_than_or_equal.is_some();
    let known = |status: &str| matches!(status, "affected" | "unaffected");
    let changes = &version.changes;
    if !known(status)
        || is_range && !changes.iter().all(|change| known(&change.status))
        || !is_range && status == "unaffected" && !changes.is_empty()
    {
        let decided = match is_range {
            true => stretches(version, ecosystem, |_| true),
            false => single(version, ecosystem),
        };
        let affected = doubt("unknown status");
        return Read { affected, decided };
    }
    if is_range {
        return Read {
            affected: stretches(version, ecosystem, |status| status == "affected"),
            decided: stretches(version, ecosystem, |status| status == "unaffected"),
        };
    }
    let (mut read, one) = (Read::default(), single(version, ecosystem));
    match status {
        "affected" => read.affected = one,
        _ => read.decided = one,
    }
    read
}

/// What an entry without an end speaks of.
fn single(version: &CveVersion, ecosystem: &Ecosystem) -> Portion {
    let kind = kind(version);
    let one_range = |range| Portion {
        ranges: vec![range],
        versions: Vec::new(),
    };
    if version.version == "*" {
        one_range(range(kind, vec![introduced("0")]))
    } else if range(kind, Vec::new()).kind == RangeKind::Git {
        one_range(range(kind, Vec::new()))
    } else if !is_version(ecosystem, &version.version) {
        doubt("text in place of a version")
    } else {
        Portion {
            ranges: Vec::new(),
            versions: vec![version.version.clone()],
        }
    }
}

/// Where within its range an entry gives versions a status that is asked for.
fn stretches(version: &CveVersion, ecosystem: &Ecosystem, asked: impl Fn(&str) -> bool) -> Portion {
    let status = version.status.as_deref().unwrap_or_default();
    let changes = version.changes.iter();
    let changes = changes.map(|change| (change.at.as_str(), asked(&change.status)));
    let start = (version.version.as_str(), asked(status));
    let (mut events, mut inside) = (Vec::new(), false);
    for (at, wanted) in std::iter::once(start).chain(changes) {
        match (wanted, inside) {
            (true, false) => events.push(introduced(at)),
            (false, true) => events.push(Event::Fixed(at.to_owned())),
            _ => {}
        }
        inside = wanted;
    }
    if events.is_empty() {
        return Portion::default();
    }
    let mut range = range(kind(version), events);
    let is_compared = matches!(range.kind, RangeKind::Semver | RangeKind::Ecosystem);
    if is_compared && !ascends(version, ecosystem) {
        return doubt("bounds that do not ascend");
    }
    let (below, last) = (&version.less_than, &version.less_than_or_equal);
    let bound = |end: &Option<String>| end.clone().filter(|end| inside && end != "*");
    range.events.extend(bound(below).map(Event::Fixed));
    range.events.extend(bound(last).map(Event::LastAffected));
    let mut portion = Portion {
        ranges: vec![range],
        versions: Vec::new(),
    };
    // Up to the lower one both agree.
    if inside
        && below.is_some()
        && last.is_some()
        && ![below, last].iter().all(|end| end.as_deref() == Some("*"))
    {
        portion.extend(doubt("two ends at once"));
    }
    portion
}

/// Whether the bounds of an entry come in the order in which they are read: what it says of the
/// versions between them follows from their places.
fn ascends(version: &CveVersion, ecosystem: &Ecosystem) -> bool {
    let changes = version.changes.iter().map(|change| &change.at);
    let start = Some(&version.version).filter(|start| introduced(start) != introduced("0"));
    let bounds: Vec<&String> = start.into_iter().chain(changes).collect();
    let in_order =
        |low: &&String, high: &&String| compare(ecosystem, low, high) != Ok(Ordering::Greater);
    let ends = [&version.less_than, &version.less_than_or_equal];
    bounds.is_sorted_by(in_order)
        && bounds
            .last()
            .is_none_or(|last| ends.into_iter().flatten().all(|end| in_order(last, &end)))
}

fn kind(version: &CveVersion) -> &str {
    version.version_type.as_deref().unwrap_or("custom")
}

fn introduced(at: &str) -> Event {
    Event::Introduced(if at == "*" { "0" } else { at }.to_owned())
}

/// All versions there are. Those of an ecosystem whose order is not known here may still be SemVer.
fn everything(ecosystem: &Ecosystem) -> Range {
    let kind = match ecosystem {
        Ecosystem::Unsupported(_) => RangeKind::Semver,
        _ => RangeKind::Ecosystem,
    };
    Range {
        kind,
        events: vec![introduced("0")],
    }
}

/// What no version can be compared with.
fn doubt(why: &str) -> Portion {
    Portion {
        ranges: vec![range(why, Vec::new())],
        versions: Vec::new(),
    }
}

/// Only an order that has a name of its own is compared by: `custom` is none.
fn range(kind: &str, events: Vec<Event>) -> Range {
    let kind = match kind {
        "semver" => RangeKind::Semver,
        "git" | "original_commit_for_fix" => RangeKind::Git,
        "maven" | "npm" | "python" => RangeKind::Ecosystem,
        other => RangeKind::Other(other.to_owned()),
    };
    Range { kind, events }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
