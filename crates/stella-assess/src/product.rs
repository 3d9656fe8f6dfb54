//! Products of VEX, read once for all components that they are compared with.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use stella_formats::{Versions, VexDocument, VexProduct, VexStatement};
use stella_matching::{self as matching, Coordinates, Vers, Version, quoted};

use crate::coverage::coordinates;

/// What a document says of products.
#[derive(Debug)]
pub(crate) struct Said {
    /// In the order of the document.
    pub(crate) statements: Vec<Named>,
    /// Which of them name a vulnerability.
    on: HashMap<String, Vec<usize>>,
}

/// What a statement names.
#[derive(Debug)]
pub(crate) struct Named {
    /// When it was made, where that can be read.
    pub(crate) at: Option<Timestamp>,
    pub(crate) products: Vec<Product>,
    /// Parts that are named once, for all products.
    pub(crate) parts: Vec<Product>,
}

/// A product, or a part of one.
#[derive(Debug)]
pub(crate) struct Product {
    /// Its package URLs, none of one that cannot be read.
    pub(crate) purls: Vec<Option<Arc<Package>>>,
    /// Why its package URLs may name more than is meant, beyond what the document's reader told.
    doubt: Option<String>,
    pub(crate) parts: Vec<Product>,
}

impl Product {
    /// Whether its package URLs may name more than is meant.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubt.is_some()
    }
}

/// A package URL, with what stands beside it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) coordinates: Coordinates,
    /// Of a URL without a version, the versions that are meant, or why nobody can tell which.
    pub(crate) range: Option<Result<Vers, String>>,
}

impl Said {
    pub(crate) fn read(vex: &VexDocument) -> Self {
        let mut packages = Packages::default();
        let mut on: HashMap<String, Vec<usize>> = HashMap::new();
        let mut statements = Vec::with_capacity(vex.statements.len());
        for (place, statement) in vex.statements.iter().enumerate() {
            for name in statement.vulnerability.identifiers() {
                on.entry(name.to_owned()).or_default().push(place);
            }
            let stated_at = vex.stated_at(statement);
            statements.push(Named {
                at: stated_at.and_then(|at| at.parse().ok()),
                products: packages.products(&statement.products),
                parts: packages.products(&statement.subcomponents),
            });
        }
        Self { statements, on }
    }

    /// The places of the statements on some ids, each with those of the ids that it names.
    pub(crate) fn on(&self, ids: &[String]) -> BTreeMap<usize, BTreeSet<String>> {
        let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for id in ids {
            for place in self.on.get(id).into_iter().flatten() {
                found.entry(*place).or_default().insert(id.clone());
            }
        }
        found
    }
}

/// The package URLs of a document: many statements name the same.
#[derive(Default)]
struct Packages<'a>(HashMap<(&'a str, Option<&'a Versions>), Option<Arc<Package>>>);

impl<'a> Packages<'a> {
    fn products(&mut self, products: &'a [VexProduct]) -> Vec<Product> {
        let each = products.iter();
        each.map(|product| self.product(product)).collect()
    }

    fn product(&mut self, product: &'a VexProduct) -> Product {
        let versions = product.versions.as_ref();
        let purls = product.purls().into_iter();
        let purls: Vec<_> = purls.map(|purl| self.package(purl, versions)).collect();
        Product {
            doubt: doubt(product, purls.iter().flatten()),
            purls,
            parts: self.products(&product.subcomponents),
        }
    }

    fn package(&mut self, purl: &'a str, versions: Option<&'a Versions>) -> Option<Arc<Package>> {
        match self.0.entry((purl, versions)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let read = Package::read(purl, versions).map(Arc::new);
                unknown.insert(read).clone()
            }
        }
    }
}

impl Package {
    fn read(purl: &str, versions: Option<&Versions>) -> Option<Self> {
        let (one, range) = match versions {
            Some(Versions::One(version)) => (Some(version.as_str()), None),
            Some(Versions::Range(range)) => (None, Some(range)),
            None => (None, None),
        };
        let coordinates = coordinates(purl, one).ok()?;
        let range = range.filter(|_| coordinates.version.is_none());
        Some(Self {
            range: range.map(|range| Vers::parse(range, &coordinates.ecosystem)),
            coordinates,
        })
    }
}

