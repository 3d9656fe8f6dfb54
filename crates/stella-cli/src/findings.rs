//! Findings: listed with their scores, and one by one.

mod list;
mod record;

pub(crate) use list::{Filter, Scored, listed, ranked};
pub(crate) use record::record;
