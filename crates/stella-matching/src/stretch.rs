//! The stretches of affected versions that the events of one range describe.

use std::collections::BTreeMap;

use crate::{Ecosystem, Event, Range, RangeKind, Version, quoted};

/// Versions from `introduced` up to before `fixed` or up to `last_affected`, or without an end.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    from: Bound,
    pub(crate) introduced: String,
    pub(crate) fixed: Option<(Version, String)>,
    pub(crate) last_affected: Option<(Version, String)>,
}

/// `None` is OSV's `0`, which stands before every version.
type Bound = Option<Version>;

/// All events at one version; of equal spellings the first in byte order is kept, so that the
/// order of events cannot show.
#[derive(Debug, Default)]
struct Point<'a> {
    introduced: Option<&'a str>,
    fixed: Option<&'a str>,
    last_affected: Option<&'a str>,
}

/// A range as versions are looked up in it: its stretches in ascending order, no two of which
/// meet.
#[derive(Debug)]
pub(crate) struct Line {
    stretches: Vec<Stretch>,
    /// From which version on it says nothing; none where it has no limit.
    limit: Option<Version>,
}

impl Line {
    /// Reads a range, or says why no version can be compared with it.
    pub(crate) fn read(ecosystem: &Ecosystem, range: &Range) -> Result<Self, String> {
        if let RangeKind::Other(kind) = &range.kind {
            return Err(format!("unknown range type {}", quoted(kind)));
        }
        let read = |text: &str| read(ecosystem, &range.kind, text);
        let (points, limits) = points(range, read)?;
        // The farthest one counts, and `*` is behind all.
        let limits: Option<Vec<Version>> = limits.into_iter().collect();
        Ok(Self {
            stretches: stretches(points)?,
            limit: limits.and_then(|limits| limits.into_iter().max()),
        })
    }

    /// The stretch that covers a version.
    pub(crate) fn covering(&self, version: &Version) -> Option<&Stretch> {
        if self.limit.as_ref().is_some_and(|limit| version >= limit) {
            return None;
        }
        let begins = |stretch: &Stretch| stretch.from.as_ref().is_none_or(|from| from <= version);
        let begun = self.stretches.partition_point(begins);
        let last = self.stretches.get(begun.checked_sub(1)?)?;
        last.lasts_to(version).then_some(last)
    }
}

/// Reads a version as the bounds of a range of that kind are read.
pub(crate) fn read(ecosystem: &Ecosystem, kind: &RangeKind, text: &str) -> Result<Version, String> {
    Version::parse_for(ecosystem, kind, text).map_err(|error| error.to_string())
}

impl Stretch {
    fn begin(from: Bound, introduced: &str) -> Self {
        Self {
            from,
            introduced: introduced.to_owned(),
            fixed: None,
            last_affected: None,
        }
    }

    fn lasts_to(&self, version: &Version) -> bool {
        self.fixed.as_ref().is_none_or(|(fixed, _)| version < fixed)
            && self
                .last_affected
                .as_ref()
                .is_none_or(|(last, _)| version <= last)
    }
}

/// Events gathered by version, and the limits, where `None` is `*`, after every version.
fn points<'a>(
    range: &'a Range,
    read: impl Fn(&str) -> Result<Version, String>,
) -> Result<(BTreeMap<Bound, Point<'a>>, Vec<Bound>), String> {
    let mut points: BTreeMap<Bound, Point<'a>> = BTreeMap::new();
    let mut limits = Vec::new();
    for event in &range.events {
        let text = event.version();
        if let Event::Limit(_) = event {
            limits.push(if text == "*" { None } else { Some(read(text)?) });
            continue;
        }
        // As an end it is the version 0, before which others may stand.
        let at = match event {
            Event::Introduced(zero) if zero == "0" => None,
            _ => Some(read(text)?),
        };
        let point = points.entry(at).or_default();
        let slot = match event {
            Event::Introduced(_) => &mut point.introduced,
            Event::Fixed(_) => &mut point.fixed,
            Event::LastAffected(_) | Event::Limit(_) => &mut point.last_affected,
        };
        *slot = Some(slot.map_or(text, |kept| kept.min(text)));
    }
    Ok((points, limits))
}

/// Walks the points in ascending order.
///
/// OSV leaves open what two events at one version mean. Here a stretch that is open goes on.
/// Where none is open, `introduced` with `last_affected` is that one version; `introduced` with
/// `fixed` begins a stretch that lasts until a later event ends it, and none where no event
/// follows: advisories that RustSec exports end so when the newest line never was affected.
fn stretches(points: BTreeMap<Bound, Point<'_>>) -> Result<Vec<Stretch>, String> {
    if points.values().all(|point| point.introduced.is_none()) {
        return Err("range without an introduced event".to_owned());
    }
    let mut done = Vec::new();
    let mut open: Option<Stretch> = None;
    let mut points = points.into_iter().peekable();
    while let Some((at, point)) = points.next() {
        let followed = points.peek().is_some();
        let end = |text: Option<&str>| at.clone().zip(text.map(str::to_owned));
        let (fixed, last_affected) = (end(point.fixed), end(point.last_affected));
        let Some(introduced) = point.introduced else {
            let ended = open.take();
            done.extend(ended.map(|stretch| match point.fixed {
                Some(_) => Stretch { fixed, ..stretch },
                None => Stretch {
                    last_affected,
                    ..stretch
                },
            }));
            continue;
        };
        if open.is_some() {
            continue;
        }
        let stretch = Stretch::begin(at.clone(), introduced);
        match (point.fixed, point.last_affected) {
            (None, None) => open = Some(stretch),
            (Some(_), _) if followed => open = Some(stretch),
            (Some(_), _) => {}
            (None, Some(_)) => done.push(Stretch {
                last_affected,
                ..stretch
            }),
        }
    }
    done.extend(open);
    Ok(done)
}
