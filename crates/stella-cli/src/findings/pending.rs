//! What was taken in and is in no list of findings yet: without it an empty one reads as an
//! all-clear.

use serde::Serialize;
use stella_api::findings::{FindingPage, Stuck};

use crate::exit::ExitCode;
use crate::id::short;
use crate::label::filled;
use crate::session::Session;

/// Documents that a server keeps and has not derived from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pending {
    /// How many.
    #[serde(rename = "pending")]
    pub(crate) count: u64,
    /// One of them that it tried and could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stuck: Option<Stuck>,
}

impl From<&FindingPage> for Pending {
    fn from(page: &FindingPage) -> Self {
        Self {
            count: page.pending,
            stuck: page.stuck.clone(),
        }
    }
}

impl Pending {
    /// On standard error, so that it is read whatever the format of the list is.
    pub(crate) fn tell(&self, session: &mut Session) {
        let count = ("count", self.count.into());
        match &self.stuck {
            _ if self.count == 0 => {}
            None => session.tell(&filled("findings-pending", &[count])),
            Some(stuck) => {
                let values = [
                    count,
                    ("code", stuck.code.as_str().into()),
                    ("reason", stuck.detail.as_str().into()),
                    ("id", short(&stuck.document).into()),
                ];
                session.tell(&filled("findings-stuck", &values));
            }
        }
    }

    /// What waits comes by itself; what is stuck does not.
    pub(crate) fn exit(&self) -> ExitCode {
        self.stuck.as_ref().map_or(ExitCode::Ok, |stuck| {
            stuck
                .code
                .parse()
                .map_or(ExitCode::Unexpected, ExitCode::of_code)
        })
    }
}
