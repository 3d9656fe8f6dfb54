//! What a document says of packages, read once for all findings that it speaks to.

use std::ops::Deref;
use std::sync::OnceLock;

use stella_formats::Document;
use stella_matching::Matcher;

use crate::advisory::packages;

/// A statement on one package, ready to be compared.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Where in the advisory (RFC 6901).
    pub(crate) pointer: String,
    /// The publisher's class of an advisory that tells of no vulnerability.
    pub(crate) informational: Option<String>,
    pub(crate) matcher: Matcher,
}

/// A document that several cases share. A page of findings may be of one advisory, whose
/// statements take longer to read than to compare.
#[derive(Debug)]
pub struct Shared {
    document: Document,
    statements: OnceLock<Vec<Statement>>,
}

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
}

impl From<Document> for Shared {
    fn from(document: Document) -> Self {
        Self {
            document,
            statements: OnceLock::new(),
        }
    }
}

impl Deref for Shared {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.document
    }
}
