//! The evaluation algorithm of the OSV schema,
//! <https://ossf.github.io/osv-schema/#evaluation>.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use crate::error::cut;
use crate::stretch::{self, Line, Stretch};
use crate::version::Release;
use crate::{Affected, Coordinates, Ecosystem, Range, RangeKind, Rule, Verdict, Version};

/// An advisory's statement about one package, read once: each version that is asked about is then
/// looked up, however many events and versions are published.
#[derive(Debug)]
pub struct Matcher {
    ecosystem: Ecosystem,
    package: String,
    affected: Lines,
    exempt: Lines,
    /// Why it says nothing of any version.
    silence: Option<String>,
}

/// Ranges and listed versions, as versions are looked up in them.
#[derive(Debug)]
struct Lines {
    ranges: Vec<(RangeKind, Result<Line, String>)>,
    spelt: HashSet<String>,
    /// Of the listed ones those that can be read.
    listed: BTreeSet<Release>,
}

/// A version that is asked about, read at most once in each order.
struct Asked<'a> {
    ecosystem: &'a Ecosystem,
    text: &'a str,
    semver: OnceCell<Result<Version, String>>,
    own: OnceCell<Result<Version, String>>,
}

impl Matcher {
    /// Reads a statement.
    #[must_use]
    pub fn new(affected: &Affected) -> Self {
        let (ecosystem, exempt) = (&affected.ecosystem, &affected.exempt);
        let compared = affected.ranges.iter().filter(|range| is_compared(range));
        let exempted = exempt.ranges.iter();
        Self {
            affected: Lines::new(
                ecosystem,
                compared.map(|range| (range.kind.clone(), Line::read(ecosystem, range))),
                &affected.versions,
            ),
            exempt: Lines::new(
                ecosystem,
                exempted.map(|range| (range.kind.clone(), exempt_line(ecosystem, range))),
                &exempt.versions,
            ),
            silence: silence(affected),
            ecosystem: affected.ecosystem.clone(),
            package: affected.package.clone(),
        }
    }

    /// Says whether a version is covered by what an advisory says about its package. Neither the
    /// order of events nor that of ranges changes whether it is.
    ///
    /// A list of versions and ranges are alternatives: one that covers is enough. Where none does,
    /// one that could not be compared makes the answer undetermined. Ranges of commits are passed
    /// over where anything else is published. Of a version that may be exempt nobody can tell that
    /// it is affected.
    #[must_use]
    pub fn evaluate(&self, version: &str) -> Verdict {
        let asked = Asked::new(&self.ecosystem, version);
        let exempt = match self.exempt.covers(&asked) {
            Ok(Some(_)) => return Verdict::NotAffected,
            Ok(None) => None,
            Err(reason) => Some(reason),
        };
        match (self.affected.covers(&asked), exempt) {
            (Ok(Some(_)), Some(reason)) => Verdict::Undetermined { reason },
            (Ok(Some(covering)), None) => covering.verdict(),
            (Err(reason), _) => Verdict::Undetermined { reason },
            (Ok(None), _) => match self.silence.clone() {
                Some(reason) => Verdict::Undetermined { reason },
                None => Verdict::NotAffected,
            },
        }
    }

    /// Says whether the statement covers a component; `None` where it speaks of another package.
    #[must_use]
    pub fn match_component(&self, component: &Coordinates) -> Option<Verdict> {
        if !component.is_named(&self.ecosystem, &self.package) {
            return None;
        }
        Some(match &component.version {
            Some(version) => self.evaluate_in(&component.ecosystem, version),
            None => Verdict::Undetermined {
                reason: "component has no version".to_owned(),
            },
        })
    }

    /// Says whether the statement covers a version of a package by name; `None` where it speaks of
    /// another package.
    #[must_use]
    pub fn match_package(
        &self,
        ecosystem: &Ecosystem,
        package: &str,
        version: &str,
    ) -> Option<Verdict> {
        let named =
            self.ecosystem.may_be(ecosystem) && ecosystem.same_package(package, &self.package);
        named.then(|| self.evaluate_in(ecosystem, version))
    }

    /// A statement on one release of a distribution that would cover a version whose release is not
    /// said is undetermined: it may be of that release or of another, where the same version is
    /// fixed or never was affected.
    fn evaluate_in(&self, ecosystem: &Ecosystem, version: &str) -> Verdict {
        let verdict = self.evaluate(version);
        match (&verdict, self.ecosystem.release(), ecosystem.release()) {
            (Verdict::Affected { .. }, Some(release), None) => Verdict::Undetermined {
                reason: format!(
                    "component names no release of {}, the advisory is on {}",
                    ecosystem.family(),
                    cut(release)
                ),
            },
            _ => verdict,
        }
    }

    /// The versions that end the stretches which cover a version, as published, in ascending order
    /// and each once; empty where none covers it or none is fixed.
    #[must_use]
    pub fn fixed_versions(&self, version: &str) -> Vec<String> {
        let asked = Asked::new(&self.ecosystem, version);
        if !matches!(self.exempt.covers(&asked), Ok(None)) {
            return Vec::new();
        }
        let covering = self.affected.covering(&asked);
        let ends = covering.filter_map(|stretch| stretch.ok()?.fixed.as_ref());
        let fixed: BTreeSet<&(Version, String)> = ends.collect();
        fixed.into_iter().map(|(_, text)| text.clone()).collect()
    }
}

