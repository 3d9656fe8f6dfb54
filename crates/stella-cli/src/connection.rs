//! From a context to a client of its server, with a token for just what a verb does.

use std::path::Path;

use stella_api::Scope;
use stella_client::{Client, Credentials, HttpClient};
use stella_signing::SigningKey;

use crate::contexts::{Context, Contexts};
use crate::failure::Failure;
use crate::kind::{CONTEXT_INCOMPLETE, KEY_FILE_OPEN_TO_OTHERS, KEY_FILE_UNREADABLE};
use crate::session::Session;

/// A client of the chosen context's server. Nothing is sent before its first call.
///
/// # Errors
/// There is no context, or it is not complete, or its key cannot be used.
pub fn connect(session: &Session, scopes: &[Scope]) -> Result<Client, Failure> {
    let config_dir = session.io.environment.config_dir()?;
    let contexts = Contexts::load(&config_dir)?;
    let (name, context) = contexts.choose(session.options.context.as_deref())?;
    connect_to(&config_dir, name, context, scopes)
}

/// The same for a context that is at hand.
///
/// # Errors
/// The context is not complete, or its key cannot be used.
pub fn connect_to(
    config_dir: &Path,
    name: &str,
    context: &Context,
    scopes: &[Scope],
) -> Result<Client, Failure> {
    let incomplete = || Failure::of(&CONTEXT_INCOMPLETE, &[("name", name)]);
    let client_id = context.client.clone().ok_or_else(incomplete)?;
    let key_file = context.key_file.as_ref().ok_or_else(incomplete)?;
    let credentials = Credentials {
        client_id,
        tenant: Some(context.tenant.clone()),
        key: load_key(&config_dir.join(key_file))?,
    };
    let http = HttpClient::new(&context.server)?;
    Ok(stella_client::Session::open(http, credentials, scopes)?)
}

/// Reads a client's key.
///
/// # Errors
/// `KEY_FILE_UNREADABLE`; `KEY_FILE_OPEN_TO_OTHERS` where anybody but its owner may read it.
pub fn load_key(path: &Path) -> Result<SigningKey, Failure> {
    let shown = path.display().to_string();
    let unreadable = |reason: &dyn std::fmt::Display| {
        let reason = reason.to_string();
        Failure::of(
            &KEY_FILE_UNREADABLE,
            &[("path", &shown), ("reason", &reason)],
        )
    };
    if stella_signing::open_to_others(path).map_err(|error| unreadable(&error))? {
        return Err(Failure::of(&KEY_FILE_OPEN_TO_OTHERS, &[("path", &shown)]));
    }
    SigningKey::load(path).map_err(|error| unreadable(&error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn context(key_file: Option<std::path::PathBuf>) -> Context {
        Context {
            server: "http://127.0.0.1:1".into(),
            tenant: "local".into(),
            client: Some("cli".into()),
            key_file,
        }
    }

    #[test]
    fn a_key_is_used_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/local.pem");
        SigningKey::generate().unwrap().store(&path).unwrap();
        let complete = context(Some("keys/local.pem".into()));
        connect_to(folder.path(), "local", &complete, &[Scope::FindingsRead]).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let failure = load_key(&path).unwrap_err();
            assert_eq!(failure.code, "KEY_FILE_OPEN_TO_OTHERS");
        }
    }

    #[test]
    fn a_key_that_is_not_there_or_no_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/x.pem");
        assert_eq!(load_key(&path).unwrap_err().code, "KEY_FILE_UNREADABLE");
        crate::private_file::write(&path, b"no key").unwrap();
        assert_eq!(load_key(&path).unwrap_err().code, "KEY_FILE_UNREADABLE");
    }

    #[test]
    fn a_context_without_a_client_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let failure = connect_to(folder.path(), "local", &context(None), &[]).unwrap_err();
        assert_eq!(failure.code, "CONTEXT_INCOMPLETE");
    }
}
