//! The one way this system writes, reads and names data: strict I-JSON in, RFC 8785 canonical
//! JSON out, SHA-256 digests over it, and a trie that names a set of digests by one digest.
//!
//! - [`json`] reads JSON text and refuses whatever two readers could understand differently.
//! - [`canonical()`] and [`canonicalize`] write the canonical bytes of a value or of JSON text.
//! - [`Digest`] is the name of bytes, [`Hasher`] makes one from a stream.
//! - [`merkle`] names a log that only grows, by one digest.
//! - [`trie`] is a content-addressed set of digests, the same whatever the order of insertion.

mod canonical;
mod digest;
pub mod json;
pub mod merkle;
mod strict;
pub mod trie;

pub use canonical::{CanonicalError, canonical, canonicalize};
pub use digest::{Digest, DigestError, Hasher};
pub use json::JsonError;
