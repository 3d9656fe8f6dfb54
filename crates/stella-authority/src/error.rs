//! What can go wrong in Authority.

use stella_api::Code;
use stella_service::{Failure, IntoFailure};
use stella_signing::KeyError;
use stella_storage::StoreError;

/// A failure of Authority's domain.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
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
