//! A bounded local file that takes bytes in while they are hashed: their digest is their name,
//! and it is known only at their end.

use std::fs::File;
use std::path::Path;

use stella_canonical::Hasher;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{ObjectError, Stored, error::io_at};

/// How many bytes are in memory at a time.
pub(super) const CHUNK: usize = 256 * 1024;

/// Writes all bytes to a file, which lies at or in `place`, and tells what they are.
pub(super) async fn fill(
    file: File,
    place: &Path,
    mut bytes: impl AsyncRead + Unpin + Send,
    limit: u64,
) -> Result<Stored, ObjectError> {
    let mut file = tokio::fs::File::from_std(file);
    let (mut hasher, mut size) = (Hasher::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = bytes.read(&mut buffer).await.map_err(ObjectError::Input)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        size += chunk.len() as u64;
        if size > limit {
            return Err(ObjectError::TooLarge { limit });
        }
        if chunk.is_empty() {
            break;
        }
        hasher.update(chunk);
        let written = file.write_all(chunk).await;
        written.map_err(|error| io_at(place, error))?;
    }
    // Only now is an error of the last write known.
    file.flush().await.map_err(|error| io_at(place, error))?;
    let digest = hasher.finish();
    Ok(Stored { digest, size })
}
