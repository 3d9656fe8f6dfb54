//! Documents on their way to Evidence, a few at a time.

use std::future::Future;
use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};
use stella_api::Code;
use stella_api::evidence::IngestAnswer;
use stella_client::{Call, Client, ClientError};
use stella_context::Clock;

use super::prepare::{Origin, Prepared, Refusal, prepare};
use super::source::Source;
use super::tally::Tally;
use crate::failure::Failure;

const AT_ONCE: usize = 8;
const PROVENANCE: &str = "stella-provenance";

/// How sending ended.
#[derive(Debug)]
pub(crate) enum End {
    /// Every document was taken or refused.
    Complete,
    /// The person who started it stopped it.
    Interrupted,
    /// Nothing more can be sent.
    Stopped(Failure),
}

/// What became of one document.
type Became = Result<Prepared, Refusal>;

/// Sends documents until all are sent, a person stops it or nothing more can be sent. What is
/// under way then may be taken all the same: sending it again changes nothing.
pub(crate) async fn send_all(
    client: &Client,
    sources: Vec<Source>,
    origin: &Origin,
    interrupted: impl Future<Output = ()>,
    mut told: impl FnMut(&Tally),
) -> (Tally, End) {
    let mut tally = Tally::new(sources.len());
    let mut interrupted = pin!(interrupted);
    let sent = stream::iter(sources).map(|source| send(client.clone(), source, origin.clone()));
    let mut sent = pin!(sent.buffer_unordered(AT_ONCE));
    let end = loop {
        match select(sent.next(), interrupted.as_mut()).await {
            Either::Left((None, _)) => break End::Complete,
            Either::Left((Some(Ok(became)), _)) => tally.count(became),
            Either::Left((Some(Err(failure)), _)) => break End::Stopped(failure),
            Either::Right(((), _)) => break End::Interrupted,
        }
        told(&tally);
    };
    tally.finish();
    (tally, end)
}

/// Sends one document.
///
/// # Errors
/// What would fail for every other one too.
async fn send(
    client: Client,
    source: Source,
    origin: Origin,
) -> Result<Result<Taken, Refusal>, Failure> {
    let path = source.shown();
    let prepared = match read(source, origin).await {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let kind = prepared.kind;
    let answer = match post(&client, prepared).await {
        Ok(answer) => answer,
        Err(error) => {
            let failure = Failure::from(error);
            return if failure.stops_all() {
                Err(failure)
            } else {
                Ok(Err(Refusal::answered(&path, kind, &failure)))
            };
        }
    };
    Ok(Ok(Taken { path, kind, answer }))
}

/// A document that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The file, as people know it.
    pub(crate) path: String,
    pub(crate) kind: stella_api::evidence::EvidenceKind,
    pub(crate) answer: IngestAnswer,
}

/// Reading and parsing take their time, and other documents are under way.
async fn read(source: Source, origin: Origin) -> Became {
    let path = source.shown();
    let work = move || {
        let path = source.shown();
        let bytes = source
            .read()
            .map_err(|unread| Refusal::told(&path, unread.code(), unread.reason()))?;
        prepare(&path, bytes, &origin, Clock::System)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Refusal::told(&path, Code::Internal, error.to_string())))
}

async fn post(client: &Client, prepared: Prepared) -> Result<IngestAnswer, ClientError> {
    let path = format!("/api/v1/evidence/{}", prepared.kind);
    let unwritable = |error: &dyn std::fmt::Display| ClientError::answer(&path, error);
    let envelope = serde_json::to_vec(&prepared.envelope).map_err(|error| unwritable(&error))?;
    let header = URL_SAFE_NO_PAD
        .encode(envelope)
        .parse()
        .map_err(|error| unwritable(&error))?;
    let mut call = Call::post(&path, "application/json", prepared.bytes);
    call.headers.insert(PROVENANCE, header);
    client.send(call).await?.json()
}
