//! Answers on their way: at once, or held until the body is over.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use bytes::Bytes;
use tempfile::SpooledTempFile;
use tokio::sync::mpsc::Sender;

/// Held answers beyond so many bytes lie in a temporary file that has no name.
const HELD: usize = 1024 * 1024;
const PART: u64 = 64 * 1024;

/// Nobody is there to be told, or there is no room to hold it.
pub(super) struct Gone;

type To = Sender<io::Result<Bytes>>;

pub(super) enum Out {
    AtOnce(To),
    Held(To, SpooledTempFile),
}

impl Out {
    pub(super) fn new(to: To, at_once: bool) -> Self {
        if at_once {
            Self::AtOnce(to)
        } else {
            Self::Held(to, SpooledTempFile::new(HELD))
        }
    }

    pub(super) async fn write(&mut self, text: Vec<u8>) -> Result<(), Gone> {
        match self {
            Self::AtOnce(to) => to.send(Ok(text.into())).await.map_err(|_| Gone),
            Self::Held(to, _) if to.is_closed() => Err(Gone),
            Self::Held(to, file) => {
                let mut held = std::mem::replace(file, SpooledTempFile::new(HELD));
                let write = move || held.write_all(&text).map(|()| held);
                match blocking(write).await {
                    Ok(held) => {
                        *file = held;
                        Ok(())
                    }
                    Err(error) => {
                        // A cut answer says that the rest of it is unknown.
                        tracing::warn!(%error, "an answer cannot be held");
                        let _ = to.send(Err(error)).await;
                        Err(Gone)
                    }
                }
            }
        }
    }

    /// Sends what was held.
    pub(super) async fn finish(self) {
        let Self::Held(to, mut file) = self else {
            return;
        };
        let begun = blocking(move || file.seek(SeekFrom::Start(0)).map(|_| file)).await;
        let mut left = match begun {
            Ok(file) => file,
            Err(error) => return drop(to.send(Err(error)).await),
        };
        loop {
            let read = move || {
                let mut part = Vec::new();
                (&mut left).take(PART).read_to_end(&mut part)?;
                Ok((part, left))
            };
            match blocking(read).await {
                Ok((part, _)) if part.is_empty() => return,
                Ok((part, rest)) => {
                    left = rest;
                    if to.send(Ok(part.into())).await.is_err() {
                        return;
                    }
                }
                Err(error) => return drop(to.send(Err(error)).await),
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_into_memory_is_held_too() {
        let (to, mut parts) = mpsc::channel(1);
        let mut out = Out::new(to, false);
        for part in 0..5 {
            assert!(out.write(vec![part; HELD / 3]).await.is_ok());
        }
        assert!(parts.try_recv().is_err(), "nothing is sent before the end");
        let sent = tokio::spawn(out.finish());
        let mut all = Vec::new();
        while let Some(part) = parts.recv().await {
            all.extend_from_slice(&part.unwrap());
        }
        sent.await.unwrap();
        let expected: Vec<u8> = (0..5).flat_map(|part| vec![part; HELD / 3]).collect();
        assert!(all == expected);
    }

    #[tokio::test]
    async fn who_is_gone_is_told_nothing() {
        for at_once in [true, false] {
            let (to, parts) = mpsc::channel(1);
            drop(parts);
            assert!(Out::new(to, at_once).write(b"x".to_vec()).await.is_err());
        }
    }
}
