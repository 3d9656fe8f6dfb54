//! Which VEX statements speak to a component: VEX speaks to a product and its component, never
//! to a vulnerability alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use stella_api::VexStatus;
use stella_api::findings::SourceRole;
use stella_formats::{Body, VexProduct, VexStatement};
use stella_matching::Coordinates;
use stella_scoring::{Source, VexSignal};

use crate::case::CaseDocument;
use crate::coverage::NamedComponent;
use crate::product::{Named, Package, Product};
use crate::shared::Shared;

/// A statement with the time that it was made, where that can be read.
pub(crate) struct Stated {
    signal: VexSignal,
    at: Option<Timestamp>,
    /// Which of the finding's ids it names.
    names: BTreeSet<String>,
    /// Whether nobody can tell that it speaks to the component.
    doubtful: bool,
}

/// Ids of one finding that name different vulnerabilities: those of one scheme, such as two CVEs.
struct Parts<'a> {
    own: &'a str,
    /// By scheme, the finding's own id among those of its scheme; that id alone where there is but
    /// one vulnerability.
    apart: Vec<Vec<&'a str>>,
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
        Self { own, apart }
    }

    /// The ids that name no more than a part.
    fn all(&self) -> impl Iterator<Item = &'a str> {
        self.apart.iter().flatten().copied()
    }

    /// Whether a statement on some ids is on all of the finding: on its own id, or on others that are
    /// no part of it. One that names a part as well says by that which part it is on.
    fn is_whole(&self, names: &BTreeSet<String>) -> bool {
        names.contains(self.own) || !names.iter().any(|id| self.all().any(|part| part == id))
    }
}

/// What each publisher says last: a later statement of the same publisher takes the place of an
/// earlier one (OpenVEX 0.2.0, "Updating Statements") on the same vulnerability. Those made at the
/// same time stay, and so does one whose time is unknown, which nothing can be said to follow.
///
/// Where an advisory is on several vulnerabilities, who says of one of them that it touches nothing
/// has not said so of the finding: that counts once it is said of each.
pub(crate) fn newest(stated: Vec<Stated>, ids: &[String]) -> Vec<VexSignal> {
    let parts = Parts::of(ids);
    let whole: Vec<bool> = stated
        .iter()
        .map(|one| parts.is_whole(&one.names))
        .collect();
    let on = |at: usize, part: &str| whole[at] || stated[at].names.contains(part);
    let mut by_publisher: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, one) in stated.iter().enumerate() {
        by_publisher
            .entry(&one.signal.publisher)
            .or_default()
            .push(at);
    }
    let mut stands: BTreeSet<usize> = BTreeSet::new();
    for theirs in by_publisher.values() {
        let mut cleared: BTreeSet<&str> = BTreeSet::new();
        let mut last: BTreeSet<usize> = BTreeSet::new();
        for part in parts.all() {
            let on_it = theirs.iter().copied().filter(|at| on(*at, part));
            let of_part = last_of(&stated, &on_it.collect::<Vec<_>>());
            if of_part
                .iter()
                .any(|at| stated[*at].signal.status == VexStatus::NotAffected)
            {
                cleared.insert(part);
            }
            last.extend(of_part);
        }
        let is_clear = |ids: &Vec<&str>| ids.iter().all(|id| cleared.contains(id));
        let of_all = parts.apart.iter().any(is_clear);
        let counts = |at: &usize| of_all || stated[*at].signal.status != VexStatus::NotAffected;
        stands.extend(last.into_iter().filter(counts));
    }
    let each = stated.into_iter().enumerate();
    each.filter_map(|(at, one)| stands.contains(&at).then_some(one.signal))
        .collect()
}

/// Of the statements at some places the last, and those without a time. Of those made at once the
/// ones that surely speak to the component stand before the others.
fn last_of(stated: &[Stated], places: &[usize]) -> Vec<usize> {
    let last = places.iter().filter_map(|at| stated[*at].at).max();
    let newest = |at: &&usize| stated[**at].at.is_none() || stated[**at].at == last;
    let newest: Vec<usize> = places.iter().filter(newest).copied().collect();
    let sure = |at: &usize| !stated[*at].doubtful;
    let at_once = newest.iter().any(|at| sure(at) && stated[*at].at == last);
    let counts = |at: &usize| sure(at) || !at_once || stated[*at].at.is_none();
    newest.into_iter().filter(counts).collect()
}

/// The statements of a document on one of the ids that speak to the component. Where nobody can tell
/// whether one does, it counts unless it would lower a score.
pub(crate) fn statements(
    source: &CaseDocument,
    ids: &[String],
    sbom: &Shared,
    component: &NamedComponent,
) -> Vec<Stated> {
    let (Some(vex), Some(said)) = (source.document.vex(), source.document.said()) else {
        return Vec::new();
    };
    let asked = Asked {
        own: source.role == SourceRole::Sbom,
        sbom,
        component,
    };
    let shaped = |(place, names): (usize, BTreeSet<String>)| {
        let (statement, named) = (vex.statements.get(place)?, said.statements.get(place)?);
        let speaks = asked.is_spoken_of(statement, named);
        let counts = match (speaks, statement.status) {
            (Speaks::No, _) => false,
            (Speaks::Maybe, VexStatus::NotAffected | VexStatus::Fixed) => false,
            (Speaks::Maybe | Speaks::Yes, _) => true,
        };
        counts.then(|| Stated {
            signal: VexSignal {
                status: statement.status,
                justification: statement.justification.clone(),
                publisher: source.publisher.clone(),
                source: Source {
                    document: source.digest,
                    pointer: statement.pointer.clone(),
                },
            },
            at: named.at,
            names,
            doubtful: speaks == Speaks::Maybe,
        })
    };
    said.on(ids).into_iter().filter_map(shaped).collect()
}

