//! RFC 9457 problem documents.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error as it travels: RFC 9457 with our members `code`, `traceId`, `errors` and `hint`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `urn:stella:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, in the reader's language.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened here, in the reader's language.
    pub detail: String,
    /// The stable code, SCREAMING_SNAKE.
    #[schema(pattern = "^[A-Z][A-Z0-9_]*$")]
    pub code: String,
    /// The id under which the log tells more.
    pub trace_id: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Every single place that is wrong, not only the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemItem>,
}

/// One place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemItem {
    /// A JSON pointer (RFC 6901) into the body, or `header:Name`, `query:name`, `path:name`,
    /// `body` for the body as a whole.
    pub pointer: String,
    /// The stable code.
    pub code: String,
    /// What is wrong there.
    pub detail: String,
}
