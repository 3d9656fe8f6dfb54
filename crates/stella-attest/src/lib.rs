//! Attestations: DSSE envelopes over in-toto Statements, built from a signature that somebody
//! else makes, and verified. Pure: no key store, no clock.

mod dsse;
mod key;
mod log;
mod statement;

pub use dsse::{AttestError, Unsigned, Verified, fuzz, pae, read_envelope, verify};
pub use key::{Algorithm, PublicKey, PublicKeyError};
pub use log::{CHECKPOINT, Chain, Entry, LogName, signed_end};
pub use statement::{PAYLOAD_TYPE, Statement, Subject};
