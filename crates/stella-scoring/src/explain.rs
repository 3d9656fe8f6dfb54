//! The arguments of the sentence that explains a step, so that every language can be told the
//! same from the same result.

use std::collections::BTreeMap;

use stella_api::score::{Contribution, ScoreResult, Step};

use crate::cvss::{Tenths, Vector};
use crate::reason::ReasonCode;

/// An argument of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Text as published, or a CVSS score such as `9.8`: hostile until escaped.
    Text(String),
    /// Points of a score in basis points: 9,000 is shown as 90.
    Points(i64),
}

/// The arguments of the label of each step, in the order of the steps.
///
/// Every step has `input`, `output` and `delta` in points, but for transforms, which have
/// `score` instead of `input`. Steps of `cvss` also have `vector` and `version`, of `kev` `cve`
/// and `date`, of `vex` `status`, `justification` (empty where there is none) and `publisher`.
#[must_use]
pub fn arguments(result: &ScoreResult) -> Vec<BTreeMap<&'static str, Argument>> {
    let mut contributions = result.contributions.iter();
    let of_step = |step: &Step| {
        let mut arguments = BTreeMap::from([
            ("input", Argument::Points(step.input)),
            ("output", Argument::Points(step.output)),
            ("delta", Argument::Points(step.delta_bps)),
        ]);
        let reason = ReasonCode::from_code(&step.code);
        if reason.is_some_and(ReasonCode::contributes)
            && let Some(contribution) = contributions.next()
        {
            describe(contribution, step, &mut arguments);
        }
        arguments
    };
    result.steps.iter().map(of_step).collect()
}

fn describe(
    contribution: &Contribution,
    step: &Step,
    arguments: &mut BTreeMap<&'static str, Argument>,
) {
    let mut text = |name, value: &str| arguments.insert(name, Argument::Text(value.to_owned()));
    let raw = contribution.raw.as_str();
    let (first, rest) = raw.split_once(' ').unwrap_or((raw, ""));
    match contribution.signal.as_str() {
        "cvss" => {
            let tenths = Tenths(u8::try_from(step.input).unwrap_or(0));
            let version = Vector::parse(raw).map_or("", |vector| vector.version().as_str());
            text("vector", raw);
            text("version", version);
            text("score", &tenths.to_string());
            arguments.remove("input");
        }
        "kev" => {
            text("cve", first);
            text("date", rest);
        }
        "vex" => {
            text("status", first);
            text("justification", rest);
            text("publisher", contribution.by.as_deref().unwrap_or(""));
        }
        _ => {
            text("value", raw);
        }
    }
}
