//! Scores of findings: asked for, drawn and explained.

mod ask;
mod explanation;
mod record;
mod table;
mod why;

pub(crate) use ask::{Scoring, evaluate_all, explain, of_finding_or_score};
pub(crate) use explanation::{explained, sources};
pub(crate) use record::record;
pub(crate) use table::{cells, columns, exit, table};
pub(crate) use why::why;

#[cfg(test)]
pub(crate) mod made_up;
