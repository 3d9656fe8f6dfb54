//! Which of the published CVSS vectors counts.

use std::collections::{BTreeMap, BTreeSet};

use stella_api::score::{Conflict, ConflictValue, SourceRef};

use crate::cvss::{Tenths, Vector, Version};
use crate::profile::Transform;
use crate::reason::ReasonCode;
use crate::signals::{CvssSignal, Source};

/// One vector with all who state it, or one text that is no vector.
struct Candidate {
    /// As published; of several ways to write one vector the first in byte order.
    raw: String,
    reading: Result<(Vector, Tenths), &'static str>,
    own: bool,
    /// Scores published beside the vector that are not its own.
    misstated: BTreeSet<String>,
    sources: BTreeSet<Source>,
}

/// The vector that counts.
pub(super) struct Chosen {
    pub(super) raw: String,
    pub(super) tenths: Tenths,
    pub(super) reason: ReasonCode,
    pub(super) sources: Vec<SourceRef>,
}

/// What the published vectors come to.
pub(super) struct Severity {
    pub(super) chosen: Result<Chosen, Absent>,
    /// What was not chosen, unless all sources agree and each with itself.
    pub(super) conflict: Option<Conflict>,
}

/// Why no vector counts, and who tried.
pub(super) struct Absent {
    pub(super) reason: ReasonCode,
    pub(super) sources: Vec<SourceRef>,
}

/// Chooses the matched advisory's own vector of the newest version (of several the highest), else
/// the highest among the others (of equals the newest version).
pub(super) fn choose(signals: &[CvssSignal], transform: Transform) -> Severity {
    let mut candidates = candidates(signals);
    let best = (0..candidates.len())
        .filter_map(|place| Some((rank(&candidates[place])?, place)))
        .max_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
    let Some((_, place)) = best else {
        return none(&candidates, transform);
    };
    let used = candidates.remove(place);
    let reason = if used.own {
        ReasonCode::CvssOwnNewest
    } else {
        ReasonCode::CvssAliasHighest
    };
    let agreed = candidates.is_empty() && used.misstated.is_empty();
    let conflict = (!agreed).then(|| Conflict {
        signal: "cvss".to_owned(),
        values: std::iter::once(used.value(true, transform))
            .chain(candidates.iter().map(|other| other.value(false, transform)))
            .collect(),
        resolution: reason.as_str().to_owned(),
    });
    let sources = used.sources();
    let tenths = used.reading.map_or(Tenths(0), |(_, tenths)| tenths);
    Severity {
        chosen: Ok(Chosen {
            raw: used.raw,
            tenths,
            reason,
            sources,
        }),
        conflict,
    }
}

fn none(candidates: &[Candidate], transform: Transform) -> Severity {
    if candidates.is_empty() {
        let reason = ReasonCode::CvssNoPublishedSeverity;
        return Severity {
            chosen: Err(Absent {
                reason,
                sources: Vec::new(),
            }),
            conflict: None,
        };
    }
    let reason = ReasonCode::CvssAllInvalid;
    let sources: BTreeSet<SourceRef> = candidates.iter().flat_map(Candidate::sources).collect();
    let conflict = Conflict {
        signal: "cvss".to_owned(),
        values: candidates
            .iter()
            .map(|candidate| candidate.value(false, transform))
            .collect(),
        resolution: reason.as_str().to_owned(),
    };
    let absent = Absent {
        reason,
        sources: sources.into_iter().collect(),
    };
    Severity {
        chosen: Err(absent),
        conflict: Some(conflict),
    }
}

/// Own vectors before all others, by version then score; the others by score then version.
fn rank(candidate: &Candidate) -> Option<(bool, [u8; 2])> {
    let (vector, tenths) = candidate.reading.ok()?;
    let version = match vector.version() {
        Version::V2_0 => 0,
        Version::V3_0 => 1,
        Version::V3_1 => 2,
        Version::V4_0 => 3,
    };
    let keys = if candidate.own {
        [version, tenths.0]
    } else {
        [tenths.0, version]
    };
    Some((candidate.own, keys))
}

/// Base scores: what a publisher's temporal or environmental metrics take off is nothing that a
/// profile's own signals (KEV, VEX) should find gone already.
///
/// Gathers what is published by what it says, in byte order of the canonical text (of the text as
/// published where it is no vector).
fn candidates(signals: &[CvssSignal]) -> Vec<Candidate> {
    let mut found: BTreeMap<(bool, String), Candidate> = BTreeMap::new();
    for signal in signals {
        let reading = Vector::parse(&signal.vector)
            .map(|vector| (vector, vector.base_score()))
            .map_err(|error| error.code.as_str());
        let key = match &reading {
            Ok((vector, _)) => (false, vector.to_string()),
            Err(_) => (true, signal.vector.clone()),
        };
        let candidate = found.entry(key).or_insert_with(|| Candidate {
            raw: signal.vector.clone(),
            reading,
            own: false,
            misstated: BTreeSet::new(),
            sources: BTreeSet::new(),
        });
        if signal.vector < candidate.raw {
            candidate.raw.clone_from(&signal.vector);
        }
        candidate.own |= signal.own;
        let beside = signal.beside.iter();
        let misstated = beside.filter(|beside| reading.is_ok_and(|(it, _)| !it.states(beside)));
        candidate.misstated.extend(misstated.cloned());
        candidate.sources.insert(signal.source.clone());
    }
    found.into_values().collect()
}

impl Candidate {
    fn sources(&self) -> Vec<SourceRef> {
        self.sources.iter().map(SourceRef::from).collect()
    }

    fn value(&self, used: bool, transform: Transform) -> ConflictValue {
        ConflictValue {
            raw: self.raw.clone(),
            normalized: self.reading.ok().map(|(_, tenths)| transform.apply(tenths)),
            used,
            error: self.reading.err().map(str::to_owned),
            misstated: self.misstated.iter().cloned().collect(),
            sources: self.sources(),
        }
    }
}
