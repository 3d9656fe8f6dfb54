//! `stella cvss`: vectors to scores, in one format whatever `-o` says.
//!
//! A line a vector: `vector<TAB>score<TAB>severity`, or `vector<TAB>error:CODE`.

use clap::Args;
use stella_scoring::cvss::{Severity, Vector};

use crate::answer::Answer;
use crate::destination::Destination;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::io::Io;
use crate::kind::CVSS_INVALID;
use crate::label::label;
use crate::lines::{self, Line};
use crate::plain::plain;
use crate::session::Session;

/// Many times the longest vector there can be; of a longer line only this much is repeated.
const LONGEST: usize = 4096;
const TOO_LONG: &str = "CVSS_TOO_LONG";

/// `stella cvss`
#[derive(Debug, Args)]
pub struct CvssArgs {
    /// Vectors; none means standard input.
    #[arg(value_name = "VECTOR", help = label("help-cvss-vectors"))]
    vectors: Vec<String>,
}

pub(crate) fn run(arguments: &CvssArgs, session: &mut Session) -> Result<Answer, Failure> {
    let Session { io, options, .. } = session;
    let Io { stdin, stdout, .. } = io;
    let mut run = Run {
        output: Destination::open(&mut **stdout, options.out.as_deref())?,
        total: 0,
        bad: 0,
    };
    if arguments.vectors.is_empty() {
        run.all_lines(stdin)?;
    } else {
        for vector in &arguments.vectors {
            run.score(vector)?;
        }
    }
    run.finish()
}

struct Run<'a> {
    output: Destination<'a>,
    total: u64,
    bad: u64,
}

impl Run<'_> {
    fn all_lines(&mut self, input: &mut lines::Input) -> Result<(), Failure> {
        let mut line = Vec::new();
        loop {
            match lines::read(input, &mut line, LONGEST, || self.output.flush())? {
                Line::End => return Ok(()),
                Line::TooLong => {
                    self.refuse(&String::from_utf8_lossy(&line), TOO_LONG)?;
                    lines::skip_rest(input)?;
                }
                Line::Whole => {
                    let text = line.strip_suffix(b"\r").unwrap_or(&line);
                    self.score(&String::from_utf8_lossy(text))?;
                }
            }
        }
    }

    fn score(&mut self, text: &str) -> Result<(), Failure> {
        match Vector::parse(text) {
            Ok(vector) => self.tell(&format!(
                "{text}\t{}\t{}\n",
                vector.score(),
                word(vector.severity())
            )),
            Err(error) => self.refuse(text, error.code.as_str()),
        }
    }

    /// A text that is no vector may hold anything, also the tab that parts the fields.
    fn refuse(&mut self, text: &str, code: &str) -> Result<(), Failure> {
        self.bad += 1;
        self.tell(&format!("{}\terror:{code}\n", plain(text)))
    }

    fn tell(&mut self, line: &str) -> Result<(), Failure> {
        self.total += 1;
        self.output.put(line.as_bytes())
    }

    /// The lines are complete also where some vectors were bad, so a file is made as well.
    fn finish(self) -> Result<Answer, Failure> {
        self.output.finish()?;
        if self.bad == 0 {
            return Ok(Answer::done(ExitCode::Ok));
        }
        Err(Failure::of(
            &CVSS_INVALID,
            &[
                ("bad", &self.bad.to_string()),
                ("total", &self.total.to_string()),
            ],
        ))
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "None",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}
