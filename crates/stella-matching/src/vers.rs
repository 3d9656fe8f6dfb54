//! Ranges of versions in the notation of VERS, as it stands beside package URLs
//! (<https://github.com/package-url/vers-spec>).

use percent_encoding::percent_decode_str;

use crate::version::Release;
use crate::{Ecosystem, Version, quoted};

/// A range of versions of one ecosystem, such as `vers:cargo/>=1.0.0|<2.0.0`, in which a version is
/// looked up by halves.
#[derive(Debug)]
pub struct Vers {
    /// Its constraints in ascending order, none where it holds every version.
    bounds: Vec<Bound>,
    /// Whether it holds what lies before the first of them.
    below: bool,
}

#[derive(Debug)]
struct Bound {
    version: Version,
    sign: Sign,
    /// Whether the range holds what lies above, up to the next one.
    above: bool,
}

impl Vers {
    /// Reads a range of versions of an ecosystem.
    ///
    /// # Errors
    /// Why it cannot be read, in lower case: the text is no such range, it is of another ecosystem, or
    /// a version cannot be read.
    pub fn parse(range: &str, ecosystem: &Ecosystem) -> Result<Self, String> {
        let broken = |what: &str| format!("{} is no range of VERS: {what}", quoted(range));
        let rest = range
            .strip_prefix("vers:")
            .ok_or_else(|| broken("no scheme"))?;
        let (of, constraints) = rest.split_once('/').ok_or_else(|| broken("no type"))?;
        let same = match Ecosystem::from_purl_type(of) {
            _ if of == "deb" => matches!(ecosystem, Ecosystem::Debian(_)),
            named => named == *ecosystem,
        };
        if !same {
            return Err(broken(&format!("not of {}", quoted(ecosystem.as_str()))));
        }
        if constraints == "*" {
            let (bounds, below) = (Vec::new(), true);
            return Ok(Self { bounds, below });
        }
        let mut bounds = Vec::new();
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
        let mut ends = bounds.iter().filter_map(|(_, sign)| sign.begins());
        // Only exceptions are named where there is no end: all else is held.
        let nothing_else = || bounds.iter().all(|(_, sign)| matches!(sign, Sign::IsNot));
        let below = ends.next().map_or_else(nothing_else, |begins| !begins);
        let mut held = below;
        let mut read = Vec::with_capacity(bounds.len());
        for (version, sign) in bounds {
            let above = sign.begins().unwrap_or(held);
            // Two beginnings, or two ends, one after the other say nothing that can be relied on.
            if sign.begins() == Some(held) {
                return Err(broken("its bounds do not take turns"));
            }
            held = above;
            read.push(Bound {
                version,
                sign,
                above,
            });
        }
        let bounds = read;
        Ok(Self { bounds, below })
    }

    /// Whether it holds a version.
    pub(crate) fn holds(&self, version: &Version) -> bool {
        let at = match self.bounds.binary_search_by(|one| one.version.cmp(version)) {
            Ok(at) => at,
            Err(0) => return self.below,
            Err(next) => return self.bounds[next - 1].above,
        };
        let bound = &self.bounds[at];
        let same = || Release(bound.version.clone()) == Release(version.clone());
        match bound.sign {
            Sign::Is => same(),
            Sign::UpTo | Sign::From => true,
            Sign::Before | Sign::After => false,
            Sign::IsNot => bound.above && !same(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Sign {
    Is,
    IsNot,
    Before,
    UpTo,
    After,
    From,
}

impl Sign {
    /// Whether a stretch of held versions begins there, or ends; none where neither does.
    fn begins(self) -> Option<bool> {
        match self {
            Self::From | Self::After => Some(true),
            Self::Before | Self::UpTo => Some(false),
            Self::Is | Self::IsNot => None,
        }
    }
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
