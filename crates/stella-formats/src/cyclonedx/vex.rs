//! What a CycloneDX document states of vulnerabilities, in the terms of every VEX document.
//!
//! A document that lists components is a bill of materials, and what it states is of those; one that
//! lists none and has vulnerabilities is VEX. The component that its metadata name is then a
//! product that it may speak of.

use std::collections::HashMap;

use stella_api::VexStatus;

use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::room::Room;
use crate::scheme::{bom_link, is_purl};
use crate::{
    Component, CvssScore, Notice, Sbom, Versions, VexDocument, VexProduct, VexStatement,
    VexVulnerability,
};

const JUSTIFICATIONS: [&str; 9] = [
    "code_not_present",
    "code_not_reachable",
    "protected_at_perimeter",
    "protected_at_runtime",
    "protected_by_compiler",
    "protected_by_mitigating_control",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
];

/// The components of a document by their `bom-ref`; none where two have the same.
type Named<'a> = HashMap<&'a str, Option<&'a Component>>;

/// Whether a document is VEX.
pub(super) fn is(root: &Cursor<'_>) -> bool {
    root.lists("vulnerabilities") && !root.lists("components")
}

/// Reads the statements; of the document around them the rest was read.
pub(super) fn read(
    root: &Cursor<'_>,
    around: &Sbom,
    notices: &mut Vec<Notice>,
) -> Result<VexDocument, FormatError> {
    let (mut named, mut room) = (Named::new(), Room::default());
    for component in &around.components {
        if let Some(name) = component.bom_ref.as_deref() {
            let of_that_name = named.entry(name);
            of_that_name
                .and_modify(|one| *one = None)
                .or_insert(Some(component));
        }
    }
    let (mut statements, mut ratings, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for at in root.objects("vulnerabilities")? {
        for at in at.objects("ratings")? {
            ratings.extend(rating(&at)?);
        }
        match statement(&at, &named, &mut room, notices)? {
            Said::Stated(statement) => statements.push(statement),
            Said::Nothing => silent.push(at.pointer),
            Said::OfNone => {}
        }
    }
    // Whoever only lists vulnerabilities lists many.
    if let Some(first) = silent.first() {
        let message = format!(
            "nothing is stated of {}: no state that VEX has a status for",
            silent.len()
        );
        notices.push(Notice {
            code: "ANALYSIS_MISSING",
            pointer: first.clone(),
            message,
        });
    }
    let makers = [&around.supplier, &around.manufacturer, &around.author];
    Ok(VexDocument {
        id: around.serial_number.clone(),
        author: makers.into_iter().find_map(Clone::clone),
        timestamp: around.timestamp.clone(),
        version: around.version.map(|version| version.to_string()),
        statements,
        ratings,
    })
}

/// What a vulnerability says.
enum Said {
    Stated(VexStatement),
    Nothing,
    /// It has no id.
    OfNone,
}

fn statement(
    at: &Cursor<'_>,
    named: &Named<'_>,
    room: &mut Room,
    notices: &mut Vec<Notice>,
) -> Result<Said, FormatError> {
    let Some(name) = at.filled("id")? else {
        notices.push(at.notice("VULNERABILITY_WITHOUT_ID", "a vulnerability has no id"));
        return Ok(Said::OfNone);
    };
    let vulnerability = VexVulnerability {
        name,
        // Names of the same vulnerability in other systems.
        aliases: at
            .objects("references")?
            .iter()
            .map(|at| at.required("id"))
            .collect::<Result<_, _>>()?,
    };
    let analysis = at.object("analysis")?;
    let status = analysis.as_ref().map(status).transpose()?.flatten();
    let (Some(analysis), Some(status)) = (analysis, status) else {
        return Ok(Said::Nothing);
    };
    let mut products = Vec::new();
    for at in at.objects("affects")? {
        products.push(product(&at, named, room, notices)?);
    }
    let statement = VexStatement {
        vulnerability,
        products,
        subcomponents: Vec::new(),
        status,
        justification: analysis.filled("justification")?,
        impact_statement: analysis.filled("detail")?,
        timestamp: analysis.time("lastUpdated", notices)?,
        pointer: at.pointer.clone(),
    };
    let mut notice = |code, message: &str| notices.push(at.notice(code, message));
    let why = statement.justification.as_deref();
    if status == VexStatus::NotAffected && why.is_none() && statement.impact_statement.is_none() {
        let message = "`not_affected` needs a justification or a detail";
        notice("JUSTIFICATION_MISSING", message);
    }
    if why.is_some_and(|label| !JUSTIFICATIONS.contains(&label)) {
        notice(
            "UNKNOWN_JUSTIFICATION",
            "the justification is none of CycloneDX",
        );
    }
    if statement.products.is_empty() {
        notice(
            "PRODUCTS_MISSING",
            "the statement names no product and so speaks to none",
        );
    }
    Ok(Said::Stated(statement))
}

/// A rating by a version of CVSS, by its vector, which may leave out the prefix that the method says as
/// well, or by its score alone.
fn rating(at: &Cursor<'_>) -> Result<Option<CvssScore>, FormatError> {
    let vector = at.filled("vector")?;
    let says = |prefix: &str| {
        vector
            .as_deref()
            .is_some_and(|vector| vector.starts_with(prefix))
    };
    let (kind, prefix) = match at.str("method")? {
        Some("CVSSv2") => ("CVSS_V2", ""),
        Some("CVSSv3") => ("CVSS_V3", "CVSS:3.0/"),
        Some("CVSSv31") => ("CVSS_V3", "CVSS:3.1/"),
        Some("CVSSv4") => ("CVSS_V4", "CVSS:4.0/"),
        _ if says("CVSS:3") => ("CVSS_V3", ""),
        _ if says("CVSS:4") => ("CVSS_V4", ""),
        _ => return Ok(None),
    };
    let base_score = at.get("score").map(ToString::to_string);
    if vector.is_none() && base_score.is_none() {
        return Ok(None);
    }
    Ok(Some(CvssScore {
        kind,
        vector: vector.map(|vector| match vector.starts_with("CVSS:") {
            true => vector,
            false => format!("{prefix}{vector}"),
        }),
        base_score,
        temporal_score: None,
        environmental_score: None,
        pointer: at.pointer.clone(),
    }))
}

fn status(analysis: &Cursor<'_>) -> Result<Option<VexStatus>, FormatError> {
    Ok(match analysis.str("state")? {
        Some("exploitable") => Some(VexStatus::Affected),
        Some("resolved" | "resolved_with_pedigree") => Some(VexStatus::Fixed),
        Some("in_triage") => Some(VexStatus::UnderInvestigation),
        Some("not_affected" | "false_positive") => Some(VexStatus::NotAffected),
        _ => None,
    })
}

/// A `ref` that names a component of the document means that one, whatever it looks like.
fn product(
    at: &Cursor<'_>,
    named: &Named<'_>,
    room: &mut Room,
    notices: &mut Vec<Notice>,
) -> Result<VexProduct, FormatError> {
    let name = at.required("ref")?;
    let wider = at.get("versions").is_some();
    if wider {
        let message = "versions of a product are kept and not read: no score is lowered by what is \
                       stated of it";
        notices.push(at.notice("AFFECTED_VERSIONS_NOT_READ", message));
    }
    let (known, component) = match named.get(name.as_str()) {
        Some(component) => (true, *component),
        None => (false, None),
    };
    if !known && bom_link(&name).is_none() && !is_purl(&name) {
        let message = format!("{name:?} is no component of the document, nor a link to one");
        notices.push(at.notice("UNDEFINED_REF", message));
    }
    let cpe = component.and_then(|one| one.cpe.as_ref());
    let purl = component.and_then(|one| one.purl.as_ref());
    let unread = component.into_iter().flat_map(|one| &one.unread);
    let identifiers = [("cpe23", cpe), ("purl", purl)].into_iter();
    let identifiers = identifiers.filter_map(|(kind, id)| Some((kind.to_owned(), id?)));
    let identifiers: Vec<(String, &String)> = identifiers.collect();
    let versions = component.and_then(versions);
    let bytes: usize = identifiers.iter().map(|(_, id)| id.len()).sum();
    let beside = versions
        .as_ref()
        .map_or(0, |versions| versions.text().len());
    room.take(bytes + beside, &at.pointer)?;
    let (id, bom_ref) = match known {
        true => (None, Some(name)),
        false => (Some(name), None),
    };
    Ok(VexProduct {
        id,
        identifiers: identifiers
            .into_iter()
            .map(|(kind, id)| (kind, id.clone()))
            .collect(),
        bom_ref,
        versions,
        unread: unread.map(|kind| (*kind).to_owned()).collect(),
        wider,
        pointer: at.pointer.clone(),
        ..VexProduct::default()
    })
}

/// A component has a version or, since 1.7 where it is external, a range of them.
fn versions(component: &Component) -> Option<Versions> {
    let one = component.version.clone().map(Versions::One);
    one.or_else(|| component.version_range.clone().map(Versions::Range))
}
