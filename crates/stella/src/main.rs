//! `stella`: the command line and the server, in one binary.

// Optimised, the futures of all verbs lie within one another deeper than the compiler looks.
#![recursion_limit = "256"]

use std::process::ExitCode;

use stella_cli::Io;

#[tokio::main]
async fn main() -> ExitCode {
    let exit = stella_cli::run(std::env::args_os(), Io::system(), stella::commands::run).await;
    exit.into()
}
