//! `stella evidence affected --offline`: which advisories cover versions of packages, in NDJSON
//! whatever `-o` says.
//!
//! A line an object, `{"ecosystem": …, "package": …, "version": …}`; it comes back with `ids`, and
//! with `undetermined` where an advisory could not be compared, or with `error`.

mod index;

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stella_canonical::json::from_slice;
use stella_matching::{Ecosystem, Verdict};

use crate::answer::Answer;
use crate::destination::Destination;
use crate::exit::ExitCode;
use crate::failure::{Failure, Fault};
use crate::io::Io;
use crate::kind::{AFFECTED_INCOMPLETE, AFFECTED_OFFLINE_ONLY, NO_ADVISORIES};
use crate::label::{filled, label};
use crate::lines::{self, Line};
use crate::plain::escaped;
use crate::session::Session;
use index::Index;

/// Many times the longest question there can be.
const LONGEST: usize = 64 * 1024;

/// `stella evidence affected`
#[derive(Debug, Args)]
pub struct AffectedArgs {
    /// Files and folders of advisories.
    #[arg(required = true, value_name = "PATH", help = label("help-evidence-affected-paths"))]
    paths: Vec<PathBuf>,
    /// Without a server.
    #[arg(long, help = label("help-evidence-affected-offline"))]
    offline: bool,
}

/// What a line asks; whatever else it says comes back.
#[derive(Deserialize)]
struct Question {
    ecosystem: String,
    package: String,
    version: String,
}

pub(crate) fn run(arguments: &AffectedArgs, session: &mut Session) -> Result<Answer, Failure> {
    if !arguments.offline {
        return Err(Failure::of(&AFFECTED_OFFLINE_ONLY, &[]));
    }
    let (index, unread) = Index::read(&arguments.paths)?;
    if index.is_empty() && unread.is_empty() {
        let paths = arguments
            .paths
            .iter()
            .map(|path| path.display().to_string());
        let paths = paths.collect::<Vec<_>>().join(", ");
        return Err(Failure::of(&NO_ADVISORIES, &[("paths", &paths)]));
    }
    let Session { io, options, .. } = session;
    let Io { stdin, stdout, .. } = io;
    let mut run = Run {
        index,
        output: Destination::open(&mut **stdout, options.out.as_deref())?,
        bad: 0,
    };
    run.all_lines(stdin)?;
    run.finish(unread)
}

struct Run<'a> {
    index: Index,
    output: Destination<'a>,
    bad: u64,
}

impl Run<'_> {
    fn all_lines(&mut self, input: &mut lines::Input) -> Result<(), Failure> {
        let mut line = Vec::new();
        loop {
            match lines::read(input, &mut line, LONGEST, || self.output.flush())? {
                Line::End => return Ok(()),
                Line::TooLong => {
                    let limit = [("limit", LONGEST.to_string().into())];
                    self.refuse(Map::new(), filled("affected-line-long", &limit))?;
                    lines::skip_rest(input)?;
                }
                Line::Whole => self.line(&line)?,
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let mut object: Map<String, Value> = match from_slice(line) {
            Ok(object) => object,
            Err(error) => {
                let reason = [("reason", error.to_string().into())];
                return self.refuse(Map::new(), filled("affected-line-no-object", &reason));
            }
        };
        // What an earlier run said.
        for said in ["ids", "undetermined", "error"] {
            object.remove(said);
        }
        let asked = match Question::deserialize(&object) {
            Ok(asked) => asked,
            Err(error) => return self.refuse(object, error.to_string()),
        };
        let ecosystem = Ecosystem::from_osv(&asked.ecosystem);
        if matches!(ecosystem, Ecosystem::Unsupported(_)) && !self.index.names(&ecosystem) {
            let name = [("ecosystem", asked.ecosystem.into())];
            return self.refuse(object, filled("affected-ecosystem-unknown", &name));
        }
        let verdicts = self
            .index
            .verdicts(&ecosystem, &asked.package, &asked.version);
        let (mut ids, mut undetermined) = (Vec::new(), Vec::new());
        for (id, verdict) in verdicts {
            match verdict {
                Verdict::Affected { .. } => ids.push(id),
                Verdict::Undetermined { reason } => {
                    undetermined.push(json!({"id": id, "reason": reason}));
                }
                Verdict::NotAffected => {}
            }
        }
        object.insert("ids".to_owned(), json!(ids));
        if !undetermined.is_empty() {
            object.insert("undetermined".to_owned(), undetermined.into());
        }
        self.tell(object)
    }

    fn refuse(&mut self, mut object: Map<String, Value>, why: String) -> Result<(), Failure> {
        self.bad += 1;
        object.insert("error".to_owned(), why.into());
        self.tell(object)
    }

    fn tell(&mut self, object: Map<String, Value>) -> Result<(), Failure> {
        let line = escaped(&Value::Object(object).to_string()) + "\n";
        self.output.put(line.as_bytes())
    }

    /// The lines are complete also where some could not be answered, so a file is made as well.
    fn finish(self, unread: Vec<Fault>) -> Result<Answer, Failure> {
        self.output.finish()?;
        if self.bad == 0 && unread.is_empty() {
            return Ok(Answer::done(ExitCode::Ok));
        }
        let (lines, documents) = (self.bad.to_string(), unread.len().to_string());
        let values = [("lines", lines.as_str()), ("documents", &documents)];
        let mut failure = Failure::of(&AFFECTED_INCOMPLETE, &values);
        failure.errors = unread;
        Err(failure)
    }
}
