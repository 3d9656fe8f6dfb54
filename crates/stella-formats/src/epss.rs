//! The Exploit Prediction Scoring System of FIRST, a table a day
//! (<https://www.first.org/epss/data_stats>): CSV, as it is or in gzip.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::{FormatError, Reason};
use crate::format::Reader;
use crate::{Body, Document, Format, Notice, Upstream};

/// The scores of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EpssScores {
    /// The version of the model that made them, such as `v2025.03.14`.
    pub model_version: Option<String>,
    /// When they were made, RFC 3339; the name of the revision.
    pub score_date: Option<String>,
    /// The scores, in the order of the table.
    pub scores: Vec<EpssScore>,
}

/// How likely a vulnerability is to be exploited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EpssScore {
    /// The CVE id.
    pub cve_id: Box<str>,
    /// The probability of exploitation within 30 days, from 0 to 1, as published.
    pub epss: Box<str>,
    /// Which part of all vulnerabilities scores no higher, from 0 to 1, as published.
    pub percentile: Option<Box<str>>,
    /// The line of the table, from 1.
    pub line: usize,
}

impl EpssScores {
    pub(crate) fn upstream_identity(&self) -> Upstream {
        Upstream {
            publisher: Some("first".to_owned()),
            id: Some("first-epss".to_owned()),
            version: self.score_date.clone(),
        }
    }
}

pub(crate) const READER: Reader = Reader {
    name: "epss",
    media_type: "text/csv",
    json: None,
};

const HEADER: &str = "cve,epss,percentile";

/// Tells by the first line: what is told of the model, or, in the first tables, the columns.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#model_version:") || bytes.starts_with(HEADER.as_bytes())
}

/// Reads the table.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, FormatError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        FormatError::at_line(Reason::Malformed, line, "not UTF-8")
    })?;
    let (mut scores, mut notices) = (EpssScores::default(), Vec::new());
    let mut lines = (1..).zip(text.lines()).peekable();
    if let Some((line, told)) = lines.next_if(|(_, line)| line.starts_with('#')) {
        if told.contains(char::is_control) {
            let message = "a control character in what is told of the model";
            return Err(FormatError::at_line(Reason::Malformed, line, message));
        }
        read_model(told, &mut scores, &mut notices);
    }
    match (scores.score_date.as_deref(), &scores.model_version) {
        (Some(_), Some(_)) => {}
        _ => notices.push(at(
            1,
            "MODEL_NOT_NAMED",
            "the table does not name its model and day",
        )),
    }
    let (line, header) = lines.next().unwrap_or((1, ""));
    if header != HEADER {
        let message = format!("expected the columns {HEADER:?}");
        return Err(FormatError::at_line(Reason::Malformed, line, message));
    }
    for (line, row) in lines {
        scores.scores.push(read_score(line, row, &mut notices)?);
    }
    let mut seen = HashSet::new();
    let again = scores
        .scores
        .iter()
        .filter(|score| !seen.insert(&score.cve_id));
    notices.extend(again.map(|score| {
        let message = format!("{} stands more than once", score.cve_id);
        at(score.line, "DUPLICATE_EPSS_SCORE", message)
    }));
    Ok(Document {
        format: Format::Epss,
        media_type: READER.media_type,
        spec_version: None,
        body: Body::Epss(scores),
        notices,
    })
}

fn at(line: usize, code: &'static str, message: impl Into<String>) -> Notice {
    Notice {
        code,
        pointer: format!("line:{line}"),
        message: message.into(),
    }
}

/// `#model_version:v2025.03.14,score_date:2025-03-18T12:55:00Z`
fn read_model(told: &str, scores: &mut EpssScores, notices: &mut Vec<Notice>) {
    for pair in told.trim_start_matches('#').split(',') {
        match pair.split_once(':') {
            Some(("model_version", version)) => scores.model_version = Some(version.to_owned()),
            Some(("score_date", date)) => scores.score_date = Some(date.to_owned()),
            _ => {}
        }
    }
    let date = scores.score_date.as_deref();
    if let Some(bad) = date.filter(|date| date.parse::<Timestamp>().is_err()) {
        let message = format!("{bad:?} is no time of RFC 3339");
        notices.push(at(1, "TIME_NOT_RFC3339", message));
    }
}

fn read_score(line: usize, row: &str, notices: &mut Vec<Notice>) -> Result<EpssScore, FormatError> {
    let malformed = |message: &str| FormatError::at_line(Reason::Malformed, line, message);
    let fields: Vec<&str> = row.split(',').collect();
    let &[cve_id, epss, percentile] = fields.as_slice() else {
        return Err(malformed(
            "expected a CVE id, a probability and a percentile",
        ));
    };
    if cve_id.is_empty() || row.contains(char::is_control) {
        return Err(malformed("expected a CVE id in the first column"));
    }
    if !cve_id.starts_with("CVE-") {
        let message = format!("{cve_id:?} is no CVE id");
        notices.push(at(line, "ODD_EPSS_ID", message));
    }
    let percentile = Some(percentile).filter(|percentile| !percentile.is_empty());
    for share in [Some(epss), percentile].into_iter().flatten() {
        if !is_share(share) {
            let message = format!("{share:?} is no number from 0 to 1");
            notices.push(at(line, "ODD_EPSS_SCORE", message));
        }
    }
    Ok(EpssScore {
        cve_id: cve_id.into(),
        epss: epss.into(),
        percentile: percentile.map(Into::into),
        line,
    })
}

/// A decimal from 0 to 1; some tables write small ones with an exponent.
fn is_share(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .parse::<f64>()
            .is_ok_and(|share| (0.0..=1.0).contains(&share))
}

/// Writes the table that was read, for the law that nothing of it is lost.
pub(crate) fn written(scores: &EpssScores) -> String {
    let told = [
        ("model_version", &scores.model_version),
        ("score_date", &scores.score_date),
    ];
    let told = told.map(|(key, value)| Some(format!("{key}:{}", value.as_ref()?)));
    let told: Vec<String> = told.into_iter().flatten().collect();
    let mut text = String::new();
    // A line that tells nothing of the model counts as one, too.
    let told_nothing = scores.scores.first().is_some_and(|first| first.line > 2);
    if !told.is_empty() || told_nothing {
        text = format!("#{}\n", told.join(","));
    }
    text.push_str(HEADER);
    for score in &scores.scores {
        let percentile = score.percentile.as_deref().unwrap_or_default();
        text.push_str(&format!("\n{},{},{percentile}", score.cve_id, score.epss));
    }
    text
}

#[cfg(test)]
mod tests;
