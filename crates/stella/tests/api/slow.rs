//! Those who connect and are slow, and those who are many.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use stella_api::rebuild::{RebuildAnswer, RebuildRequest};

use crate::fixtures::{batch, hole, line};
use crate::process::{Installation, Running};

const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HALF: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: local";

/// A connection on which something was said. Who waits for an answer waits not for ever.
fn says(running: &Running, text: &[u8]) -> TcpStream {
    let (_, address) = running.url.split_once("://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(text).unwrap();
    stream
}

/// What is answered to that before the server closes the connection.
pub fn told_by(running: &Running, text: &[u8]) -> String {
    let mut told = Vec::new();
    says(running, text).read_to_end(&mut told).unwrap();
    String::from_utf8(told).unwrap()
}

/// Silence, half a head of either HTTP, half of a second head, and nothing after an answer.
#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let installation = Installation::filesystem().await;
    let installation = installation.with("Server:RequestHeadSeconds=1");
    let running = installation.start(None);
    for text in [&b""[..], b"G", HALF, b"PRI * HTTP/2.0\r\n"] {
        assert_eq!(told_by(&running, text), "", "{text:?}");
    }
    for second in [&b""[..], HALF] {
        let told = told_by(&running, &[ALIVE, second].concat());
        assert_eq!(told.matches("HTTP/1.1 200").count(), 1, "{told}");
        assert!(told.ends_with('}'), "{told}");
    }
}

/// A token request whose body never comes.
fn bodiless(length: u64, more: &str) -> Vec<u8> {
    let form = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST /oauth/token HTTP/1.1\r\nHost: x\r\n{form}\r\n");
    format!("{head}Content-Length: {length}\r\n{more}\r\n").into_bytes()
}

#[tokio::test]
async fn a_body_that_is_declared_too_long_is_refused_before_it_comes() {
    let installation = Installation::filesystem().await;
    let installation = installation.with("Server:MaxBodyBytes=65536");
    let running = installation.start(None);
    let waits = "Expect: 100-continue\r\n";
    for length in [65_537, 10_000_000_000] {
        let told = told_by(&running, &bodiless(length, waits));
        let told_both = format!("{length} bytes are declared, 65536 are the limit");
        assert!(told.starts_with("HTTP/1.1 413"), "{told}");
        assert!(told.contains(&told_both), "{told}");
        // Who does not ask may be sending it already.
        let mut stream = says(&running, &bodiless(length, ""));
        let mut told = [0; 12];
        stream.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"HTTP/1.1 413");
    }
}

/// Of somebody who is not known yet, no more is read than a form.
#[tokio::test]
async fn who_has_no_token_can_send_no_more_than_asks_for_one() {
    let installation = Installation::filesystem().await;
    let running = installation.start(None);
    let waits = "Expect: 100-continue\r\n";
    let told = told_by(&running, &bodiless(65_537, waits));
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
    assert!(told.contains("65536 are the limit"), "{told}");
}

#[tokio::test]
async fn a_request_is_worked_on_for_as_long_as_is_set() {
    let installation = Installation::filesystem().await;
    let running = installation.with("Server:RequestSeconds=1").start(None);
    let told = told_by(&running, &bodiless(10, ""));
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    assert!(told.contains("longer than 1 seconds"), "{told}");
}

/// Each answers in the time of a request, however short, and is gone on with to the end.
#[tokio::test]
async fn what_takes_long_fits_the_time_of_a_request() {
    const ALL: u64 = 500;
    let installation = Installation::filesystem().await;
    let running = installation.start(None);
    for part in (0..ALL).collect::<Vec<u64>>().chunks(50) {
        let lines = part.iter().map(|n| line(&hole(*n as usize)));
        let lines: String = lines.collect();
        let answers = running
            .ingester("acme")
            .send(batch("advisory", lines))
            .await;
        assert_eq!(
            answers.body.iter().filter(|byte| **byte == b'\n').count(),
            part.len()
        );
    }
    drop(running);
    let installation = installation.with("Server:RequestSeconds=3");
    let running = installation.start(None);
    let operator = running.operator("acme");
    let (mut compared, mut after) = (0, None);
    loop {
        let asked = RebuildRequest { after };
        let answer: RebuildAnswer = operator.post("/api/v1/evidence/rebuild", &asked).await;
        compared += answer.compared;
        after = answer.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(compared, ALL);
    let person = running.person("acme");
    for words in [["evidence", "verify"], ["audit", "verify"]] {
        let ran = person.types(&words).await;
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
    }
}

#[tokio::test]
async fn more_than_so_many_wait_for_a_place() {
    let installation = Installation::filesystem().await;
    let running = installation.with("Server:MaxConnections=1").start(None);
    let first = says(&running, HALF);
    running.said("every connection is taken");
    let mut second = says(&running, ALIVE);
    second.set_nonblocking(true).unwrap();
    let early = second.read(&mut [0]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    second.set_nonblocking(false).unwrap();
    drop(first);
    let mut told = [0; 12];
    second.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 200");
}
