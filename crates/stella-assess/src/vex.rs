//! Which VEX statements speak to a component: VEX speaks to a product and its component, never
//! to a vulnerability alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stella_formats::{Sbom, VexDocument, VexProduct, VexStatement};
use stella_matching as matching;
use stella_matching::{Coordinates, Version};
use stella_scoring::{Source, VexSignal};

use crate::case::CaseDocument;
use crate::coverage::{NamedComponent, coordinates};

/// A statement with the time that it was made, where that can be read.
pub(crate) struct Stated {
    signal: VexSignal,
    at: Option<Timestamp>,
}

/// What each publisher says last: a later statement of the same publisher takes the place of an
/// earlier one (OpenVEX 0.2.0, "Updating Statements"). Those made at the same time stay, and so
/// does one whose time is unknown, which nothing can be said to follow.
pub(crate) fn newest(stated: Vec<Stated>) -> Vec<VexSignal> {
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    for one in &stated {
        if let Some(at) = one.at {
            let known = last.entry(one.signal.publisher.clone()).or_insert(at);
            *known = at.max(*known);
        }
    }
    let stands =
        |one: &Stated| one.at.is_none() || one.at.as_ref() == last.get(&one.signal.publisher);
    stated
        .into_iter()
        .filter(stands)
        .map(|one| one.signal)
        .collect()
}

/// The statements of a document on one of the ids that speak to the component.
pub(crate) fn statements(
    vex: &VexDocument,
    source: &CaseDocument,
    ids: &[String],
    sbom: &Sbom,
    component: &NamedComponent,
) -> Vec<Stated> {
    let named = |statement: &&VexStatement| {
        statement
            .vulnerability
            .identifiers()
            .any(|name| ids.iter().any(|id| id == name))
    };
    let speaks = |statement: &&VexStatement| speaks_of(statement, sbom, component);
    let shaped = |statement: &VexStatement| Stated {
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
            return names(product, &component.coordinates) || links_to(product, sbom, component);
        }
        is_described(product, sbom) && parts.any(|part| names(part, &component.coordinates))
    })
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
            match matchable(purl, product.version.as_deref()) {
                Ok(()) => return None,
                Err(reason) => first = first.or(Some(reason)),
            }
        }
    }
    Some(first.unwrap_or_else(|| UNREADABLE.to_owned()))
}

fn matchable(purl: &str, beside: Option<&str>) -> Result<(), String> {
    let named = coordinates(purl, beside).map_err(|_| UNREADABLE)?;
    if !named.ecosystem.has_purls() {
        let name = named.ecosystem.as_str();
        return Err(format!("no OSV advisory names packages of {name:?}"));
    }
    let version = named
        .version
        .as_deref()
        .map(|version| Version::parse(&named.ecosystem, version));
    match version {
        Some(Err(error @ matching::Error::Version { .. })) => Err(error.to_string()),
        _ => Ok(()),
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
    match (link, serial, sbom.version, &component.bom_ref) {
        (Some(link), Some(serial), Some(version), Some(bom_ref)) => {
            link == format!("{serial}/{version}#{bom_ref}")
        }
        _ => false,
    }
}

fn names(product: &VexProduct, component: &Coordinates) -> bool {
    let read = |purl: &str| coordinates(purl, product.version.as_deref()).ok();
    product
        .purls()
        .into_iter()
        .filter_map(read)
        .any(|named| named.speaks_of(component))
}

fn is_described(product: &VexProduct, sbom: &Sbom) -> bool {
    let Some(subject) = sbom.subject.and_then(|at| sbom.components.get(at)) else {
        return false;
    };
    let purl = subject.purl.as_deref();
    let coordinates = purl.and_then(|purl| Coordinates::from_purl(purl).ok());
    let same_id =
        product.id.is_some() && (product.id == subject.purl || product.id == subject.bom_ref);
    same_id || coordinates.is_some_and(|subject| names(product, &subject))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stella_api::VexStatus;
    use stella_canonical::Digest;
    use stella_formats::Body;

    use super::*;

    fn stated(publisher: &str, status: VexStatus, at: &str) -> Stated {
        let pointer = format!("/{at}");
        let source = Source {
            document: Digest::of(publisher.as_bytes()),
            pointer,
        };
        Stated {
            signal: VexSignal {
                status,
                justification: None,
                publisher: publisher.to_owned(),
                source,
            },
            at: at.parse().ok(),
        }
    }

    #[test]
    fn a_link_leads_to_one_component_of_one_revision() {
        let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:1-2",
            "version": 3, "components": [{"name": "a", "bom-ref": "x", "purl": "pkg:cargo/a@1.0.0"}]}"#;
        let Body::Sbom(sbom) = stella_formats::read(text.as_bytes()).unwrap().body else {
            panic!("no SBOM")
        };
        let component = crate::component_at(&sbom, "/components/0").unwrap();
        let linked = |id: &str| {
            let product = VexProduct {
                id: Some(id.to_owned()),
                identifiers: BTreeMap::new(),
                version: None,
                hashes: BTreeMap::new(),
                subcomponents: Vec::new(),
                pointer: String::new(),
            };
            links_to(&product, &sbom, &component)
        };
        assert!(linked("urn:cdx:1-2/3#x"));
        for other in [
            "urn:cdx:1-2/4#x",
            "urn:cdx:1-3/3#x",
            "urn:cdx:1-2/3#y",
            "urn:cdx:1-2/3",
            "x",
        ] {
            assert!(!linked(other), "{other}");
        }
    }

    #[test]
    fn of_a_publisher_the_last_statement_counts() {
        let (old, new) = ("2023-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00");
        let other = "2024-01-01T00:00:00Z";
        let all = || {
            vec![
                stated("a", VexStatus::NotAffected, old),
                stated("a", VexStatus::Affected, new),
                stated("a", VexStatus::Fixed, other),
                stated("b", VexStatus::NotAffected, old),
                stated("c", VexStatus::NotAffected, "some time"),
                stated("c", VexStatus::Affected, old),
            ]
        };
        let told = |stated: Vec<Stated>| -> Vec<_> {
            let mut told: Vec<_> = newest(stated)
                .into_iter()
                .map(|one| (one.publisher, one.status))
                .collect();
            told.sort();
            told
        };
        let of = |publisher: &str, status| (publisher.to_owned(), status);
        let mut expected = vec![
            of("a", VexStatus::Affected),
            of("a", VexStatus::Fixed),
            of("b", VexStatus::NotAffected),
            of("c", VexStatus::NotAffected),
            of("c", VexStatus::Affected),
        ];
        expected.sort();
        assert_eq!(told(all()), expected);
        let mut turned = all();
        turned.reverse();
        assert_eq!(told(turned), expected);
    }
}
