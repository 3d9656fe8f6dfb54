//! Lines of bounded length from a stream.

use std::io::{self, BufRead as _, BufReader, Read};

use crate::failure::Failure;

/// Standard input as commands get it.
pub(crate) type Input = BufReader<Box<dyn Read + Send>>;

/// What a read of a line came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line, without its line break; the last one need not have one.
    Whole,
    /// Its first bytes, as many as the limit says; the rest is still in the stream.
    TooLong,
    /// There is no further line.
    End,
}

/// Reads a line of at most `limit` bytes into `line`, which it empties first. Before each read
/// that may wait, `before_waiting` is called, so that whoever waits for an answer gets it.
pub(crate) fn read(
    input: &mut Input,
    line: &mut Vec<u8>,
    limit: usize,
    mut before_waiting: impl FnMut() -> Result<(), Failure>,
) -> Result<Line, Failure> {
    line.clear();
    loop {
        if input.buffer().is_empty() {
            before_waiting()?;
        }
        let available = fill(input)?;
        if available.is_empty() {
            return Ok(if line.is_empty() {
                Line::End
            } else {
                Line::Whole
            });
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let room = limit - line.len();
        if part.len() > room {
            line.extend_from_slice(&part[..room]);
            input.consume(room);
            return Ok(Line::TooLong);
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Line::Whole);
        }
    }
}

/// Passes over what is left of a line.
pub(crate) fn skip_rest(input: &mut Input) -> Result<(), Failure> {
    loop {
        let available = fill(input)?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

fn fill(input: &mut Input) -> Result<&[u8], Failure> {
    // The borrow of a successful read cannot leave the loop, so it is asked for once more.
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::read(&error)),
        }
    }
    Ok(input.buffer())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn input(bytes: &'static [u8]) -> Input {
        // A small buffer, so that lines span several reads.
        BufReader::with_capacity(3, Box::new(bytes))
    }

    fn next(input: &mut Input, limit: usize) -> (Line, Vec<u8>) {
        let mut line = Vec::new();
        let result = read(input, &mut line, limit, || Ok(())).unwrap();
        (result, line)
    }

    #[test]
    fn lines_with_and_without_a_last_break() {
        for text in [&b"abcdef\n\ng\n"[..], b"abcdef\n\ng"] {
            let mut input = input(text);
            assert_eq!(next(&mut input, 6), (Line::Whole, b"abcdef".to_vec()));
            assert_eq!(next(&mut input, 6), (Line::Whole, Vec::new()));
            assert_eq!(next(&mut input, 6), (Line::Whole, b"g".to_vec()));
            assert_eq!(next(&mut input, 6), (Line::End, Vec::new()));
        }
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_read() {
        let mut input = input(b"abcdefgh\nij\n");
        assert_eq!(next(&mut input, 5), (Line::TooLong, b"abcde".to_vec()));
        skip_rest(&mut input).unwrap();
        assert_eq!(next(&mut input, 5), (Line::Whole, b"ij".to_vec()));
    }

    #[test]
    fn it_tells_before_it_waits() {
        let mut input = input(b"a\nb\nc\n");
        let mut waits = Vec::new();
        let mut line = Vec::new();
        for number in 0..4 {
            read(&mut input, &mut line, 9, || {
                waits.push(number);
                Ok(())
            })
            .unwrap();
        }
        // Reads bring `a\nb`, `\nc\n` and the end.
        assert_eq!(waits, [0, 1, 3]);
    }
}
