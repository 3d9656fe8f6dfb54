//! Server-sent events: a feed that is followed while it grows. Each event has its position as its
//! id, so that whoever was cut off goes on behind it (`Last-Event-ID`).
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use stella_api::{Code, TenantId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{ObjectBuilder, RefOr, Response as ApiResponse, ResponseBuilder, Schema};

use crate::{Answers, Fail, Failure};

/// No stream is longer than any other request, so that its token is checked again.
const LONGEST: Duration = Duration::from_secs(60);
/// How soon a client shall come back.
const RETRY: Duration = Duration::from_secs(1);
/// How often the database is asked what other processes brought.
const ASK: Duration = Duration::from_secs(1);
/// How often a stream without news says that it is there.
const ALIVE: Duration = Duration::from_secs(15);
/// How many streams a tenant has at once in a process.
const TOGETHER: usize = 64;

/// The streams of a process.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    open: Arc<Mutex<BTreeMap<TenantId, usize>>>,
    stop: Arc<watch::Sender<bool>>,
}

/// One of the streams that a tenant may have.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    tenant: TenantId,
    stop: watch::Receiver<bool>,
}

/// 200 with events, until the stream ends.
pub struct Events(Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>);

/// What is read behind a position: events, and the position to go on behind.
pub type Behind = (Vec<Event>, u64);

impl Streams {
    /// Ends all of them: their clients come back, to another process.
    pub fn end(&self) {
        self.stop.send_replace(true);
    }

    /// Takes a place for a stream.
    ///
    /// # Errors
    /// `RATE_LIMITED`: the tenant has all of its own.
    pub fn place(&self, tenant: &TenantId) -> Result<Place, Failure> {
        let mut open = self.open();
        let count = open.entry(tenant.clone()).or_default();
        if *count >= TOGETHER {
            let failure = Failure::new(Code::RateLimited)
                .with("whose", "streams")
                .with("requests", TOGETHER);
            return Err(failure.retry_after(1));
        }
        *count += 1;
        Ok(Place {
            streams: self.clone(),
            tenant: tenant.clone(),
            stop: self.stop.subscribe(),
        })
    }

    /// Whoever panicked with it left whole counts.
    fn open(&self) -> MutexGuard<'_, BTreeMap<TenantId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        match open.get_mut(&self.tenant) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.tenant)),
        }
    }
}

/// The id of the last event that a client has, where it says one.
///
/// # Errors
/// `REQUEST_INVALID`: it is no text.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let said = headers.get("last-event-id");
    let read = said.map(|value| {
        let text = value.to_str();
        text.map_err(|error| Failure::invalid("header:Last-Event-ID", error))
    });
    read.transpose()
}

struct Followed<R> {
    place: Place,
    news: watch::Receiver<u64>,
    read: R,
    behind: u64,
    due: VecDeque<Event>,
    over: Instant,
}

impl Place {
    /// What `read` reads behind a position, and then what comes, as it comes. `news` wakes the
    /// stream; what other processes bring is found within a second.
    pub fn follow<F, R>(self, behind: u64, news: watch::Receiver<u64>, read: R) -> Events
    where
        R: Fn(u64) -> F + Send + 'static,
        F: Future<Output = Result<Behind, Failure>> + Send,
    {
        let followed = Followed {
            place: self,
            news,
            read,
            behind,
            due: VecDeque::from([Event::default().retry(RETRY)]),
            over: Instant::now() + LONGEST,
        };
        let events = stream::unfold(followed, async |mut followed| {
            let event = followed.next().await?;
            Some((Ok(event), followed))
        });
        Events(Box::pin(events))
    }
}

impl<F, R> Followed<R>
where
    R: Fn(u64) -> F,
    F: Future<Output = Result<Behind, Failure>>,
{
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(event);
            }
            if *self.place.stop.borrow() || Instant::now() >= self.over {
                return None;
            }
            // What comes while it is being read is news of the next turn.
            self.news.mark_unchanged();
            match (self.read)(self.behind).await {
                Ok((events, behind)) if behind != self.behind => {
                    self.behind = behind;
                    self.due.extend(events);
                    continue;
                }
                Ok(_) => {}
                Err(failure) => {
                    tracing::warn!(code = %failure.code(), "a stream ends");
                    return None;
                }
            }
            let waits = async {
                tokio::select! {
                    _ = self.place.stop.changed() => {}
                    // One that is dropped with its log brings no news.
                    Ok(()) = self.news.changed() => {}
                }
            };
            // That nothing woke it is a reason to look.
            let _ = timeout_at(self.over.min(Instant::now() + ASK), waits).await;
        }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        let alive = KeepAlive::new().interval(ALIVE);
        Sse::new(self.0).keep_alive(alive).into_response()
    }
}

impl IntoResponses for Events {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        let text = Schema::Object(
            ObjectBuilder::new()
                .schema_type(utoipa::openapi::Type::String)
                .build(),
        );
        let response = ResponseBuilder::new()
            .description("server-sent events")
            .content(
                "text/event-stream",
                ContentBuilder::new().schema(Some(text)).build(),
            )
            .build();
        BTreeMap::from([("200".to_owned(), RefOr::T(response))])
    }
}

impl<F> Answers for Result<Events, Fail<F>> {
    fn schemas(_: &mut Vec<(String, RefOr<Schema>)>) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    /// A stop does not wait for a stream, which otherwise waits for what comes.
    #[tokio::test]
    async fn a_stop_ends_a_stream() {
        let streams = Streams::default();
        let place = streams.place(&"acme".parse().unwrap()).unwrap();
        let (sender, news) = watch::channel(0);
        let (asked, mut reads) = tokio::sync::mpsc::unbounded_channel();
        let events = place.follow(7, news, move |behind| {
            asked.send(behind).unwrap();
            async move { Ok((Vec::new(), behind)) }
        });
        let rest = tokio::spawn(events.0.count());
        assert_eq!(reads.recv().await, Some(7));
        streams.end();
        assert_eq!(rest.await.unwrap(), 1, "when to come back, and no more");
        assert!(streams.open().is_empty());
        drop(sender);
    }

    #[test]
    fn a_tenant_has_so_many_streams_and_no_more() {
        let streams = Streams::default();
        let (acme, globex): (TenantId, TenantId) =
            ("acme".parse().unwrap(), "globex".parse().unwrap());
        let mut held: Vec<Place> = (0..TOGETHER)
            .map(|_| streams.place(&acme).unwrap())
            .collect();
        let refused = streams.place(&acme).unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        streams.place(&globex).unwrap();
        held.pop();
        streams.place(&acme).unwrap();
        drop(held);
        assert!(streams.open().is_empty());
    }
}
