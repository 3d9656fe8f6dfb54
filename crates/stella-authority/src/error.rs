//! What can go wrong in Authority.

use stella_api::Code;
use stella_service::{Failure, IntoFailure, KeyStoreError};
use stella_signing::KeyError;
use stella_storage::StoreError;

/// A failure of Authority's domain.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key that cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The stored keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// No such tenant.
    #[error("there is no tenant {0}")]
    TenantUnknown(String),
    /// No such client.
    #[error("there is no client {0}")]
    ClientUnknown(String),
    /// A client of that name is there and has not that key.
    #[error("there is a client {0} with other keys")]
    ClientTaken(String),
    /// No such key of the client.
    #[error("the client has no key {0}")]
    ClientKeyUnknown(String),
    /// A key that was taken from the client.
    #[error("the key {0} was revoked")]
    ClientKeyRevoked(String),
}

impl IntoFailure for AuthorityError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::Keys(error) => error.into_failure(),
            Self::TenantUnknown(name)
            | Self::ClientUnknown(name)
            | Self::ClientKeyUnknown(name) => Failure::not_found(name),
            other => Failure::new(Code::Internal).because(other),
        }
    }
}
