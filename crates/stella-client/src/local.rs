//! Calls within the process.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use stella_context::{OpContext, TraceId};
use tower::ServiceExt as _;

use crate::{Call, Client, ClientError, Principal, Reply};

/// Marks a request that came from within the process, with the caller's verified principal.
/// Only `LocalClient` can make one, so a request from outside never carries it.
#[derive(Clone, Debug)]
pub struct InProcess {
    principal: Principal,
    trace: TraceId,
}

impl InProcess {
    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The trace that the call belongs to.
    #[must_use]
    pub fn trace(&self) -> &TraceId {
        &self.trace
    }
}

/// The other services of this process. The router is known only once all are built, so it is
/// set afterwards, once.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    router: Arc<OnceLock<Router>>,
}

impl Peers {
    /// Says where calls go; later calls of this change nothing.
    pub fn connect(&self, router: Router) {
        // A second house in the same process is a second `Peers`: the first word stands.
        let _ = self.router.set(router);
    }

    /// A client that acts for the caller of an operation, with its scopes and tenant.
    #[must_use]
    pub fn acting_for(&self, op: &OpContext) -> Client {
        let caller = InProcess {
            principal: Principal::of(op),
            trace: op.trace().clone(),
        };
        Client::Local(LocalClient {
            peers: self.clone(),
            caller: Some(caller),
        })
    }

    /// A client without identity, for what is open to all.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::Local(LocalClient {
            peers: self.clone(),
            caller: None,
        })
    }
}

/// A client that calls the router of this process.
#[derive(Clone, Debug)]
pub struct LocalClient {
    peers: Peers,
    caller: Option<InProcess>,
}

impl LocalClient {
    pub(crate) async fn send(&self, call: Call) -> Result<Reply, ClientError> {
        let unreachable = |reason: String| ClientError::Unreachable {
            server: "this process".to_owned(),
            reason,
        };
        let Some(router) = self.peers.router.get() else {
            return Err(unreachable("the services are not connected yet".to_owned()));
        };
        let mut request = Request::builder()
            .method(call.method)
            .uri(&call.path)
            .body(Body::from(call.body))
            .map_err(|error| ClientError::answer(&call.path, &error))?;
        *request.headers_mut() = call.headers;
        if let Some(caller) = &self.caller {
            request.extensions_mut().insert(caller.clone());
        }
        let Ok(response) = router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        Ok(Reply {
            path: call.path,
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }
}
