//! A body, line by line.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::error::Category;
use stella_api::Code;
use stella_api::limits::{CHUNK_BYTES, CHUNK_LINES, MAX_LINE};
use stella_locale::Labels;
use tokio::time::timeout;

use crate::Failure;
use crate::extract::ended;
use crate::room::{LITTLE, Room, Taken};

/// So long the next bytes may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// A chunk is not filled up while its sender does nothing: it may wait for the answer.
const PAUSE: Duration = Duration::from_millis(100);

/// A line of a body, without its end; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the body, from 1.
    pub number: u64,
    /// What stands in it.
    pub bytes: Bytes,
}

impl Line {
    /// The object that stands in the line.
    ///
    /// # Errors
    /// There is none, or it is of another shape; with the place.
    pub fn object<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        // Serde would take an array for an object, member by member.
        if !self.bytes.starts_with(b"{") {
            let reason = Labels::english().text("refused-line-no-object");
            return Err(Failure::invalid("", reason));
        }
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let place = format!(" at line {} column {}", error.line(), error.column());
            let reason = error.to_string();
            // To serde each line is the first.
            let reason = reason.strip_suffix(&place).unwrap_or(&reason);
            let place = (self.number, error.column());
            let reason = format!("{reason} (line {} column {})", place.0, place.1);
            match error.classify() {
                Category::Data => Failure::invalid("", reason),
                _ => Failure::malformed("", reason),
            }
        })
    }
}

/// Why no more lines come: the body is over, or something is wrong at a line.
pub(super) type End = Result<(), (u64, Failure)>;

#[derive(Debug)]
pub(super) struct Reader {
    body: BodyDataStream,
    /// What came and is not yet taken out as lines.
    buffer: BytesMut,
    /// So much of it holds no end of a line.
    searched: usize,
    /// What the body brought, besides bytes.
    over: Option<Result<(), ()>>,
    lines: u64,
    size: u64,
    /// Whom to ask for room, and how much was taken: none for a little, then that of a chunk, then
    /// that of the longest line.
    room: Option<Room>,
    taken: (u64, Vec<Taken>),
    patience: Duration,
    pause: Duration,
}

impl Reader {
    pub(super) fn new(body: Body, room: Option<Room>) -> Self {
        Self {
            body: body.into_data_stream(),
            buffer: BytesMut::new(),
            searched: 0,
            over: None,
            lines: 0,
            size: 0,
            room,
            taken: (LITTLE, Vec::new()),
            patience: PATIENCE,
            pause: PAUSE,
        }
    }

    /// Waits for the first bytes.
    pub(super) async fn begin(&mut self) {
        // That none came is told as it is where the first line is read.
        let _ = timeout(self.patience, self.fill()).await;
    }

    async fn fill(&mut self) {
        match self.body.next().await {
            Some(Ok(part)) => {
                self.size += part.len() as u64;
                self.buffer.extend_from_slice(&part);
            }
            Some(Err(_)) => self.over = Some(Err(())),
            None => self.over = Some(Ok(())),
        }
    }

    /// The next lines, and whether there are more: as many as a chunk holds, fewer where the
    /// sender pauses.
    pub(super) async fn chunk(&mut self) -> (Vec<Line>, Option<End>) {
        let (mut lines, mut size) = (Vec::new(), 0);
        // What was read before is done with: who sends nothing holds no room.
        if self.buffer.len() as u64 <= LITTLE {
            self.taken = (LITTLE, Vec::new());
        }
        loop {
            while let Some(line) = self.line() {
                if line.bytes.len() as u64 > MAX_LINE {
                    return (lines, Some(Err(self.too_long(line.number))));
                }
                size += line.bytes.len();
                lines.push(line);
                if lines.len() == CHUNK_LINES || size >= CHUNK_BYTES {
                    return (lines, None);
                }
            }
            if self.buffer.len() as u64 > MAX_LINE {
                return (lines, Some(Err(self.too_long(self.lines + 1))));
            }
            match self.over {
                Some(Ok(())) => {
                    lines.extend(self.rest());
                    return (lines, Some(Ok(())));
                }
                // The last line is one that was cut off.
                Some(Err(())) => return (lines, Some(Err((self.lines + 1, ended(self.size))))),
                None => {}
            }
            let held = size as u64 + self.buffer.len() as u64;
            if held > self.taken.0 {
                // Those that came whole are done first: their room is needed for nothing more.
                if self.buffer.len() > CHUNK_BYTES && !lines.is_empty() {
                    return (lines, None);
                }
                if let Err(failure) = self.make_room(held).await {
                    return (lines, Some(Err((self.lines + 1, failure))));
                }
            }
            let wait = if lines.is_empty() {
                self.patience
            } else {
                self.pause
            };
            if timeout(wait, self.fill()).await.is_err() {
                let none = lines.is_empty();
                return (lines, none.then(|| Err(self.too_slow())));
            }
        }
    }

    async fn make_room(&mut self, held: u64) -> Result<(), Failure> {
        let Some(room) = &self.room else {
            return Ok(());
        };
        let chunk = 2 * CHUNK_BYTES as u64;
        let more = if held <= chunk { chunk } else { MAX_LINE };
        self.taken.1.push(room.take(more).await?);
        self.taken.0 += more;
        Ok(())
    }

    /// Reads to the end and keeps nothing.
    pub(super) async fn drain(&mut self) {
        while self.over.is_none() && timeout(self.patience, self.fill()).await.is_ok() {
            self.buffer.clear();
        }
    }

    /// The next line that came whole and is not empty.
    fn line(&mut self) -> Option<Line> {
        loop {
            let unread = &self.buffer[self.searched..];
            let Some(at) = unread.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let line = self.buffer.split_to(self.searched + at + 1).freeze();
            self.searched = 0;
            if let Some(line) = self.numbered(line) {
                return Some(line);
            }
        }
    }

