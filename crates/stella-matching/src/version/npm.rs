//! Versions of npm packages as node-semver reads them where it is loose, which is how npm reads
//! what is published: blanks, `v` or `=` in front, zeros that lead, and a pre-release without
//! its hyphen. What it reads strictly too has the same place in the order.

use semver::{BuildMetadata, Prerelease, Version};

use crate::Error;

pub(super) fn parse(version: &str) -> Result<Version, Error> {
    read(version).ok_or_else(|| Error::Version {
        version: version.to_owned(),
        order: "npm",
        reason: "not as node-semver has it".to_owned(),
    })
}

fn read(text: &str) -> Option<Version> {
    let text = text.trim_end();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == 'v' || c == '=');
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    // The registry takes no second release that differs in this alone: it is read, and dropped.
    if build.is_some_and(|build| build.is_empty() || BuildMetadata::new(build).is_err()) {
        return None;
    }
    let (major, text) = number(text)?;
    let (minor, text) = number(text.strip_prefix('.')?)?;
    let (patch, text) = number(text.strip_prefix('.')?)?;
    let pre = match text.strip_prefix('-').unwrap_or(text) {
        "" if !text.is_empty() => return None,
        pre => pre,
    };
    let pre: Vec<&str> = pre.split('.').map(without_zeros).collect();
    Some(Version {
        major,
        minor,
        patch,
        pre: Prerelease::new(&pre.join(".")).ok()?,
        build: BuildMetadata::EMPTY,
    })
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    Some((digits.parse().ok()?, rest))
}

/// An identifier that is a number, as strict SemVer writes it.
fn without_zeros(identifier: &str) -> &str {
    if !identifier.bytes().all(|byte| byte.is_ascii_digit()) {
        return identifier;
    }
    match identifier.trim_start_matches('0') {
        "" => &identifier[..identifier.len().min(1)],
        number => number,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_published_before_npm_was_strict() {
        for (written, strict) in [
            ("1.2.3", "1.2.3"),
            (" =v1.2.3 ", "1.2.3"),
            ("01.02.03", "1.2.3"),
            ("1.2.3beta", "1.2.3-beta"),
            ("1.2.3-beta.01", "1.2.3-beta.1"),
            ("1.2.3-00", "1.2.3-0"),
            ("1.2.3--1", "1.2.3--1"),
            ("1.2.3+sha.01", "1.2.3"),
        ] {
            assert_eq!(
                parse(written).unwrap(),
                Version::parse(strict).unwrap(),
                "{written}"
            );
        }
    }

    #[test]
    fn refuses_what_has_no_place_in_the_order() {
        for version in [
            "",
            "v",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.x",
            "latest",
            "1.2.3 beta",
        ] {
            assert!(parse(version).is_err(), "{version:?}");
        }
    }
}
