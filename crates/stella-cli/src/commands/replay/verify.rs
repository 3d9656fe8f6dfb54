//! `stella replay verify`

use super::ReplayArgs;
use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::replays::{replay, verdict};
use crate::scopes;
use crate::session::Session;

pub(crate) async fn run(arguments: &ReplayArgs, session: &mut Session) -> Result<Answer, Failure> {
    let client = connect(session, scopes::REPLAY)?;
    verdict(&replay(&client, &arguments.what).await?)
}
