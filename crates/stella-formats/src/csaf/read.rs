//! Reading of CSAF documents.

use std::collections::BTreeMap;

use serde_json::Value;

use super::products::Products;
use super::{Csaf, CsafFlag, CsafId, CsafNote, CsafRemediation, CsafScore, CsafVulnerability, vex};
use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::openvex::JUSTIFICATIONS;
use crate::{Body, Notice, Reference, score};

pub(crate) const READER: Reader = Reader {
    name: "csaf",
    media_type: "application/json",
    json: Some(Json { recognises, read }),
};

const SCORES: [(&str, &str); 3] = [
    ("cvss_v2", "CVSS_V2"),
    ("cvss_v3", "CVSS_V3"),
    ("cvss_v4", "CVSS_V4"),
];

fn recognises(value: &Value) -> bool {
    value.pointer("/document/csaf_version").is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let document = root.required_object("document")?;
    let version = document.required("csaf_version")?;
    if !["2.0", "2.1"].contains(&version.as_str()) {
        let message = format!("version {version:?} of CSAF, which cannot be read");
        return Err(document.unsupported("csaf_version", message));
    }
    let publisher = document.required_object("publisher")?;
    let tracking = document.required_object("tracking")?;
    let mut products = Products::read(root, notices)?;
    let mut references = document.each("references", reference)?;
    let mut vulnerabilities = Vec::new();
    for at in root.objects("vulnerabilities")? {
        references.extend(at.each("references", reference)?);
        vulnerabilities.push(vulnerability(&at, &mut products, notices)?);
    }
    let mut csaf = Csaf {
        category: document.required("category")?,
        title: document.text("title")?,
        publisher: publisher.required("name")?,
        id: tracking.required("id")?,
        version: tracking.text("version")?,
        status: tracking.text("status")?,
        released: tracking.time("current_release_date", notices)?,
        references,
        products: products.by_id,
        vulnerabilities,
        vex: None,
    };
    if csaf.is_vex() {
        csaf.vex = Some(vex::stated(&csaf, notices)?);
    }
    Ok((Some(version), Body::Csaf(csaf)))
}

fn reference(at: &Cursor<'_>) -> Result<Reference, FormatError> {
    Ok(Reference {
        kind: at.text("category")?,
        url: at.required("url")?,
        pointer: at.pointer.clone(),
    })
}

fn vulnerability(
    at: &Cursor<'_>,
    products: &mut Products,
    notices: &mut Vec<Notice>,
) -> Result<CsafVulnerability, FormatError> {
    let note = |at: &Cursor<'_>| {
        Ok(CsafNote {
            category: at.text("category")?,
            text: at.text("text")?,
            pointer: at.pointer.clone(),
        })
    };
    let id = |at: &Cursor<'_>| {
        Ok(CsafId {
            system_name: at.text("system_name")?,
            text: at.required("text")?,
        })
    };
    let mut flags = Vec::new();
    for at in at.objects("flags")? {
        let label = at.required("label")?;
        if !JUSTIFICATIONS.contains(&label.as_str()) {
            let message = "the label of a flag is none of CSAF";
            notices.push(at.notice("UNKNOWN_JUSTIFICATION", message));
        }
        flags.push(CsafFlag {
            label,
            products: products.named(&at, "product_ids", notices)?,
            pointer: at.pointer.clone(),
        });
    }
    let vulnerability = CsafVulnerability {
        cve: at.text("cve")?.filter(|cve| !cve.is_empty()),
        ids: at.each("ids", id)?,
        title: at.text("title")?,
        notes: at.each("notes", note)?,
        product_status: product_status(at, products, notices)?,
        scores: scores(at, products, notices)?,
        flags,
        remediations: remediations(at, "remediations", products, notices)?,
        threats: remediations(at, "threats", products, notices)?,
        pointer: at.pointer.clone(),
    };
    if vulnerability.name().is_none() {
        notices.push(at.notice("VULNERABILITY_WITHOUT_ID", "a vulnerability has no id"));
    }
    Ok(vulnerability)
}

fn remediations(
    at: &Cursor<'_>,
    key: &str,
    products: &mut Products,
    notices: &mut Vec<Notice>,
) -> Result<Vec<CsafRemediation>, FormatError> {
    let read = |at: &Cursor<'_>| {
        Ok(CsafRemediation {
            category: at.required("category")?,
            details: at.text("details")?,
            url: at.text("url")?,
            products: products.named(at, "product_ids", notices)?,
            pointer: at.pointer.clone(),
        })
    };
    at.each(key, read)
}

const LISTS: [&str; 9] = [
    "first_affected",
    "first_fixed",
    "fixed",
    "known_affected",
    "known_not_affected",
    "last_affected",
    "recommended",
    "under_investigation",
    "unknown",
];

fn product_status(
    at: &Cursor<'_>,
    products: &mut Products,
    notices: &mut Vec<Notice>,
) -> Result<BTreeMap<String, Vec<String>>, FormatError> {
    let Some(lists) = at.object("product_status")? else {
        return Ok(BTreeMap::new());
    };
    if lists
        .members()?
        .keys()
        .any(|list| !LISTS.contains(&list.as_str()))
    {
        let message = "a list of products by a status that the format does not know";
        notices.push(lists.notice("UNKNOWN_PRODUCT_STATUS", message));
    }
    let listed = LISTS.into_iter().filter(|list| lists.get(list).is_some());
    let read = |list: &str| Ok((list.to_owned(), products.named(&lists, list, notices)?));
    listed.map(read).collect()
}

/// `scores` in 2.0, `metrics` with a `content` each since.
fn scores(
    at: &Cursor<'_>,
    products: &mut Products,
    notices: &mut Vec<Notice>,
) -> Result<Vec<CsafScore>, FormatError> {
    let mut all = Vec::new();
    for (members, content) in [("scores", None), ("metrics", Some("content"))] {
        for at in at.objects(members)? {
            let of = products.named(&at, "products", notices)?;
            let Some(scored) = content.map_or(Ok(Some(at.clone())), |key| at.object(key))? else {
                continue;
            };
            let scores = score::read(&scored, &SCORES)?;
            all.extend(scores.into_iter().map(|score| CsafScore {
                products: of.clone(),
                score,
            }));
        }
    }
    Ok(all)
}
