//! A node, its bytes, and the checks that make bytes a node.

use serde::{Deserialize, Serialize};

use super::{LEAF_MAX, TrieError};
use crate::{Digest, canonical, json};

/// A branch's reference to a child: its digest and how many digests are below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Child {
    pub(super) count: u64,
    pub(super) node: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Node {
    #[serde(rename = "digests")]
    Leaf(Vec<Digest>),
    #[serde(rename = "children")]
    Branch(Box<[Option<Child>; 16]>),
}

/// The hex digit of a digest at a depth below 64.
pub(super) fn nibble(digest: &Digest, depth: usize) -> usize {
    let byte = digest.as_bytes()[depth / 2];
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

impl Node {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Leaf(digests) => digests.len() as u64,
            Self::Branch(children) => children
                .iter()
                .flatten()
                .fold(0, |sum, child| sum.saturating_add(child.count)),
        }
    }

    /// The digest and the bytes.
    pub(super) fn encode(&self) -> (Digest, Vec<u8>) {
        // Strings, and counts of things that exist: there is always a canonical form.
        let bytes = canonical(self).unwrap_or_default();
        (Digest::of(&bytes), bytes)
    }

    /// Loads a node and checks its digest, its encoding, its order and its size.
    pub(super) fn load<E>(
        digest: &Digest,
        load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    ) -> Result<Self, TrieError<E>> {
        let node = *digest;
        let bytes = load(digest).map_err(|source| TrieError::Load { node, source })?;
        let found = Digest::of(&bytes);
        if found != node {
            return Err(TrieError::Altered { node, found });
        }
        Self::decode(&bytes).map_err(|reason| TrieError::Malformed { node, reason })
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let node: Self = json::from_slice(bytes).map_err(|error| error.to_string())?;
        if node.encode().1 != bytes {
            return Err("not in canonical form".to_owned());
        }
        let leaf_sized = node.count() <= LEAF_MAX as u64;
        let reason = match &node {
            Self::Leaf(_) if !leaf_sized => "a leaf of too many digests",
            Self::Leaf(digests) if !digests.is_sorted_by(|a, b| a < b) => "digests out of order",
            Self::Branch(_) if leaf_sized => "a branch of too few digests",
            Self::Branch(children) if children.iter().flatten().any(|child| child.count == 0) => {
                "an empty child"
            }
            _ => return Ok(node),
        };
        Err(reason.to_owned())
    }

    /// Checks that a child holds as many digests as its branch says, and that all of a leaf's
    /// begin with the digits that lead to it.
    pub(super) fn check_place<E>(&self, at: &Child, prefix: &[usize]) -> Result<(), TrieError<E>> {
        let misplaced = |digest: &Digest| {
            prefix
                .iter()
                .enumerate()
                .any(|(depth, digit)| nibble(digest, depth) != *digit)
        };
        let reason = match self {
            _ if self.count() != at.count => "the branch above counts otherwise",
            Self::Leaf(digests) if digests.iter().any(misplaced) => "a digest of another branch",
            Self::Branch(_) if prefix.len() >= 64 => "deeper than a digest is long",
            _ => return Ok(()),
        };
        Err(TrieError::Malformed {
            node: at.node,
            reason: reason.to_owned(),
        })
    }
}
