//! Batches: `application/x-ndjson` in and out (page 03). Lines are answered in order, a chunk at
//! a time, so that neither a body nor its answer has to fit into memory. What was answered was
//! done: whoever is cut off sends everything again.

mod read;
mod spool;

use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use serde::Serialize;
use stella_api::{Code, LineAnswer, LineResult};
use stella_telemetry::in_trace;
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{RefOr, Response as ApiResponse, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema};

pub use read::Line;

use crate::answer::Answers;
use crate::extract::demand_media_type;
use crate::room::Room;
use crate::watch::{current_trace, panicked};
use crate::{Fail, Failure, Failures};
use read::Reader;
use spool::Out;

const MEDIA_TYPE: &str = "application/x-ndjson";
const AT_ONCE: &str = "respond-stream";
/// What any line may be answered, besides what the operation says.
const ANY_LINE: &[Code] = &[
    Code::BodyMalformed,
    Code::BodyTooLarge,
    Code::RequestInvalid,
    Code::RecordCorrupt,
    Code::Internal,
    Code::Unavailable,
    Code::Timeout,
];

/// What became of each line of a chunk, in order; or why nothing of it was done.
pub type Chunk<T> = Result<Vec<Result<T, Failure>>, Failure>;

/// The lines of a body, without an end that has to be known.
#[derive(Debug)]
pub struct Lines {
    reader: Reader,
    at_once: bool,
}

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        demand_media_type(request.headers(), MEDIA_TYPE, |media| media == MEDIA_TYPE)?;
        let at_once = prefers(request.headers(), AT_ONCE);
        let room = Room::for_request(request.extensions());
        // The limits are those of lines: the body as a whole has none.
        let mut reader = Reader::new(request.into_body(), room);
        // Whoever waits for `100 Continue` is told so before the status.
        reader.begin().await;
        Ok(Self { reader, at_once })
    }
}

/// Whether a request says that it brings a batch.
pub(crate) fn is_batch(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE);
    said.is_some_and(|media| media.as_bytes().starts_with(MEDIA_TYPE.as_bytes()))
}

/// Whether a request asks for something by `Prefer` (RFC 7240).
pub(crate) fn prefers(headers: &HeaderMap, preference: &str) -> bool {
    let values = headers.get_all("prefer").iter();
    let mut each = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    each.any(|one| {
        let name = one.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(preference)
    })
}

impl Lines {
    /// Does something with the lines, a chunk after the other, and answers each. The work is not
    /// dropped with the connection: what a chunk began, it ends.
    pub fn each<T, F, W, R>(self, work: W) -> LineAnswers<T, F>
    where
        T: Serialize + Send + 'static,
        W: Fn(Vec<Line>) -> R + Send + Sync + 'static,
        R: Future<Output = Chunk<T>> + Send + 'static,
    {
        let (to, lines) = mpsc::channel(2);
        let out = Out::new(to, self.at_once);
        let answering = in_trace(current_trace(), answer(self.reader, work, out));
        tokio::spawn(answering.instrument(Span::current()));
        LineAnswers {
            lines,
            at_once: self.at_once,
            of: PhantomData,
        }
    }
}

async fn answer<T, W, R>(mut reader: Reader, work: W, mut out: Out)
where
    T: Serialize + Send,
    W: Fn(Vec<Line>) -> R + Send + Sync,
    R: Future<Output = Chunk<T>> + Send,
{
    loop {
        let (lines, end) = reader.chunk().await;
        if !lines.is_empty() {
            let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
            let work = AssertUnwindSafe(async { work(lines).await }).catch_unwind();
            let done = work.await.unwrap_or_else(|panic| {
                Err(Failure::new(Code::Internal).because(panicked(&panic)))
            });
            if out.write(told(&numbers, done)).await.is_err() {
                return;
            }
        }
        match end {
            None => {}
            Some(Ok(())) => break,
            Some(Err((line, failure))) => {
                let result = LineResult::<T>::Ended(failure.told(&current_trace()));
                if out.write(text(&LineAnswer { line, result })).await.is_ok() {
                    // Whoever sends all before it reads can still read why.
                    reader.drain().await;
                }
                break;
            }
        }
    }
    out.finish().await;
}

/// The answers to a chunk. Where it failed as a whole, each of its lines says so.
fn told<T: Serialize>(numbers: &[u64], done: Chunk<T>) -> Vec<u8> {
    let trace = current_trace();
    let results: Vec<LineResult<T>> = match done {
        Ok(results) => {
            let told = |result: Result<T, Failure>| match result {
                Ok(answer) => LineResult::Answer(answer),
                Err(failure) => LineResult::Problem(failure.told(&trace)),
            };
            results.into_iter().map(told).collect()
        }
        Err(failure) => {
            let problem = failure.told(&trace);
            let each = numbers.iter();
            each.map(|_| LineResult::Problem(problem.clone())).collect()
        }
    };
    let lines = numbers.iter().zip(results);
    let lines = lines.flat_map(|(line, result)| {
        let line = *line;
        text(&LineAnswer { line, result })
    });
    lines.collect()
}

