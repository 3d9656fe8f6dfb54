//! Keys that sign: Ed25519 pairs as PKCS#8 version 1, their JWKs and thumbprints, their
//! encryption at rest, and compact JWTs.

mod jwt;
mod key;
mod master;

pub use jwt::{Claims, Confirmation, Unverified, dpop_proof, sign_jwt, verify_jwt};
pub use key::{KeyError, SigningKey, jwk_of, thumbprint};
pub use master::MasterKey;
