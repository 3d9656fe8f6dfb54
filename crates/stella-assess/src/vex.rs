//! Which VEX statements speak to a component: VEX speaks to a product and its component, never
//! to a vulnerability alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stella_api::VexStatus;
use stella_api::findings::SourceRole;
use stella_formats::{Sbom, Versions, VexDocument, VexProduct, VexStatement};
use stella_matching as matching;
use stella_matching::{Coordinates, Version, unreadable_range};
use stella_scoring::{Source, VexSignal};

use crate::case::CaseDocument;
use crate::coverage::{NamedComponent, coordinates};

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
    let on = |one: &Stated, part: &str| parts.is_whole(&one.names) || one.names.contains(part);
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
            let on_it = theirs.iter().copied().filter(|at| on(&stated[*at], part));
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
    vex: &VexDocument,
    source: &CaseDocument,
    ids: &[String],
    sbom: &Sbom,
    component: &NamedComponent,
) -> Vec<Stated> {
    let own = source.role == SourceRole::Sbom;
    let shaped = |statement: &VexStatement| {
        let named = statement.vulnerability.identifiers();
        let named = named.filter(|name| ids.iter().any(|id| id == name));
        let names: BTreeSet<String> = named.map(str::to_owned).collect();
        let speaks = match names.is_empty() {
            true => Speaks::No,
            false => speaks_of(statement, own, sbom, component),
        };
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
            at: vex.stated_at(statement).and_then(|at| at.parse().ok()),
            names,
            doubtful: speaks == Speaks::Maybe,
        })
    };
    vex.statements.iter().filter_map(shaped).collect()
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

/// A product without parts must be the component itself; one with parts must be what the SBOM
/// describes, and one of its parts the component.
fn speaks_of(
    statement: &VexStatement,
    own: bool,
    sbom: &Sbom,
    component: &NamedComponent,
) -> Speaks {
    let of_product = |product: &VexProduct| {
        let mut parts = statement.parts(product).peekable();
        if parts.peek().is_none() {
            let speaks = match &product.bom_ref {
                Some(bom_ref) if own => is_called(component, bom_ref).into(),
                _ => Speaks::from(links_to(product, sbom, component))
                    .max(names(product, &component.coordinates)),
            };
            return speaks.min(most(product));
        }
        let part = parts.map(|part| names(part, &component.coordinates).min(most(part)));
        let described = is_described(product, sbom).min(most(product));
        described.min(part.max().unwrap_or(Speaks::No))
    };
    statement
        .products
        .iter()
        .map(of_product)
        .max()
        .unwrap_or(Speaks::No)
}

/// Whether a component is the only one that its document calls so.
fn is_called(component: &NamedComponent, bom_ref: &str) -> bool {
    component.bom_ref.is_some() && component.reference == bom_ref
}

/// Why there can be no component that a product, or a part of it, names; none where there can.
pub(crate) fn misnamed(statement: &VexStatement, product: &VexProduct) -> Option<String> {
    let mut parts = statement.parts(product).peekable();
    let id = product.id.as_deref();
    if parts.peek().is_none() {
        let linked = id.is_some_and(|id| id.starts_with("urn:cdx:"));
        return none_of([product].into_iter()).filter(|_| !linked);
    }
    let readable = |purl: &str| Coordinates::from_purl(purl).is_ok();
    if id.is_none() && !product.purls().into_iter().any(readable) {
        return Some(UNREADABLE.to_owned());
    }
    none_of(parts)
}

const UNREADABLE: &str = "a product has no package URL that can be read";

/// Why no advisory can be matched with any package URL of some products, the first reason.
fn none_of<'a>(products: impl Iterator<Item = &'a VexProduct>) -> Option<String> {
    let mut first = None;
    for product in products {
        for purl in product.purls() {
            match matchable(purl, product.versions.as_ref()) {
                Ok(()) => return None,
                Err(reason) => first = first.or(Some(reason)),
            }
        }
    }
    Some(first.unwrap_or_else(|| UNREADABLE.to_owned()))
}

fn matchable(purl: &str, versions: Option<&Versions>) -> Result<(), String> {
    let named = coordinates(purl, one(versions)).map_err(|_| UNREADABLE)?;
    if !named.ecosystem.has_purls() {
        let name = named.ecosystem.as_str();
        return Err(format!("no OSV advisory names packages of {name:?}"));
    }
    let read = |version: &str| Version::parse(&named.ecosystem, version);
    match (named.version.as_deref().map(read), versions) {
        (Some(Err(error @ matching::Error::Version { .. })), _) => Err(error.to_string()),
        (None, Some(Versions::Range(range))) if range.starts_with("vers:") => {
            unreadable_range(&named.ecosystem, range).map_or(Ok(()), Err)
        }
        _ => Ok(()),
    }
}

fn one(versions: Option<&Versions>) -> Option<&str> {
    match versions {
        Some(Versions::One(version)) => Some(version),
        _ => None,
    }
}

/// A link from one CycloneDX document to a component of another: `urn:cdx:serial/version#bom-ref`.
fn links_to(product: &VexProduct, sbom: &Sbom, component: &NamedComponent) -> bool {
    let link = product
        .id
        .as_deref()
        .and_then(|id| id.strip_prefix("urn:cdx:"));
    let serial = sbom.serial_number.as_deref();
    let serial = serial.and_then(|serial| serial.strip_prefix("urn:uuid:"));
    let (Some(link), Some(serial), Some(version)) = (link, serial, sbom.version) else {
        return false;
    };
    let bom_ref = link.strip_prefix(&format!("{serial}/{version}#"));
    bom_ref.is_some_and(|bom_ref| is_called(component, bom_ref))
}

/// Whether each package URL of a product that can be read names a component: where they differ, what
/// all of them say is meant.
fn names(product: &VexProduct, component: &Coordinates) -> Speaks {
    let of_url = |purl: &str| {
        let named = coordinates(purl, one(product.versions.as_ref())).ok()?;
        Some(match &product.versions {
            Some(Versions::Range(range)) if named.version.is_none() => {
                let held = named.speaks_of_those_in(range, component);
                held.map_or(Speaks::Maybe, Speaks::from)
            }
            _ => named.speaks_of(component).into(),
        })
    };
    let purls = product.purls();
    let read: Vec<Speaks> = purls.iter().filter_map(|purl| of_url(purl)).collect();
    let all = read.iter().copied().min().unwrap_or(Speaks::No);
    // What cannot be read may say less than what can.
    let unread = if read.len() < purls.len() {
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

/// Whether a product is what an SBOM describes. An IRI may name it there too, in place of a package
/// URL.
fn is_described(product: &VexProduct, sbom: &Sbom) -> Speaks {
    let Some(subject) = sbom.subject.and_then(|at| sbom.components.get(at)) else {
        return Speaks::No;
    };
    let coordinates = subject
        .purl
        .as_deref()
        .and_then(|purl| coordinates(purl, subject.version.as_deref()).ok());
    let id = product.id.as_deref().filter(|id| id.contains(':'));
    // Where it is a package URL, what stands beside it is meant too.
    let id = id.filter(|id| !(id.starts_with("pkg:") && product.identifiers.contains_key("purl")));
    let is_subject = |id: &str| {
        let by_ref = subject
            .bom_ref
            .as_deref()
            .filter(|name| !name.starts_with("pkg:"));
        subject.purl.as_deref() == Some(id) || by_ref == Some(id)
    };
    let same_id = id.is_some_and(is_subject);
    let named = coordinates.map_or(Speaks::No, |subject| names(product, &subject));
    named.max(same_id.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
