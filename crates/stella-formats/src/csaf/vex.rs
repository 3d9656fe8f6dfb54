//! What documents of the VEX profile state, in the terms of every VEX document.

use std::collections::{BTreeMap, HashMap};

use stella_api::VexStatus;

use super::{Csaf, CsafProduct, CsafVulnerability};
use crate::error::FormatError;
use crate::room::Room;
use crate::{Notice, Versions, VexDocument, VexProduct, VexStatement, VexVulnerability, cpe};

/// Products whose identifiers name more than is meant, by where they stand: once, however many
/// statements name them.
type Wider<'a> = BTreeMap<&'a str, Why<'a>>;

/// What of a product is kept and not read.
#[derive(Clone, Copy)]
enum Why<'a> {
    Versions,
    Branch(&'a str),
    Nested,
    Urls,
    Id,
}

impl Why<'_> {
    fn notice(self, pointer: &str) -> Notice {
        let (code, what) = match self {
            Self::Versions => ("AFFECTED_VERSIONS_NOT_READ", "its versions".to_owned()),
            Self::Branch(category) => ("PRODUCT_NOT_READ", format!("its branch of {category:?}")),
            Self::Nested => {
                let what = "that it is a part within a part";
                ("PRODUCT_NOT_READ", what.to_owned())
            }
            Self::Urls => {
                let what = "package URLs that differ in more than qualifiers";
                ("PRODUCT_NOT_READ", what.to_owned())
            }
            Self::Id => {
                let what = "an id that another product has";
                ("PRODUCT_NOT_READ", what.to_owned())
            }
        };
        Notice {
            code,
            pointer: pointer.to_owned(),
            message: format!(
                "{what}: kept and not read, and no score is lowered by what is stated of it"
            ),
        }
    }
}

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
    let mut wider = Wider::new();
    for vulnerability in &csaf.vulnerabilities {
        if let Some(name) = vulnerability.name() {
            let into = (&mut statements, &mut wider);
            state(csaf, vulnerability, name, &mut room, into)?;
        }
    }
    notices.extend(wider.into_iter().map(|(pointer, why)| why.notice(pointer)));
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
    (statements, wider): (&mut Vec<VexStatement>, &mut Wider<'a>),
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
            let products = spoken_of(csaf, product, room, wider)?;
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
    wider: &mut Wider<'a>,
) -> Result<Vec<VexProduct>, FormatError> {
    let Some(relationship) = &product.relationship else {
        let spoken = identified(product, product.versions.as_ref(), wider);
        room.take(sizes(&spoken), &product.pointer)?;
        return Ok(spoken);
    };
    let (Some(part), Some(whole)) = (
        csaf.products.get(&relationship.part),
        csaf.products.get(&relationship.whole),
    ) else {
        return Ok(Vec::new());
    };
    let (mut parts, beside) = if product.purls.is_empty() {
        (identified(part, part.versions.as_ref(), wider), product)
    } else {
        (within(product, part, wider), part)
    };
    for one in &mut parts {
        also(one, beside, &product.pointer, wider);
    }
    let mut spoken = identified(whole, whole.versions.as_ref(), wider);
    // What the one or the other is a part of itself has no place in a statement.
    let nested = part.relationship.is_some() || whole.relationship.is_some();
    if nested {
        wider.insert(&product.pointer, Why::Nested);
        parts.iter_mut().for_each(|part| part.wider = true);
    }
    let bytes = sizes(&spoken) + sizes(&parts) * spoken.len();
    room.take(bytes, &product.pointer)?;
    for whole in &mut spoken {
        whole.subcomponents.clone_from(&parts);
    }
    Ok(spoken)
}

/// Adds to a part what identifies it where its package URL does not stand: at its relationship, or at
/// the part itself.
fn also<'a>(one: &mut VexProduct, beside: &CsafProduct, place: &'a str, wider: &mut Wider<'a>) {
    one.unread.extend(beside.unread.iter().cloned());
    if let Some(cpe) = beside
        .cpe
        .as_deref()
        .filter(|cpe| cpe::names_a_version(cpe))
    {
        one.identifiers.extend([named_cpe(cpe)]);
    }
    if let Some(why) = doubt(beside) {
        wider.insert(place, why);
        one.wider = true;
    }
}

/// What about a product as a whole may be less than each of its package URLs names.
fn doubt(product: &CsafProduct) -> Option<Why<'static>> {
    let mut urls = product
        .purls
        .iter()
        .map(|purl| purl.split(['?', '#']).next());
    let first = urls.next();
    if product.ambiguous {
        return Some(Why::Id);
    }
    urls.any(|url| Some(url) != first).then_some(Why::Urls)
}

