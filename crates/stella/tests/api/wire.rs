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

/// A call whose head is sent. It blocks: it is used off the test's own thread.
pub struct Wire {
    sending: TcpStream,
    reading: BufReader<TcpStream>,
    /// The head of the answer, once it was read.
    pub head: String,
    /// What is left of the part that is being read.
    part: Vec<u8>,
}

/// A server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: String,
}

impl Wire {
    /// A POST of lines.
    pub async fn open(world: &World, kind: &str, scope: Scope, headers: &str) -> Self {
        let path = format!("/api/v1/evidence/{kind}/batch");
        let headers = format!(
            "content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n{headers}"
        );
        Self::begin(world, ("POST", &path), ("acme", scope), &headers).await
    }

    /// A POST of anything.
    pub async fn post(world: &World, path: &str, scope: Scope, headers: &str) -> Self {
        Self::begin(world, ("POST", path), ("acme", scope), headers).await
    }

    /// A GET of events.
    pub async fn follow(world: &World, path: &str, who: (&str, Scope), headers: &str) -> Self {
        Self::begin(world, ("GET", path), who, headers).await
    }

    async fn begin(
        world: &World,
        (method, path): (&str, &str),
        (tenant, scope): (&str, Scope),
        headers: &str,
    ) -> Self {
        let dpop = SigningKey::generate().unwrap();
        let token = token(world, tenant, scope, &dpop).await;
        let now = Clock::System.now().as_second();
        let url = format!("{}{}", world.url, path.split('?').next().unwrap());
        let proof = dpop_proof(&dpop, method, &url, now, &token[..32], Some(&token)).unwrap();
        let host = world.url.strip_prefix("http://").unwrap();
        let mut sending = TcpStream::connect(host).unwrap();
        write!(
            sending,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n\
             authorization: DPoP {token}\r\ndpop: {proof}\r\n{headers}\r\n"
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

    /// The answer to what is not sent to its end: its head and what is there of its body.
    pub fn refusal(mut self) -> String {
        let mut answer = vec![0; 64 * 1024];
        let read = self.reading.read(&mut answer).unwrap();
        String::from_utf8(answer[..read].to_vec()).unwrap()
    }

    /// Says that the body is over.
    pub fn end(&mut self) {
        self.sending.write_all(b"0\r\n\r\n").unwrap();
    }

    /// The next line of the answer; none where the answer is over.
    pub fn line(&mut self) -> Option<LineAnswer<IngestAnswer>> {
        let line = self.until(b"\n")?;
        Some(serde_json::from_slice(&line).unwrap())
    }

    /// The next event that says something; none where the answer is over.
    pub fn event(&mut self) -> Option<Event> {
        loop {
            let mut event = Event::default();
            let text = String::from_utf8(self.until(b"\n\n")?).unwrap();
            for line in text.lines() {
                let (field, value) = line.split_once(": ").unwrap_or((line, ""));
                match field {
                    "id" => event.id = value.to_owned(),
                    "event" => event.name = value.to_owned(),
                    "data" => event.data += value,
                    _ => {}
                }
            }
            if !event.data.is_empty() {
                return Some(event);
            }
        }
    }

    /// What comes up to an end, with it; none where the answer is over.
    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        while self.head.is_empty() || !self.head.ends_with("\r\n\r\n") {
            assert_ne!(self.reading.read_line(&mut self.head).unwrap(), 0);
        }
        loop {
            if let Some(at) = self.part.windows(end.len()).position(|some| some == end) {
                return Some(self.part.drain(..at + end.len()).collect());
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
                assert_eq!(self.part, b"", "it stops in the middle");
                return None;
            }
            self.part.extend_from_slice(&part[..size]);
        }
    }
}
