//! Taking evidence in: found, prepared, sent, and told what became of it.

mod collect;
mod packed;
mod prepare;
mod send;
mod source;
mod summary;
mod tally;

pub(crate) use collect::collect;
pub(crate) use prepare::Origin;
pub(crate) use send::{End, send_all};
pub(crate) use source::Source;
