//! Whether a file with a key is its owner's alone.

use std::fs;
use std::io;
use std::path::Path;

/// Whether others than the owner may read or change a file.
///
/// # Errors
/// It is not there, or nobody may ask.
#[cfg(unix)]
pub fn open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Whether others than the owner may read or change a file: here nobody can tell.
///
/// # Errors
/// It is not there, or nobody may ask.
#[cfg(not(unix))]
pub fn open_to_others(path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|_| false)
}
