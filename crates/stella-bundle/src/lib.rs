//! Files that carry many others: written so that the same content is always the same bytes (page
//! 03), and read from whoever made them. Touches only the `Read` and `Write` that it is given.

mod archive;
mod names;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod unpack;

pub use archive::{Archive, ArchiveError};
pub use unpack::{Entry, Kind, Limits, UnpackError, fuzz, kind_of, unpack};
