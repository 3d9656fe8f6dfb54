//! How far work over every blob is.

use futures_util::TryStreamExt as _;
use stella_cli::{Progress, Session};
use stella_storage::ObjectError;

use super::{blobs, buckets};
use crate::platform::ObjectStores;

/// Work over every blob, in bytes.
pub(super) async fn over(
    stores: &ObjectStores,
    session: &Session,
) -> Result<Progress, ObjectError> {
    let mut bytes = 0;
    for (bucket, store) in buckets(stores) {
        let mut listed = std::pin::pin!(blobs(store, bucket));
        while let Some(one) = listed.try_next().await? {
            bytes += one.size;
        }
    }
    Ok(Progress::begin(session, "progress-storage", Some(bytes)))
}
