//! Bills of materials in CycloneDX 1.2 to 1.7, JSON (<https://cyclonedx.org/specification/overview/>).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Notice, Upstream};

/// A bill of materials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// The serial number, `urn:uuid:…`, the same for all revisions.
    pub serial_number: Option<String>,
    /// The revision, from 1.
    pub version: Option<u64>,
    /// When it was made, RFC 3339.
    pub timestamp: Option<String>,
    /// Who supplied what it describes: `metadata.supplier`.
    pub supplier: Option<String>,
    /// Who made what it describes: `metadata.manufacturer`, before 1.6 `metadata.manufacture`.
    pub manufacturer: Option<String>,
    /// Who wrote it: the first of `metadata.authors` that has a name.
    pub author: Option<String>,
    /// The component that it describes, where there is one, then all others in the order of the
    /// document, each before those nested in it.
    pub components: Vec<Component>,
}

/// A component of a bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// The name by which other parts of the document refer to it.
    pub bom_ref: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
    /// What it is, such as `library`.
    pub kind: Option<String>,
    /// The namespace or organisation.
    pub group: Option<String>,
    /// The name; empty where none was published.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The package URL, as published.
    pub purl: Option<String>,
    /// The CPE, as published.
    pub cpe: Option<String>,
}

impl Sbom {
    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some(
                self.supplier
                    .clone()
                    .unwrap_or_else(|| "unknown".to_owned()),
            ),
            id: self.serial_number.clone(),
            version: self.version.map(|version| version.to_string()),
        }
    }
}

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
        serial_number: filled(root, "serialNumber")?,
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
    if root.get("vulnerabilities").is_some() {
        let message = "vulnerabilities inside a bill of materials are kept and not read".to_owned();
        notices.push(Notice {
            code: "VULNERABILITIES_NOT_READ",
            pointer: "/vulnerabilities".to_owned(),
            message,
        });
    }
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
    let name = |key: &str| at.object(key)?.map_or(Ok(None), |at| filled(&at, "name"));
    sbom.timestamp = at.time("timestamp", notices)?;
    sbom.supplier = name("supplier")?;
    sbom.manufacturer =
        name("manufacturer")?.map_or_else(|| name("manufacture"), |name| Ok(Some(name)))?;
    let authors = at
        .objects("authors")?
        .iter()
        .map(|at| filled(at, "name"))
        .collect::<Result<Vec<_>, _>>()?;
    sbom.author = authors.into_iter().flatten().next();
    if let Some(component) = at.object("component")? {
        read_component(&component, &mut sbom.components, notices)?;
    }
    Ok(())
}

/// A string where it is there and not empty.
fn filled(at: &Cursor<'_>, key: &str) -> Result<Option<String>, FormatError> {
    Ok(at.text(key)?.filter(|text| !text.trim().is_empty()))
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
        bom_ref: filled(at, "bom-ref")?,
        pointer: at.pointer.clone(),
        kind: at.text("type")?,
        group: filled(at, "group")?,
        name,
        version: filled(at, "version")?,
        purl: filled(at, "purl")?,
        cpe: filled(at, "cpe")?,
    });
    read_components(at, "components", components, notices)
}

#[cfg(test)]
mod tests;
