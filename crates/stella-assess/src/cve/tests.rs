use stella_api::findings::Verdict;
use stella_formats::Body;

use super::*;
use crate::cover;

/// What a record with these versions says of packages.
fn all_of(collection: &str, affected: &str) -> Vec<NamedPackage> {
    let text = format!(
        r#"{{"dataType": "CVE_RECORD", "dataVersion": "5.1", "cveMetadata": {{"cveId": "CVE-2026-1",
        "state": "PUBLISHED"}}, "containers": {{"cna": {{"affected": [{{"packageName": "alpha",
        "collectionURL": "{collection}", {affected}}}]}}}}}}"#
    );
    let Body::Cve(record) = stella_formats::read(text.as_bytes()).unwrap().body else {
        panic!("no record")
    };
    packages(&record)
}

/// What a record with these versions says of a crate in a version.
fn said(affected: &str, version: &str) -> Option<(Verdict, String)> {
    let packages = all_of("https://crates.io/", affected);
    said_by(&packages, &format!("pkg:cargo/alpha@{version}"))
}

fn said_by(packages: &[NamedPackage], purl: &str) -> Option<(Verdict, String)> {
    let component = Coordinates::from_purl(purl).unwrap();
    let covering = packages
        .iter()
        .filter_map(|package| cover(&package.matcher(), &component));
    // What says "affected" stands before what is in doubt, and else the first.
    let coverage = covering.min_by_key(|coverage| coverage.verdict != Verdict::Affected)?;
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

const AFFECTED: Option<Verdict> = Some(Verdict::Affected);
const UNDETERMINED: Option<Verdict> = Some(Verdict::Undetermined);

/// An entry: `1.0.0 <2.0.0 affected`, `1.0.0 <=2.0.0 unaffected custom`, `1.5.0 unknown`.
fn entry(text: &str) -> String {
    let (mut version, mut kind) = (serde_json::Map::new(), "semver");
    for (n, word) in text.split(' ').enumerate() {
        let (key, value) = match word.split_once('<') {
            _ if n == 0 => ("version", word),
            Some((_, end)) => match end.strip_prefix('=') {
                Some(last) => ("lessThanOrEqual", last),
                None => ("lessThan", end),
            },
            None if matches!(word, "affected" | "unaffected" | "unknown") => ("status", word),
            None => {
                kind = word;
                continue;
            }
        };
        version.insert(key.to_owned(), value.into());
    }
    version.insert("versionType".to_owned(), kind.into());
    serde_json::Value::from(version).to_string()
}

fn entries(default: &str, entries: &[&str]) -> String {
    let versions: Vec<String> = entries.iter().map(|text| entry(text)).collect();
    let versions = versions.join(", ");
    format!(r#""defaultStatus": "{default}", "versions": [{versions}]"#)
}

/// What is said of versions of a crate, and by how many statements.
fn says(default: &str, listed: &[&str], expected: &[(&str, Option<Verdict>)]) -> usize {
    let text = entries(default, listed);
    for (version, verdict) in expected {
        let found = said(&text, version);
        let told = found.as_ref().map(|(verdict, _)| *verdict);
        assert_eq!(told, *verdict, "{default} {listed:?}: {version} {found:?}");
    }
    all_of("https://crates.io", &text).len()
}

#[test]
fn what_no_entry_speaks_of_is_as_the_rest_is() {
    let listed = "1.0.0 <2.0.0 affected";
    let all = [
        ("1.5.0", AFFECTED),
        ("3.0.0", AFFECTED),
        ("0.1.0", AFFECTED),
    ];
    assert_eq!(says("affected", &[listed], &all), 1);
    let listed_only = [("1.5.0", AFFECTED), ("3.0.0", None), ("0.1.0", None)];
    assert_eq!(says("unaffected", &[listed], &listed_only), 1);
    assert_eq!(says("unknown", &[listed], &listed_only), 1);
    // Where all is affected nothing is fixed where an entry ends.
    let text = entries("affected", &[listed, "1.9.0 unaffected"]);
    assert_eq!(
        said(&text, "1.5.0"),
        Some((Verdict::Affected, "range *".to_owned()))
    );
    assert_eq!(
        said(&text, "1.9.0"),
        Some((Verdict::Affected, "range >=1.0.0 <2.0.0".to_owned()))
    );
}

#[test]
fn all_is_affected_but_what_is_listed() {
    let but_for = |listed: &[&str], expected: &[(&str, Option<Verdict>)]| {
        assert_eq!(says("affected", listed, expected), 1, "{listed:?}");
    };
    let fixed = [("1.0.0", None), ("1.5.0", AFFECTED), ("1.0.1", AFFECTED)];
    but_for(&["1.0.0 unaffected"], &fixed);
    let ranges = ["0 <1.0.0 unaffected", "2.0.0 <=* unaffected"];
    let between = [
        ("0.5.0", None),
        ("1.0.0", AFFECTED),
        ("1.9.9", AFFECTED),
        ("2.0.0", None),
    ];
    but_for(&ranges, &between);
    let doubted = ["1.0.0 unaffected", "2 <3 unaffected custom"];
    but_for(&doubted, &[("1.0.0", None), ("1.5.0", UNDETERMINED)]);
    for unread in ["6c1d unaffected git", "~1.0 unaffected"] {
        but_for(&[unread], &[("1.5.0", UNDETERMINED)]);
    }
    let python = all_of(
        "https://pypi.org",
        &entries("affected", &["2.0 unaffected python"]),
    );
    let verdict = |version: &str| said_by(&python, &format!("pkg:pypi/alpha@{version}"));
    assert_eq!(verdict("1.0.post1").map(|told| told.0), AFFECTED);
    assert_eq!(verdict("2.0.0"), None);
    // Of an ecosystem without an order here what is SemVer is read.
    let maven = "https://repo.maven.apache.org/maven2";
    let java = all_of(maven, &entries("affected", &["1.0.0 affected"]));
    let verdict = |version: &str| said_by(&java, &format!("pkg:maven/alpha@{version}"));
    assert_eq!(verdict("2.0.0").map(|told| told.0), AFFECTED);
    assert_eq!(verdict("2.0").map(|told| told.0), UNDETERMINED);
}

#[test]
fn the_first_entry_that_speaks_of_a_version_decides() {
    let (all, one) = ("0 <2.0.0 affected", "1.5.0 unaffected");
    let rest = [("1.4.0", AFFECTED), ("1.5.1", AFFECTED), ("2.0.0", None)];
    let but_one = [&rest[..], &[("1.5.0", None)]].concat();
    assert_eq!(says("unaffected", &[one, all], &but_one), 1);
    let with_one = [&rest[..], &[("1.5.0", AFFECTED)]].concat();
    assert_eq!(says("unaffected", &[all, one], &with_one), 1);
    let turns = [
        "1.2.0 <1.3.0 affected",
        "1.0.0 <1.8.0 unaffected",
        all,
        "1.9.0 affected",
    ];
    let turned = [
        ("1.2.5", AFFECTED),
        ("1.5.0", None),
        ("1.8.0", AFFECTED),
        ("0.1.0", AFFECTED),
    ];
    assert_eq!(says("unaffected", &turns, &turned), 2);
    let fixed = [("1.2.5", AFFECTED), ("1.5.0", None), ("9.0.0", AFFECTED)];
    assert_eq!(says("affected", &turns, &fixed), 2);
    // What nobody knows first is not what a later entry says of it.
    let unknown = ["1.0.0 <1.2.0 unknown", all, "1.7.0 unknown"];
    let open = [
        ("1.1.0", UNDETERMINED),
        ("1.7.0", AFFECTED),
        ("5.0.0", UNDETERMINED),
    ];
    assert_eq!(says("unaffected", &unknown, &open), 2);
    let known = [
        ("1.1.0", UNDETERMINED),
        ("1.7.0", AFFECTED),
        ("5.0.0", AFFECTED),
    ];
    says("affected", &unknown, &known);
    let doubted = ["1 <1.5 unaffected custom", all];
    assert_eq!(
        says(
            "unaffected",
            &doubted,
            &[("1.6.0", UNDETERMINED), ("2.0.0", None)]
        ),
        1
    );
    let changing = format!(
        r#""versions": [{{"version": "1.0.0", "lessThan": "1.8.0", "status": "affected", "versionType": "semver",
        "changes": [{{"at": "1.5.0", "status": "unaffected"}}]}}, {}]"#,
        entry(all)
    );
    let verdict = |version: &str| said(&changing, version).map(|told| told.0);
    assert_eq!(
        ["1.4.0", "1.5.0", "1.8.0"].map(verdict),
        [AFFECTED, None, AFFECTED]
    );
}

