//! What each publisher of VEX says last.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use stella_api::VexStatus;
use stella_scoring::VexSignal;

/// A statement with the time that it was made, where that can be read.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    pub(crate) signal: VexSignal,
    pub(crate) at: Option<Timestamp>,
    /// Which of the finding's ids it names.
    pub(crate) names: BTreeSet<String>,
    /// Whether nobody can tell that it speaks to the component.
    pub(crate) doubtful: bool,
}

/// Ids of one finding that name different vulnerabilities: those of one scheme, such as two CVEs.
struct Parts<'a> {
    own: &'a str,
    /// By scheme, the finding's own id among those of its scheme; that id alone where there is but
    /// one vulnerability.
    apart: Vec<Vec<&'a str>>,
    /// All of them.
    all: HashSet<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(ids: &'a [String]) -> Self {
        let own = ids.first().map_or("", String::as_str);
        let mut schemes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for id in ids {
            let scheme = id.split('-').next().unwrap_or_default();
            schemes.entry(scheme).or_default().push(id);
        }
        let several = schemes.into_values().filter(|ids| ids.len() > 1);
        let mut apart: Vec<Vec<&str>> = several.collect();
        if apart.is_empty() {
            apart.push(vec![own]);
        }
        let all = apart.iter().flatten().copied().collect();
        Self { own, apart, all }
    }

    /// The parts that a statement on some ids is on; none where it is on all of the finding: on its own
    /// id, or on others that are no part of it. One that names a part as well says by that which part it
    /// is on.
    fn named(&self, names: &BTreeSet<String>) -> Option<Vec<&'a str>> {
        let parts = names.iter().filter_map(|id| self.all.get(id.as_str()));
        let parts: Vec<&str> = parts.copied().collect();
        (!names.contains(self.own) && !parts.is_empty()).then_some(parts)
    }
}

/// What each publisher says last: a later statement of the same publisher takes the place of an
/// earlier one (OpenVEX 0.2.0, "Updating Statements") on the same vulnerability. Those made at the
/// same time stay, and so does one whose time is unknown, which nothing can be said to follow. Of those
/// made at once the ones that surely speak to the component stand before the others.
///
/// Where an advisory is on several vulnerabilities, who says of one of them that it touches nothing
/// has not said so of the finding: that counts once it is said of each.
pub(crate) fn newest(stated: Vec<Stated>, ids: &[String]) -> Vec<VexSignal> {
    let parts = Parts::of(ids);
    let mut by_publisher: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, one) in stated.iter().enumerate() {
        let theirs = by_publisher.entry(&one.signal.publisher);
        theirs.or_default().push(at);
    }
    let mut stands: HashSet<usize> = HashSet::new();
    for theirs in by_publisher.values() {
        let (last, clear) = last_of_each(&stated, &parts, theirs);
        let counts = |at: &usize| clear || stated[*at].signal.status != VexStatus::NotAffected;
        stands.extend(last.into_iter().filter(counts));
    }
    let each = stated.into_iter().enumerate();
    each.filter_map(|(at, one)| stands.contains(&at).then_some(one.signal))
        .collect()
}

/// The last of one publisher's statements on each part, and whether they clear the finding. What is said
/// of the whole is said of each part, of which there may be thousands: it is gathered once.
fn last_of_each(stated: &[Stated], parts: &Parts<'_>, theirs: &[usize]) -> (Vec<usize>, bool) {
    let mut whole = Last::default();
    let mut single: HashMap<&str, Last> = HashMap::new();
    for at in theirs {
        match parts.named(&stated[*at].names) {
            None => whole.add(stated, *at),
            Some(named) => {
                for part in named {
                    single.entry(part).or_default().add(stated, *at);
                }
            }
        }
    }
    let mut last = whole.timeless.clone();
    // Of parts that nothing else is said of the whole is the last word.
    let mut whole_stands = parts.all.iter().any(|part| !single.contains_key(part));
    let mut cleared: HashSet<&str> = HashSet::new();
    for (part, said) in &single {
        last.extend(&said.timeless);
        let mut clears = said.timeless_clears || whole.timeless_clears;
        if said.stands_beside(&whole) {
            last.extend(&said.newest);
            clears |= said.newest_clears;
        }
        if whole.stands_beside(said) {
            whole_stands = true;
            clears |= whole.newest_clears;
        }
        if clears {
            cleared.insert(part);
        }
    }
    if whole_stands {
        last.extend(&whole.newest);
    }
    let is_clear = |part: &&str| match single.contains_key(part) {
        true => cleared.contains(part),
        false => whole.newest_clears || whole.timeless_clears,
    };
    let clear = parts.apart.iter().any(|ids| ids.iter().all(is_clear));
    (last, clear)
}