/// Why a statement leaves versions undetermined, whichever they are: of a range with its index, or of
/// the whole, as of what is exempt. What it lists is not read for that.
#[must_use]
pub fn doubts(affected: &Affected) -> Vec<(Option<usize>, String)> {
    let ecosystem = &affected.ecosystem;
    let ranges = affected.ranges.iter().enumerate();
    let compared = ranges.filter(|(_, range)| is_compared(range));
    let doubts =
        compared.filter_map(|(at, range)| Some((Some(at), Line::read(ecosystem, range).err()?)));
    let exempt = affected.exempt.ranges.iter();
    let exempt = exempt.filter_map(|range| Some((None, exempt_line(ecosystem, range).err()?)));
    let silent = silence(affected).map(|reason| (None, reason));
    doubts.chain(exempt).chain(silent).collect()
}

fn is_compared(range: &Range) -> bool {
    range.kind != RangeKind::Git
}

/// No other range says again what of versions commits are that are exempt.
fn exempt_line(ecosystem: &Ecosystem, range: &Range) -> Result<Line, String> {
    match is_compared(range) {
        true => Line::read(ecosystem, range),
        false => Err("git range of what is not affected".to_owned()),
    }
}

/// What covers a version.
enum Covering<'a> {
    Range(&'a Stretch),
    Version,
}

impl Lines {
    fn new(
        ecosystem: &Ecosystem,
        ranges: impl Iterator<Item = (RangeKind, Result<Line, String>)>,
        versions: &[String],
    ) -> Self {
        let read = |text: &String| Version::parse(ecosystem, text).ok().map(Release);
        Self {
            ranges: ranges.collect(),
            spelt: versions.iter().cloned().collect(),
            listed: versions.iter().filter_map(read).collect(),
        }
    }

    /// What covers a version: the first range that does, else the list. Where nothing does, why
    /// nobody can tell.
    fn covers<'a>(&'a self, asked: &'a Asked<'_>) -> Result<Option<Covering<'a>>, String> {
        let mut doubt = None;
        for covering in self.covering(asked) {
            match covering {
                Ok(stretch) => return Ok(Some(Covering::Range(stretch))),
                Err(reason) => doubt = doubt.or(Some(reason)),
            }
        }
        if self.lists(asked) {
            return Ok(Some(Covering::Version));
        }
        doubt.map_or(Ok(None), |reason| Err(reason.to_owned()))
    }

    /// Of each range the stretch that covers a version, or why the two cannot be compared.
    fn covering<'a>(
        &'a self,
        asked: &'a Asked<'_>,
    ) -> impl Iterator<Item = Result<&'a Stretch, &'a str>> {
        self.ranges.iter().filter_map(|(kind, line)| {
            let covering = || {
                let line = line.as_ref().map_err(String::as_str);
                // Where there is an order, that the version is not of it is told first.
                let version = match kind {
                    RangeKind::Semver | RangeKind::Ecosystem => asked.read(kind)?,
                    RangeKind::Git | RangeKind::Other(_) => return line.map(|_| None),
                };
                Ok(line?.covering(version))
            };
            covering().transpose()
        })
    }

    /// Whether a version is listed. One that cannot be read is another spelling of none.
    fn lists(&self, asked: &Asked<'_>) -> bool {
        let read = || Version::parse(asked.ecosystem, asked.text).map(Release);
        self.spelt.contains(asked.text)
            || !self.listed.is_empty() && read().is_ok_and(|read| self.listed.contains(&read))
    }
}

impl<'a> Asked<'a> {
    fn new(ecosystem: &'a Ecosystem, text: &'a str) -> Self {
        Self {
            ecosystem,
            text,
            semver: OnceCell::new(),
            own: OnceCell::new(),
        }
    }

    fn read(&self, kind: &RangeKind) -> Result<&Version, &str> {
        let read = match kind {
            RangeKind::Semver => &self.semver,
            _ => &self.own,
        };
        let read = read.get_or_init(|| stretch::read(self.ecosystem, kind, self.text));
        read.as_ref().map_err(String::as_str)
    }
}

impl Covering<'_> {
    fn verdict(self) -> Verdict {
        let Self::Range(stretch) = self else {
            return Verdict::Affected {
                rule: Rule::Version,
                introduced: None,
                fixed: None,
                last_affected: None,
            };
        };
        let text = |end: &Option<(Version, String)>| end.as_ref().map(|(_, text)| text.clone());
        Verdict::Affected {
            rule: Rule::Range,
            introduced: Some(stretch.introduced.clone()),
            fixed: text(&stretch.fixed),
            last_affected: text(&stretch.last_affected),
        }
    }
}

/// Why an advisory that covers nothing and raised no doubt still says nothing of a version.
fn silence(affected: &Affected) -> Option<String> {
    let mut kinds = affected.ranges.iter().map(|range| &range.kind);
    if !affected.versions.is_empty() || kinds.any(|kind| *kind != RangeKind::Git) {
        None
    } else if affected.ranges.is_empty() {
        Some("neither ranges nor versions".to_owned())
    } else {
        Some("git range only".to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
