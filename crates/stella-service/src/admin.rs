//! What the admin address answers: metrics, and health in detail. It has no gate, so nothing of a
//! tenant's content is here.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use stella_api::health::Readiness;
use stella_telemetry::Metrics;

use crate::health::{Checks, alive, checked};

/// The text format of Prometheus that every version of it reads.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn router(checks: Checks, metrics: Metrics) -> Router {
    Router::new()
        .route("/readyz", get(ready).with_state(checks))
        .route("/metrics", get(text).with_state(metrics))
        .route("/healthz", get(alive))
}

/// Every check, also of a process that is not ready.
async fn ready(State(checks): State<Checks>) -> Response {
    let checks = checked(&checks).await;
    let ready = checks.iter().all(|check| check.ready);
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(Readiness { ready, checks })).into_response()
}

async fn text(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, PROMETHEUS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