/// What beside the package URLs of a product names one version or one artefact where they name all.
/// One that has a version counts, whatever stands beside it: CPEs are written in other ways.
fn doubt<'a>(
    product: &VexProduct,
    mut packages: impl Iterator<Item = &'a Arc<Package>>,
) -> Option<String> {
    packages.find(|package| package.coordinates.version.is_none())?;
    if let Some(cpe) = product.narrow_cpe() {
        return Some(format!("its CPE may name one version: {}", quoted(cpe)));
    }
    if product.link().is_some() {
        return Some("it links to one component of another document".to_owned());
    }
    let unread = product.not_read().next();
    unread.map(|kind| format!("identifiers of type {} are not read", quoted(kind)))
}

/// What may be less than its package URLs name: its place, with the reason.
pub(crate) fn doubtful<'a>(
    vex: &'a VexDocument,
    said: &'a Said,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let statements = vex.statements.iter().zip(&said.statements);
    let products = statements.flat_map(|(statement, named)| {
        let all = statement.products.iter().zip(&named.products);
        let shared = statement.subcomponents.iter().zip(&named.parts);
        let parts = all
            .clone()
            .flat_map(|(product, read)| product.subcomponents.iter().zip(&read.parts));
        all.chain(shared).chain(parts)
    });
    products.filter_map(|(product, read)| Some((product.pointer.as_str(), read.doubt.as_deref()?)))
}

/// Why there can be no component that a product of a document names: its place, with the reason.
pub(crate) fn misnamed<'a>(vex: &'a VexDocument, said: &Said) -> Vec<(&'a str, String)> {
    let mut misnamed = Vec::new();
    for (statement, named) in vex.statements.iter().zip(&said.statements) {
        let of_parts = none_of(statement.subcomponents.iter().zip(&named.parts));
        for (product, read) in statement.products.iter().zip(&named.products) {
            let reason = why_nobody(statement, product, read, of_parts.as_ref());
            misnamed.extend(reason.map(|reason| (product.pointer.as_str(), reason)));
        }
    }
    misnamed
}

fn why_nobody(
    statement: &VexStatement,
    product: &VexProduct,
    read: &Product,
    of_parts: Option<&String>,
) -> Option<String> {
    let id = product.id.as_deref();
    if statement.parts(product).next().is_none() {
        let linked = product.link().is_some();
        return none_of([(product, read)].into_iter()).filter(|_| !linked);
    }
    if id.is_none() && read.purls.iter().all(Option::is_none) {
        return Some(UNREADABLE.to_owned());
    }
    let own = product.subcomponents.iter().zip(&read.parts);
    match (own.len(), statement.subcomponents.len()) {
        (0, _) => of_parts.cloned(),
        (_, 0) => none_of(own),
        _ => none_of(own).filter(|_| of_parts.is_some()),
    }
}

const UNREADABLE: &str = "a product has no package URL that can be read";

/// Why no advisory can be matched with any package URL of some products, the first reason.
fn none_of<'a>(products: impl Iterator<Item = (&'a VexProduct, &'a Product)>) -> Option<String> {
    let mut first = None;
    for (product, read) in products {
        for package in &read.purls {
            match matchable(package.as_deref(), product.versions.as_ref()) {
                Ok(()) => return None,
                Err(reason) => first = first.or(Some(reason)),
            }
        }
    }
    Some(first.unwrap_or_else(|| UNREADABLE.to_owned()))
}

fn matchable(package: Option<&Package>, versions: Option<&Versions>) -> Result<(), String> {
    let package = package.ok_or(UNREADABLE)?;
    let ecosystem = &package.coordinates.ecosystem;
    if !ecosystem.has_purls() {
        let name = quoted(ecosystem.as_str());
        return Err(format!("no OSV advisory names packages of {name}"));
    }
    let version = package.coordinates.version.as_deref();
    match (
        version.map(|text| Version::parse(ecosystem, text)),
        &package.range,
        versions,
    ) {
        (Some(Err(error @ matching::Error::Version { .. })), ..) => Err(error.to_string()),
        // Of others it is told where they stand that they are not read.
        (_, Some(Err(reason)), Some(Versions::Range(range))) if range.starts_with("vers:") => {
            Err(reason.clone())
        }
        _ => Ok(()),
    }
}
