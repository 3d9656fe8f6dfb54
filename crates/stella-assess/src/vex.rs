//! Which VEX statements speak to a component: VEX speaks to a product and its component, never
//! to a vulnerability alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use stella_api::VexStatus;
use stella_api::findings::SourceRole;
use stella_formats::{Body, VexProduct, VexStatement, is_purl};
use stella_matching::Coordinates;
use stella_scoring::{Source, VexSignal};

use crate::case::CaseDocument;
use crate::coverage::NamedComponent;
use crate::newest::Stated;
use crate::product::{Named, Package, Product};
use crate::shared::Shared;

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
                Some(part) => self
                    .is_within(product, read)
                    .min(most(product, read))
                    .min(part),
                None => self.is_product(product, read),
            }
        };
        let products = statement.products.iter().zip(&named.products);
        products.map(of_product).max().unwrap_or(Speaks::No)
    }

    /// Whether one of some parts is the component; none where there is no part.
    fn most_of(&self, parts: &[VexProduct], read: &[Product]) -> Option<Speaks> {
        let coordinates = &self.component.coordinates;
        let each = parts.iter().zip(read);
        each.map(|(part, read)| names(read, coordinates).min(most(part, read)))
            .max()
    }

    /// Where a name or a link leads to one component, that is meant, and what else identifies it says
    /// nothing more.
    fn is_product(&self, product: &VexProduct, read: &Product) -> Speaks {
        let one = |is: bool| match is && product.wider {
            true => Speaks::Maybe,
            false => is.into(),
        };
        match product.bom_ref.as_deref().filter(|_| self.own) {
            Some(bom_ref) => one(self.is_called(bom_ref)),
            None if product.link().is_some_and(|link| self.is_linked(link)) => one(true),
            None => names(read, &self.component.coordinates).min(most(product, read)),
        }
    }

    /// Whether the component is the only one that its document calls so.
    fn is_called(&self, bom_ref: &str) -> bool {
        self.component.bom_ref.is_some() && self.component.reference == bom_ref
    }

    /// A link from one CycloneDX document to a component of another:
    /// `serial/version#bom-ref` behind `urn:cdx:`.
    fn is_linked(&self, link: &str) -> bool {
        let Body::Sbom(sbom) = &self.sbom.body else {
            return false;
        };
        let serial = sbom.serial_number.as_deref();
        let serial = serial.and_then(|serial| serial.strip_prefix("urn:uuid:"));
        let Some(serial) = serial else {
            return false;
        };
        // What a document has that does not say, by the schema of CycloneDX.
        let version = sbom.version.unwrap_or(1);
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
        let id = id.filter(|id| !(is_purl(id) && product.identifiers.contains_key("purl")));
        let is_subject = |id: &str| {
            let by_ref = subject.component.bom_ref.as_deref();
            let by_ref = by_ref.filter(|name| !is_purl(name));
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
    let of_package = |package: &Arc<Package>| {
        let (named, range) = (&package.coordinates, package.range.as_ref());
        let speaks = match range.map(|range| range.as_ref().map_err(String::as_str)) {
            Some(range) => named.speaks_of_those_in(range, component).ok(),
            None => Some(named.speaks_of(component)),
        };
        match speaks.map(Speaks::from) {
            None => Speaks::Maybe,
            Some(Speaks::Yes) if named.may_be_other_than(component) => Speaks::Maybe,
            Some(speaks) => speaks,
        }
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
fn most(product: &VexProduct, read: &Product) -> Speaks {
    if product.wider || read.is_doubtful() {
        Speaks::Maybe
    } else {
        Speaks::Yes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
