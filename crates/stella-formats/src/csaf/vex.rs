//! What documents of the VEX profile state, in the terms of every VEX document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stella_api::VexStatus;

use super::{Csaf, CsafProduct, CsafVersions, CsafVulnerability};
use crate::error::FormatError;
use crate::room::Room;
use crate::{Notice, VexDocument, VexProduct, VexStatement, VexVulnerability};

/// The lists that state a status. `recommended` names products to change to, and states none.
const STATUS: [(&str, VexStatus); 8] = [
    ("first_affected", VexStatus::Affected),
    ("first_fixed", VexStatus::Fixed),
    ("fixed", VexStatus::Fixed),
    ("known_affected", VexStatus::Affected),
    ("known_not_affected", VexStatus::NotAffected),
    ("last_affected", VexStatus::Affected),
    ("under_investigation", VexStatus::UnderInvestigation),
    // Since 2.1.
    ("unknown", VexStatus::UnderInvestigation),
];

/// One statement for each vulnerability, list and label of a flag.
pub(super) fn stated(csaf: &Csaf, notices: &mut Vec<Notice>) -> Result<VexDocument, FormatError> {
    let (mut statements, mut room) = (Vec::new(), Room::default());
    let mut unread = BTreeSet::new();
    for vulnerability in &csaf.vulnerabilities {
        if let Some(name) = vulnerability.name() {
            let into = (&mut statements, &mut unread);
            state(csaf, vulnerability, name, &mut room, into)?;
        }
    }
    // Once a product, however many statements name it.
    notices.extend(unread.into_iter().map(|pointer| Notice {
        code: "AFFECTED_VERSIONS_NOT_READ",
        pointer: pointer.to_owned(),
        message: "a range of versions is kept and not read: nothing is stated of it".to_owned(),
    }));
    for statement in statements
        .iter()
        .filter(|one| one.status == VexStatus::NotAffected)
    {
        if statement.justification.is_none() && statement.impact_statement.is_none() {
            let message = "`known_not_affected` needs a flag or an impact statement";
            notices.push(Notice {
                code: "JUSTIFICATION_MISSING",
                pointer: statement.pointer.clone(),
                message: message.to_owned(),
            });
        }
    }
    Ok(VexDocument {
        id: Some(csaf.id.clone()),
        author: Some(csaf.publisher.clone()),
        timestamp: csaf.released.clone(),
        version: csaf.version.clone(),
        statements,
        ratings: Vec::new(),
    })
}

fn state<'a>(
    csaf: &'a Csaf,
    of: &CsafVulnerability,
    name: &str,
    room: &mut Room,
    (statements, unread): (&mut Vec<VexStatement>, &mut BTreeSet<&'a str>),
) -> Result<(), FormatError> {
    let labels = by_product(of.flags.iter().map(|flag| (&flag.label, &flag.products)));
    let impacts = of
        .threats
        .iter()
        .filter(|threat| threat.category == "impact");
    let impacts = impacts.filter_map(|threat| Some((threat.details.as_ref()?, &threat.products)));
    let impacts = by_product(impacts);
    for (list, status) in STATUS {
        let mut reasons: BTreeMap<(Option<&str>, Option<&str>), Vec<VexProduct>> = BTreeMap::new();
        for id in of.product_status.get(list).into_iter().flatten() {
            let Some(product) = csaf.products.get(id) else {
                continue;
            };
            let reason = match status {
                VexStatus::NotAffected => (labels.get(id).copied(), impacts.get(id).copied()),
                _ => (None, None),
            };
            let products = spoken_of(csaf, product, room, unread)?;
            reasons.entry(reason).or_default().extend(products);
        }
        for ((justification, impact_statement), products) in reasons {
            let texts = [Some(name), justification, impact_statement];
            let bytes = texts.into_iter().flatten().map(str::len).sum();
            room.take(bytes, &of.pointer)?;
            statements.push(VexStatement {
                vulnerability: VexVulnerability {
                    name: name.to_owned(),
                    aliases: Vec::new(),
                },
                products,
                subcomponents: Vec::new(),
                status,
                justification: justification.map(str::to_owned),
                impact_statement: impact_statement.map(str::to_owned),
                timestamp: None,
                pointer: format!("{}/product_status/{list}", of.pointer),
            });
        }
    }
    Ok(())
}

fn by_product<'a>(
    said: impl Iterator<Item = (&'a String, &'a Vec<String>)>,
) -> HashMap<&'a String, &'a str> {
    let each = said.flat_map(|(text, products)| products.iter().map(|id| (id, text.as_str())));
    each.collect()
}

