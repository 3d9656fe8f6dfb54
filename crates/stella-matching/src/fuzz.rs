use crate::vers::Vers;
use crate::{
    Affected, Coordinates, Ecosystem, Event, Matcher, Portion, Range, RangeKind, Verdict, Version,
};

/// Reads bytes as package URLs, versions and events, line by line, and asserts the laws that
/// hold for any input: nothing panics, canonical URLs stay as they are, the order of versions
/// is a total one, the order of events does not change an answer, and nothing that is exempt is
/// affected.
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.split('\n').take(16).collect();
    for line in &lines {
        purl_laws(line);
        range_laws(line, &lines);
    }
    for ecosystem in ["crates.io", "Go", "npm", "PyPI", "Debian:12", "NuGet"] {
        let ecosystem = Ecosystem::from_osv(ecosystem);
        spelling_laws(&ecosystem, &lines);
        order_laws(&ecosystem, &lines);
        for kind in ["SEMVER", "ECOSYSTEM", "GIT", ""] {
            evaluation_laws(&ecosystem, RangeKind::from(kind.to_owned()), &lines);
        }
    }
}

fn purl_laws(text: &str) {
    let Ok(read) = Coordinates::from_purl(text) else {
        return;
    };
    assert!(
        read.is_named(&read.ecosystem, &read.package),
        "{text:?} names its package"
    );
    assert!(
        read.speaks_of(&read) || read.version.is_none(),
        "{text:?} speaks of itself"
    );
    if let Ok(again) = Coordinates::from_purl(&read.purl) {
        assert_eq!(again.purl, read.purl, "{text:?} is canonical once read");
    }
}

/// The order of the constraints of a range changes nothing.
fn range_laws(constraints: &str, lines: &[&str]) {
    let mut turned: Vec<&str> = constraints.split('|').collect();
    turned.reverse();
    let read = |constraints: &str| Vers::parse(&format!("vers:npm/{constraints}"), &Ecosystem::Npm);
    let (one, other) = (read(constraints), read(&turned.join("|")));
    assert_eq!(one.is_ok(), other.is_ok(), "{constraints:?} turned");
    let (Ok(one), Ok(other)) = (one, other) else {
        return;
    };
    for version in lines {
        if let Ok(version) = Version::parse(&Ecosystem::Npm, version) {
            assert_eq!(
                one.holds(&version),
                other.holds(&version),
                "{constraints:?} turned"
            );
        }
    }
}

/// What an ecosystem lets people write in more than one way has one place in its order.
fn spelling_laws(ecosystem: &Ecosystem, lines: &[&str]) {
    for line in lines {
        let Ok(version) = Version::parse(ecosystem, line) else {
            continue;
        };
        let other = match ecosystem {
            Ecosystem::Npm => format!(" =v{line} "),
            Ecosystem::PyPi
                if line.starts_with(['v', 'V']) || line.starts_with(char::is_whitespace) =>
            {
                line.to_uppercase()
            }
            Ecosystem::PyPi => format!(" v{} ", line.to_ascii_uppercase()),
            Ecosystem::Debian(_) if line.contains(':') => format!("00{}", line.trim_start()),
            Ecosystem::Debian(_) => format!("0:{}", line.trim_start()),
            _ => (*line).to_owned(),
        };
        let other = Version::parse(ecosystem, &other);
        assert_eq!(
            other.as_ref(),
            Ok(&version),
            "{line:?} is spelled otherwise"
        );
    }
}

fn order_laws(ecosystem: &Ecosystem, lines: &[&str]) {
    let mut versions: Vec<Version> = lines
        .iter()
        .filter_map(|line| Version::parse(ecosystem, line).ok())
        .collect();
    versions.sort();
    for (at, left) in versions.iter().enumerate() {
        for right in &versions[at..] {
            assert!(left <= right, "{versions:?} is transitive");
            assert_eq!(
                left.cmp(right),
                right.cmp(left).reverse(),
                "{left:?} and {right:?} are antisymmetric"
            );
        }
    }
}

