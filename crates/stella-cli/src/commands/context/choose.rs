//! `stella context use`

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::contexts::Contexts;
use crate::failure::Failure;
use crate::label::label;
use crate::session::Session;

/// `stella context use`
#[derive(Debug, Args)]
pub struct UseArgs {
    /// The context to work with from now on.
    #[arg(value_name = "NAME", help = label("help-context-use-name"))]
    name: String,
}

pub(crate) fn run(arguments: &UseArgs, session: &Session) -> Result<Answer, Failure> {
    let name = arguments.name.as_str();
    let config_dir = session.io.environment.config_dir()?;
    let server = Contexts::update(&config_dir, |contexts| {
        contexts.make_current(name)?;
        Ok(contexts.choose(Some(name))?.1.server.clone())
    })?;
    let told = session.labels.format(
        "context-used",
        &[("name", name.into()), ("server", server.as_str().into())],
    );
    Ok(Answer::new(&json!({ "current": name, "server": server }))?.line(told))
}