/// The product with each of its package URLs. One that is a part of another is spoken of as that:
/// the whole, and the part of it.
fn spoken_of<'a>(
    csaf: &'a Csaf,
    product: &'a CsafProduct,
    room: &mut Room,
    unread: &mut BTreeSet<&'a str>,
) -> Result<Vec<VexProduct>, FormatError> {
    let Some(relationship) = &product.relationship else {
        let spoken = identified(product, unread);
        room.take(sizes(&spoken), &product.pointer)?;
        return Ok(spoken);
    };
    let (Some(part), Some(whole)) = (
        csaf.products.get(&relationship.part),
        csaf.products.get(&relationship.whole),
    ) else {
        return Ok(Vec::new());
    };
    // A helper at the relationship names the part as it is within the whole, in the part's versions.
    let parts = if product.purls.is_empty() {
        identified(part, unread)
    } else {
        in_versions(product, part.versions.as_ref(), unread)
    };
    let mut spoken = identified(whole, unread);
    if parts.is_empty() {
        // Without a part the whole would be spoken of.
        return Ok(Vec::new());
    }
    let bytes = sizes(&spoken) + sizes(&parts) * spoken.len();
    room.take(bytes, &product.pointer)?;
    for whole in &mut spoken {
        whole.subcomponents.clone_from(&parts);
    }
    Ok(spoken)
}

/// Whether a branch of a version names the package instead, as Red Hat's do: all its versions are
/// meant.
fn is_name(purl: &str, version: &str) -> bool {
    let (path, _) = parts(purl);
    path.strip_suffix(version)
        .is_some_and(|above| above.ends_with('/'))
}

/// A package URL without its version, and whether it has one.
fn parts(purl: &str) -> (&str, bool) {
    let path = purl.split(['?', '#']).next().unwrap_or_default();
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].find('@') {
        // One at the start of a name is npm's scope.
        Some(at) if at > 0 => (&path[..name + at], true),
        _ => (path, false),
    }
}

/// Whether a text is one version and no range in its place, which CSAF 2.0 forbids (6.1.31) by these
/// signs and words.
fn is_one(version: &str) -> bool {
    const WORDS: [&str; 7] = [
        "after", "all", "before", "earlier", "later", "prior", "versions",
    ];
    let lower = version.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphabetic());
    version.contains(|c: char| c.is_ascii_digit())
        && !version.contains(['<', '>', '=', '*', '|', ','])
        && !words.any(|word| WORDS.contains(&word))
}

/// About the bytes that products come to.
fn sizes(products: &[VexProduct]) -> usize {
    let size = |product: &VexProduct| {
        let texts = product.identifiers.values().map(String::len);
        128 + product.pointer.len() + texts.sum::<usize>()
    };
    products.iter().map(size).sum()
}

fn identified<'a>(product: &'a CsafProduct, unread: &mut BTreeSet<&'a str>) -> Vec<VexProduct> {
    in_versions(product, product.versions.as_ref(), unread)
}

/// The product by each of its package URLs. Of one that is meant in versions which are not read
/// nothing is stated: it would be stated of all.
fn in_versions<'a>(
    product: &'a CsafProduct,
    versions: Option<&CsafVersions>,
    unread: &mut BTreeSet<&'a str>,
) -> Vec<VexProduct> {
    let by = |purl: Option<&String>, version: Option<String>| {
        let cpe = product.cpe.as_ref().map(|cpe| {
            let kind = if cpe.starts_with("cpe:2.3:") {
                "cpe23"
            } else {
                "cpe22"
            };
            (kind.to_owned(), cpe.clone())
        });
        let purl = purl.map(|purl| ("purl".to_owned(), purl.clone()));
        VexProduct {
            id: None,
            identifiers: cpe.into_iter().chain(purl).collect(),
            version,
            hashes: BTreeMap::new(),
            subcomponents: Vec::new(),
            pointer: product.pointer.clone(),
        }
    };
    if product.purls.is_empty() {
        return vec![by(None, None)];
    }
    let each = product.purls.iter().filter_map(|purl| match versions {
        None => Some(by(Some(purl), None)),
        Some(_) if parts(purl).1 => Some(by(Some(purl), None)),
        Some(CsafVersions::One(version)) if is_name(purl, version) => Some(by(Some(purl), None)),
        Some(CsafVersions::One(version)) if is_one(version) => {
            Some(by(Some(purl), Some(version.clone())))
        }
        Some(_) => {
            unread.insert(&product.pointer);
            None
        }
    });
    each.collect()
}
