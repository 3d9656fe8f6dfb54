//! `stella evidence show`

use std::collections::BTreeSet;

use clap::Args;
use stella_api::Code;
use stella_api::evidence::DocumentRecord;
use stella_client::Client;

use crate::answer::Answer;
use crate::connection::connect;
use crate::destination::Destination;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::id::Id;
use crate::label::{filled, label};
use crate::pages;
use crate::problem::of_code;
use crate::scopes;
use crate::session::Session;
use crate::style::Tone;
use crate::table::{Cell, Table};

const DOCUMENTS: &str = "/api/v1/evidence/documents";

/// `stella evidence show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The document.
    #[arg(value_name = "ID", help = label("help-id-document"))]
    id: Id,
    /// Its bytes instead of its record.
    #[arg(long, help = label("help-evidence-show-raw"))]
    raw: bool,
}

pub(crate) async fn run(arguments: &ShowArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::EVIDENCE)?;
    let id = whole_id(&client, &arguments.id).await?;
    let path = format!("{DOCUMENTS}/{id}");
    if !arguments.raw {
        return drawn(&client.get(&path).await?);
    }
    // The bytes are exact also on a terminal: they are what is digested.
    let bytes = client.get_bytes(&format!("{path}/raw")).await?;
    let Session { io, options, .. } = session;
    let mut output = Destination::open(&mut *io.stdout, options.out.as_deref())?;
    output.put(&bytes)?;
    output.finish()?;
    Ok(Answer::done(ExitCode::Ok))
}

/// Evidence takes whole ids only, so that a prefix is looked for in the list.
async fn whole_id(client: &Client, id: &Id) -> Result<String, Failure> {
    if let Some(whole) = id.whole() {
        return Ok(whole);
    }
    let all = pages::list::<DocumentRecord>(client, DOCUMENTS, &(), None).await?;
    only(id, all.items.into_iter().map(|record| record.id))
}

fn only(id: &Id, all: impl Iterator<Item = String>) -> Result<String, Failure> {
    // One document has a record for each source that it came from.
    let fitting: BTreeSet<String> = all.filter(|whole| id.begins(whole)).collect();
    let values = [("id", id.to_string().into())];
    let (code, told, hint) = match fitting.len() {
        0 => (Code::NotFound, "id-names-none", "hint-id-names-none"),
        1 => return Ok(fitting.into_iter().collect()),
        _ => (
            Code::IdAmbiguous,
            "id-names-many",
            "error-id-ambiguous-hint",
        ),
    };
    Err(of_code(code, filled(told, &values)).hint(label(hint)))
}

fn drawn(record: &DocumentRecord) -> Result<Answer, Failure> {
    Ok(Answer::new(record)?.table(Table::record(fields(record))))
}

fn fields(record: &DocumentRecord) -> Vec<(String, Cell)> {
    let (source, upstream, content) = (&record.source, &record.upstream, &record.content);
    let format = match &content.spec_version {
        Some(version) => format!("{} {version}", content.format),
        None => content.format.clone(),
    };
    let listed = |texts: &[String]| Some(texts.join(", ")).filter(|all| !all.is_empty());
    let (identifiers, again) = (listed(&record.identifiers), listed(&record.fetched_again));
    let fields = [
        ("field-kind", Cell::new(record.kind.as_str())),
        ("field-publisher", Cell::new(&source.publisher)),
        (
            "field-distributor",
            Cell::maybe(source.distributor.as_ref()),
        ),
        ("field-stream", Cell::new(&source.stream)),
        ("field-document", Cell::new(&upstream.id)),
        (
            "field-version",
            Cell::maybe(upstream.document_version.as_ref()),
        ),
        ("field-format", Cell::new(format)),
        ("field-media-type", Cell::new(&content.media_type)),
        ("field-size", Cell::new(content.size.to_string())),
        ("field-speaks-of", Cell::maybe(identifiers)),
        (
            "field-references",
            Cell::new(record.references.len().to_string()),
        ),
        ("field-outcome", Cell::new(record.outcome.as_str())),
        (
            "field-supersedes",
            Cell::maybe(record.supersedes.as_ref()).tone(Tone::Faint),
        ),
        ("field-fetched-at", Cell::new(&upstream.fetched_at)),
        ("field-fetched-again", Cell::maybe(again)),
        ("field-received-at", Cell::new(&record.received_at)),
        ("field-received-by", Cell::new(&record.received_by)),
        ("field-location", Cell::new(&record.location)),
        ("field-digest", Cell::new(&record.id).tone(Tone::Faint)),
    ];
    fields.map(|(key, cell)| (label(key), cell)).into()
}

#[cfg(test)]
pub(super) fn made_up() -> DocumentRecord {
    use stella_api::evidence::{Content, EvidenceKind, Outcome, Source, Upstream};

    let digest = stella_canonical::Digest::of(b"document").to_string();
    DocumentRecord {
        id: digest.clone(),
        tenant: "local".into(),
        kind: EvidenceKind::Advisory,
        source: Source {
            publisher: "rustsec".into(),
            distributor: None,
            stream: "local".into(),
            api: None,
            collector_version: Some("0.1.0".into()),
        },
        upstream: Upstream {
            id: "RUSTSEC-2099-0001\u{1b}[2J".into(),
            document_version: Some("2099-01-01T00:00:00Z".into()),
            fetched_at: "2099-01-02T03:04:05Z".into(),
            content_digest: digest,
            signature: None,
        },
        content: Content {
            format: "osv".into(),
            spec_version: Some("1.6.0".into()),
            media_type: "application/json".into(),
            size: 2048,
        },
        identifiers: vec!["RUSTSEC-2099-0001".into(), "CVE-2099-4863".into()],
        references: vec![],
        supersedes: None,
        outcome: Outcome::Stored,
        location: "database".into(),
        received_at: "2099-01-02T03:04:06.123456Z".into(),
        received_by: "cli".into(),
        fetched_again: vec!["2099-02-02T03:04:05Z".into()],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn a_prefix_names_one_document() {
        let whole = made_up().id;
        let id: Id = crate::id::short(&whole).parse().unwrap();
        let other = || stella_canonical::Digest::of(b"other").to_string();
        let find = |all: Vec<String>| only(&id, all.into_iter());
        assert_eq!(find(vec![other(), whole.clone()]).unwrap(), whole);
        assert_eq!(find(vec![other()]).unwrap_err().code, "NOT_FOUND");
        // From two sources.
        assert_eq!(find(vec![whole.clone(), whole.clone()]).unwrap(), whole);
        let alike = format!(
            "{}{}",
            &whole[..whole.len() - 1],
            if whole.ends_with('0') { '1' } else { '0' }
        );
        assert_eq!(find(vec![alike, whole]).unwrap_err().code, "ID_AMBIGUOUS");
    }

    #[test]
    fn a_document_as_a_record() {
        let text = drawn(&made_up())
            .unwrap()
            .render(Format::Table, Style::default());
        insta::assert_snapshot!(text.unwrap());
    }
}
