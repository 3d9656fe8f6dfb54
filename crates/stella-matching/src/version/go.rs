//! Versions of Go modules (`golang.org/x/mod/semver`: `v1.2.3`, pseudo-versions,
//! `+incompatible`, short forms `v1` and `v1.2`; the `v` is left out in OSV documents) and of
//! Go itself (`go1.21.3`, `1.20rc1`, toolchain names such as `go1.21.3-vendor`).

use semver::{BuildMetadata, Prerelease, Version};

use crate::Error;

pub(super) fn parse(version: &str) -> Result<Version, Error> {
    // `go version` appends experiments after a blank: `go1.21.3 X:boringcrypto`.
    let read = match version.strip_prefix("go") {
        Some(release) => go_release(release.split(' ').next().unwrap_or(release)),
        None => module(version.strip_prefix('v').unwrap_or(version)),
    };
    read.map_err(|reason| Error::Version {
        version: version.to_owned(),
        order: "Go",
        reason,
    })
}

fn module(version: &str) -> Result<Version, String> {
    match short(version) {
        Some(short) => Ok(short),
        None => Version::parse(version).map_err(|error| error.to_string()),
    }
}

/// Since Go 1.21 a toolchain's name may end in `-` and its builder's mark, which does not count
/// in comparisons; OSV's own spelling of a release candidate, `1.20.0-rc.1`, is not one.
fn go_release(release: &str) -> Result<Version, String> {
    match release.split_once('-') {
        Some((number, mark)) if !is_osv_prerelease(mark) => module(number),
        _ => module(release),
    }
}

fn is_osv_prerelease(mark: &str) -> bool {
    mark == "0" || mark.starts_with("rc.") || mark.starts_with("beta.")
}

/// `1`, `1.2`, `1.20rc1`, `1.9.2rc2`: what SemVer does not have. OSV writes the candidates
/// `1.20.0-rc.1` and `1.9.2-rc.2`.
fn short(version: &str) -> Option<Version> {
    let letters = version.find(|c: char| c.is_ascii_lowercase());
    let (numbers, candidate) = version.split_at(letters.unwrap_or(version.len()));
    let mut core = [0_u64; 3];
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > core.len() || (parts.len() == core.len() && candidate.is_empty()) {
        return None;
    }
    for (slot, part) in core.iter_mut().zip(parts) {
        *slot = number(part)?;
    }
    let pre = match candidate {
        "" => Prerelease::EMPTY,
        _ => ["rc", "beta"].iter().find_map(|kind| {
            let count = number(candidate.strip_prefix(kind)?)?;
            Prerelease::new(&format!("{kind}.{count}")).ok()
        })?,
    };
    Some(Version {
        major: core[0],
        minor: core[1],
        patch: core[2],
        pre,
        build: BuildMetadata::EMPTY,
    })
}

fn number(text: &str) -> Option<u64> {
    let leading_zero = text.len() > 1 && text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ascends() {
        let ascending = [
            "v0.0.0-20190825152654-46b345b51c96",
            "0.0.0-20220722155217-630584e8d5aa",
            "v0.0.1",
            "v0.3.8-0.20211004125949-5bd84dd9b33b",
            "v0.3.8",
            "v1.0.0-rc.1",
            "v1",
            "v1.2",
            "v1.2.3",
            "v1.2.4-0.20200219035652-afde56e7acac",
            "v2.0.0+incompatible",
            "v20.10.24+incompatible",
        ];
        for pair in ascending.windows(2) {
            let (left, right) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert!(
                left.cmp_precedence(&right).is_lt(),
                "{} < {}",
                pair[0],
                pair[1]
            );
        }
    }

    #[test]
    fn reads_releases_of_go_as_osv_writes_them() {
        for (written, osv) in [
            ("go1.20", "1.20.0"),
            ("1.20rc1", "1.20.0-rc.1"),
            ("go1.20rc1", "1.20.0-rc.1"),
            ("go1.9.2rc2", "1.9.2-rc.2"),
            ("go1.8beta2", "1.8.0-beta.2"),
            ("go1.21.3", "1.21.3"),
            ("go1.21.3-vendor", "1.21.3"),
            ("go1.20.0-rc.1", "1.20.0-rc.1"),
            ("go1.21.3 X:boringcrypto", "1.21.3"),
            ("v1.23.12", "1.23.12"),
        ] {
            assert_eq!(
                parse(written).unwrap(),
                Version::parse(osv).unwrap(),
                "{written}"
            );
        }
    }

    #[test]
    fn refuses_what_has_no_place_in_the_order() {
        for version in [
            "(devel)",
            "",
            "v",
            "go",
            "latest",
            "v1.02.3",
            "1.2.3.4",
            "v1-rc1",
            "devel go1.22-abc",
            "1.20gamma1",
            "1..2",
        ] {
            assert!(parse(version).is_err(), "{version:?}");
        }
    }
}
