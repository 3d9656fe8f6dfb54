//! An S3 server for tests: `s3s` and `s3s-fs`, on which RustFS is built, with SigV4 over TCP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::sync::oneshot;

/// The id of the one key that the server knows.
pub const ACCESS_KEY_ID: &str = "stella-test";
/// That key.
pub const SECRET_ACCESS_KEY: &str = "not-a-secret";
/// The one bucket that is there.
pub const BUCKET: &str = "stella-blobs";

/// A server on a thread of its own, which ends with this value: a test may block its own.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    root: tempfile::TempDir,
    revoked: Arc<AtomicBool>,
    _stop: oneshot::Sender<()>,
}

impl S3Server {
    /// Starts it with an empty bucket.
    #[must_use]
    pub fn start() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join(BUCKET)).expect("the bucket");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a listener");
        let files = FileSystem::new(root.path()).expect("a store");
        let (stop, stopped) = oneshot::channel();
        let revoked = Arc::new(AtomicBool::new(false));
        let key = Key(revoked.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let serving = serve(listener, files, key);
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    () = serving => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            root,
            revoked,
            _stop: stop,
        }
    }

    /// Takes the key's permission away.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::SeqCst);
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder in which the bucket's objects lie, each a file under its key.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }
}

/// The one key, and whether it was revoked.
struct Key(Arc<AtomicBool>);

#[async_trait::async_trait]
impl S3Auth for Key {
    async fn get_secret_key(&self, id: &str) -> s3s::S3Result<SecretKey> {
        match id == ACCESS_KEY_ID && !self.0.load(Ordering::SeqCst) {
            true => Ok(SECRET_ACCESS_KEY.into()),
            false => Err(s3s::s3_error!(AccessDenied)),
        }
    }
}

async fn serve(listener: std::net::TcpListener, files: FileSystem, key: Key) {
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(key);
    let service = service.build();
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let service = service.clone();
        tokio::spawn(async move {
            let connection = Builder::new(TokioExecutor::new());
            // A client that leaves is no failure of the server.
            let _ = connection
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}