/// Whether a statement speaks to a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Speaks {
    No,
    /// Nobody can tell.
    Maybe,
    Yes,
}

impl From<bool> for Speaks {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A component that statements may speak to.
struct Asked<'a> {
    /// Whether the statements are those of the SBOM itself.
    own: bool,
    sbom: &'a Shared,
    component: &'a NamedComponent,
}

impl Asked<'_> {
    /// A product without parts must be the component itself; one with parts must be what the SBOM
    /// describes, and one of its parts the component.
    fn is_spoken_of(&self, statement: &VexStatement, named: &Named) -> Speaks {
        let of_all = self.most_of(&statement.subcomponents, &named.parts);
        let of_product = |(product, read): (&VexProduct, &Product)| {
            let part = self
                .most_of(&product.subcomponents, &read.parts)
                .max(of_all);
            match part {
                Some(part) => self.is_within(product, read).min(most(product)).min(part),
                None => self.is_product(product, read).min(most(product)),
            }
        };
        let products = statement.products.iter().zip(&named.products);
        products.map(of_product).max().unwrap_or(Speaks::No)
    }

    /// Whether one of some parts is the component; none where there is no part.
    fn most_of(&self, parts: &[VexProduct], read: &[Product]) -> Option<Speaks> {
        let coordinates = &self.component.coordinates;
        let each = parts.iter().zip(read);
        each.map(|(part, read)| names(read, coordinates).min(most(part)))
            .max()
    }

    fn is_product(&self, product: &VexProduct, read: &Product) -> Speaks {
        match &product.bom_ref {
            Some(bom_ref) if self.own => self.is_called(bom_ref).into(),
            _ => {
                Speaks::from(self.is_linked(product)).max(names(read, &self.component.coordinates))
            }
        }
    }

    /// Whether the component is the only one that its document calls so.
    fn is_called(&self, bom_ref: &str) -> bool {
        self.component.bom_ref.is_some() && self.component.reference == bom_ref
    }

    /// A link from one CycloneDX document to a component of another:
    /// `urn:cdx:serial/version#bom-ref`.
    fn is_linked(&self, product: &VexProduct) -> bool {
        let id = product.id.as_deref();
        let link = id.and_then(|id| id.strip_prefix("urn:cdx:"));
        let (Some(link), Body::Sbom(sbom)) = (link, &self.sbom.body) else {
            return false;
        };
        let serial = sbom.serial_number.as_deref();
        let serial = serial.and_then(|serial| serial.strip_prefix("urn:uuid:"));
        let (Some(serial), Some(version)) = (serial, sbom.version) else {
            return false;
        };
        let bom_ref = link.strip_prefix(&format!("{serial}/{version}#"));
        bom_ref.is_some_and(|bom_ref| self.is_called(bom_ref))
    }

    /// Whether a product is what the SBOM describes. An IRI may name it there too, in place of a
    /// package URL.
    fn is_within(&self, product: &VexProduct, read: &Product) -> Speaks {
        let Some(subject) = self.sbom.subject() else {
            return Speaks::No;
        };
        let id = product.id.as_deref().filter(|id| id.contains(':'));
        // Where it is a package URL, what stands beside it is meant too.
        let id =
            id.filter(|id| !(id.starts_with("pkg:") && product.identifiers.contains_key("purl")));
        let is_subject = |id: &str| {
            let by_ref = subject.component.bom_ref.as_deref();
            let by_ref = by_ref.filter(|name| !name.starts_with("pkg:"));
            subject.component.purl.as_deref() == Some(id) || by_ref == Some(id)
        };
        let same_id = id.is_some_and(is_subject);
        let named = subject.coordinates.as_ref();
        let named = named.map_or(Speaks::No, |subject| names(read, subject));
        named.max(same_id.into())
    }
}

/// Whether each package URL of a product that can be read names a component: where they differ, what
/// all of them say is meant.
fn names(product: &Product, component: &Coordinates) -> Speaks {
    let of_package = |package: &Arc<Package>| match &package.range {
        Some(range) => {
            let range = range.as_ref().map_err(String::as_str);
            let held = package.coordinates.speaks_of_those_in(range, component);
            held.map_or(Speaks::Maybe, Speaks::from)
        }
        None => package.coordinates.speaks_of(component).into(),
    };
    let read = product.purls.iter().flatten().map(of_package);
    let all = read.min().unwrap_or(Speaks::No);
    // What cannot be read may say less than what can.
    let unread = if product.purls.iter().any(Option::is_none) {
        Speaks::Maybe
    } else {
        Speaks::Yes
    };
    all.min(unread)
}

/// What can be said at most where identifiers name more than is meant.
fn most(product: &VexProduct) -> Speaks {
    if product.wider {
        Speaks::Maybe
    } else {
        Speaks::Yes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
