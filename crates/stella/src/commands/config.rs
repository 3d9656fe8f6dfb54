//! `stella config`: what a server would be told, and by whom. Nothing is opened.

mod reference;

use serde::Serialize;
use stella_cli::arguments::{ConfigCommand, ConfigurationArgs, ExplainArgs};
use stella_cli::style::Tone;
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, Failure, Session};

use crate::configuration::{Gathered, Key, Problem, ServiceStorage};

pub(super) fn run(command: &ConfigCommand, session: &Session) -> Result<Answer, Failure> {
    match command {
        ConfigCommand::Check(arguments) => check(arguments, session),
        ConfigCommand::Explain(arguments) => explain(arguments, session),
        ConfigCommand::Reference => reference::run(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    environment: String,
    services: Vec<CheckedService>,
}

/// One service: what was chosen, each with the key and the source that chose it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckedService {
    service: &'static str,
    driver: &'static str,
    driver_source: String,
    connection_key: Option<String>,
    connection_source: Option<String>,
    object_store: Option<String>,
    object_store_source: Option<String>,
}

fn check(arguments: &ConfigurationArgs, session: &Session) -> Result<Answer, Failure> {
    let gathered = Gathered::from(arguments, &session.io.environment)?;
    let settings = gathered.resolved()?;
    let services = settings.services.iter();
    let services: Vec<CheckedService> = services.map(|one| checked(one, &gathered)).collect();
    let columns = ["service", "driver", "connection", "object-store", "source"];
    let column = |name: &str| Column::new(session.labels.text(&format!("column-{name}")));
    let mut table = Table::new(columns.map(column));
    for one in &services {
        let sources = [
            Some(&one.driver_source),
            one.connection_source.as_ref(),
            one.object_store_source.as_ref(),
        ];
        let mut sources: Vec<&str> = sources.into_iter().flatten().map(String::as_str).collect();
        sources.dedup();
        table.row([
            Cell::new(one.service),
            Cell::new(one.driver),
            Cell::maybe(one.connection_key.as_ref()),
            Cell::maybe(one.object_store.as_ref()),
            Cell::new(sources.join(", ")).tone(Tone::Faint),
        ]);
    }
    let environment = format!("{:?}", gathered.environment);
    let told = session.labels.format(
        "config-complete",
        &[("environment", environment.as_str().into())],
    );
    let value = Checked {
        environment,
        services,
    };
    Ok(Answer::new(&value)?.table(table).line("").line(told))
}

fn checked(one: &ServiceStorage, gathered: &Gathered) -> CheckedService {
    let source = |key: &str| gathered.raw.get(key).map(|said| said.source.to_string());
    let store = one
        .objects
        .as_ref()
        .map(|objects| objects.driver_key.as_str());
    let value = |key: &str| {
        gathered
            .raw
            .get(key)
            .map(|said| said.value.trim().to_owned())
    };
    CheckedService {
        service: one.service.id,
        driver: one.driver.as_str(),
        driver_source: source(&one.driver_key).unwrap_or_default(),
        connection_key: one.connection_key.clone(),
        connection_source: one.connection_source.as_ref().map(ToString::to_string),
        object_store: store.and_then(value),
        object_store_source: store.and_then(source),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    key: &'static str,
    about: String,
    accepts: String,
    default: Option<&'static str>,
    /// The weakest first; the last one counts.
    said: Vec<Said>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    source: String,
    /// Null where it is a secret.
    value: Option<String>,
    counts: bool,
}

fn explain(arguments: &ExplainArgs, session: &Session) -> Result<Answer, Failure> {
    let key = Key::find(&arguments.key)
        .ok_or_else(|| Problem::told(&[Problem::unknown_key(&arguments.key)]))?;
    let gathered = Gathered::from(&arguments.configuration, &session.io.environment)?;
    let story = gathered.raw.story(key.name);
    let said: Vec<Said> = story
        .iter()
        .enumerate()
        .map(|(index, said)| Said {
            source: said.source.to_string(),
            value: (!key.secret).then(|| said.value.clone()),
            counts: index + 1 == story.len(),
        })
        .collect();
    let labels = session.labels;
    let mut fields = vec![
        (labels.text("field-key"), Cell::new(key.name)),
        (labels.text("field-about"), Cell::new(key.about())),
        (labels.text("field-accepts"), Cell::new(key.accepts.text())),
        (labels.text("field-default"), Cell::maybe(key.default)),
    ];
    for one in &said {
        let hidden = labels.text("config-hidden");
        let value = one.value.as_deref().unwrap_or(&hidden);
        let label = if one.counts {
            "field-counts"
        } else {
            "field-overruled"
        };
        let text = format!("{value}  ({})", one.source);
        let tone = if one.counts {
            Tone::Normal
        } else {
            Tone::Faint
        };
        fields.push((labels.text(label), Cell::new(text).tone(tone)));
    }
    let answer = Answer::new(&Explained {
        key: key.name,
        about: key.about(),
        accepts: key.accepts.text(),
        default: key.default,
        said,
    })?;
    let answer = answer.table(Table::record(fields));
    Ok(match story.is_empty() {
        true => answer.line("").line(labels.text("config-unset")),
        false => answer,
    })
}
