//! The verbs, a file each.

pub(crate) mod audit;
pub(crate) mod canon;
pub(crate) mod context;
pub(crate) mod cvss;
pub(crate) mod evidence;
pub(crate) mod findings;
pub(crate) mod replay;
pub(crate) mod score;
mod whoami;

use crate::answer::Answer;
use crate::arguments::{Command, ServerCommand};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) async fn run<S>(
    command: Command,
    session: &mut Session,
    server: S,
) -> Result<Answer, Failure>
where
    S: AsyncFnOnce(ServerCommand, &mut Session) -> Result<Answer, Failure>,
{
    match command {
        Command::Server(command) => server(command, session).await,
        Command::Context(command) => context::run(command, session),
        Command::Whoami => whoami::run(session).await,
        Command::Audit(command) => audit::run(command, session).await,
        Command::Evidence(command) => evidence::run(command, session).await,
        Command::Findings(command) => findings::run(command, session).await,
        Command::Score(command) => score::run(command, session).await,
        Command::Replay(command) => replay::run(command, session).await,
        Command::Canon(arguments) => canon::run(&arguments, session),
        Command::Cvss(arguments) => cvss::run(&arguments, session),
    }
}
