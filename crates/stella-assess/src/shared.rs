//! A document that is read once for all findings that it speaks to.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::OnceLock;

use stella_formats::{Body, Component, Document};
use stella_matching::{Coordinates, Matcher};

use crate::advisory::packages;
use crate::coverage::{NamedComponent, components, coordinates};
use crate::product::Said;

/// A statement on one package, ready to be compared.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Where in the advisory (RFC 6901).
    pub(crate) pointer: String,
    /// The publisher's class of an advisory that tells of no vulnerability.
    pub(crate) informational: Option<String>,
    pub(crate) matcher: Matcher,
}

/// What an SBOM describes.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) component: &'a Component,
    /// Where its package URL points, if it has one that can be read.
    pub(crate) coordinates: Option<&'a Coordinates>,
}

/// A document that several cases share. A page of findings may be of one advisory or one SBOM, and
/// VEX speak to all of them: what they name takes longer to read than to compare.
#[derive(Debug)]
pub struct Shared {
    document: Document,
    statements: OnceLock<Vec<Statement>>,
    /// By where they stand.
    components: OnceLock<HashMap<String, NamedComponent>>,
    subject: OnceLock<Option<Coordinates>>,
    said: OnceLock<Option<Said>>,
    product_urls: OnceLock<ProductUrls>,
}

/// Where the package URLs of products point, by the ids of the products: none of a URL that cannot be
/// read.
type ProductUrls = HashMap<String, Vec<Option<Coordinates>>>;

impl Shared {
    /// What it says of packages, in the order of the document.
    pub(crate) fn statements(&self) -> &[Statement] {
        self.statements.get_or_init(|| {
            let packages = packages(&self.document.body).into_iter();
            let read = packages.map(|package| Statement {
                matcher: package.matcher(),
                pointer: package.pointer,
                informational: package.informational,
            });
            read.collect()
        })
    }

    /// The component of an SBOM that stands at a place (RFC 6901), if it has a readable package URL.
    pub(crate) fn component_at(&self, pointer: &str) -> Option<&NamedComponent> {
        let read = || {
            let Body::Sbom(sbom) = &self.document.body else {
                return HashMap::new();
            };
            let each = components(sbom).into_iter();
            each.map(|one| (one.pointer.clone(), one)).collect()
        };
        self.components.get_or_init(read).get(pointer)
    }

    /// What an SBOM describes.
    pub(crate) fn subject(&self) -> Option<Subject<'_>> {
        let Body::Sbom(sbom) = &self.document.body else {
            return None;
        };
        let component = sbom.components.get(sbom.subject?)?;
        let read = || coordinates(component.purl.as_deref()?, component.version.as_deref()).ok();
        Some(Subject {
            component,
            coordinates: self.subject.get_or_init(read).as_ref(),
        })
    }

    /// What its VEX says of products.
    pub(crate) fn said(&self) -> Option<&Said> {
        let said = self
            .said
            .get_or_init(|| self.document.vex().map(Said::read));
        said.as_ref()
    }

    /// The package URLs of what CSAF names.
    pub(crate) fn product_urls(&self) -> &ProductUrls {
        let read = || {
            let Body::Csaf(csaf) = &self.document.body else {
                return ProductUrls::new();
            };
            let urls = |purls: &[String]| {
                let each = purls.iter();
                each.map(|purl| Coordinates::from_purl(purl).ok()).collect()
            };
            let products = csaf.products.iter();
            products
                .map(|(id, product)| (id.clone(), urls(&product.purls)))
                .collect()
        };
        self.product_urls.get_or_init(read)
    }
}

impl From<Document> for Shared {
    fn from(document: Document) -> Self {
        Self {
            document,
            statements: OnceLock::new(),
            components: OnceLock::new(),
            subject: OnceLock::new(),
            said: OnceLock::new(),
            product_urls: OnceLock::new(),
        }
    }
}

impl Deref for Shared {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.document
    }
}
