//! Bills of materials in SPDX 2.2 and 2.3, JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
//!
//! Packages are components; of files and snippets only the ids are looked at.

use std::collections::HashSet;

use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Component, Notice, Relationship, Sbom};

pub(crate) const READER: Reader = Reader {
    name: "spdx",
    media_type: "application/spdx+json",
    json: Some(Json { recognises, read }),
};

/// The id of the document itself.
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

fn recognises(value: &Value) -> bool {
    value.get("spdxVersion").is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let named = root.required("spdxVersion")?;
    let version = named.strip_prefix("SPDX-");
    let Some(version) = version.filter(|version| ["2.2", "2.3"].contains(version)) else {
        let message = format!("version {named:?} of SPDX, which cannot be read");
        return Err(root.unsupported("spdxVersion", message));
    };
    let packages = root.objects("packages")?;
    let each = packages.iter().map(|at| component(at, notices));
    let components: Vec<Component> = each.collect::<Result<_, _>>()?;
    let relationships: Vec<Relationship> = root
        .objects("relationships")?
        .iter()
        .map(relationship)
        .collect::<Result<_, _>>()?;
    check(root, &components, &relationships, notices)?;
    let subject = subject(root, &components, &relationships)?;
    let supplied = subject.and_then(|at| packages.get(at));
    let mut sbom = Sbom {
        serial_number: root.filled("documentNamespace")?,
        supplier: supplied.map_or(Ok(None), |at| agent(at, "supplier"))?,
        manufacturer: supplied.map_or(Ok(None), |at| agent(at, "originator"))?,
        components,
        subject,
        relationships,
        ..Sbom::default()
    };
    if let Some(at) = root.object("creationInfo")? {
        sbom.timestamp = at.time("created", notices)?;
        let creators = at.texts("creators")?;
        sbom.author = creators.iter().find_map(|text| name_of(text));
    }
    Ok((Some(version.to_owned()), Body::Sbom(sbom)))
}

fn component(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<Component, FormatError> {
    let name = at.text("name")?.unwrap_or_default();
    if name.is_empty() {
        notices.push(at.notice("COMPONENT_WITHOUT_NAME", "a package has no name"));
    }
    let (mut purls, mut cpe23, mut cpe22) = (Vec::new(), None, None);
    for reference in at.objects("externalRefs")? {
        let locator = reference.filled("referenceLocator")?;
        match reference.str("referenceType")? {
            Some("purl") => purls.extend(locator.map(|purl| (purl, reference.pointer))),
            Some("cpe23Type") => cpe23 = cpe23.or(locator),
            Some("cpe22Type") => cpe22 = cpe22.or(locator),
            _ => {}
        }
    }
    let mut purls = purls.into_iter();
    let purl = purls.next().map(|(purl, _)| purl);
    if let Some((_, pointer)) = purls.find(|(other, _)| Some(other) != purl.as_ref()) {
        notices.push(Notice {
            code: "FURTHER_PURLS_NOT_READ",
            pointer,
            message: "a package has several package URLs, of which the first is read".to_owned(),
        });
    }
    Ok(Component {
        bom_ref: Some(at.required("SPDXID")?),
        pointer: at.pointer.clone(),
        kind: at.text("primaryPackagePurpose")?,
        group: None,
        name,
        version: at.filled("versionInfo")?,
        version_range: None,
        purl,
        cpe: cpe23.or(cpe22),
        unread: Vec::new(),
    })
}

fn relationship(at: &Cursor<'_>) -> Result<Relationship, FormatError> {
    Ok(Relationship {
        from: at.required("spdxElementId")?,
        kind: at.required("relationshipType")?,
        to: at.required("relatedSpdxElement")?,
        pointer: at.pointer.clone(),
    })
}

/// Notices ids that name several elements, and relationships with what there is not.
fn check(
    root: &Cursor<'_>,
    components: &[Component],
    relationships: &[Relationship],
    notices: &mut Vec<Notice>,
) -> Result<(), FormatError> {
    let mut known: HashSet<&str> = HashSet::from([DOCUMENT, "NONE", "NOASSERTION"]);
    known.extend(root.str("SPDXID")?);
    for component in components {
        let id = component.bom_ref.as_deref().unwrap_or_default();
        if !known.insert(id) {
            notices.push(Notice {
                code: "DUPLICATE_SPDX_ID",
                pointer: component.pointer.clone(),
                message: format!("id {id:?} names more than one element"),
            });
        }
    }
    for elements in ["files", "snippets"] {
        for at in root.objects(elements)? {
            known.extend(at.str("SPDXID")?);
        }
    }
    for relationship in relationships {
        let lost = |id: &&String| !known.contains(id.as_str()) && !id.starts_with("DocumentRef-");
        if let Some(id) = [&relationship.from, &relationship.to]
            .into_iter()
            .find(lost)
        {
            notices.push(Notice {
                code: "UNDEFINED_SPDX_ID",
                pointer: relationship.pointer.clone(),
                message: format!("id {id:?} is not defined"),
            });
        }
    }
    Ok(())
}

/// Which package the document describes, where that is one.
fn subject(
    root: &Cursor<'_>,
    components: &[Component],
    relationships: &[Relationship],
) -> Result<Option<usize>, FormatError> {
    let mut described: HashSet<String> = root.texts("documentDescribes")?.into_iter().collect();
    let document = root.text("SPDXID")?.unwrap_or_else(|| DOCUMENT.to_owned());
    for relationship in relationships {
        match relationship.kind.as_str() {
            "DESCRIBES" if relationship.from == document => {
                described.insert(relationship.to.clone());
            }
            "DESCRIBED_BY" if relationship.to == document => {
                described.insert(relationship.from.clone());
            }
            _ => {}
        }
    }
    let is = |component: &Component| {
        let id = component.bom_ref.as_ref();
        id.is_some_and(|id| described.contains(id))
    };
    let mut all = components.iter().enumerate().filter(|(_, one)| is(one));
    let first = all.next().map(|(at, _)| at);
    Ok(first.filter(|_| all.next().is_none()))
}

fn agent(at: &Cursor<'_>, key: &str) -> Result<Option<String>, FormatError> {
    Ok(at.str(key)?.and_then(name_of))
}

/// The name in `Organization: name (address)` or `Person: …`. A tool, and `NOASSERTION`, is nobody.
fn name_of(agent: &str) -> Option<String> {
    let (who, name) = agent.split_once(':')?;
    if !["Organization", "Person"].contains(&who) {
        return None;
    }
    let address = name.trim_end().ends_with(')');
    let end = name.rfind('(').filter(|_| address).unwrap_or(name.len());
    let name = name[..end].trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
