//! Texts that become part of a key. PostgreSQL holds no key above about 2,700 bytes: a longer one
//! would be taken on one engine and fail on the other.

use stella_formats::{Body, Component, Document};

/// Bytes of an id of a vulnerability, of an ecosystem or of a package's name.
const NAME: usize = 512;
/// Bytes of what an SBOM says of a component, which holds a package's name and more.
const COMPONENT: usize = 1024;

/// A text that is too long, and where it stands.
pub(super) struct TooLong {
    pub(super) pointer: String,
    pub(super) bytes: usize,
    pub(super) limit: usize,
}

/// The first text of a document that is too long for a key.
pub(super) fn in_document(document: &Document) -> Option<TooLong> {
    match &document.body {
        Body::Advisory(advisory) => {
            let id = beyond(NAME, &advisory.id, || "/id".to_owned());
            let mut aliases = advisory.aliases.iter().enumerate();
            let mut affected = advisory.affected.iter();
            id.or_else(|| {
                aliases.find_map(|(at, alias)| beyond(NAME, alias, || format!("/aliases/{at}")))
            })
            .or_else(|| {
                affected.find_map(|one| {
                    let (package, at) = (one.package.as_ref()?, &one.pointer);
                    beyond(NAME, &package.name, || format!("{at}/package/name")).or_else(|| {
                        beyond(NAME, &package.ecosystem, || {
                            format!("{at}/package/ecosystem")
                        })
                    })
                })
            })
        }
        Body::Vex(vex) => vex.statements.iter().find_map(|statement| {
            let at = || format!("{}/vulnerability", statement.pointer);
            let mut names = statement.vulnerability.identifiers();
            names.find_map(|name| beyond(NAME, name, at))
        }),
        Body::Kev(kev) => kev
            .entries
            .iter()
            .find_map(|entry| beyond(NAME, &entry.cve_id, || format!("{}/cveID", entry.pointer))),
        Body::Sbom(sbom) => sbom.components.iter().find_map(of_component),
        // No key is made of a table's rows.
        Body::Epss(_) => None,
    }
}

fn of_component(component: &Component) -> Option<TooLong> {
    let texts = [
        ("bom-ref", component.bom_ref.as_deref()),
        ("purl", component.purl.as_deref()),
        ("name", Some(component.name.as_str())),
        ("version", component.version.as_deref()),
    ];
    texts.into_iter().find_map(|(member, text)| {
        beyond(COMPONENT, text?, || {
            format!("{}/{member}", component.pointer)
        })
    })
}

fn beyond(limit: usize, text: &str, pointer: impl FnOnce() -> String) -> Option<TooLong> {
    (text.len() > limit).then(|| TooLong {
        pointer: pointer(),
        bytes: text.len(),
        limit,
    })
}
