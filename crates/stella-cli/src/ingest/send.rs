//! Documents on their way to Evidence, in batches of a kind: each is a call of its own, so that
//! nothing lasts long, and sending everything again is how to go on.

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt as _, stream};
use stella_api::evidence::{EvidenceKind, EvidenceLine, IngestAnswer};
use stella_api::limits::{CHUNK_BYTES, CHUNK_LINES};
use stella_api::{Code, LineAnswer, LineResult};
use stella_client::{Call, Client, ClientError, Reply};

use super::prepare::{Origin, Refusal, prepare};
use super::source::Source;
use super::tally::Tally;
use crate::failure::Failure;

/// Files that are read and parsed at once.
const READ_AT_ONCE: usize = 8;
/// Batches under way at once: the server reads one while it stores the other.
const SENT_AT_ONCE: usize = 2;

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

/// A document that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The file, as people know it.
    pub(crate) path: String,
    pub(crate) kind: EvidenceKind,
    pub(crate) answer: IngestAnswer,
}

/// A document as a line of a batch.
struct Item {
    path: String,
    kind: EvidenceKind,
    line: Vec<u8>,
}

/// Lines that one call takes, and the files that they come from.
#[derive(Default)]
struct Batch {
    paths: Vec<String>,
    body: Vec<u8>,
}

/// What is to be done next.
enum Step {
    Refused(Refusal),
    Send(EvidenceKind, Batch),
}

/// What became of documents, and why no more can be sent.
type Sent = (Vec<Result<Taken, Refusal>>, Option<Failure>);

/// Sends documents until all are sent, a person stops it or nothing more can be sent. Whoever stops
/// it waits for what is under way, so that the count is true; once more, and nobody waits: what is
/// under way then may be taken all the same, and sending it again changes nothing.
pub(crate) async fn send_all(
    client: &Client,
    sources: Vec<Source>,
    origin: &Origin,
    interrupted: impl AsyncFn(),
    mut told: impl FnMut(usize),
) -> (Tally, End) {
    let mut tally = Tally::new(sources.len());
    let read = stream::iter(sources).map(|source| read(source, origin.clone()));
    let steps = batched(read.buffered(READ_AT_ONCE));
    let stop = AtomicBool::new(false);
    let goes_on = || !stop.load(Ordering::Relaxed);
    let steps = steps.take_while(|_| ready(goes_on()));
    let mut sent = pin!(
        steps
            .map(|step| take(client, step))
            .buffer_unordered(SENT_AT_ONCE)
    );
    let mut asked = pin!(async {
        interrupted().await;
        stop.store(true, Ordering::Relaxed);
        interrupted().await;
    });
    let end = loop {
        match select(sent.next(), asked.as_mut()).await {
            Either::Left((None, _)) => {
                break match tally.unsent {
                    0 => End::Complete,
                    _ => End::Interrupted,
                };
            }
            Either::Left((Some((became, stopped)), _)) => {
                became.into_iter().for_each(|one| tally.count(one));
                told(tally.done());
                if let Some(failure) = stopped {
                    break End::Stopped(failure);
                }
            }
            Either::Right(((), _)) => break End::Interrupted,
        }
    };
    tally.finish();
    (tally, end)
}

/// Reading and parsing take their time, and other documents are under way.
async fn read(source: Source, origin: Origin) -> Result<Item, Refusal> {
    let path = source.shown();
    let work = move || {
        let path = source.shown();
        let bytes = source
            .read()
            .map_err(|unread| Refusal::told(&path, unread.code(), unread.reason()))?;
        let mut prepared = prepare(&path, bytes, &origin)?;
        // Whoever exported it knew more than its content says.
        if let Some(envelope) = source.envelope() {
            prepared.envelope = envelope;
        }
        let line = EvidenceLine {
            envelope: prepared.envelope,
            raw_base64: STANDARD.encode(prepared.bytes),
        };
        let line = serde_json::to_vec(&line)
            .map_err(|error| Refusal::told(&path, Code::Internal, error.to_string()))?;
        let kind = prepared.kind;
        Ok(Item { path, kind, line })
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Refusal::told(&path, Code::Internal, error.to_string())))
}

/// Gathers documents by their kinds, in their order, until a batch is full or all are read.
fn batched(read: impl Stream<Item = Result<Item, Refusal>>) -> impl Stream<Item = Step> {
    let open: BTreeMap<EvidenceKind, Batch> = BTreeMap::new();
    stream::unfold((Box::pin(read), open), async |(mut read, mut open)| {
        loop {
            let step = match read.next().await {
                Some(Err(refusal)) => Some(Step::Refused(refusal)),
                Some(Ok(item)) => {
                    let batch = open.entry(item.kind).or_default();
                    batch.paths.push(item.path);
                    batch.body.extend(item.line);
                    batch.body.push(b'\n');
                    let full = batch.paths.len() == CHUNK_LINES || batch.body.len() >= CHUNK_BYTES;
                    full.then(|| Step::Send(item.kind, std::mem::take(batch)))
                }
                None => {
                    let (kind, batch) = open.pop_first()?;
                    (!batch.paths.is_empty()).then_some(Step::Send(kind, batch))
                }
            };
            if let Some(step) = step {
                return Some((step, (read, open)));
            }
        }
    })
}