/// The last of some statements.
#[derive(Default)]
struct Last {
    /// When the newest were made, and whether they surely speak to the component.
    at: Option<(Timestamp, bool)>,
    newest: Vec<usize>,
    /// Whether one of them says that it touches nothing.
    newest_clears: bool,
    /// Those without a time.
    timeless: Vec<usize>,
    timeless_clears: bool,
}

impl Last {
    fn add(&mut self, stated: &[Stated], place: usize) {
        let one = &stated[place];
        let clears = one.signal.status == VexStatus::NotAffected;
        let Some(at) = one.at else {
            self.timeless.push(place);
            self.timeless_clears |= clears;
            return;
        };
        let at = (at, !one.doubtful);
        if self.at.is_none_or(|newest| newest < at) {
            (self.at, self.newest_clears) = (Some(at), false);
            self.newest.clear();
        }
        if self.at == Some(at) {
            self.newest.push(place);
            self.newest_clears |= clears;
        }
    }

    /// Whether its newest stand beside others on the same.
    fn stands_beside(&self, other: &Self) -> bool {
        self.at >= other.at
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;
    use stella_canonical::Digest;
    use stella_scoring::Source;

    use super::*;

    const IDS: [&str; 5] = ["GO-1", "CVE-1", "CVE-2", "GHSA-a", "GHSA-b"];

    fn said() -> impl Strategy<Value = Vec<Stated>> {
        let status = prop_oneof![
            Just(VexStatus::NotAffected),
            Just(VexStatus::Affected),
            Just(VexStatus::Fixed)
        ];
        let at = proptest::option::of(0..3_i64);
        let names = btree_set(0..IDS.len(), 1..3);
        let one = (0..2_u8, status, at, names, any::<bool>());
        vec(one, 0..8).prop_map(|all| {
            let each = all.into_iter().enumerate();
            let stated = each.map(|(place, (publisher, status, at, names, doubtful))| Stated {
                signal: VexSignal {
                    status,
                    justification: None,
                    publisher: publisher.to_string(),
                    source: Source {
                        document: Digest::of(b"x"),
                        pointer: format!("/{place}"),
                    },
                },
                at: at.and_then(|at| Timestamp::from_second(at).ok()),
                names: names.into_iter().map(|id| IDS[id].to_owned()).collect(),
                doubtful,
            });
            stated.collect()
        })
    }

    /// The same by the letter: of each part all that is said of it, the last of that.
    fn by_the_letter(stated: &[Stated], ids: &[String], publisher: &str) -> BTreeSet<String> {
        let parts = Parts::of(ids);
        let is_on = |one: &Stated, part: &str| {
            let named = parts.named(&one.names);
            named.is_none_or(|named| named.contains(&part))
        };
        let (mut last, mut cleared) = (Vec::new(), HashSet::new());
        for part in &parts.all {
            let theirs = stated
                .iter()
                .filter(|one| one.signal.publisher == publisher);
            let on_it: Vec<&Stated> = theirs.filter(|one| is_on(one, part)).collect();
            let newest = on_it.iter().filter_map(|one| one.at).max();
            let sure = on_it.iter().any(|one| one.at == newest && !one.doubtful);
            let stands =
                |one: &&&Stated| one.at.is_none() || one.at == newest && !(sure && one.doubtful);
            for one in on_it.iter().filter(stands) {
                last.push(*one);
                if one.signal.status == VexStatus::NotAffected {
                    cleared.insert(*part);
                }
            }
        }
        let clear = parts
            .apart
            .iter()
            .any(|ids| ids.iter().all(|id| cleared.contains(id)));
        let counts = |one: &&&Stated| clear || one.signal.status != VexStatus::NotAffected;
        let each = last.iter().filter(counts);
        each.map(|one| one.signal.source.pointer.clone()).collect()
    }

    proptest! {
        #[test]
        fn what_is_gathered_once_is_what_is_said_of_each(stated in said(), first in 0..IDS.len(), several: bool) {
            let mut ids: Vec<String> = IDS.map(str::to_owned).to_vec();
            ids.rotate_left(first);
            ids.truncate(if several { IDS.len() } else { 2 });
            let expected: BTreeSet<String> = ["0", "1"].iter().flat_map(|publisher| by_the_letter(&stated, &ids, publisher)).collect();
            let told = newest(stated, &ids).into_iter().map(|one| one.source.pointer);
            prop_assert_eq!(told.collect::<BTreeSet<_>>(), expected);
        }
    }
}
