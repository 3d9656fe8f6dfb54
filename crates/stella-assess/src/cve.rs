//! What CVE records say of packages, as it is matched.
//!
//! Most name a vendor and a product, which no package URL does: no component is matched with
//! those. What a record says of versions that it does not list (`unknown`, where it says nothing)
//! makes no finding either.

use stella_formats::{CveAffected, CveRecord, CveVersion};
use stella_matching::{Affected, Coordinates, Ecosystem, Event, Range, RangeKind, is_version};

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

pub(crate) fn packages(record: &CveRecord) -> Vec<NamedPackage> {
    if record.is_rejected() {
        return Vec::new();
    }
    let all = record.containers.iter().flat_map(|one| &one.affected);
    all.filter_map(package).collect()
}

fn package(said: &CveAffected) -> Option<NamedPackage> {
    let (ecosystem, package) = named(said)?;
    let mut affected = Affected {
        ecosystem,
        package,
        ranges: Vec::new(),
        versions: Vec::new(),
    };
    for version in &said.versions {
        read(version, said.default_status.as_deref(), &mut affected);
    }
    let silent = affected.ranges.is_empty() && affected.versions.is_empty();
    if said.default_status.as_deref() == Some("affected") && said.versions.is_empty() {
        affected.ranges.push(range("semver", vec![introduced("0")]));
    } else if said.versions.is_empty() && said.default_status.as_deref() != Some("unaffected") {
        affected.ranges.push(range("unknown status", Vec::new()));
    } else if silent {
        return None;
    }
    Some(NamedPackage {
        pointer: said.pointer.clone(),
        informational: None,
        affected,
    })
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

fn read(version: &CveVersion, default: Option<&str>, affected: &mut Affected) {
    let status = version.status.as_deref().unwrap_or("unknown");
    let kind = version.version_type.as_deref().unwrap_or("custom");
    let end = version
        .less_than
        .as_ref()
        .or(version.less_than_or_equal.as_ref());
    match (status, end) {
        // Where all is affected but what is listed, what is listed cannot be told from the rest.
        ("unaffected", _) if default == Some("affected") => {
            affected
                .ranges
                .push(range("affected but for what is listed", Vec::new()));
        }
        ("unaffected", _) if version.changes.is_empty() => {}
        ("affected" | "unaffected", Some(_)) => {
            affected.ranges.push(stretch(version, status, kind))
        }
        ("affected", None) if version.version == "*" => {
            affected.ranges.push(range(kind, vec![introduced("0")]));
        }
        ("affected", None) if matches!(range(kind, Vec::new()).kind, RangeKind::Git) => {
            affected.ranges.push(range(kind, Vec::new()));
        }
        ("affected", None) if !is_version(&affected.ecosystem, &version.version) => {
            affected
                .ranges
                .push(range("text in place of a version", Vec::new()));
        }
        ("affected", None) => affected.versions.push(version.version.clone()),
        _ => affected.ranges.push(range("unknown status", Vec::new())),
    }
}

/// A range, with what changes within it.
fn stretch(version: &CveVersion, status: &str, kind: &str) -> Range {
    let start = (version.version.as_str(), status);
    let changes = version
        .changes
        .iter()
        .map(|change| (change.at.as_str(), change.status.as_str()));
    let (mut events, mut inside) = (Vec::new(), false);
    for (at, status) in std::iter::once(start).chain(changes) {
        match (status, inside) {
            ("affected", false) => events.push(introduced(at)),
            ("unaffected", true) => events.push(Event::Fixed(at.to_owned())),
            ("affected" | "unaffected", _) => {}
            _ => return range("unknown status", Vec::new()),
        }
        inside = status == "affected";
    }
    let ends = |end: &&String| inside && *end != "*";
    let fixed = version.less_than.as_ref().filter(ends);
    let last = version.less_than_or_equal.as_ref().filter(ends);
    events.extend(fixed.cloned().map(Event::Fixed));
    events.extend(last.cloned().map(Event::LastAffected));
    range(kind, events)
}

fn introduced(at: &str) -> Event {
    Event::Introduced(if at == "*" { "0" } else { at }.to_owned())
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
mod tests {
    use stella_api::findings::Verdict;
    use stella_formats::Body;

    use super::*;
    use crate::cover;

    /// What a record with these versions says of a crate in a version.
    fn said(affected: &str, version: &str) -> Option<(Verdict, String)> {
        let text = format!(
            r#"{{"dataType": "CVE_RECORD", "dataVersion": "5.1", "cveMetadata": {{"cveId": "CVE-2026-1",
            "state": "PUBLISHED"}}, "containers": {{"cna": {{"affected": [{{"packageName": "alpha",
            "collectionURL": "https://crates.io/", {affected}}}]}}}}}}"#
        );
        let Body::Cve(record) = stella_formats::read(text.as_bytes()).unwrap().body else {
            panic!("no record")
        };
        let component = Coordinates::from_purl(&format!("pkg:cargo/alpha@{version}")).unwrap();
        let package = packages(&record).pop()?;
        let coverage = cover(&package.affected, &component)?;
        let told = [coverage.rule, coverage.range].join(" ");
        Some((coverage.verdict, told.trim_end().to_owned()))
    }

    fn range_of(version: &str) -> String {
        format!(r#""versions": [{version}]"#)
    }

    #[test]
    fn ranges_are_those_of_osv() {
        let affected = |told: &str| Some((Verdict::Affected, told.to_owned()));
        let below = range_of(
            r#"{"version": "1.0.0", "lessThan": "2.0.0", "status": "affected", "versionType": "semver"}"#,
        );
        assert_eq!(said(&below, "1.5.0"), affected("range >=1.0.0 <2.0.0"));
        assert_eq!(said(&below, "2.0.0"), None);
        let changing = range_of(
            r#"{"version": "0", "lessThanOrEqual": "3.0.0", "status": "affected", "versionType": "semver",
            "changes": [{"at": "1.0.0", "status": "unaffected"}, {"at": "2.0.0", "status": "affected"}]}"#,
        );
        assert_eq!(said(&changing, "0.5.0"), affected("range <1.0.0"));
        assert_eq!(said(&changing, "1.5.0"), None);
        assert_eq!(said(&changing, "3.0.0"), affected("range >=2.0.0 <=3.0.0"));
        let endless = range_of(
            r#"{"version": "1.0.0", "lessThan": "*", "status": "affected", "versionType": "semver"}"#,
        );
        assert_eq!(said(&endless, "9.0.0"), affected("range >=1.0.0"));
        let single = range_of(r#"{"version": "1.0.0", "status": "affected"}"#);
        assert_eq!(said(&single, "1.0.0"), affected("version *"));
        assert_eq!(said(&single, "1.0.1"), None);
        assert_eq!(
            said(r#""defaultStatus": "affected""#, "1.0.0"),
            affected("range *")
        );
    }

    #[test]
    fn what_cannot_be_compared_is_undetermined() {
        let doubt = |versions: &str, reason: &str| {
            assert_eq!(
                said(versions, "1.5.0"),
                Some((Verdict::Undetermined, reason.to_owned()))
            );
        };
        doubt(
            &range_of(
                r#"{"version": "1", "lessThan": "2", "status": "affected", "versionType": "custom"}"#,
            ),
            "unknown range type \"custom\"",
        );
        doubt(
            &range_of(r#"{"version": "1.0.0", "status": "unknown"}"#),
            "unknown range type \"unknown status\"",
        );
        let listed = range_of(r#"{"version": "1.0.0", "status": "unaffected"}"#);
        doubt(
            &format!(r#""defaultStatus": "affected", {listed}"#),
            "unknown range type \"affected but for what is listed\"",
        );
        assert_eq!(said(&listed, "1.5.0"), None);
        doubt(r#""versions": []"#, "unknown range type \"unknown status\"");
        assert_eq!(
            said(r#""defaultStatus": "unaffected", "versions": []"#, "1.5.0"),
            None
        );
        let commit = r#"{"version": "6c1d", "status": "affected", "versionType": "git"}"#;
        doubt(&range_of(commit), "git range only");
        for text in [
            "< 1.0.0",
            ">= 1, < 2",
            "n/a",
            "all",
            "",
            "1.x",
            "≤2.0.0",
            "~1.0",
            "1.0.0+",
            "before1.5",
            "1.0.0...2.0.0",
            "[0.9;2.0]",
        ] {
            doubt(
                &range_of(&format!(r#"{{"version": "{text}", "status": "affected"}}"#)),
                "unknown range type \"text in place of a version\"",
            );
        }
    }
}
