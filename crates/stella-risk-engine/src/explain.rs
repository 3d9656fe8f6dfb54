//! A score in sentences: each step of the ledger is one, and no number stands in them that is
//! not in the ledger.

use stella_api::explain::{Explanation, Sentence};
use stella_api::score::ScoreResult;
use stella_canonical::Digest;
use stella_locale::{Labels, Value};
use stella_scoring::{Argument, arguments};

use crate::RiskError;
use crate::stored::Stored;

/// The languages that there are; every other falls back to the first, and the answer says so.
const LANGUAGES: [&str; 1] = ["en"];
/// Stands for a text that the publisher left empty, for labels to choose by.
const ABSENT: &str = "none";

/// Explains a score. What is not of the language is the same in every language.
pub(crate) fn explanation(stored: Stored, lang: Option<&str>) -> Result<Explanation, RiskError> {
    let labels = Labels::english();
    let digest = digest(&stored)?;
    Ok(Explanation {
        lang: language(lang).to_owned(),
        headline: headline(labels, &stored.result),
        sentences: sentences(labels, &stored.result),
        sources: stored.sources,
        digest: digest.to_string(),
        score: stored.result,
    })
}

fn language(asked: Option<&str>) -> &'static str {
    let mut known = LANGUAGES.into_iter();
    known.find(|tag| asked == Some(tag)).unwrap_or(LANGUAGES[0])
}

/// Names what is explained: the canonical array of the output digest and the documents.
fn digest(stored: &Stored) -> Result<Digest, RiskError> {
    let documents: Vec<&str> = stored
        .sources
        .iter()
        .map(|source| source.document.as_str())
        .collect();
    Ok(Digest::of_canonical(&(
        "explanation",
        &stored.result.output_digest,
        documents,
    ))?)
}

fn headline(labels: &Labels, result: &ScoreResult) -> String {
    let low = points(i64::from(result.score_low_bps));
    let high = points(i64::from(result.score_high_bps));
    let values = [
        ("vulnerability", result.subject.vulnerability.as_str()),
        ("purl", result.subject.purl.as_str()),
        ("low", low.as_str()),
        ("high", high.as_str()),
        ("score", low.as_str()),
        ("band", &format!("{:?}", result.band)),
    ];
    let key = match (result.score_bps, result.score_low_bps) {
        (Some(score), _) if score < result.score_high_bps => "explain-headline-open",
        (Some(_), _) => "explain-headline",
        (None, _) if result.score_high_bps == 0 => "explain-headline-unknown-capped",
        (None, 0) => "explain-headline-unknown",
        (None, _) => "explain-headline-unknown-floor",
    };
    labels.format(key, &values.map(|(name, value)| (name, Value::from(value))))
}

fn sentences(labels: &Labels, result: &ScoreResult) -> Vec<Sentence> {
    let steps = result.steps.iter().zip(arguments(result));
    steps
        .map(|(step, arguments)| {
            let shown: Vec<_> = arguments
                .iter()
                .map(|(name, argument)| (*name, shown(argument)))
                .collect();
            let values: Vec<_> = shown
                .iter()
                .map(|(name, text)| (*name, Value::from(text.as_str())))
                .collect();
            Sentence {
                code: step.code.clone(),
                delta_bps: step.delta_bps,
                text: labels.format(&step.label_key, &values),
                evidence_digest: step.evidence_digest.clone(),
            }
        })
        .collect()
}

fn shown(argument: &Argument) -> String {
    match argument {
        Argument::Text(text) if text.is_empty() => ABSENT.to_owned(),
        Argument::Text(text) => text.clone(),
        Argument::Points(bps) => points(*bps),
    }
}

/// Basis points as points of 100, exactly: 9,000 is 90, and 8,150 is 81.5.
fn points(bps: i64) -> String {
    let sign = if bps < 0 { "-" } else { "" };
    let (whole, rest) = (bps.unsigned_abs() / 100, bps.unsigned_abs() % 100);
    match (rest, rest % 10) {
        (0, _) => format!("{sign}{whole}"),
        (_, 0) => format!("{sign}{whole}.{}", rest / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
