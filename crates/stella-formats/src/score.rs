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
        Ok(Some(CvssScore {
            kind,
            vector: at.text("vectorString")?,
            base_score,
            pointer: at.pointer.clone(),
        }))
    };
    members
        .iter()
        .filter_map(|member| read(member).transpose())
        .collect()
}