    /// What stands after the last end of a line, once all has come.
    fn rest(&mut self) -> Option<Line> {
        let rest = self.buffer.split().freeze();
        self.searched = 0;
        self.numbered(rest)
    }

    fn numbered(&mut self, line: Bytes) -> Option<Line> {
        self.lines += 1;
        let text = line.trim_ascii();
        (!text.is_empty()).then(|| Line {
            number: self.lines,
            bytes: line.slice_ref(text),
        })
    }

    fn too_long(&self, line: u64) -> (u64, Failure) {
        // As text: a label would group the digits of a number.
        let limit = MAX_LINE.to_string();
        let values = [("limit", limit.as_str().into())];
        let detail = Labels::english().format("error-body-too-large-line", &values);
        let failure = Failure::new(Code::BodyTooLarge).with("limit", &limit);
        (line, failure.at(Code::BodyTooLarge, "", detail))
    }

    fn too_slow(&self) -> (u64, Failure) {
        let failure = Failure::new(Code::Timeout).with("limit", self.patience.as_secs());
        (self.lines + 1, failure)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    /// A reader of these parts; it waits for more where `waits`, else the body is over.
    fn reader(parts: Vec<io::Result<&'static [u8]>>, waits: bool) -> Reader {
        let parts = stream::iter(parts);
        let body = match waits {
            true => Body::from_stream(parts.chain(stream::pending())),
            false => Body::from_stream(parts),
        };
        let mut reader = Reader::new(body, None);
        reader.patience = Duration::from_millis(2);
        reader.pause = Duration::from_millis(1);
        reader
    }

    fn shown(lines: &[Line]) -> Vec<(u64, &str)> {
        let mut shown = Vec::new();
        for line in lines {
            shown.push((line.number, std::str::from_utf8(&line.bytes).unwrap()));
        }
        shown
    }

    #[tokio::test]
    async fn lines_are_counted_wherever_the_body_is_cut() {
        let text = "{a}\r\n\n \n{b}\n{c}".as_bytes();
        for at in 0..=text.len() {
            let (head, tail) = text.split_at(at);
            let mut reader = reader(vec![Ok(head), Ok(tail)], false);
            let (lines, end) = reader.chunk().await;
            assert_eq!(shown(&lines), [(1, "{a}"), (4, "{b}"), (5, "{c}")]);
            assert!(matches!(end, Some(Ok(()))));
        }
    }

    #[tokio::test]
    async fn a_chunk_ends_where_it_is_full() {
        let text = "x\n".repeat(CHUNK_LINES + 1).leak().as_bytes();
        let mut many = reader(vec![Ok(text)], false);
        let (lines, end) = many.chunk().await;
        assert!(lines.len() == CHUNK_LINES && end.is_none());
        let (lines, end) = many.chunk().await;
        assert!(lines.len() == 1 && matches!(end, Some(Ok(()))));
        let text = ("x".repeat(CHUNK_BYTES / 2) + "\n")
            .repeat(3)
            .leak()
            .as_bytes();
        assert_eq!(reader(vec![Ok(text)], false).chunk().await.0.len(), 2);
    }

    #[tokio::test]
    async fn a_pause_ends_a_chunk_and_a_long_one_the_answer() {
        let mut reader = reader(vec![Ok(b"a\nb\nhalf")], true);
        let (lines, end) = reader.chunk().await;
        assert_eq!(shown(&lines), [(1, "a"), (2, "b")]);
        assert!(end.is_none());
        let (lines, end) = reader.chunk().await;
        let Some(Err((line, failure))) = end else {
            panic!("{end:?}")
        };
        assert_eq!((lines.len(), line, failure.code()), (0, 3, Code::Timeout));
    }

    #[tokio::test]
    async fn a_long_line_is_read_where_there_is_room_for_it() {
        let long = "x".repeat(CHUNK_BYTES * 4) + "\n";
        let chunk = 2 * CHUNK_BYTES as u64;
        let mut room = Room::of(MAX_LINE + chunk);
        room.patience = Duration::from_millis(1);
        let (head, tail) = long.split_at(CHUNK_BYTES + 1);
        let (middle, tail) = tail.split_at(CHUNK_BYTES * 2);
        let parts = ["a\n", head, middle, tail].map(|part| Bytes::copy_from_slice(part.as_bytes()));
        let read = || {
            let parts = parts.clone().map(Ok::<_, io::Error>);
            Reader::new(Body::from_stream(stream::iter(parts)), Some(room.clone()))
        };
        let mut first = read();
        assert_eq!(shown(&first.chunk().await.0), [(1, "a")]);
        let (lines, _) = first.chunk().await;
        assert_eq!(lines[0].bytes.len(), CHUNK_BYTES * 4);
        // It has all of it, until it goes on.
        let mut second = read();
        assert_eq!(shown(&second.chunk().await.0), [(1, "a")]);
        let Some(Err((line, failure))) = second.chunk().await.1 else {
            panic!("it was read")
        };
        assert_eq!((line, failure.code()), (2, Code::Unavailable));
        first.chunk().await;
        let mut third = read();
        third.chunk().await;
        assert_eq!(third.chunk().await.0.len(), 1);
    }

    #[tokio::test]
    async fn a_cut_body_keeps_whole_lines_and_no_half() {
        let cut = Err(io::Error::other("gone"));
        let (lines, end) = reader(vec![Ok(b"a\nhalf"), cut], false).chunk().await;
        assert_eq!(shown(&lines), [(1, "a")]);
        let Some(Err((line, failure))) = end else {
            panic!("{end:?}")
        };
        assert_eq!((line, failure.code()), (2, Code::BodyMalformed));
    }
}
