//! How far work over every blob is.

use futures_util::TryStreamExt as _;
use stella_cli::Session;
use stella_storage::ObjectError;

use super::{blobs, buckets};
use crate::platform::ObjectStores;

/// A line that says how far it is, whenever that is another percent.
pub(super) struct Progress {
    blobs: u64,
    bytes: u64,
    told: Option<u64>,
}

impl Progress {
    pub(super) async fn over(stores: &ObjectStores) -> Result<Self, ObjectError> {
        let mut all = Self {
            blobs: 0,
            bytes: 0,
            told: None,
        };
        for (bucket, store) in buckets(stores) {
            let mut listed = std::pin::pin!(blobs(store, bucket));
            while let Some(one) = listed.try_next().await? {
                all.blobs += 1;
                all.bytes += one.size;
            }
        }
        Ok(all)
    }

    /// So many blobs of so many bytes are done.
    pub(super) fn tell(&mut self, (blobs, bytes): (u64, u64), session: &mut Session) {
        let percent = (bytes * 100 / self.bytes.max(1)).min(100);
        if self.told == Some(percent) {
            return;
        }
        self.told = Some(percent);
        let full = usize::try_from(percent / 5).unwrap_or_default();
        let bar = format!("[{:20}]", "=".repeat(full));
        let values = [
            ("bar", bar.as_str().into()),
            ("percent", percent.into()),
            ("done", blobs.into()),
            ("total", self.blobs.into()),
        ];
        let line = session.labels.format("progress-verify", &values);
        session.progress_over(&line);
    }
}
