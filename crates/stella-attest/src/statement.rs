//! in-toto Statement v1: what is claimed, of which content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stella_canonical::{CanonicalError, Digest, canonical};

use crate::dsse::Unsigned;

/// The DSSE payload type of an in-toto Statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A claim about one content (in-toto Attestation Framework, Statement v1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement<P> {
    /// `https://in-toto.io/Statement/v1`.
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// The URI of the predicate's type.
    pub predicate_type: String,
    /// The claim.
    pub predicate: P,
}

/// A content that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    pub name: String,
    /// Its digests: algorithm to lower-case hex.
    pub digest: BTreeMap<String, String>,
}

impl<P> Statement<P> {
    /// A statement about one content.
    #[must_use]
    pub fn new(name: &str, digest: &Digest, predicate_type: &str, predicate: P) -> Self {
        Self {
            statement_type: TYPE.to_owned(),
            subject: vec![Subject {
                name: name.to_owned(),
                digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
            }],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// Whether it is a Statement v1 of this predicate about this content.
    #[must_use]
    pub fn is_about(&self, digest: &Digest, predicate_type: &str) -> bool {
        let hex = digest.hex();
        self.statement_type == TYPE
            && self.predicate_type == predicate_type
            && self
                .subject
                .iter()
                .any(|subject| subject.digest.get("sha256") == Some(&hex))
    }
}

impl<P: Serialize> Statement<P> {
    /// The canonical bytes, ready to be signed.
    ///
    /// # Errors
    /// The predicate has no canonical form.
    pub fn unsigned(&self) -> Result<Unsigned, CanonicalError> {
        Ok(Unsigned::new(PAYLOAD_TYPE, canonical(self)?))
    }
}
