//! What can go wrong with a blob.

use std::io;
use std::path::Path;

use stella_canonical::Digest;

/// A failure of the object store, by what it means to the caller.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The tenant has no blob of that digest.
    #[error("blob {0} is not in the store")]
    Missing(Digest),
    /// The stored bytes are not those that the digest names.
    #[error("blob {expected} at {path} has digest {actual}")]
    Corrupt {
        /// The digest that names the blob.
        expected: Digest,
        /// The digest of the bytes that are there.
        actual: Digest,
        /// Where they are.
        path: String,
    },
    /// More bytes than the caller allows.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The number of bytes that would have been stored.
        limit: u64,
    },
    /// What was to be stored could not be read to its end.
    #[error("reading what is to be stored: {0}")]
    Input(#[source] io::Error),
    /// There is no room left.
    #[error("object store at {at} is full: {reason}")]
    Full {
        /// The file or URL.
        at: String,
        /// What the store says.
        reason: String,
    },
    /// The store is there and does not let us: permission, key, bucket, read-only.
    #[error("object store at {at} refuses: {reason}")]
    Refused {
        /// The file or URL.
        at: String,
        /// What the store says.
        reason: String,
    },
    /// The store does not answer, not in time or not to the end; the same call may succeed later.
    #[error("object store at {at} cannot be reached: {reason}")]
    Unreachable {
        /// The URL.
        at: String,
        /// What happened.
        reason: String,
    },
    /// The store cannot be read or written.
    #[error("object store at {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

/// What a failed system call on a file or folder means.
pub(super) fn io_at(path: &Path, source: io::Error) -> ObjectError {
    let (at, reason) = (path.display().to_string(), source.to_string());
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ObjectError::Full { at, reason }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ObjectError::Refused { at, reason }
        }
        _ => ObjectError::Io { path: at, source },
    }
}
