//! A few words on why a score is what it is, for a column.

use stella_api::findings::{Finding, Verdict};
use stella_api::score::{Contribution, ScoreResult};
use stella_locale::Labels;

use super::Scoring;
use crate::label::{filled, label};
use crate::points::points;

/// Why a finding has the score that it has, or has none.
pub(crate) fn why(finding: &Finding, scoring: &Scoring) -> String {
    let mut words = Vec::new();
    if finding.matched.verdict == Verdict::Undetermined {
        words.push(filled(
            "why-undetermined",
            &[("rule", reason(&finding.matched.rule).into())],
        ));
    }
    match scoring {
        Scoring::Scored(result) => words.extend(of_score(result)),
        Scoring::Informational(class) => {
            let class = finding.informational.as_deref().unwrap_or(class);
            words.push(filled("why-informational", &[("class", class.into())]));
        }
        Scoring::Failed(failure) => words.push(filled(
            "why-failed",
            &[("code", failure.code.as_ref().into())],
        )),
        Scoring::NotAsked => words.extend(
            finding
                .informational
                .as_ref()
                .map(|class| filled("why-informational", &[("class", class.as_str().into())])),
        ),
    }
    words.join(", ")
}

/// The same of a score alone.
pub(crate) fn of_score(result: &ScoreResult) -> Vec<String> {
    let mut words: Vec<String> = not_scored(result).into_iter().collect();
    words.extend(result.contributions.iter().map(contribution));
    words.extend(result.stale_inputs.iter().map(|stale| {
        let content = stale.content.as_str();
        filled("why-stale", &[("content", content.into())])
    }));
    words
}

/// Why there is no score, where there is none.
pub(crate) fn not_scored(result: &ScoreResult) -> Option<String> {
    if result.score_bps.is_some() {
        return None;
    }
    let unknowns = &result.unknowns;
    let decides = unknowns.missing.iter().find(|missing| {
        let next = unknowns.next_best.as_ref();
        next.is_none_or(|next| *next == missing.signal)
    });
    let reason = decides.map_or_else(String::new, |missing| reason(&missing.reason_code));
    Some(filled("why-not-scored", &[("reason", reason.into())]))
}

fn contribution(contribution: &Contribution) -> String {
    let key = format!("why-{}", kebab(&contribution.reason_code));
    let by = contribution.by.as_deref().unwrap_or_default();
    let status = contribution.raw.split(' ').next().unwrap_or_default();
    let value = contribution.normalized.unwrap_or_default();
    let values = [
        ("by", by.into()),
        ("status", status.into()),
        ("value", points(i64::from(value) / 10).into()),
    ];
    Labels::english()
        .find(&key, &values)
        .unwrap_or_else(|| contribution.reason_code.clone())
}

/// A reason code in words; one of a newer server as it is.
pub(crate) fn reason(code: &str) -> String {
    let key = format!("why-{}", kebab(code));
    if Labels::english().has(&key) {
        label(&key)
    } else {
        code.to_owned()
    }
}

fn kebab(code: &str) -> String {
    code.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use stella_scoring::ReasonCode;

    use super::*;

    #[test]
    fn every_reason_that_reaches_the_column_has_its_words() {
        let missing = [
            ReasonCode::CvssNoPublishedSeverity,
            ReasonCode::CvssAllInvalid,
            ReasonCode::KevNoCatalogue,
        ];
        let shown = ReasonCode::ALL
            .iter()
            .filter(|reason| reason.contributes() || missing.contains(reason));
        for reason in shown {
            let key = format!("why-{}", kebab(reason.as_str()));
            assert!(Labels::english().has(&key), "{key}");
        }
    }
}
