//! A call over a bare connection, byte by byte as a test wants it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use stella_api::LineAnswer;
use stella_api::Scope;
use stella_api::evidence::IngestAnswer;
use stella_context::Clock;
use stella_signing::{SigningKey, dpop_proof};

use crate::authority::token;
use crate::world::World;

/// A POST of lines whose head is sent. It blocks: it is used off the test's own thread.
pub struct Wire {
    sending: TcpStream,
    reading: BufReader<TcpStream>,
    /// The head of the answer, once it was read.
    pub head: String,
    /// What is left of the part that is being read.
    part: Vec<u8>,
}

impl Wire {
    pub async fn open(world: &World, kind: &str, scope: Scope, headers: &str) -> Self {
        let path = format!("/api/v1/evidence/{kind}/batch");
        let dpop = SigningKey::generate().unwrap();
        let token = token(world, "acme", scope, &dpop).await;
        let (url, now) = (
            format!("{}{path}", world.url),
            Clock::System.now().as_second(),
        );
        let proof = dpop_proof(&dpop, "POST", &url, now, &token[..32], Some(&token)).unwrap();
        let host = world.url.strip_prefix("http://").unwrap();
        let mut sending = TcpStream::connect(host).unwrap();
        write!(
            sending,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-ndjson\r\n\
             authorization: DPoP {token}\r\ndpop: {proof}\r\n\
             transfer-encoding: chunked\r\n{headers}\r\n"
        )
        .unwrap();
        let reading = BufReader::new(sending.try_clone().unwrap());
        Self {
            sending,
            reading,
            head: String::new(),
            part: Vec::new(),
        }
    }

    /// Sends a part of the body.
    pub fn send(&mut self, text: &str) {
        write!(self.sending, "{:x}\r\n{text}\r\n", text.len()).unwrap();
    }

    /// Says that the body is over.
    pub fn end(&mut self) {
        self.sending.write_all(b"0\r\n\r\n").unwrap();
    }

    /// The next line of the answer; none where the answer is over.
    pub fn line(&mut self) -> Option<LineAnswer<IngestAnswer>> {
        while self.head.is_empty() || !self.head.ends_with("\r\n\r\n") {
            assert_ne!(self.reading.read_line(&mut self.head).unwrap(), 0);
        }
        loop {
            if let Some(at) = self.part.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.part.drain(..=at).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let mut size = String::new();
            assert_ne!(
                self.reading.read_line(&mut size).unwrap(),
                0,
                "a cut answer"
            );
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut part = vec![0; size + 2];
            self.reading.read_exact(&mut part).unwrap();
            if size == 0 {
                assert_eq!(self.part, b"", "a line without an end");
                return None;
            }
            self.part.extend_from_slice(&part[..size]);
        }
    }
}