fn text<T: Serialize>(line: &LineAnswer<T>) -> Vec<u8> {
    // The wire types have no key that is no text: there is nothing that could fail.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text
}

/// 200 with a line for each line of the body, in order. `F` has the codes that a line's problem
/// may have.
#[derive(Debug)]
pub struct LineAnswers<T, F> {
    lines: mpsc::Receiver<io::Result<Bytes>>,
    at_once: bool,
    of: PhantomData<fn() -> (T, F)>,
}

impl<T, F> IntoResponse for LineAnswers<T, F> {
    fn into_response(self) -> Response {
        let next = |mut lines: mpsc::Receiver<_>| async { Some((lines.recv().await?, lines)) };
        let mut response = Body::from_stream(stream::unfold(self.lines, next)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.at_once {
            headers.insert("preference-applied", HeaderValue::from_static(AT_ONCE));
        }
        response
    }
}

impl<T: ToSchema, F: Failures> IntoResponses for LineAnswers<T, F> {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        let mut codes: Vec<&str> = F::CODES
            .iter()
            .chain(ANY_LINE)
            .map(|code| code.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let content = ContentBuilder::new()
            .schema(Some(LineAnswer::<T>::schema()))
            .build();
        let response = ResponseBuilder::new()
            .description(format!(
                "a line of this schema for each line of the body, in order; after the body, or \
                 with `Prefer: {AT_ONCE}` a chunk at a time. The status comes before the lines \
                 are read: each says for itself what became of it. Codes of its problem: {}",
                codes.join(", ")
            ))
            .content(MEDIA_TYPE, content)
            .build();
        BTreeMap::from([("200".to_owned(), RefOr::T(response))])
    }
}

impl<T: ToSchema, F, G> Answers for Result<LineAnswers<T, F>, Fail<G>> {
    fn schemas(into: &mut Vec<(String, RefOr<Schema>)>) {
        LineAnswer::<T>::schemas(into);
    }
}

/// Reads a body in parts as long as its first byte says; panics where the lines are not those of
/// the whole, each with its number.
pub fn fuzz(data: &[u8]) {
    let Some((length, body)) = data.split_first() else {
        return;
    };
    let parts: Vec<io::Result<Bytes>> = body
        .chunks(usize::from(*length).max(1))
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .collect();
    let read = async {
        let mut reader = Reader::new(Body::from_stream(stream::iter(parts)), None);
        let mut lines = Vec::new();
        loop {
            let (some, end) = reader.chunk().await;
            lines.extend(some);
            if let Some(end) = end {
                assert!(end.is_ok(), "{end:?}");
                return lines;
            }
        }
    };
    let whole = (1..).zip(body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii));
    let whole: Vec<Line> = whole
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| Line {
            number,
            bytes: Bytes::copy_from_slice(line),
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    if let Ok(runtime) = runtime {
        assert_eq!(runtime.block_on(read), whole);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn answered(text: &'static str, work: fn(&Line) -> Result<u8, Failure>) -> String {
        let each = move |lines: Vec<Line>| async move { Ok(lines.iter().map(work).collect()) };
        let request = Request::post("/").header("content-type", MEDIA_TYPE);
        let request = request.body(Body::from(text)).unwrap();
        let lines = Lines::from_request(request, &()).await.unwrap();
        let answers: LineAnswers<u8, ()> = lines.each(each);
        let body = axum::body::to_bytes(answers.into_response().into_body(), 1 << 20).await;
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_told_to_the_lines_of_its_chunk() {
        assert_eq!(
            answered("a\n", |_| Ok(7)).await,
            "{\"line\":1,\"answer\":7}\n"
        );
        let told = answered("a\n\nb", |line| match &line.bytes[..] {
            b"b" => panic!("no b"),
            _ => Ok(7),
        });
        let told = told.await;
        let told: Vec<LineAnswer<u8>> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!((told.len(), told[0].line, told[1].line), (2, 1, 3));
        for line in told {
            assert!(matches!(line.result, LineResult::Problem(one) if one.code == "INTERNAL"));
        }
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("lines", fuzz);
    }

    #[test]
    fn a_preference_is_found_among_others() {
        let prefers = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("prefer", value.parse().unwrap());
            }
            super::prefers(&headers, AT_ONCE)
        };
        assert!(prefers(&["return=minimal", "wait=1, Respond-Stream; x=1"]));
        assert!(!prefers(&[]) && !prefers(&["respond-async, x=respond-stream"]));
    }
}
