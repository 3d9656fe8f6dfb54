//! `stella canon`: JSON to its canonical bytes (RFC 8785), in one format whatever `-o` says.
//!
//! The bytes are exact also on a terminal: they are what is digested and signed.

use std::io::Read as _;

use clap::Args;
use stella_canonical::{JsonError, canonicalize};

use crate::answer::Answer;
use crate::destination::Destination;
use crate::exit::ExitCode;
use crate::failure::{Failure, Place};
use crate::io::Io;
use crate::kind::INPUT_TOO_LARGE;
use crate::label::label;
use crate::lines::{self, Line};
use crate::session::Session;

/// `stella canon`
#[derive(Debug, Args)]
pub struct CanonArgs {
    /// One value a line instead of one value.
    #[arg(long, help = label("help-canon-lines"))]
    lines: bool,
    /// The largest value that is read, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(1..), help = label("help-canon-max-bytes"))]
    max_bytes: u32,
}

pub(crate) fn run(arguments: &CanonArgs, session: &mut Session) -> Result<Answer, Failure> {
    let Session { io, options, .. } = session;
    let Io { stdin, stdout, .. } = io;
    let mut output = Destination::open(&mut **stdout, options.out.as_deref())?;
    if arguments.lines {
        by_line(stdin, &mut output, arguments.max_bytes)?;
    } else {
        output.put(&whole(stdin, arguments.max_bytes)?)?;
    }
    output.finish()?;
    Ok(Answer::done(ExitCode::Ok))
}

fn whole(input: &mut lines::Input, max_bytes: u32) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    input
        .take(u64::from(max_bytes) + 1)
        .read_to_end(&mut text)
        .map_err(|error| Failure::read(&error))?;
    if text.len() as u64 > u64::from(max_bytes) {
        return Err(too_large(max_bytes));
    }
    canonicalize(&text).map_err(|error| refused(&error, 0))
}

/// Stops at the first line that is not JSON: what follows would no longer stand beside its
/// source.
fn by_line(
    input: &mut lines::Input,
    output: &mut Destination<'_>,
    max_bytes: u32,
) -> Result<(), Failure> {
    let mut text = Vec::new();
    for before in 0.. {
        match lines::read(input, &mut text, max_bytes as usize, || output.flush())? {
            Line::End => break,
            Line::TooLong => {
                let place = Place {
                    line: before + 1,
                    column: u64::from(max_bytes) + 1,
                    pointer: None,
                };
                return Err(too_large(max_bytes).at(place));
            }
            Line::Whole => {}
        }
        let mut line = canonicalize(&text).map_err(|error| refused(&error, before))?;
        line.push(b'\n');
        output.put(&line)?;
    }
    Ok(())
}

fn refused(error: &JsonError, lines_before: u64) -> Failure {
    let failure = Failure::told(error.code, ExitCode::InvalidInput, error.message.clone());
    if error.line == 0 {
        return failure;
    }
    let line = lines_before + error.line as u64;
    failure.at(Place {
        line,
        column: error.column as u64,
        pointer: Some(error.pointer.clone()),
    })
}

fn too_large(max_bytes: u32) -> Failure {
    Failure::of(&INPUT_TOO_LARGE, &[("limit", &max_bytes.to_string())])
}
