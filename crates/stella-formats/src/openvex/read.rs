//! Reading of OpenVEX documents.

use std::collections::BTreeMap;

use serde_json::Value;
use stella_api::VexStatus;

use super::{VexDocument, VexProduct, VexStatement, VexVulnerability};
use crate::cursor::Cursor;
use crate::error::{FormatError, Reason};
use crate::format::{Json, Read, Reader};
use crate::{Body, Notice};

const CONTEXT: &str = "https://openvex.dev/ns";

/// The labels, which CSAF has as well.
pub(crate) const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

pub(crate) const READER: Reader = Reader {
    name: "openvex",
    media_type: "application/json",
    json: Some(Json { recognises, read }),
};

fn context(value: &Value) -> Option<&str> {
    let context = value.get("@context")?;
    let mut all = context
        .as_array()
        .map_or(std::slice::from_ref(context), Vec::as_slice)
        .iter();
    all.find_map(|context| context.as_str()?.strip_prefix(CONTEXT))
}

fn recognises(value: &Value) -> bool {
    // A JSON-LD context of the vocabulary itself has that namespace too, but as an object.
    context(value).is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let version = context(root.value).and_then(|rest| rest.trim_matches('/').strip_prefix('v'));
    if let Some(other) = version.filter(|version| {
        !["0.0.", "0.1.", "0.2."]
            .iter()
            .any(|known| version.starts_with(known))
    }) {
        return Err(root.unsupported(
            "@context",
            format!("version {other:?} of OpenVEX, which cannot be read"),
        ));
    }
    if root.get("statements").is_none() {
        return Err(root.malformed("statements", "`statements` is missing"));
    }
    let author = root
        .text("author")?
        .filter(|author| !author.trim().is_empty());
    if author.is_none() {
        notices.push(root.notice("AUTHOR_MISSING", "the document names no author"));
    }
    let document = VexDocument {
        id: root.text("@id")?.filter(|id| !id.is_empty()),
        author,
        timestamp: root.time("timestamp", notices)?,
        version: revision(root)?,
        statements: root
            .objects("statements")?
            .iter()
            .map(|at| statement(at, notices))
            .collect::<Result<_, _>>()?,
        ratings: Vec::new(),
    };
    Ok((version.map(str::to_owned), Body::Vex(document)))
}

/// A number in 0.2, a string in the drafts.
fn revision(root: &Cursor<'_>) -> Result<Option<String>, FormatError> {
    match root.get("version") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(root.malformed("version", "expected a number")),
    }
}

fn statement(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<VexStatement, FormatError> {
    let label = at.required("status")?;
    let status: VexStatus = label
        .parse()
        .map_err(|_| at.malformed("status", format!("{label:?} is no status of OpenVEX")))?;
    let statement = VexStatement {
        vulnerability: vulnerability(at)?,
        products: products(at, "products", true)?,
        subcomponents: products(at, "subcomponents", false)?,
        status,
        justification: at.text("justification")?.filter(|text| !text.is_empty()),
        impact_statement: at.text("impact_statement")?.filter(|text| !text.is_empty()),
        timestamp: at.time("timestamp", notices)?,
        pointer: at.pointer.clone(),
    };
    check(&statement, at, notices);
    Ok(statement)
}

fn check(statement: &VexStatement, at: &Cursor<'_>, notices: &mut Vec<Notice>) {
    let mut notice = |code, message: &str| notices.push(at.notice(code, message));
    let unfounded = statement.justification.is_none() && statement.impact_statement.is_none();
    if statement.status == VexStatus::NotAffected && unfounded {
        notice(
            "JUSTIFICATION_MISSING",
            "`not_affected` needs a justification or an impact statement",
        );
    }
    if statement
        .justification
        .as_deref()
        .is_some_and(|label| !JUSTIFICATIONS.contains(&label))
    {
        notice(
            "UNKNOWN_JUSTIFICATION",
            "the justification is none of OpenVEX",
        );
    }
    if statement.products.is_empty() {
        notice(
            "PRODUCTS_MISSING",
            "the statement names no product and so speaks to none",
        );
    }
    for product in &statement.products {
        if product.id.is_none() && product.identifiers.is_empty() && product.hashes.is_empty() {
            notice("PRODUCT_WITHOUT_IDENTIFIER", "a product has no identifier");
        }
    }
}

fn vulnerability(at: &Cursor<'_>) -> Result<VexVulnerability, FormatError> {
    if let Some(Value::String(name)) = at.get("vulnerability") {
        return Ok(VexVulnerability {
            name: name.clone(),
            aliases: Vec::new(),
        });
    }
    let at = at.required_object("vulnerability")?;
    // Some documents give only the IRI.
    let name = if at.get("name").is_some() {
        at.required("name")?
    } else {
        at.required("@id")?
    };
    Ok(VexVulnerability {
        name,
        aliases: at.texts("aliases")?,
    })
}

fn products(at: &Cursor<'_>, key: &str, whole: bool) -> Result<Vec<VexProduct>, FormatError> {
    at.array(key)?.iter().map(|at| product(at, whole)).collect()
}

/// A string in the drafts, an object since; only a whole product has parts.
fn product(at: &Cursor<'_>, whole: bool) -> Result<VexProduct, FormatError> {
    let mut product = VexProduct {
        pointer: at.pointer.clone(),
        ..VexProduct::default()
    };
    match at.value {
        Value::String(id) => product.id = Some(id.clone()),
        Value::Object(_) => {
            product.id = at.text("@id")?.filter(|id| !id.is_empty());
            product.identifiers = text_map(at, "identifiers")?;
            product.hashes = text_map(at, "hashes")?;
            if whole {
                product.subcomponents = products(at, "subcomponents", false)?;
            }
        }
        _ => {
            let message = "expected a string or an object";
            return Err(FormatError::new(Reason::Malformed, &at.pointer, message));
        }
    }
    Ok(product)
}

fn text_map(at: &Cursor<'_>, key: &str) -> Result<BTreeMap<String, String>, FormatError> {
    let Some(at) = at.object(key)? else {
        return Ok(BTreeMap::new());
    };
    let text = |key: &String| Ok(at.text(key)?.map(|text| (key.clone(), text)));
    at.members()?
        .keys()
        .filter_map(|key| text(key).transpose())
        .collect()
}
