//! Ranges of versions in the notation of VERS, as it stands beside package URLs
//! (<https://github.com/package-url/vers-spec>).

use percent_encoding::percent_decode_str;

use crate::version::Release;
use crate::{Ecosystem, Version};

/// A range, such as `vers:cargo/>=1.0.0|<2.0.0`.
pub(crate) struct Vers {
    /// Its constraints in ascending order, none where it holds every version.
    bounds: Vec<(Version, Sign)>,
}

impl Vers {
    /// Reads a range of versions of an ecosystem.
    ///
    /// # Errors
    /// Why it cannot be read, in lower case: the text is no such range, it is of another ecosystem, or
    /// a version cannot be read.
    pub(crate) fn parse(range: &str, ecosystem: &Ecosystem) -> Result<Self, String> {
        let broken = |what: &str| format!("{range:?} is no range of VERS: {what}");
        let rest = range
            .strip_prefix("vers:")
            .ok_or_else(|| broken("no scheme"))?;
        let (of, constraints) = rest.split_once('/').ok_or_else(|| broken("no type"))?;
        let same = match Ecosystem::from_purl_type(of) {
            _ if of == "deb" => matches!(ecosystem, Ecosystem::Debian(_)),
            named => named == *ecosystem,
        };
        if !same {
            return Err(broken(&format!("not of {:?}", ecosystem.as_str())));
        }
        let mut bounds = Vec::new();
        if constraints == "*" {
            return Ok(Self { bounds });
        }
        for constraint in constraints.split('|') {
            let (sign, text) = sign(constraint.trim());
            let text = percent_decode_str(text).decode_utf8();
            let text = text.map_err(|_| broken("a version is no UTF-8"))?;
            let version = Version::parse(ecosystem, &text).map_err(|error| error.to_string())?;
            bounds.push((version, sign));
        }
        bounds.sort_by(|(one, _), (other, _)| one.cmp(other));
        if bounds.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(broken("a version stands there twice"));
        }
        // Two beginnings, or two ends, one after the other say nothing that can be relied on.
        let read = Self { bounds };
        let begin: Vec<bool> = read.ends().map(|(_, begins)| begins).collect();
        if begin.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(broken("its bounds do not take turns"));
        }
        Ok(read)
    }

    /// Where stretches begin and end, and which of the two.
    fn ends(&self) -> impl Iterator<Item = (&Version, bool)> {
        self.bounds.iter().filter_map(|(bound, sign)| match sign {
            Sign::From | Sign::After => Some((bound, true)),
            Sign::Before | Sign::UpTo => Some((bound, false)),
            Sign::Is | Sign::IsNot => None,
        })
    }

    /// Whether it holds a version.
    pub(crate) fn holds(&self, version: &Version) -> bool {
        if let Some((bound, sign)) = self.bounds.iter().find(|(bound, _)| bound == version) {
            let same = Release(bound.clone()) == Release(version.clone());
            match sign {
                Sign::Is => return same,
                Sign::UpTo | Sign::From => return true,
                Sign::Before | Sign::After => return false,
                Sign::IsNot if same => return false,
                Sign::IsNot => {}
            }
        }
        let before = self.ends().take_while(|(bound, _)| *bound < version).last();
        match (before, self.ends().next()) {
            (Some((_, begins)), _) => begins,
            (None, Some((_, begins))) => !begins,
            (None, None) => self
                .bounds
                .iter()
                .all(|(_, sign)| matches!(sign, Sign::IsNot)),
        }
    }
}

/// Why no version of an ecosystem can be compared with a range of VERS
/// (<https://github.com/package-url/vers-spec>), in lower case.
#[must_use]
pub fn unreadable_range(ecosystem: &Ecosystem, range: &str) -> Option<String> {
    Vers::parse(range, ecosystem).err()
}

#[derive(Clone, Copy)]
enum Sign {
    Is,
    IsNot,
    Before,
    UpTo,
    After,
    From,
}

fn sign(constraint: &str) -> (Sign, &str) {
    let signs = [
        ("!=", Sign::IsNot),
        ("<=", Sign::UpTo),
        (">=", Sign::From),
        ("<", Sign::Before),
        (">", Sign::After),
        ("=", Sign::Is),
    ];
    let found = signs
        .into_iter()
        .find_map(|(text, sign)| Some((sign, constraint.strip_prefix(text)?.trim_start())));
    found.unwrap_or((Sign::Is, constraint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_in(range: &str, ecosystem: &Ecosystem, version: &str) -> Option<bool> {
        let version = Version::parse(ecosystem, version).ok()?;
        Some(Vers::parse(range, ecosystem).ok()?.holds(&version))
    }

    #[test]
    fn a_range_holds_what_lies_between_its_bounds() {
        let holds = |range: &str, version: &str| holds_in(range, &Ecosystem::CratesIo, version);
        for (range, inside, outside) in [
            ("*", vec!["0.0.1", "9.9.9"], vec![]),
            ("1.0.0|2.0.0", vec!["1.0.0", "2.0.0"], vec!["1.5.0"]),
            (
                "1.0.0+a|>=2.0.0+a",
                vec!["1.0.0+a", "2.0.0+b"],
                vec!["1.0.0+b", "1.0.0"],
            ),
            ("1.0.0-rc%2E1", vec!["1.0.0-rc.1"], vec!["1.0.0"]),
            (
                ">=1.0.0|<2.0.0",
                vec!["1.0.0", "1.9.9"],
                vec!["0.9.0", "2.0.0"],
            ),
            ("<2.0.0|>=1.0.0", vec!["1.0.0"], vec!["2.0.0"]),
            (
                ">1.0.0|<=2.0.0",
                vec!["1.0.1", "2.0.0"],
                vec!["1.0.0", "2.0.1"],
            ),
            (
                "<1.0.0|>=2.0.0",
                vec!["0.1.0", "2.0.0", "3.0.0"],
                vec!["1.0.0", "1.5.0"],
            ),
            (">=1.0.0|!=1.5.0|<2.0.0", vec!["1.4.0"], vec!["1.5.0"]),
            (
                ">=1.0.0|<1.1.0|>=2.0.0|<2.1.0|=3.0.0",
                vec!["2.0.5", "3.0.0"],
                vec!["1.5.0", "3.0.1"],
            ),
            ("!=1.5.0", vec!["1.4.0"], vec!["1.5.0"]),
        ] {
            let range = format!("vers:cargo/{range}");
            for version in inside {
                assert_eq!(holds(&range, version), Some(true), "{range} {version}");
            }
            for version in outside {
                assert_eq!(holds(&range, version), Some(false), "{range} {version}");
            }
        }
        for unreadable in [
            "<2.0.0",
            "vers:cargo",
            "vers:cargo/",
            "vers:npm/<2.0.0",
            "vers:cargo/<x",
            "vers:cargo/<1.0.0|<2.0.0",
            "vers:cargo/>=1.0.0|<1.0.0",
            "vers:cargo/1.0.0%ff",
            "vers:cargo/*|1.0.0",
        ] {
            assert_eq!(holds(unreadable, "1.0.0"), None, "{unreadable}");
        }
        let debian = Ecosystem::from_osv("Debian:12");
        assert_eq!(
            holds_in("vers:deb/<1:2.0-2", &debian, "1:2.0-1"),
            Some(true)
        );
    }
}
