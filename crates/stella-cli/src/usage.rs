//! From words on a command line to arguments, or to help, or to what is wrong with them.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, ValueEnum as _};

use crate::answer::Format;
use crate::arguments::{Arguments, ColorChoice};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::io::Io;
use crate::kind::USAGE;
use crate::label::label;
use crate::plain::{is_harmless, plain};
use crate::session::coloured;

/// Reads the command line; where it asks for help or is wrong, says so and gives the exit code.
pub(crate) fn read(words: &[OsString], io: &mut Io) -> Result<Arguments, ExitCode> {
    let width = io.terminal.map_or(100, usize::from);
    let command = Arguments::command().term_width(width.min(100));
    let matches = command.try_get_matches_from(words);
    matches
        .and_then(|matches| Arguments::from_arg_matches(&matches))
        .map_err(|error| tell(&error, words, io))
}

fn tell(error: &clap::Error, words: &[OsString], io: &mut Io) -> ExitCode {
    let help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let color = option(words, "--color", "--color")
        .and_then(|word| ColorChoice::from_str(&word, true).ok());
    let terminal = if help {
        io.terminal.is_some()
    } else {
        io.stderr_terminal
    };
    let harmless = words
        .iter()
        .all(|word| is_harmless(&word.to_string_lossy()));
    let text = if harmless && coloured(color.unwrap_or_default(), terminal, &io.environment) {
        error.render().ansi().to_string()
    } else {
        // Clap repeats words as they were given.
        let text = error.render().to_string();
        text.lines()
            .map(|line| plain(line).into_owned() + "\n")
            .collect()
    };
    let format =
        option(words, "--output", "-o").and_then(|word| Format::from_str(&word, true).ok());
    let (stream, text) = match format {
        _ if help => (&mut io.stdout, text),
        None | Some(Format::Table) => (&mut io.stderr, text),
        Some(_) => (&mut io.stderr, as_json(error)),
    };
    // Nobody can be told that telling failed.
    let _ = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
    if help { ExitCode::Ok } else { USAGE.exit }
}

/// An option's value, for the words that clap could not read as a whole.
fn option(words: &[OsString], long: &str, short: &str) -> Option<String> {
    let mut words = words
        .iter()
        .skip(1)
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == long || word == short {
            return words.next().map(str::to_owned);
        }
        let rest = word
            .strip_prefix(long)
            .and_then(|rest| rest.strip_prefix('='));
        let attached = || {
            word.strip_prefix(short)
                .filter(|_| short.len() == 2)
                .map(|rest| rest.trim_start_matches('='))
        };
        if let Some(value) = rest.or_else(attached) {
            return Some(value.to_owned());
        }
    }
    None
}

/// Clap's text is `error: what`, then tips, the usage and where to find help, parted by empty
/// lines.
fn as_json(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut paragraphs = text
        .split("\n\n")
        .map(|paragraph| plain(paragraph.trim()).into_owned());
    let missing = [
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ErrorKind::MissingSubcommand,
    ];
    let what = if missing.contains(&error.kind()) {
        label("usage-no-command")
    } else {
        paragraphs.next().unwrap_or_default()
    };
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    let usage =
        paragraphs.find_map(|paragraph| paragraph.strip_prefix("Usage: ").map(str::to_owned));
    let usage = usage.unwrap_or_else(|| "stella".to_owned());
    let verb: Vec<&str> = usage
        .split(' ')
        .take_while(|word| !word.starts_with(['[', '<', '-']))
        .collect();
    Failure::of(&USAGE, &[("reason", what)])
        .hint(format!("{} --help", verb.join(" ")))
        .json()
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_words_that_are_wrong() {
        let find = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            option(&words, "--output", "-o")
        };
        assert_eq!(
            find(&["stella", "-o", "json", "bad"]).as_deref(),
            Some("json")
        );
        assert_eq!(find(&["stella", "bad", "-ojson"]).as_deref(), Some("json"));
        assert_eq!(
            find(&["stella", "bad", "--output=yaml"]).as_deref(),
            Some("yaml")
        );
        assert_eq!(find(&["stella", "bad", "--out", "json"]), None);
        assert_eq!(find(&["stella", "bad", "--", "-o", "json"]), None);
    }
}
