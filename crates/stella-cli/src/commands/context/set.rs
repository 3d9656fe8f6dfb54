//! `stella context set`

use std::path::{PathBuf, absolute};

use clap::Args;
use stella_api::TenantId;
use stella_client::is_server_url;

use crate::answer::Answer;
use crate::contexts::{Context, Contexts};
use crate::failure::Failure;
use crate::kind::CONFIG_NOT_WRITTEN;
use crate::label::label;
use crate::session::Session;

/// `stella context set`
#[derive(Debug, Args)]
pub struct SetArgs {
    /// Its name.
    #[arg(value_name = "NAME", help = label("help-context-use-name"))]
    name: String,
    /// The server.
    #[arg(long, value_name = "URL", value_parser = server, help = label("help-context-set-server"))]
    server: String,
    /// The tenant.
    #[arg(long, value_name = "TENANT", help = label("help-context-set-tenant"))]
    tenant: TenantId,
    /// The client.
    #[arg(long, value_name = "CLIENT", help = label("help-context-set-client"))]
    client: String,
    /// Its key.
    #[arg(long, value_name = "FILE", help = label("help-context-set-key-file"))]
    key_file: PathBuf,
}

/// A server's URL without a slash at its end.
fn server(text: &str) -> Result<String, String> {
    match is_server_url(text) {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err(label("server-url-invalid")),
    }
}

pub(crate) fn run(arguments: SetArgs, session: &Session) -> Result<Answer, Failure> {
    let config_dir = session.io.environment.config_dir()?;
    // A path as it is typed starts where it is typed, one in the file at the file's folder.
    let key_file = absolute(&arguments.key_file).map_err(|error| {
        let path = arguments.key_file.display().to_string();
        let values = [("path", path.as_str()), ("reason", &error.to_string())];
        Failure::of(&CONFIG_NOT_WRITTEN, &values)
    })?;
    let context = Context {
        server: arguments.server,
        tenant: arguments.tenant.to_string(),
        client: Some(arguments.client),
        key_file: Some(key_file),
    };
    let name = arguments.name.as_str();
    Contexts::update(&config_dir, |contexts| {
        contexts.upsert(name, context.clone())
    })?;
    let values = [
        ("name", name.into()),
        ("server", context.server.as_str().into()),
    ];
    let told = session.labels.format("context-set", &values);
    Ok(Answer::new(&context)?.line(told))
}