fn evaluation_laws(ecosystem: &Ecosystem, kind: RangeKind, lines: &[&str]) {
    let Some((version, lines)) = lines.split_first() else {
        return;
    };
    let mut events: Vec<Event> = lines.iter().filter_map(|line| event(line)).collect();
    let versions = lines
        .iter()
        .filter(|line| line.starts_with('='))
        .map(|line| line[1..].to_owned())
        .collect();
    let mut affected = Affected {
        ecosystem: ecosystem.clone(),
        package: String::new(),
        ranges: vec![Range {
            kind,
            events: events.clone(),
        }],
        versions,
        exempt: Portion::default(),
    };
    let verdict = Matcher::new(&affected).evaluate(version);
    if !matches!(verdict, Verdict::Affected { .. }) {
        assert!(
            Matcher::new(&affected).fixed_versions(version).is_empty(),
            "only what is affected is fixed"
        );
    }
    let determined = !matches!(verdict, Verdict::Undetermined { .. });
    events.reverse();
    affected.ranges[0].events = events;
    let reversed = Matcher::new(&affected).evaluate(version);
    assert!(
        reversed == verdict || !determined && matches!(reversed, Verdict::Undetermined { .. }),
        "{verdict:?} but reversed {reversed:?}"
    );
    affected.exempt = Portion {
        ranges: affected.ranges.clone(),
        versions: affected.versions.clone(),
    };
    let exempt = Matcher::new(&affected).evaluate(version);
    assert!(
        !matches!(exempt, Verdict::Affected { .. })
            && (exempt == Verdict::NotAffected || verdict != Verdict::NotAffected),
        "{verdict:?} but exempt {exempt:?}"
    );
    assert!(
        Matcher::new(&affected).fixed_versions(version).is_empty(),
        "exempt"
    );
    affected.exempt.versions.push((*version).to_owned());
    assert_eq!(
        Matcher::new(&affected).evaluate(version),
        Verdict::NotAffected,
        "exempt"
    );
}

/// `i`, `f`, `l` or `u` before the version: introduced, fixed, last affected, limit.
fn event(line: &str) -> Option<Event> {
    let mut chars = line.chars();
    let kind = chars.next()?;
    let version = chars.as_str().to_owned();
    match kind {
        'i' => Some(Event::Introduced(version)),
        'f' => Some(Event::Fixed(version)),
        'l' => Some(Event::LastAffected(version)),
        'u' => Some(Event::Limit(version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Few numbers, so that equal versions and neighbours are common.
    fn version() -> impl Strategy<Value = String> {
        let core = "(v|go)?(0|[1-3](\\.[0-3]){0,2})";
        let pre = "(-(0|rc\\.[0-9]|a[0-9]?|0\\.2022072215521[0-9]-630584e8d5aa))?";
        let odd = "1\\.20rc[12]|\\*|\\(devel\\)";
        let python = "[0-1]!?[0-2](\\.0)?[._-]?(a|B|rc|pre|post|r|dev)?[._-]?[0-2]?(\\.?dev[01])?(\\+[a1](\\.[b2])?)?";
        let debian = "([01]:)?[0-2][.~+a0-2-]{0,6}[0-2a]";
        prop_oneof![
            9 => (core, pre, "(\\+(incompatible|b))?").prop_map(|(core, pre, build)| core + &pre + &build),
            3 => python,
            3 => debian,
            1 => odd,
        ]
    }

    proptest! {
        #[test]
        fn laws_hold_for_versions_and_events(asked in version(), lines in vec(("[iflu=]?", version()), 0..10)) {
            let lines: Vec<String> = lines.into_iter().map(|(kind, version)| kind + &version).collect();
            super::fuzz(format!("{asked}\n{}", lines.join("\n")).as_bytes());
        }

        #[test]
        fn laws_hold_for_package_urls(
            ty in "pkg:/{0,2}(golang|cargo|npm|maven|[a-z]{1,3})/",
            name in "[a-zA-Z0-9./%@_-]{0,16}",
            version in "(@(v?[0-9.]{0,5}|%[0-9a-f]{2}))?",
            rest in "([?][a-z=&]{0,6})?(#[a-z./%v0-9]{0,8})?",
        ) {
            super::fuzz((ty + &name + &version + &rest).as_bytes());
        }

        #[test]
        fn laws_hold_for_any_bytes(data in vec(any::<u8>(), 0..64)) {
            super::fuzz(&data);
        }
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("versions", super::fuzz);
    }

    /// What is not linear would not end.
    #[test]
    fn a_version_of_any_length_is_read_and_compared() {
        for part in [
            "0", "1.", "a", "~", "-", "1a", "0.0", "+a", ":", "=v", "_1", ".dev",
        ] {
            let long = part.repeat(20_000);
            let lines = [
                &long,
                &format!("1{long}"),
                &format!("1.2.3-{long}1"),
                &format!("1.2.3-{long}2"),
            ];
            super::fuzz(lines.map(String::as_str).join("\n").as_bytes());
        }
    }
}
