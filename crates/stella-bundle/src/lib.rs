//! Files that carry many others: the same content is always the same bytes (page 03). Touches only
//! the `Write` that it is given.

mod archive;

pub use archive::{Archive, ArchiveError};
