//! `stella openapi`

use stella_cli::{Answer, Failure};

use super::failed;

pub(super) fn run() -> Result<Answer, Failure> {
    let text = crate::platform::openapi().map_err(failed)?;
    let document: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| failed(error.into()))?;
    Answer::new(&document)
}
