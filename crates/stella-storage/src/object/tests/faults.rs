//! What an object store does to us, and what we make of it: each fault has its error, and no
//! fault gives out wrong bytes or says that something is stored that is not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const HASTY: Patience = Patience {
    connect: Duration::from_secs(2),
    silence: Duration::from_millis(400),
    retries: Duration::from_millis(200),
};

/// What a link does to each connection.
#[derive(Clone, Copy)]
enum Fault {
    /// Takes everything and never answers.
    Silent,
    /// Answers each request so, without asking the server.
    Answers(&'static str),
    /// Says once that nothing is there.
    HidesOnce,
    /// Ends after so many bytes from the server.
    CutsAnswer { after: usize, times: usize },
    /// Says no more after so many bytes from the server.
    StallsAnswer { after: usize },
    /// Ends after so many bytes for the server.
    CutsRequest { after: usize },
}

/// A link to a server, as a store sees it.
async fn link(server: SocketAddr, fault: Fault) -> ObjectStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cuts = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(carry(client, server, fault, cuts.clone()));
        }
    });
    store_at(address, testkit::SECRET_ACCESS_KEY)
}

fn store_at(address: SocketAddr, key: &str) -> ObjectStore {
    let s3 = S3 {
        secret_access_key: key.to_owned(),
        ..s3(format!("http://{address}"))
    };
    ObjectStore::patient(&s3, &std::env::temp_dir(), HASTY).unwrap()
}

