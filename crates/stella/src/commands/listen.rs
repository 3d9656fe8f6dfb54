//! Serving until somebody says stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::Request;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use stella_api::Code;
use stella_cli::{ExitCode, Failure};
use stella_service::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// How long a stop waits where no setting says so: no request is worked on for longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a TLS handshake may take, and the answer to a ping.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A server that runs in the background.
pub(super) struct Server {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// An address that cannot be listened on. Trying again helps only after something was changed.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}: {reason}")]
pub(super) struct Unusable {
    pub(super) address: SocketAddr,
    pub(super) reason: std::io::Error,
    /// The label of the remedy.
    pub(super) hint: &'static str,
}

/// Takes an address; nothing is answered before [`serve`].
pub(super) async fn bind(address: SocketAddr, hint: &'static str) -> Result<TcpListener, Unusable> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|reason| Unusable {
        address,
        reason,
        hint,
    })
}

impl Unusable {
    /// With the remedy of the verb that listens.
    pub(super) fn told(&self) -> Failure {
        let labels = stella_locale::Labels::english();
        let code = Code::ListenAddressUnusable;
        let (address, reason) = (self.address.to_string(), self.reason.to_string());
        let values = [
            ("address", address.as_str().into()),
            ("reason", reason.as_str().into()),
        ];
        let text = labels.format(&format!("{}-detail", code.label_key()), &values);
        Failure::told(code.as_str(), ExitCode::of_code(code), text).hint(labels.text(self.hint))
    }
}

/// What whoever connects is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many there are at a time; more wait to be taken.
    pub most: usize,
    /// How long the head of a request is waited for, also by a connection that is idle.
    pub head: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 800,
            head: Duration::from_secs(75),
        }
    }
}

/// Answers requests until told to stop; those that are being answered are finished.
pub(super) fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Connections,
) -> Server {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = async move {
        let graceful = GracefulShutdown::new();
        tokio::select! {
            // A sender that is gone says the same as one that spoke.
            _ = stopped => {}
            () = connections.take(listener, tls, router, &graceful) => {}
        }
        graceful.shutdown().await;
    };
    Server {
        stop,
        running: tokio::spawn(running),
    }
}

impl Connections {
    async fn take(
        self,
        mut listener: TcpListener,
        tls: Option<TlsAcceptor>,
        router: Router,
        graceful: &GracefulShutdown,
    ) {
        let free = Arc::new(Semaphore::new(self.most));
        let mut told = false;
        loop {
            match free.available_permits() {
                0 if !told => {
                    told = true;
                    let most = self.most;
                    tracing::warn!(most, "every connection is taken: more wait until one ends");
                }
                left if left > self.most / 2 => told = false,
                _ => {}
            }
            // Nobody closes it.
            let Ok(place) = free.clone().acquire_owned().await else {
                return;
            };
            let (stream, remote) = Listener::accept(&mut listener).await;
            let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
            tokio::spawn(async move {
                match tls {
                    None => self.answer(stream, remote, router, watcher).await,
                    Some(tls) => {
                        let shaken = timeout(HANDSHAKE.min(self.head), tls.accept(stream)).await;
                        if let Ok(Ok(stream)) = shaken {
                            self.answer(stream, remote, router, watcher).await;
                        }
                    }
                }
                drop(place);
            });
        }
    }

    /// Answers on one connection until it ends. That the other end fails is its own affair.
    async fn answer<S>(self, stream: S, remote: SocketAddr, router: Router, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.head)
            .keep_alive_timeout(HANDSHAKE);
        let asked = Arc::new(AtomicBool::new(false));
        let service = router.map_request({
            let asked = asked.clone();
            move |mut request: Request<_>| {
                asked.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(Peer(remote.ip()));
                request
            }
        });
        let service = TowerToHyperService::new(service);
        let conversation = builder.serve_connection(TokioIo::new(stream), service);
        let mut conversation = pin!(watcher.watch(conversation));
        let first = timeout(self.head, conversation.as_mut()).await;
        // Before it is known which HTTP is spoken, nobody else counts the time.
        if first.is_err() && asked.load(Ordering::Relaxed) {
            let _ = conversation.await;
        }
    }
}

impl Server {
    /// Takes no more connections, and stops after the requests that are being answered; at the
    /// deadline without them.
    pub(super) async fn stop(self, deadline: Duration) -> anyhow::Result<()> {
        // It may have stopped by itself; then its own result says why.
        let _ = self.stop.send(());
        match tokio::time::timeout(deadline, self.running).await {
            Ok(ended) => ended.context("the server failed"),
            Err(_) => {
                let seconds = deadline.as_secs();
                tracing::warn!(seconds, "stopping before every request was answered");
                Ok(())
            }
        }
    }
}

/// Ctrl-C and SIGTERM. From the moment this is made neither ends the process by itself, so that
/// whoever made it must wait for them in all that takes long.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(super) fn noted() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("waiting for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("waiting for SIGTERM")?,
        })
    }

    /// Waits for either; one that came before counts.
    pub(super) async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
