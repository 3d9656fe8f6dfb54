//! The streams and the terminal a command talks to, given to it so that tests need no process.

use std::io::{self, BufReader, BufWriter, IsTerminal as _, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::environment::Environment;

/// What a command reads from and writes to.
pub struct Io {
    /// Standard input. The type says that it is buffered: streaming commands ask whether a
    /// read would wait.
    pub stdin: BufReader<Box<dyn Read + Send>>,
    /// Standard output, buffered; whoever writes to it flushes it.
    pub stdout: Box<dyn Write + Send>,
    /// Standard error.
    pub stderr: Box<dyn Write + Send>,
    /// The width in columns where standard output is a terminal.
    pub terminal: Option<u16>,
    /// Whether standard error is a terminal: progress is shown only there.
    pub stderr_terminal: bool,
    /// Whether standard input is a terminal: questions are asked only then.
    pub stdin_terminal: bool,
    /// The variables of the environment.
    pub environment: Environment,
}

impl Io {
    /// Those of the process.
    #[must_use]
    pub fn system() -> Self {
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
        Self {
            stdin: BufReader::with_capacity(64 * 1024, Box::new(io::stdin())),
            stdout: Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            stderr: Box::new(io::stderr()),
            terminal: io::stdout().is_terminal().then(|| width.unwrap_or(80)),
            stderr_terminal: io::stderr().is_terminal(),
            stdin_terminal: io::stdin().is_terminal(),
            environment: Environment::system(),
        }
    }

    /// For tests: a given standard input, no terminal, an empty environment, and what is
    /// written to standard output and standard error.
    #[must_use]
    pub fn captured(stdin: impl Into<Vec<u8>>) -> (Self, Captured, Captured) {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let io = Self {
            stdin: BufReader::new(Box::new(io::Cursor::new(stdin.into()))),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            terminal: None,
            stderr_terminal: false,
            stdin_terminal: false,
            environment: Environment::default(),
        };
        (io, stdout, stderr)
    }
}

/// Bytes written by a command under test.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// All that was written so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The same as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