#[test]
fn bounds_that_contradict_leave_it_open() {
    let two = "1.0.0 <2.0.0 <=3.0.0 affected";
    let between = [
        ("1.5.0", AFFECTED),
        ("2.0.0", UNDETERMINED),
        ("3.0.0", UNDETERMINED),
    ];
    says("unaffected", &[two], &between);
    says(
        "unaffected",
        &["1.0.0 <* <=* affected"],
        &[("9.0.0", AFFECTED), ("0.9.0", None)],
    );
    let exempt = "1.0.0 <2.0.0 <=3.0.0 unaffected";
    let but_for = [("1.5.0", None), ("2.5.0", UNDETERMINED)];
    says("affected", &[exempt], &but_for);
    for backwards in ["2.0.0 <1.0.0 affected", "2.0.0 <=1.0.0 affected"] {
        says(
            "unaffected",
            &[backwards],
            &[("1.5.0", UNDETERMINED), ("3.0.0", UNDETERMINED)],
        );
    }
}

/// Else what is told again would grow by the square of what is listed.
#[test]
fn a_status_that_changes_without_end_is_not_followed() {
    let turn = |n: usize| {
        [
            format!("{n}.0.0 unaffected"),
            format!("{n}.1.0 <{n}.5.0 affected"),
        ]
    };
    let listed: Vec<String> = (1..200).flat_map(turn).collect();
    let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
    let text = entries("unaffected", &listed);
    let packages = all_of("https://crates.io", &text);
    let told: usize = packages
        .iter()
        .map(|package| package.affected.exempt.len())
        .sum();
    assert!(told <= TOLD_AGAIN * listed.len(), "{told}");
    let verdict = |purl| said_by(&packages, purl).map(|told| told.0);
    assert_eq!(verdict("pkg:cargo/alpha@9.2.0"), AFFECTED);
    assert_eq!(verdict("pkg:cargo/alpha@190.2.0"), UNDETERMINED);
}
