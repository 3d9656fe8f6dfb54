//! `GET …/audit` of every service, with the signed end of its log, and verifying it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use stella_api::Page;
use stella_api::audit::{AuditOutcome, AuditRecord, AuditVerifyAnswer, AuditVerifyRequest};
use stella_api::changes::LogAnswer;
use stella_api::scope::AuthorityAuditRead;
use stella_client::Principal;
use stella_context::Clock;
use utoipa::{IntoParams, ToSchema};

use super::{Act, LOG};
use crate::log::Asked;
use crate::{
    Answer, Authorized, Described, Fail, Failure, Json, Logs, Paging, Query, RequestLimits, Routes,
    failures, route, time,
};

failures!(List: PageTokenInvalid, RecordCorrupt);
failures!(End: RecordCorrupt);
failures!(Verify: RecordCorrupt);

/// Where the refusals of a service are recorded; in every request to it.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    pub(crate) service: &'static str,
    pub(crate) logs: Arc<Logs>,
}

impl Audited {
    /// Records that a caller was refused what he asked for.
    pub(crate) async fn refused(
        &self,
        (principal, clock): (&Principal, Clock),
        (method, path): (&Method, &str),
        failure: &Failure,
    ) {
        let trace = crate::watch::current_trace();
        let Some(op) = principal.operation(trace, clock) else {
            return;
        };
        let target = format!("{method} {path}");
        let act = Act::done(format!("{}.api.refused", self.service), target);
        let act = act.ended(AuditOutcome::Failure, failure.code());
        self.logs.audit_refused(&op, act).await;
    }
}

impl Described {
    /// With the audit log of the service whose first path this is.
    #[must_use]
    pub fn audited(mut self, service: &'static str, first: &'static str) -> Self {
        let audit = routes(service, first).described();
        self.paths.extend(audit.paths);
        self.schemas.extend(audit.schemas);
        self
    }
}

impl Routes<()> {
    /// With the audit log of the service whose first path this is.
    #[must_use]
    pub fn audited(mut self, service: &'static str, first: &'static str, logs: &Arc<Logs>) -> Self {
        let audit = routes(service, first).with_state(logs.clone());
        self.described = self.described.audited(service, first);
        let logs = logs.clone();
        self.router = self
            .router
            .merge(audit.router)
            .layer(axum::Extension(Audited { service, logs }));
        self
    }
}

fn routes(service: &'static str, first: &'static str) -> Routes<Arc<Logs>> {
    let routes = route!(Routes::below(first, service), list_audit);
    let routes = route!(routes, show_audit_log);
    route!(routes, verify_audit)
}

/// Which records come first.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Newest,
    Oldest,
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only acts of this name.
    action: Option<String>,
    /// Only acts of then or later, RFC 3339.
    since: Option<String>,
    /// Only acts of before, RFC 3339.
    until: Option<String>,
    /// Which come first: `newest` if not said, or `oldest`.
    #[param(inline)]
    order: Option<Order>,
    /// How many entries at the most: 1 to 500, 50 if not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    page_size: Option<String>,
    /// Where the page before ended, as it said.
    page_token: Option<String>,
}

/// Lists who did what, by position. A record has its place, and stands here, within a second or so
/// of the commit of what it tells of.
#[utoipa::path(get, path = "/audit", params(AuditQuery))]
async fn list_audit(
    op: Authorized<AuthorityAuditRead>,
    State(logs): State<Arc<Logs>>,
    Query(query): Query<AuditQuery>,
) -> Result<Answer<Page<AuditRecord>>, Fail<List>> {
    let (size, token) = (query.page_size.as_deref(), query.page_token.as_deref());
    let paging = Paging::read(LOG, size, token)?;
    let asked = Asked {
        subject: query.action.clone(),
        since: time("query:since", query.since.as_deref())?,
        until: time("query:until", query.until.as_deref())?,
        oldest_first: matches!(query.order, Some(Order::Oldest)),
        behind: paging.after,
    };
    Ok(Answer(logs.audited(&op, &asked, &paging).await?))
}

/// Shows where the audit log ends, signed: keep it elsewhere, and `POST …/audit/verify` proves by it
/// that nothing of that time was taken away. Of a log that nothing was recorded in, that is signed.
#[utoipa::path(get, path = "/audit/log")]
async fn show_audit_log(
    op: Authorized<AuthorityAuditRead>,
    State(logs): State<Arc<Logs>>,
) -> Result<Answer<LogAnswer>, Fail<End>> {
    Ok(Answer(logs.audit_end(&op).await?))
}

/// Verifies the audit log from its first record to its signed end: what was removed, edited or
/// reordered is told.
#[utoipa::path(post, path = "/audit/verify", request_body(content = AuditVerifyRequest))]
async fn verify_audit(
    op: Authorized<AuthorityAuditRead>,
    State(logs): State<Arc<Logs>>,
    limits: RequestLimits,
    Json(asked): Json<AuditVerifyRequest>,
) -> Result<Answer<AuditVerifyAnswer>, Fail<Verify>> {
    let time = limits.stretch();
    Ok(Answer(logs.audit_verified(&op, &asked, time).await?))
}
