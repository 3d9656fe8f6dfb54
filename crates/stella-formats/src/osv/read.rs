//! Reading of OSV documents.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{Advisory, Affected, Event, Package, Range, RangeKind, Reference, Severity};
use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::format::{Json, Read, Reader};
use crate::{Body, Notice};

pub(crate) const READER: Reader = Reader {
    name: "osv",
    media_type: "application/json",
    json: Some(Json { recognises, read }),
};

fn recognises(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    // OpenVEX and CycloneDX have neither, and a CSAF or CVE document no `id` of its own.
    has("id") && (has("modified") || has("affected") || has("schema_version"))
}

/// The text of a document that means to be OSV in YAML: it begins as no JSON does, and has the
/// members by which [`recognises`] knows one at the beginnings of lines.
pub(crate) fn yaml(bytes: &[u8]) -> Option<&str> {
    let begins = bytes.trim_ascii_start().first()?;
    if matches!(begins, b'{' | b'[') {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let has = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(key));
        lines.any(|rest| rest.starts_with(':'))
    };
    (has("id") && (has("modified") || has("affected") || has("schema_version"))).then_some(text)
}

fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Read {
    let version = root.text("schema_version")?;
    if let Some(other) = version
        .as_deref()
        .filter(|version| !version.starts_with("1."))
    {
        return Err(root.unsupported(
            "schema_version",
            format!("version {other:?} of OSV, which cannot be read"),
        ));
    }
    let severities = severities(root)?;
    let of_all = severities.iter().map(Severity::vector).collect();
    let affected = root.objects("affected")?;
    let affected = affected
        .iter()
        .map(|affected| read_affected(affected, &of_all, notices));
    let affected = affected.collect::<Result<_, _>>()?;
    root.required("modified")?;
    let withdrawn = root.time("withdrawn", notices)?;
    let is_time = |text: &String| text.parse::<Timestamp>().is_ok();
    if withdrawn.as_ref().is_some_and(|text| !is_time(text)) {
        let message = "it does not say when it was withdrawn: it counts as if it was not";
        notices.push(root.notice("WITHDRAWN_NOT_READ", message));
    }
    let advisory = Advisory {
        id: root.required("id")?,
        aliases: root.texts("aliases")?,
        related: root.texts("related")?,
        upstream: root.texts("upstream")?,
        withdrawn: withdrawn.filter(is_time),
        published: root.time("published", notices)?,
        modified: root.time("modified", notices)?.unwrap_or_default(),
        summary: root.text("summary")?,
        references: root
            .objects("references")?
            .iter()
            .map(read_reference)
            .collect::<Result<_, _>>()?,
        severities,
        affected,
    };
    Ok((version, Body::Advisory(advisory)))
}

fn read_reference(at: &Cursor<'_>) -> Result<Reference, FormatError> {
    Ok(Reference {
        kind: at.text("type")?,
        url: at.required("url")?,
        pointer: at.pointer.clone(),
    })
}

fn severities(at: &Cursor<'_>) -> Result<Vec<Severity>, FormatError> {
    let read = |at: &Cursor<'_>| {
        Ok(Severity {
            kind: at.required("type")?,
            score: at.required("score")?,
            beside: None,
            pointer: at.pointer.clone(),
        })
    };
    let mut severities = at
        .objects("severity")?
        .iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    drop_repeated(&mut severities);
    Ok(severities)
}

fn drop_repeated(severities: &mut Vec<Severity>) {
    let mut seen = HashSet::new();
    severities.retain(|severity| {
        let (kind, score) = severity.vector();
        seen.insert((kind.to_owned(), score.to_owned()))
    });
}

fn read_affected(
    at: &Cursor<'_>,
    of_all: &HashSet<(&str, &str)>,
    notices: &mut Vec<Notice>,
) -> Result<Affected, FormatError> {
    let package = at.object("package")?.map(|at| {
        Ok(Package {
            ecosystem: at.required("ecosystem")?,
            name: at.required("name")?,
            purl: at.text("purl")?,
        })
    });
    let mut severities = severities(at)?;
    let specific = at.value.get("database_specific");
    let said = |key: &str| {
        specific
            .and_then(|specific| specific.get(key))
            .and_then(Value::as_str)
    };
    if let Some((kind, score)) = said("cvss").and_then(|score| Some((scheme(score)?, score))) {
        let pointer = format!("{}/database_specific/cvss", at.pointer);
        severities.push(Severity {
            kind: kind.to_owned(),
            score: score.to_owned(),
            beside: None,
            pointer,
        });
    }
    // RustSec writes one vector in both places; the first place counts.
    severities.retain(|severity| !of_all.contains(&severity.vector()));
    drop_repeated(&mut severities);
    Ok(Affected {
        package: package.transpose()?,
        ranges: at
            .objects("ranges")?
            .iter()
            .map(|at| read_range(at, notices))
            .collect::<Result<_, _>>()?,
        versions: at.texts("versions")?,
        severities,
        informational: said("informational").map(str::to_owned),
        pointer: at.pointer.clone(),
    })
}

/// The scheme of a CVSS vector that stands without one.
fn scheme(vector: &str) -> Option<&'static str> {
    let schemes = [
        ("CVSS:4.", "CVSS_V4"),
        ("CVSS:3.", "CVSS_V3"),
        ("AV:", "CVSS_V2"),
        ("(AV:", "CVSS_V2"),
    ];
    schemes
        .iter()
        .find(|(prefix, _)| vector.starts_with(prefix))
        .map(|(_, scheme)| *scheme)
}

fn read_range(at: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<Range, FormatError> {
    let kind = match at.required("type")?.as_str() {
        "SEMVER" => RangeKind::Semver,
        "ECOSYSTEM" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => {
            notices.push(at.notice(
                "UNKNOWN_RANGE_TYPE",
                format!("a range of type {other:?} is not compared"),
            ));
            RangeKind::Other(other.to_owned())
        }
    };
    let mut events = Vec::new();
    for event in at.objects("events")? {
        let (before, mut commits) = (events.len(), true);
        // One a member is the rule; where there are more, they are read in this order.
        for (key, make) in EVENTS {
            if let Some(text) = event.text(key)? {
                commits &= is_commit(&text);
                events.push(make(text));
            }
        }
        if events.len() != before + 1 {
            notices.push(event.notice(
                "ODD_RANGE_EVENT",
                "an event should be one of introduced, fixed, last_affected, limit",
            ));
        }
        if kind == RangeKind::Git && !commits {
            notices.push(event.notice("ODD_RANGE_EVENT", "a commit should be its full hash"));
        }
    }
    Ok(Range {
        kind,
        repo: at.text("repo")?,
        events,
        pointer: at.pointer.clone(),
    })
}

/// A full hash, or the beginning of all.
fn is_commit(text: &str) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text == "0" || [40, 64].contains(&text.len()) && text.bytes().all(hex)
}

type MakeEvent = fn(String) -> Event;

const EVENTS: [(&str, MakeEvent); 4] = [
    ("introduced", Event::Introduced),
    ("fixed", Event::Fixed),
    ("last_affected", Event::LastAffected),
    ("limit", Event::Limit),
];
