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
}

impl IntoFailure for AuthorityError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => error.into_failure(),
            Self::TenantUnknown(tenant) => Failure::not_found(tenant),
            other => Failure::new(Code::Internal).because(other),
        }
    }
}
