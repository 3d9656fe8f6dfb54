//! What holds of any target and headers of a request, for the tests and the fuzz target.

use axum::extract::FromRequestParts as _;
use axum::http::{HeaderName, HeaderValue, Request, Uri};
use axum::response::IntoResponse as _;
use futures_util::FutureExt as _;
use stella_telemetry::Parent;

use crate::extract::{Query, demand_media_type, time};
use crate::lines::prefers;
use crate::{
    Failure, IdRange, Paging, Peer, TrustedProxies, headers, idempotency, last_event_id, page_size,
};

/// Reads a first line as a target and the others as headers, by all that reads them: what is
/// refused is the sender's fault, and what is taken is what was sent. Panics where it is not so.
pub fn fuzz(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut request = Request::new(());
    if let Ok(target) = Uri::try_from(lines.next().unwrap_or_default()) {
        *request.uri_mut() = target;
    }
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(at.unwrap_or(line.len()));
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            request.headers_mut().append(name, value);
        }
    }
    let (mut parts, ()) = request.into_parts();
    let sent = &parts.headers;
    told(demand_media_type(sent, "application/json", |media| {
        media == "application/json"
    }));
    told(idempotency::key_of(sent));
    told(last_event_id(sent));
    let _ = (headers::encoding(sent), prefers(sent, "respond-stream"));

    let text = |name: &str| sent.get(name).and_then(|value| value.to_str().ok());
    if let Some(parent) = text("traceparent") {
        let _ = Parent::of(parent, text("tracestate"));
    }
    let trusted: Result<TrustedProxies, _> = "10.0.0.0/8".parse();
    let peers = [[10, 0, 0, 1], [192, 0, 2, 1]].map(|peer| Peer(peer.into()));
    let clients = peers.map(|peer| trusted.clone().unwrap_or_default().client(peer, sent));
    assert_eq!(clients[1], peers[1].0, "a stranger is believed");

    let query = Query::<Vec<(String, String)>>::from_request_parts(&mut parts, &());
    // It waits for nothing.
    let query = query.now_or_never().and_then(told);
    for (name, value) in query.into_iter().flat_map(|query| query.0) {
        assert!(!name.contains('\0') && !value.contains('\0'));
        told(time("query:x", Some(&value)));
        told(page_size("query:x", Some(&value)));
        if let Some(range) = told(IdRange::read(&value)) {
            let hex = value.strip_prefix("sha256:").unwrap_or(&value);
            let id = format!("sha256:{hex:0<64}");
            assert!(
                range.from <= id && id < range.to,
                "{id} is not in {range:?}"
            );
        }
        if let Some(paging) = told(Paging::<Vec<(String, i64)>>::read("a", None, Some(&value))) {
            let rows = vec![(); paging.size as usize + 1];
            let token = paging.page("a", rows, |()| paging.after.clone().unwrap_or_default());
            let again = Paging::read("a", None, token.next_page_token.as_deref());
            assert_eq!(
                told(again),
                Some(paging),
                "a token does not lead where it came from"
            );
        }
    }
}

/// Gives the answer to what is refused, and what is not.
fn told<T>(read: Result<T, Failure>) -> Option<T> {
    read.map_err(|failure| assert!(failure.into_response().status().is_client_error()))
        .ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("request", super::fuzz);
    }
}
