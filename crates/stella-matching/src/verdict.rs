//! What is said of one version.

use serde::{Deserialize, Serialize};

/// Whether a version is affected, and what said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "verdict",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Verdict {
    /// The version is covered.
    Affected {
        /// What covers it.
        rule: Rule,
        /// Where the covering stretch begins, as published; absent where the version was listed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        introduced: Option<String>,
        /// The first version after the stretch that is not affected, as published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fixed: Option<String>,
        /// The last version of the stretch, as published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_affected: Option<String>,
    },
    /// The version was compared with all that is published and is not covered.
    NotAffected,
    /// The version could not be compared with all that is published.
    Undetermined {
        /// Why, in lower case.
        reason: String,
    },
}

/// The part of an advisory that covers a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// A range's events.
    Range,
    /// The list of versions.
    Version,
}