async fn carry(client: TcpStream, server: SocketAddr, fault: Fault, cuts: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let answer = match fault {
        Fault::Silent => {
            let _ = tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await;
            return;
        }
        Fault::Answers(answer) => Some(answer),
        Fault::HidesOnce if cuts.fetch_add(1, Ordering::SeqCst) == 0 => {
            whole_request(&mut from_client).await;
            let hidden = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = to_client.write_all(hidden.as_bytes()).await;
            return;
        }
        _ => None,
    };
    if let Some(answer) = answer {
        while whole_request(&mut from_client).await {
            let head = format!(
                "HTTP/1.1 {}\r\ncontent-length: {}\r\n\r\n",
                status(answer),
                answer.len()
            );
            let _ = to_client.write_all((head + answer).as_bytes()).await;
        }
        return;
    }
    let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
    let (request, response) = match fault {
        Fault::CutsRequest { after } => (after, usize::MAX),
        Fault::CutsAnswer { after, times } if cuts.fetch_add(1, Ordering::SeqCst) < times => {
            (usize::MAX, after)
        }
        Fault::StallsAnswer { after } => (usize::MAX, after),
        _ => (usize::MAX, usize::MAX),
    };
    tokio::select! {
        () = carry_one_way(&mut from_client, &mut to_server, request) => {}
        () = carry_one_way(&mut from_server, &mut to_client, response) => {
            if matches!(fault, Fault::StallsAnswer { .. }) {
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn carry_one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    most: usize,
) {
    let mut left = most;
    let mut buffer = [0; 4096];
    while left > 0 {
        let most = left.min(buffer.len());
        match from.read(&mut buffer[..most]).await {
            Ok(read) if read > 0 && to.write_all(&buffer[..read]).await.is_ok() => left -= read,
            _ => return,
        }
    }
}

/// Reads a request with its body; false at the end.
async fn whole_request(from: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match from.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.is_ok()
}

/// The status line's end that goes with the body of an S3 error.
fn status(answer: &str) -> &'static str {
    match answer {
        DENIED => "403 Forbidden",
        NO_BUCKET => "404 Not Found",
        FULL => "507 Insufficient Storage",
        SLOW => "503 Service Unavailable",
        _ => "500 Internal Server Error",
    }
}

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>hunter2</Message></Error>";
const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code></Error>";
const FULL: &str = "<Error><Code>XMinioStorageFull</Code></Error>";
const SLOW: &str = "<Error><Code>SlowDown</Code></Error>";
const BROKEN: &str = "<Error><Code>InternalError</Code><Message>hunter2</Message></Error>";

/// Every way to ask a store, and what came of it.
async fn asked(store: &ObjectStore) -> Vec<ObjectError> {
    let (acme, digest) = (tenant("acme"), Digest::of(b"x"));
    let listed = Listed {
        key: key(BUCKET, &acme, &digest),
        blob: Some((acme.clone(), digest)),
        size: 1,
        modified: Timestamp::MIN,
    };
    let all: Result<Vec<Listed>, _> = store.list(BUCKET).try_collect().await;
    vec![
        store.ping().await.unwrap_err(),
        store.put(BUCKET, &acme, b"x".to_vec()).await.unwrap_err(),
        store
            .put_from(BUCKET, &acme, &b"x"[..], 1)
            .await
            .unwrap_err(),
        store.get(BUCKET, &acme, &digest).await.unwrap_err(),
        store.remove(&listed).await.unwrap_err(),
        all.unwrap_err(),
    ]
}

fn nowhere() -> SocketAddr {
    // A port that was free a moment ago.
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_answer_is_unreachable() {
    let server = nowhere();
    for (store, reason) in [
        (store_at(server, "x"), "refused"),
        (link(server, Fault::Silent).await, "timed out"),
        (link(server, Fault::Answers(SLOW)).await, "503"),
        (link(server, Fault::Answers(BROKEN)).await, "500"),
    ] {
        for told in asked(&store).await {
            let text = told.to_string();
            assert!(matches!(told, ObjectError::Unreachable { .. }), "{text}");
            assert!(
                text.contains(reason) && text.contains("http://127.0.0.1"),
                "{text}"
            );
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_refuses_says_why_and_repeats_no_secret() {
    let it = Store::rustfs();
    let server = it.server.as_ref().unwrap().address();
    let wrong_key = store_at(server, "hunter2");
    let lost = link(server, Fault::Answers(DENIED)).await;
    for store in [wrong_key, lost] {
        for told in asked(&store).await {
            let text = told.to_string();
            assert!(matches!(told, ObjectError::Refused { .. }), "{text}");
            assert!(text.contains("403") && !text.contains("hunter2"), "{text}");
        }
    }
    let elsewhere = link(server, Fault::Answers(NO_BUCKET)).await;
    // Without its bucket a store does not say of a blob that it is gone.
    let (acme, digest) = (tenant("acme"), Digest::of(b"x"));
    let got = elsewhere.get(BUCKET, &acme, &digest).await;
    for told in [elsewhere.ping().await, got.map(drop)] {
        let Err(ObjectError::Refused { reason, .. }) = &told else {
            panic!("{told:?}")
        };
        assert_eq!(reason, "404 NoSuchBucket");
    }
    assert!(!format!("{:?}", s3(String::new())).contains(testkit::SECRET_ACCESS_KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_is_told_as_full() {
    let store = link(nowhere(), Fault::Answers(FULL)).await;
    for told in asked(&store).await {
        assert!(matches!(told, ObjectError::Full { .. }), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_is_cut_goes_on_where_it_was_or_is_told() {
    let it = Store::rustfs();
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
    let digest = it.put("acme", &bytes).await.unwrap();
    let server = it.server.as_ref().unwrap().address();
    let once = Fault::CutsAnswer {
        after: 1_000_000,
        times: 1,
    };
    let got = link(server, once)
        .await
        .get(BUCKET, &tenant("acme"), &digest)
        .await;
    assert!(got.unwrap() == bytes);
    let always = Fault::CutsAnswer {
        after: 1_000,
        times: usize::MAX,
    };
    for fault in [always, Fault::StallsAnswer { after: 1_000_000 }] {
        let store = link(server, fault).await;
        let told = store.get(BUCKET, &tenant("acme"), &digest).await;
        assert!(
            matches!(told, Err(ObjectError::Unreachable { .. })),
            "{told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_stores_nothing() {
    let it = Store::rustfs();
    let server = it.server.as_ref().unwrap().address();
    let store = link(server, Fault::CutsRequest { after: 100_000 }).await;
    // One request, and several parts.
    for size in [300_000, 9_000_000] {
        let told = store.put(BUCKET, &tenant("acme"), vec![7; size]).await;
        assert!(
            matches!(told, Err(ObjectError::Unreachable { .. })),
            "{told:?}"
        );
    }
    assert_eq!(it.files(), [] as [PathBuf; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_first_is_not_written_over() {
    let it = Store::rustfs();
    let digest = it.put("acme", b"x").await.unwrap();
    // Bytes that say who wrote them.
    fs::write(it.path("acme", &digest), b"first").unwrap();
    let server = it.server.as_ref().unwrap().address();
    let late = link(server, Fault::HidesOnce).await;
    let put = late.put(BUCKET, &tenant("acme"), b"x".to_vec()).await;
    assert_eq!(put.unwrap(), digest);
    assert_eq!(fs::read(it.path("acme", &digest)).unwrap(), b"first");
}

/// A file system of one megabyte, gone with this value.
struct Small(tempfile::TempDir);

impl Small {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
        let mounted = std::process::Command::new("mount")
            .args(mount)
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: only root may mount a small file system to fill it");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg(self.0.path())
            .status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_leaves_nothing_and_holds_up_no_blob_that_fits() {
    let Some(small) = Small::mounted() else {
        return;
    };
    let server = S3Server::start();
    let spooled = ObjectStore::rustfs(&s3(server.endpoint()), small.0.path()).unwrap();
    let folder = ObjectStore::seed_fs(small.0.path());
    let (acme, bytes) = (tenant("acme"), vec![7; 2_000_000]);
    for store in [&spooled, &folder] {
        let told = store.put_from(BUCKET, &acme, &bytes[..], u64::MAX).await;
        assert!(matches!(told, Err(ObjectError::Full { .. })), "{told:?}");
    }
    let told = folder.put(BUCKET, &acme, bytes).await;
    assert!(matches!(told, Err(ObjectError::Full { .. })), "{told:?}");
    assert_eq!(files(small.0.path()), [] as [PathBuf; 0]);
    for store in [spooled, folder] {
        store.put_from(BUCKET, &acme, &b"x"[..], 1).await.unwrap();
    }
}
