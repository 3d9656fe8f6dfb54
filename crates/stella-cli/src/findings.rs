//! Findings: listed with their scores, and one by one.

mod found;
mod list;
mod one;
mod pending;
mod record;

pub(crate) use found::{Filter, Found, Order, Scored, View, read, scored, unscored};
pub(crate) use list::listed;
pub(crate) use one::one;
pub(crate) use pending::Pending;
pub(crate) use record::record;
