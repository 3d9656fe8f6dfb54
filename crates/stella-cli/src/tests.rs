//! Whole command lines over byte buffers: what is printed where, and how it ends.

use std::ffi::OsString;

use crate::arguments::Arguments;
use crate::environment::Environment;
use crate::{Answer, Failure, Io, ServerCommand, Session, run};

mod affected;
mod canon;
mod context;
mod cvss;
mod help;
mod replay;
mod server;
mod usage;

/// What one run left behind.
struct Ran {
    exit: u8,
    stdout: String,
    stderr: String,
}

struct Given {
    io: Io,
    stdout: crate::io::Captured,
    stderr: crate::io::Captured,
}

fn given(stdin: impl Into<Vec<u8>>) -> Given {
    let (io, stdout, stderr) = Io::captured(stdin);
    Given { io, stdout, stderr }
}

impl Given {
    fn terminal(mut self, width: u16) -> Self {
        self.io.terminal = Some(width);
        self
    }

    fn environment<const N: usize>(mut self, variables: [(&str, &str); N]) -> Self {
        self.io.environment = Environment::of(variables);
        self
    }

    async fn run(self, line: &str) -> Ran {
        self.run_with(
            line,
            async |command: ServerCommand, _: &mut Session| -> Result<Answer, Failure> {
                panic!("not a server command: {command:?}")
            },
        )
        .await
    }

    async fn run_with<S>(self, line: &str, server: S) -> Ran
    where
        S: AsyncFnOnce(ServerCommand, &mut Session) -> Result<Answer, Failure>,
    {
        let words = std::iter::once("stella")
            .chain(line.split_whitespace())
            .map(OsString::from);
        let exit = run(words, self.io, server).await;
        Ran {
            exit: exit.into(),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }
}