async fn take(client: &Client, step: Step) -> Sent {
    let (kind, batch) = match step {
        Step::Refused(refusal) => return (vec![Err(refusal)], None),
        Step::Send(kind, batch) => (kind, batch),
    };
    let path = format!("/api/v1/evidence/{kind}/batch");
    let call = Call::post(&path, "application/x-ndjson", batch.body);
    match client.send(call).await.and_then(Reply::lines) {
        Ok(answers) => told(kind, &batch.paths, answers),
        Err(error) => {
            let failure = Failure::from(error);
            if failure.stops_all() {
                return (vec![], Some(failure));
            }
            let refused = |path: &String| Err(Refusal::answered(path, kind, &failure));
            (batch.paths.iter().map(refused).collect(), None)
        }
    }
}

/// The answers to a batch, a line each; those that are missing stop everything.
fn told(kind: EvidenceKind, paths: &[String], answers: Vec<LineAnswer<IngestAnswer>>) -> Sent {
    let (mut became, mut stopped) = (Vec::new(), None);
    for (path, answer) in paths.iter().zip(answers) {
        match answer.result {
            LineResult::Answer(answer) => {
                let path = path.clone();
                became.push(Ok(Taken { path, kind, answer }));
            }
            LineResult::Problem(problem) => {
                let failure = Failure::from(ClientError::Problem(Box::new(problem)));
                if failure.stops_all() {
                    stopped.get_or_insert(failure);
                } else {
                    became.push(Err(Refusal::answered(path, kind, &failure)));
                }
            }
            LineResult::Ended(problem) => {
                stopped.get_or_insert(ClientError::Problem(Box::new(problem)).into());
            }
        }
    }
    if became.len() < paths.len() && stopped.is_none() {
        let missing = format!("{} of {} lines are answered", became.len(), paths.len());
        let call = format!("/api/v1/evidence/{kind}/batch");
        stopped = Some(ClientError::answer(&call, &missing).into());
    }
    (became, stopped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn item(kind: EvidenceKind, path: usize, size: usize) -> Result<Item, Refusal> {
        Ok(Item {
            path: path.to_string(),
            kind,
            line: vec![b'x'; size],
        })
    }

    async fn shown(items: Vec<Result<Item, Refusal>>) -> Vec<(EvidenceKind, Vec<String>)> {
        let steps = batched(stream::iter(items));
        let shown = steps.filter_map(async |step| match step {
            Step::Send(kind, batch) => {
                let lines = batch.body.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(lines, batch.paths.len());
                Some((kind, batch.paths))
            }
            Step::Refused(_) => None,
        });
        shown.collect().await
    }

    #[tokio::test]
    async fn batches_are_of_a_kind_and_no_larger_than_a_chunk() {
        use EvidenceKind::{Advisory, Sbom};
        let mut items: Vec<_> = (0..=CHUNK_LINES).map(|n| item(Advisory, n, 10)).collect();
        items.insert(1, item(Sbom, 7, CHUNK_BYTES));
        items.insert(2, Err(Refusal::told("x", Code::Aoc009, "")));
        items.insert(3, item(Sbom, 8, 10));
        let batches = shown(items).await;
        let sizes: Vec<_> = batches
            .iter()
            .map(|(kind, paths)| (*kind, paths.len()))
            .collect();
        let expected = [(Sbom, 1), (Advisory, CHUNK_LINES), (Advisory, 1), (Sbom, 1)];
        assert_eq!(sizes, expected);
        let order: Vec<String> = (0..CHUNK_LINES).map(|n| n.to_string()).collect();
        assert_eq!(batches[1].1, order);
        assert_eq!(shown(vec![]).await, []);
    }

    #[test]
    fn an_answer_that_is_missing_stops_and_what_was_taken_counts() {
        let paths = ["a", "b", "c"].map(str::to_owned);
        let answer = |text: &str| serde_json::from_str(text).unwrap();
        let problem = |code: &str| {
            let problem = serde_json::json!({
                "type": "x", "title": "x", "status": 400, "detail": "x", "code": code, "traceId": "x",
            });
            serde_json::from_value(serde_json::json!({"line": 2, "problem": problem})).unwrap()
        };
        let one = r#"{"line": 1, "answer": {"id": "x", "outcome": "stored", "notices": [],
            "upstream": {"id": "x", "fetchedAt": "x", "contentDigest": "x"}}}"#;
        let refused = vec![answer(one), problem("ERR_AOC_009"), answer(one)];
        let (became, stopped) = told(EvidenceKind::Vex, &paths, refused);
        assert!(became.len() == 3 && became[1].is_err() && stopped.is_none());
        let (became, stopped) = told(EvidenceKind::Vex, &paths, vec![answer(one)]);
        assert_eq!(
            (became.len(), stopped.unwrap().code.as_ref()),
            (1, "SERVER_ANSWER_INVALID")
        );
        let away = vec![answer(one), problem("UNAVAILABLE"), answer(one)];
        let (became, stopped) = told(EvidenceKind::Vex, &paths, away);
        assert_eq!(
            (became.len(), stopped.unwrap().code.as_ref()),
            (2, "UNAVAILABLE")
        );
    }
}
