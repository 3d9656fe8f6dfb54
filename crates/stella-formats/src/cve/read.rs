//! Reading of CVE records.

use serde_json::Value;

use super::{CveAffected, CveChange, CveContainer, CveRecord, CveVersion, ProblemType, Ssvc};
use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Notice, Reference, score};

pub(crate) const READER: Reader = Reader {
    name: "cve",
    media_type: "application/json",
    json: Some(Json { recognises, read }),
};

const SCORES: [(&str, &str); 4] = [
    ("cvssV2_0", "CVSS_V2"),
    ("cvssV3_0", "CVSS_V3"),
    ("cvssV3_1", "CVSS_V3"),
    ("cvssV4_0", "CVSS_V4"),
];

fn recognises(value: &Value) -> bool {
    let is = |data_type: &Value| data_type == "CVE_RECORD";
    value.get("dataType").is_some_and(is) || value.get("cveMetadata").is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let version = root.required("dataVersion")?;
    if version != "5" && !version.starts_with("5.") {
        let message = format!("version {version:?} of the CVE record format, which cannot be read");
        return Err(root.unsupported("dataVersion", message));
    }
    let metadata = root.required_object("cveMetadata")?;
    let containers = root.required_object("containers")?;
    let cna = containers.required_object("cna")?;
    let adp = containers.objects("adp")?;
    let state = metadata.text("state")?;
    let known = |state: &&str| ["PUBLISHED", "REJECTED"].contains(state);
    if !state.as_deref().is_some_and(|state| known(&state)) {
        let message = "the record is neither published nor rejected";
        notices.push(metadata.notice("CVE_STATE_UNKNOWN", message));
    }
    let record = CveRecord {
        id: metadata.required("cveId")?,
        state,
        assigner: metadata.text("assignerShortName")?,
        published: read_time(&metadata, "datePublished", notices)?,
        updated: read_time(&metadata, "dateUpdated", notices)?,
        rejected: read_time(&metadata, "dateRejected", notices)?,
        containers: std::iter::once(&cna)
            .chain(&adp)
            .map(|at| container(at, notices))
            .collect::<Result<_, _>>()?,
    };
    Ok((Some(version), Body::Cve(record)))
}

/// Of a time without an offset nothing is to be noticed.
fn read_time(
    at: &Cursor<'_>,
    key: &str,
    notices: &mut Vec<Notice>,
) -> Result<Option<String>, FormatError> {
    match at.str(key)? {
        Some(text) if super::time(text).is_some() => Ok(Some(text.to_owned())),
        _ => at.time(key, notices),
    }
}

fn container(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<CveContainer, FormatError> {
    let (mut scores, mut ssvc) = (Vec::new(), Vec::new());
    for metric in at.objects("metrics")? {
        scores.extend(score::read(&metric, &SCORES)?);
        if let Some(other) = metric.object("other")? {
            ssvc.extend(read_ssvc(&other)?);
        }
    }
    let mut problem_types = Vec::new();
    for problem in at.objects("problemTypes")? {
        for at in problem.objects("descriptions")? {
            problem_types.push(ProblemType {
                cwe: at.text("cweId")?,
                description: at.text("description")?,
                pointer: at.pointer.clone(),
            });
        }
    }
    let provider = at.object("providerMetadata")?;
    let provider = provider.map_or(Ok(None), |at| at.text("shortName"))?;
    Ok(CveContainer {
        provider,
        title: at.text("title")?,
        affected: at.each("affected", |at| affected(at, notices))?,
        scores,
        ssvc,
        references: at.each("references", reference)?,
        problem_types,
        pointer: at.pointer.clone(),
    })
}

fn reference(at: &Cursor<'_>) -> Result<Reference, FormatError> {
    Ok(Reference {
        kind: at.texts("tags")?.into_iter().next(),
        url: at.required("url")?,
        pointer: at.pointer.clone(),
    })
}

fn read_ssvc(other: &Cursor<'_>) -> Result<Option<Ssvc>, FormatError> {
    let is = |kind: &str| kind.eq_ignore_ascii_case("ssvc");
    if !other.str("type")?.is_some_and(is) {
        return Ok(None);
    }
    let Some(at) = other.object("content")? else {
        return Ok(None);
    };
    let mut options = Vec::new();
    for option in at.objects("options")? {
        for point in option.members()?.keys() {
            options.extend(option.text(point)?.map(|value| (point.clone(), value)));
        }
    }
    Ok(Some(Ssvc {
        options,
        role: at.text("role")?,
        version: at.text("version")?,
        timestamp: at.text("timestamp")?,
        pointer: at.pointer,
    }))
}

const STATUS: [&str; 3] = ["affected", "unaffected", "unknown"];

fn affected(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<CveAffected, FormatError> {
    if at
        .str("defaultStatus")?
        .is_some_and(|text| !STATUS.contains(&text))
    {
        let message = "the default status is none of those that the format knows";
        notices.push(at.notice("ODD_VERSION_STATUS", message));
    }
    Ok(CveAffected {
        vendor: at.text("vendor")?,
        product: at.text("product")?,
        package_name: at.text("packageName")?,
        collection_url: at.text("collectionURL")?,
        purl: at.text("packageURL")?,
        cpes: at.texts("cpes")?,
        default_status: at.text("defaultStatus")?,
        versions: at.each("versions", |at| version(at, notices))?,
        pointer: at.pointer.clone(),
    })
}

fn version(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<CveVersion, FormatError> {
    let change = |at: &Cursor<'_>| {
        Ok(CveChange {
            at: at.required("at")?,
            status: at.required("status")?,
        })
    };
    let version = CveVersion {
        version: at.text("version")?.unwrap_or_default(),
        status: at.text("status")?,
        version_type: at.text("versionType")?,
        less_than: at.text("lessThan")?,
        less_than_or_equal: at.text("lessThanOrEqual")?,
        changes: at.each("changes", change)?,
        pointer: at.pointer.clone(),
    };
    let known = |status: &str| STATUS.contains(&status);
    if !version.status.as_deref().is_some_and(known) {
        let message = "a version has no status of those that the format knows";
        notices.push(at.notice("ODD_VERSION_STATUS", message));
    }
    if version.less_than.is_some() && version.less_than_or_equal.is_some() {
        let message = "a range has two ends";
        notices.push(at.notice("ODD_VERSION_RANGE", message));
    }
    Ok(version)
}
