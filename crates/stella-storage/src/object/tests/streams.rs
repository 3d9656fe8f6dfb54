//! Bytes that come and go one after the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::*;

/// So many bytes, of which no two chunks are alike.
pub(super) struct Source {
    left: u64,
    state: u64,
    /// Whether it fails instead of ending.
    breaks: bool,
}

impl Source {
    pub(super) fn of(left: u64) -> Self {
        let (state, breaks) = (left, false);
        Self {
            left,
            state,
            breaks,
        }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 && self.breaks {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        while self.left > 0 && buffer.remaining() > 0 {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let word = self.state.to_be_bytes();
            let most = word.len().min(buffer.remaining());
            let most = most.min(usize::try_from(self.left).unwrap_or(most));
            buffer.put_slice(&word[..most]);
            self.left -= most as u64;
        }
        Poll::Ready(Ok(()))
    }
}

on_every_store! {
    async fn a_stream_is_stored_under_the_digest_of_all_of_it(it) {
        for size in [0, 1, 300_000, 9_000_000] {
            let stored = it.store.put_from(BUCKET, &tenant("acme"), Source::of(size), size).await.unwrap();
            assert_eq!(stored.size, size);
            let opened = it.store.open(BUCKET, &tenant("acme"), &stored.digest).await.unwrap();
            assert_eq!(opened.size, size);
            let bytes = it.get("acme", &stored.digest).await.unwrap();
            assert_eq!((bytes.len() as u64, Digest::of(&bytes)), (size, stored.digest));
            // From memory it is the same blob.
            assert_eq!(it.put("acme", &bytes).await.unwrap(), stored.digest);
        }
        assert_eq!(it.files().len(), 4);
    }

    async fn a_stream_over_the_limit_or_that_breaks_leaves_nothing(it) {
        let limited = it.put_from("acme", b"four", 3).await;
        assert!(matches!(limited, Err(ObjectError::TooLarge { limit: 3 })), "{limited:?}");
        let broken = Source { breaks: true, ..Source::of(100_000) };
        let broken = it.store.put_from(BUCKET, &tenant("acme"), broken, u64::MAX).await;
        assert!(matches!(broken, Err(ObjectError::Input(_))), "{broken:?}");
        assert_eq!(it.files(), [] as [PathBuf; 0]);
    }

    async fn a_corrupt_stream_breaks_off_before_its_end(it) {
        let size = 2_000_000;
        let stored = it.store.put_from(BUCKET, &tenant("acme"), Source::of(size), size).await.unwrap();
        let path = it.path("acme", &stored.digest);
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let mut opened = it.store.open(BUCKET, &tenant("acme"), &stored.digest).await.unwrap();
        let mut given = 0;
        let told = loop {
            match opened.bytes.try_next().await {
                Ok(Some(chunk)) => given += chunk.len() as u64,
                Ok(None) => panic!("it ended as if it were whole"),
                Err(error) => break error,
            }
        };
        assert!(matches!(told, ObjectError::Corrupt { .. }), "{told:?}");
        assert!(0 < given && given < size, "{given}");
    }
}
