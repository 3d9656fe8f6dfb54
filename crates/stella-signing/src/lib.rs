//! Keys that sign: pairs as PKCS#8, their encryption at rest, attestations and compact JWTs.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod foreign;
mod jwt;
mod key;
mod master;
mod private;

pub use jwt::{Claims, Confirmation, Unverified, dpop_proof, fuzz, sign_jwt, verify_jwt};
pub use key::{KeyError, SigningKey};
pub use master::MasterKey;
pub use private::open_to_others;
