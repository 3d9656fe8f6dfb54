//! Serving until somebody says stop.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::serve::{IncomingStream, Listener};
use stella_api::Code;
use stella_cli::{ExitCode, Failure};
use stella_service::Peer;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::tls::TlsServer;

/// How long a stop waits where no setting says so: no request is worked on for longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs in the background.
pub(super) struct Server {
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
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

/// Answers requests until told to stop; those that are being answered are finished.
pub(super) fn serve<L>(listener: L, router: Router) -> Server
where
    L: Listener,
    L::Addr: std::fmt::Debug,
    Remote: for<'a> Connected<IncomingStream<'a, L>>,
{
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async move {
        // A sender that is gone says the same as one that spoke.
        let _ = stopped.await;
    };
    let service = router
        .layer(map_request(with_peer))
        .into_make_service_with_connect_info::<Remote>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(until);
    Server {
        stop,
        running: tokio::spawn(serving.into_future()),
    }
}

/// The other end of a connection, whatever it was taken by.
#[derive(Clone, Copy)]
pub(super) struct Remote(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Remote {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, TlsServer>> for Remote {
    fn connect_info(stream: IncomingStream<'_, TlsServer>) -> Self {
        Self(*stream.remote_addr())
    }
}

async fn with_peer(ConnectInfo(remote): ConnectInfo<Remote>, mut request: Request) -> Request {
    request.extensions_mut().insert(Peer(remote.0.ip()));
    request
}

impl Server {
    /// Takes no more connections, and stops after the requests that are being answered; at the
    /// deadline without them.
    pub(super) async fn stop(self, deadline: Duration) -> anyhow::Result<()> {
        // It may have stopped by itself; then its own result says why.
        let _ = self.stop.send(());
        match tokio::time::timeout(deadline, self.running).await {
            Ok(ended) => ended
                .context("the server ended")?
                .context("the server failed"),
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
