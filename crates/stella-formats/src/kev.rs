//! CISA's catalogue of known exploited vulnerabilities
//! (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Notice, Upstream};

/// The catalogue at one release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KevCatalogue {
    /// The release, such as `2025.08.25`.
    pub catalog_version: String,
    /// When it was released, RFC 3339.
    pub date_released: Option<String>,
    /// Whether it holds all that it counts. An extract counts the entries of the catalogue that
    /// it was taken from; what it does not hold may still be listed there.
    pub whole: bool,
    /// The vulnerabilities, in the order of the catalogue.
    pub entries: Vec<KevEntry>,
}

/// A vulnerability that is known to be exploited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KevEntry {
    /// The CVE id.
    pub cve_id: String,
    /// The day it entered the catalogue, `YYYY-MM-DD`.
    pub date_added: Option<String>,
    /// The day by which agencies have to act, `YYYY-MM-DD`.
    pub due_date: Option<String>,
    /// Whether ransomware campaigns use it: `Known` or `Unknown`.
    pub known_ransomware: Option<String>,
    /// The catalogue's name for it.
    pub name: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

impl KevCatalogue {
    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some("cisa".to_owned()),
            id: Some("cisa-kev".to_owned()),
            version: Some(self.catalog_version.clone()),
        }
    }
}

pub(crate) const READER: Reader = Reader {
    name: "kev",
    media_type: "application/json",
    json: Some(Json { recognises, read }),
};

fn recognises(value: &Value) -> bool {
    value.get("catalogVersion").is_some() && value.get("vulnerabilities").is_some()
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let entries: Vec<KevEntry> = root
        .objects("vulnerabilities")?
        .iter()
        .map(read_entry)
        .collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    for entry in entries
        .iter()
        .filter(|entry| !seen.insert(entry.cve_id.as_str()))
    {
        let message = format!("{} stands more than once", entry.cve_id);
        notices.push(Notice {
            code: "DUPLICATE_KEV_ENTRY",
            pointer: entry.pointer.clone(),
            message,
        });
    }
    let held = entries.len() as u64;
    let count = root.get("count");
    if let Some(count) = count.filter(|count| count.as_u64() != Some(held)) {
        let message = format!("the catalogue counts {count} entries and has {held}");
        notices.push(Notice {
            code: "KEV_COUNT_DIFFERS",
            pointer: "/count".to_owned(),
            message,
        });
    }
    let catalogue = KevCatalogue {
        catalog_version: root.required("catalogVersion")?,
        date_released: root.time("dateReleased", notices)?,
        whole: count
            .and_then(Value::as_u64)
            .is_none_or(|count| count <= held),
        entries,
    };
    Ok((None, Body::Kev(catalogue)))
}

fn read_entry(at: &Cursor<'_>) -> Result<KevEntry, FormatError> {
    Ok(KevEntry {
        cve_id: at.required("cveID")?,
        date_added: at.text("dateAdded")?,
        due_date: at.text("dueDate")?,
        known_ransomware: at.text("knownRansomwareCampaignUse")?,
        name: at.text("vulnerabilityName")?,
        pointer: at.pointer.clone(),
    })
}

#[cfg(test)]
mod tests;