/// A CPE under the name of its kind.
fn named_cpe(cpe: &str) -> (String, String) {
    let kind = if cpe.trim().to_ascii_lowercase().starts_with("cpe:2.3:") {
        "cpe23"
    } else {
        "cpe22"
    };
    (kind.to_owned(), cpe.to_owned())
}

/// A part by the helper of its relationship, which names it as it is within the whole, in the
/// versions of the part.
fn within<'a>(
    product: &'a CsafProduct,
    part: &'a CsafProduct,
    wider: &mut Wider<'a>,
) -> Vec<VexProduct> {
    let mut spoken = identified(product, part.versions.as_ref(), wider);
    // It may say more than the part's own do, and nothing else.
    let says_more = |purl: &String| {
        let mut of_part = part
            .purls
            .iter()
            .filter_map(|known| purl.strip_prefix(known.as_str()));
        part.purls.is_empty()
            || of_part.any(|more| more.is_empty() || more.starts_with(['@', '?', '&', '#']))
    };
    for (one, purl) in spoken.iter_mut().zip(&product.purls) {
        let branch = unsaid(part, purl).map(Why::Branch);
        let why = branch.or((!says_more(purl)).then_some(Why::Versions));
        if let Some(why) = why {
            wider.insert(&product.pointer, why);
            one.wider = true;
        }
    }
    spoken
}

/// Whether a branch of a version names the package instead, as Red Hat's do: all its versions are
/// meant.
fn is_name(purl: &str, version: &str) -> bool {
    let (path, _) = unversioned(purl);
    path.strip_suffix(version)
        .is_some_and(|above| above.ends_with('/'))
}

/// A package URL without its version, and whether it has one.
fn unversioned(purl: &str) -> (&str, bool) {
    let path = purl.split(['?', '#']).next().unwrap_or_default();
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].find('@') {
        // One at the start of a name is npm's scope.
        Some(at) if at > 0 => (&path[..name + at], name + at + 1 < path.len()),
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
        let versions = product.versions.as_ref();
        let versions = versions.map_or(0, |versions| versions.text().len());
        let unread = product.unread.iter().map(|kind| 32 + kind.len());
        128 + product.pointer.len() + versions + texts.chain(unread).sum::<usize>()
    };
    products.iter().map(size).sum()
}

/// The category of a branch above a product that says what its package URL does not.
fn unsaid<'a>(product: &'a CsafProduct, purl: &str) -> Option<&'a str> {
    let qualifiers = purl.split_once('?').map_or("", |(_, rest)| rest);
    let says = |(category, name): &(String, String)| {
        let mut each = qualifiers.split(['&', '#']);
        category == "architecture" && each.any(|one| one.strip_prefix("arch=") == Some(name))
    };
    let mut only = product.only.iter().filter(|branch| !says(branch));
    only.next().map(|(category, _)| category.as_str())
}

/// The product by each of its package URLs, in some versions of it.
fn identified<'a>(
    product: &'a CsafProduct,
    versions: Option<&Versions>,
    wider: &mut Wider<'a>,
) -> Vec<VexProduct> {
    let whole = doubt(product);
    let mut by = |purl: Option<&String>| {
        let cpe = product.cpe.as_deref().map(named_cpe);
        let beside = purl.and_then(|purl| beside(purl, versions));
        let not_read = match &beside {
            Some(Versions::Range(range)) if !range.starts_with("vers:") => Some(Why::Versions),
            _ => None,
        };
        let branch = purl.and_then(|purl| unsaid(product, purl));
        let why = whole.or(not_read).or(branch.map(Why::Branch));
        wider.extend(why.map(|why| (product.pointer.as_str(), why)));
        let purl = purl.map(|purl| ("purl".to_owned(), purl.clone()));
        VexProduct {
            identifiers: cpe.into_iter().chain(purl).collect(),
            versions: beside,
            wider: why.is_some(),
            unread: product.unread.clone(),
            pointer: product.pointer.clone(),
            ..VexProduct::default()
        }
    };
    if product.purls.is_empty() {
        return vec![by(None)];
    }
    product.purls.iter().map(|purl| by(Some(purl))).collect()
}

/// What the versions of a product add to one of its package URLs.
fn beside(purl: &str, versions: Option<&Versions>) -> Option<Versions> {
    let versions = versions.filter(|_| !unversioned(purl).1)?;
    match versions {
        Versions::One(name) if is_name(purl, name) => None,
        Versions::One(other) if !is_one(other) => Some(Versions::Range(other.clone())),
        versions => Some(versions.clone()),
    }
}
