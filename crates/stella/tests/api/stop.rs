//! SIGTERM: what the process took it answers, and it takes no more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::{Installation, Running};

const BODY: &[u8] = b"grant_type=client_credentials";

/// A request whose body the server waits for: it says so by `100 Continue`.
fn in_flight(running: &Running) -> TcpStream {
    let mut stream = connect(running).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let length = BODY.len();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut told = vec![0; expected.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, expected);
    stream
}

fn connect(running: &Running) -> std::io::Result<TcpStream> {
    TcpStream::connect(running.url.trim_start_matches("http://"))
}

/// Asks for a stop and waits until nobody listens any more.
fn stopping(running: &Running) {
    running.terminate();
    while connect(running).is_ok() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_no_new_one_taken() {
    let running = Installation::filesystem().await.start(None);
    let mut slow = in_flight(&running);
    stopping(&running);
    slow.write_all(BODY).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("invalid_dpop_proof"), "{answer}");
    assert!(running.end().success());
}

#[tokio::test]
async fn who_never_ends_a_request_is_not_waited_for_beyond_the_deadline() {
    let installation = Installation::filesystem()
        .await
        .with("Server:StopSeconds=1");
    let running = installation.start(None);
    let mut slow = in_flight(&running);
    stopping(&running);
    assert!(running.end().success());
    let mut answer = String::new();
    // The connection is gone, in whatever way; waited for, it would have been answered 503.
    let _ = slow.read_to_string(&mut answer);
    assert_eq!(answer, "");
}
