//! Bills of materials and VEX in CycloneDX 1.2 to 1.7, JSON
//! (<https://cyclonedx.org/specification/overview/>).

mod vex;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Component, Notice, Sbom};

pub(crate) const READER: Reader = Reader {
    name: "cyclonedx",
    media_type: "application/vnd.cyclonedx+json",
    json: Some(Json { recognises, read }),
};

fn recognises(value: &Value) -> bool {
    value.get("bomFormat").is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let format = root.required("bomFormat")?;
    if format != "CycloneDX" {
        return Err(root.unsupported(
            "bomFormat",
            format!("a bill of materials of format {format:?}, which cannot be read"),
        ));
    }
    let version = root.required("specVersion")?;
    if !["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"].contains(&version.as_str()) {
        return Err(root.unsupported(
            "specVersion",
            format!("version {version:?} of CycloneDX, which cannot be read"),
        ));
    }
    let mut sbom = Sbom {
        serial_number: root.filled("serialNumber")?,
        version: revision(root)?,
        ..Sbom::default()
    };
    if let Some(metadata) = root.object("metadata")? {
        read_metadata(&metadata, &mut sbom, notices)?;
    }
    read_components(root, "components", &mut sbom.components, notices)?;
    let mut seen = BTreeSet::new();
    for component in &sbom.components {
        let Some(bom_ref) = component.bom_ref.as_deref() else {
            continue;
        };
        if !seen.insert(bom_ref) {
            let message = format!("bom-ref {bom_ref:?} names more than one component");
            notices.push(Notice {
                code: "DUPLICATE_BOM_REF",
                pointer: component.pointer.clone(),
                message,
            });
        }
    }
    let vex = vex::read(root, &sbom, notices)?;
    if vex::is(root) {
        if vex.author.is_none() {
            notices.push(root.notice("AUTHOR_MISSING", "the document names no author"));
        }
        return Ok((Some(version), Body::Vex(vex)));
    }
    sbom.vex = Some(vex).filter(|vex| !vex.statements.is_empty() || !vex.ratings.is_empty());
    Ok((Some(version), Body::Sbom(sbom)))
}

fn revision(root: &Cursor<'_>) -> Result<Option<u64>, FormatError> {
    let number = |value: &Value| {
        value
            .as_u64()
            .ok_or_else(|| root.malformed("version", "expected a whole number"))
    };
    root.get("version").map(number).transpose()
}

fn read_metadata(
    at: &Cursor<'_>,
    sbom: &mut Sbom,
    notices: &mut Vec<Notice>,
) -> Result<(), FormatError> {
    let name = |key: &str| at.object(key)?.map_or(Ok(None), |at| at.filled("name"));
    sbom.timestamp = at.time("timestamp", notices)?;
    sbom.supplier = name("supplier")?;
    sbom.manufacturer =
        name("manufacturer")?.map_or_else(|| name("manufacture"), |name| Ok(Some(name)))?;
    let authors = at
        .objects("authors")?
        .iter()
        .map(|at| at.filled("name"))
        .collect::<Result<Vec<_>, _>>()?;
    sbom.author = authors.into_iter().flatten().next();
    if let Some(component) = at.object("component")? {
        sbom.subject = Some(0);
        read_component(&component, &mut sbom.components, notices)?;
    }
    Ok(())
}

/// The identifiers that name one artefact.
fn unread(at: &Cursor<'_>) -> Vec<&'static str> {
    let lists = ["hashes", "omniborId", "swhid"].into_iter();
    let swid = at.get("swid").map(|_| "swid");
    lists.filter(|kind| at.lists(kind)).chain(swid).collect()
}

/// Nesting is bounded by the depth that the JSON reader allows.
fn read_components(
    at: &Cursor<'_>,
    key: &str,
    components: &mut Vec<Component>,
    notices: &mut Vec<Notice>,
) -> Result<(), FormatError> {
    at.objects(key)?
        .iter()
        .try_for_each(|at| read_component(at, components, notices))
}

fn read_component(
    at: &Cursor<'_>,
    components: &mut Vec<Component>,
    notices: &mut Vec<Notice>,
) -> Result<(), FormatError> {
    let name = at.text("name")?.unwrap_or_default();
    if name.is_empty() {
        notices.push(at.notice("COMPONENT_WITHOUT_NAME", "a component has no name"));
    }
    components.push(Component {
        bom_ref: at.filled("bom-ref")?,
        pointer: at.pointer.clone(),
        kind: at.text("type")?,
        group: at.filled("group")?,
        name,
        version: at.filled("version")?,
        version_range: at.filled("versionRange")?,
        purl: at.filled("purl")?,
        cpe: at.filled("cpe")?,
        unread: unread(at),
    });
    read_components(at, "components", components, notices)
}

#[cfg(test)]
mod tests;
