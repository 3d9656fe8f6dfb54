//! `stella evidence export`: every document exactly as published, with where it came from, in one
//! archive.

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use stella_api::Code;
use stella_api::evidence::{DocumentRecord, Envelope, EvidenceKind};
use stella_api::evidence_export::{EvidenceExport, ExportedDocument, SCHEMA};
use stella_bundle::{Archive, ArchiveError};
use stella_canonical::{Digest, canonical};
use stella_context::Clock;

use crate::answer::Answer;
use crate::connection::connect;
use crate::destination::Destination;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::{filled, label};
use crate::pages;
use crate::problem::of_code;
use crate::progress::Progress;
use crate::scopes;
use crate::session::Session;

/// How many documents are asked for at a time.
const AT_A_TIME: usize = 4;
const DOCUMENTS: &str = "/api/v1/evidence/documents";

/// `stella evidence export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only of this kind.
    #[arg(long, value_name = "KIND", help = label("help-evidence-list-kind"))]
    kind: Option<EvidenceKind>,
    /// Only of this publisher.
    #[arg(long, value_name = "NAME", help = label("help-evidence-list-publisher"))]
    publisher: Option<String>,
}

#[derive(Serialize)]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<EvidenceKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<&'a str>,
}

pub(crate) async fn run(arguments: &ExportArgs, session: &mut Session) -> Result<Answer, Failure> {
    let scopes = arguments.kind.map_or(scopes::EVIDENCE, scopes::reading);
    let client = connect(session, scopes)?;
    let filter = Filter {
        kind: arguments.kind,
        publisher: arguments.publisher.as_deref(),
    };
    let listed = pages::list::<DocumentRecord>(&client, DOCUMENTS, &filter, None).await?;
    let manifest = manifest(listed.items);
    let total = manifest.documents.len() as u64;
    let bytes = canonical(&manifest);
    let bytes = bytes.map_err(|error| of_code(Code::Internal, error.to_string()))?;

    let progress = Progress::begin(session, "progress-export", Some(total));
    let Session { io, options, .. } = session;
    let out = options.out.as_deref();
    let client = &client;
    let documents = stream::iter(&manifest.documents).map(async |document: &ExportedDocument| {
        let path = format!("{DOCUMENTS}/{}/raw", document.digest);
        let bytes = client.get_bytes(&path).await?;
        let actual = Digest::of(&bytes).to_string();
        if actual != document.digest {
            let values = [
                ("document", document.digest.as_str().into()),
                ("actual", actual.into()),
            ];
            let text = filled("error-evidence-corrupt-detail", &values);
            return Err(of_code(Code::EvidenceCorrupt, text));
        }
        Ok::<_, Failure>((document, bytes))
    });
    let mut documents = documents.buffered(AT_A_TIME);
    let written = |error: ArchiveError| Failure::write(&std::io::Error::other(error), out);
    let mut output = Destination::open(&mut *io.stdout, out)?;
    let mut archive = Archive::new(&mut output);
    archive.file("manifest.json", &bytes).map_err(written)?;
    let mut done = 0;
    while let Some((document, bytes)) = documents.try_next().await? {
        let name = document.digest.replacen(':', "/", 1);
        archive.file(&name, &bytes).map_err(written)?;
        done += 1;
        progress.at(done);
    }
    archive.finish().map_err(written)?;
    output.finish()?;
    Ok(Answer::done(ExitCode::Ok))
}

/// Each document once, whoever sent it, with all of its sources and all the times at which it was
/// fetched from them: which of them came first cannot show.
fn manifest(mut records: Vec<DocumentRecord>) -> EvidenceExport {
    records.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut documents: Vec<ExportedDocument> = Vec::new();
    for record in records {
        let first = Envelope {
            source: record.source,
            upstream: record.upstream,
        };
        let again = record.fetched_again.into_iter().map(|fetched_at| {
            let mut envelope = first.clone();
            envelope.upstream.fetched_at = fetched_at;
            envelope
        });
        let mut envelopes: Vec<Envelope> = again.collect();
        envelopes.push(first);
        envelopes.sort_by_key(|one| {
            one.upstream
                .fetched_at
                .parse::<Clock>()
                .ok()
                .map(|at| at.now())
        });
        match documents.last_mut() {
            Some(last) if last.digest == record.id => last.envelopes.append(&mut envelopes),
            _ => documents.push(ExportedDocument {
                digest: record.id,
                size: record.content.size,
                kind: record.kind,
                envelopes,
            }),
        }
    }
    EvidenceExport {
        schema: SCHEMA.to_owned(),
        documents,
    }
}

fn key(record: &DocumentRecord) -> (&str, &str, &str) {
    let source = &record.source;
    (&record.id, &source.publisher, &source.stream)
}
