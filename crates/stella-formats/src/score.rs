//! CVSS as CSAF and CVE records publish it: an object with the vector and the score.

use serde::Serialize;
use serde_json::Value;

use crate::Severity;
use crate::cursor::Cursor;
use crate::error::FormatError;

/// A published CVSS score, with its vector where there is one. Whether the one is the score of
/// the other is not asked here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CvssScore {
    /// `CVSS_V2`, `CVSS_V3` or `CVSS_V4`, as OSV calls them.
    pub kind: &'static str,
    /// The vector, as published.
    pub vector: Option<String>,
    /// The base score, as published.
    pub base_score: Option<String>,
    /// The temporal score, in version 4 the threat score, as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal_score: Option<String>,
    /// The environmental score, as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environmental_score: Option<String>,
    /// Where in the document it stands.
    pub pointer: String,
}

impl CvssScore {
    /// The vector as a severity, where there is one.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        Some(Severity {
            kind: self.kind.to_owned(),
            score: self.vector.clone()?,
            beside: self.base_score.clone(),
            pointer: format!("{}/vectorString", self.pointer),
        })
    }
}

/// Reads the scores that stand under any of some members.
pub(crate) fn read(
    at: &Cursor<'_>,
    members: &[(&str, &'static str)],
) -> Result<Vec<CvssScore>, FormatError> {
    let read = |(member, kind): &(&str, &'static str)| {
        let Some(at) = at.object(member)? else {
            return Ok(None);
        };
        let base_score = match at.get("baseScore") {
            None => None,
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => return Err(at.malformed("baseScore", "expected a number")),
        };
        let number = |member: &str| at.get(member).filter(|value| value.is_number());
        let temporal = number("temporalScore").or_else(|| number("threatScore"));
        Ok(Some(CvssScore {
            kind,
            vector: at.text("vectorString")?,
            base_score,
            temporal_score: temporal.map(Value::to_string),
            environmental_score: number("environmentalScore").map(Value::to_string),
            pointer: at.pointer.clone(),
        }))
    };
    members
        .iter()
        .filter_map(|member| read(member).transpose())
        .collect()
}
