//! Which VEX statements speak to a component: VEX speaks to a product and its component, never
//! to a vulnerability alone.

use stella_formats::{Sbom, VexDocument, VexProduct, VexStatement};
use stella_matching::Coordinates;
use stella_scoring::{Source, VexSignal};

use crate::case::CaseDocument;
use crate::coverage::NamedComponent;

/// The statements of a document on one of the ids that speak to the component.
pub(crate) fn statements(
    vex: &VexDocument,
    source: &CaseDocument,
    ids: &[String],
    sbom: &Sbom,
    component: &NamedComponent,
) -> Vec<VexSignal> {
    let named = |statement: &&VexStatement| {
        statement
            .vulnerability
            .identifiers()
            .any(|name| ids.iter().any(|id| id == name))
    };
    let speaks = |statement: &&VexStatement| speaks_of(statement, sbom, component);
    let shaped = |statement: &VexStatement| VexSignal {
        status: statement.status,
        justification: statement.justification.clone(),
        publisher: source.publisher.clone(),
        source: Source {
            document: source.digest,
            pointer: statement.pointer.clone(),
        },
    };
    vex.statements
        .iter()
        .filter(named)
        .filter(speaks)
        .map(shaped)
        .collect()
}

/// A product without parts must be the component itself; one with parts must be what the SBOM
/// describes, and one of its parts the component.
fn speaks_of(statement: &VexStatement, sbom: &Sbom, component: &NamedComponent) -> bool {
    statement.products.iter().any(|product| {
        let mut parts = statement.parts(product).peekable();
        if parts.peek().is_none() {
            return names(product, &component.coordinates);
        }
        is_described(product, sbom) && parts.any(|part| names(part, &component.coordinates))
    })
}

fn names(product: &VexProduct, component: &Coordinates) -> bool {
    let read = |purl: &str| Coordinates::from_purl(purl).ok();
    product
        .purls()
        .into_iter()
        .filter_map(read)
        .any(|named| named.speaks_of(component))
}

/// The SBOM's own subject comes first of its components where it has one, and its place in the
/// document says so.
fn is_described(product: &VexProduct, sbom: &Sbom) -> bool {
    let subject = sbom
        .components
        .iter()
        .find(|one| one.pointer.starts_with("/metadata/"));
    let Some(subject) = subject else { return false };
    let purl = subject.purl.as_deref();
    let coordinates = purl.and_then(|purl| Coordinates::from_purl(purl).ok());
    let same_id =
        product.id.is_some() && (product.id == subject.purl || product.id == subject.bom_ref);
    same_id || coordinates.is_some_and(|subject| names(product, &subject))
}
