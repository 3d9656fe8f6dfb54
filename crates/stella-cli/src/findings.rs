//! Findings: listed with their scores, and one by one.

mod found;
mod list;
mod one;
mod record;

pub(crate) use found::{Filter, Found, Scored, scored, unscored};
pub(crate) use list::listed;
pub(crate) use one::one;
pub(crate) use record::record;
