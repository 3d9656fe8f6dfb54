//! Wire types of ordered logs: what a checkpoint says of one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a log ends: what the sealer signs, as the predicate of an in-toto Statement whose subject
/// is the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The schema that holds it: two services have logs of one name. Those of before it was told have
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Whose log.
    pub tenant: String,
    /// The log's name.
    pub log: String,
    /// How many entries it has; that is also the position of the last.
    pub size: u64,
    /// The root of the Merkle tree over all of them (RFC 6962).
    pub root: String,
    /// The hash of the last entry, to which the next is chained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}
