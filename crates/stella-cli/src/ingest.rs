//! Taking evidence in: found, prepared, sent, and told what became of it.

mod collect;
mod prepare;
mod send;
mod summary;
mod tally;

pub(crate) use collect::{Source, collect};
pub(crate) use prepare::Origin;
pub(crate) use send::{End, send_all};
pub(crate) use tally::Tally;
