//! Bytes on their way out are hashed, and the last of them waits for the digest.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use stella_canonical::{Digest, Hasher};

use super::ObjectError;

struct Checking {
    rest: BoxStream<'static, Result<Bytes, ObjectError>>,
    hasher: Hasher,
    /// What came last: the end of the stream where nothing comes after it.
    held: Bytes,
    expected: Digest,
    at: String,
}

/// The same bytes; where their digest is another one, an error instead of the last of them.
pub(super) fn checked(
    bytes: BoxStream<'static, Result<Bytes, ObjectError>>,
    expected: Digest,
    at: String,
) -> BoxStream<'static, Result<Bytes, ObjectError>> {
    let checking = Checking {
        rest: bytes,
        hasher: Hasher::new(),
        held: Bytes::new(),
        expected,
        at,
    };
    stream::try_unfold(Some(checking), next).boxed()
}

async fn next(
    checking: Option<Checking>,
) -> Result<Option<(Bytes, Option<Checking>)>, ObjectError> {
    let Some(mut checking) = checking else {
        return Ok(None);
    };
    while let Some(chunk) = checking.rest.try_next().await? {
        checking.hasher.update(&chunk);
        let before = std::mem::replace(&mut checking.held, chunk);
        if !before.is_empty() {
            return Ok(Some((before, Some(checking))));
        }
    }
    let (actual, expected) = (checking.hasher.finish(), checking.expected);
    match actual == expected {
        true => Ok(Some((checking.held, None))),
        false => Err(ObjectError::Corrupt {
            expected,
            actual,
            path: checking.at,
        }),
    }
}
