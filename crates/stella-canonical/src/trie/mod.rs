//! A set of digests named by one digest: a 16-ary trie over their hex digits.
//!
//! Every node is canonical JSON, kept under its own digest, in one of two shapes:
//!
//! ```json
//! {"digests":["sha256:00…","sha256:07…"]}
//! {"children":[{"count":301,"node":"sha256:5a…"},null,…]}
//! ```
//!
//! A leaf lists its digests in ascending order. A branch has exactly 16 children, one for each
//! hex digit at its depth (the root's depth is 0), `null` where no digest has that digit; `count`
//! is the number of digests below. A set of at most [`LEAF_MAX`] digests is a leaf and a greater
//! one a branch, at each depth, so a set has one form whatever the order in which it grew. The
//! empty set is the leaf without digests, and is never a child.
//!
//! Nodes never change, so sets share the parts they have in common, and adding k digests to n
//! writes O(k log n) nodes.

mod diff;
mod grow;
mod node;
mod walk;

use std::collections::BTreeMap;

pub use diff::{Difference, diff};
pub use grow::{build, update};
pub use walk::{contains, nodes, verify, walk};

use crate::Digest;

/// The greatest number of digests that a leaf holds.
pub const LEAF_MAX: usize = 256;
/// The greatest number of faults that [`verify`] tells of.
pub const FAULTS_MAX: usize = 100;

/// A set of digests, and the nodes that were written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trie {
    /// The digest of the root node, the name of the set.
    pub root: Digest,
    /// The number of digests in the set.
    pub count: u64,
    /// The nodes by their digest: all of them after [`build`], only new ones after [`update`].
    pub nodes: BTreeMap<Digest, Vec<u8>>,
}

/// Why a set could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrieError<E> {
    /// The store of nodes failed, or has no such node.
    #[error("loading node {node}: {source}")]
    Load {
        /// The node that was asked for.
        node: Digest,
        /// What the store said.
        source: E,
    },
    /// The bytes under a digest have another digest.
    #[error("node {node} holds other bytes, of digest {found}")]
    Altered {
        /// The node that was asked for.
        node: Digest,
        /// The digest of what was found.
        found: Digest,
    },
    /// The bytes have the right digest but are no node of a trie, or not one of this place.
    #[error("node {node} is not well formed: {reason}")]
    Malformed {
        /// The node.
        node: Digest,
        /// The rule that it breaks.
        reason: String,
    },
}

/// Runs the laws of the trie on arbitrary bytes; panics where one does not hold.
pub fn fuzz(data: &[u8]) {
    let digests = || data.chunks(2).map(Digest::of);
    let whole = build(digests());
    let half = digests().count() / 2;
    let mut grown = build(digests().skip(half));
    let load = |nodes: &BTreeMap<Digest, Vec<u8>>, digest: &Digest| {
        nodes.get(digest).cloned().ok_or("missing")
    };
    let added: Vec<Digest> = digests().take(half).collect();
    let Ok(step) = update(&grown.root, &added, |digest| load(&grown.nodes, digest)) else {
        panic!("cannot update")
    };
    grown.nodes.extend(step.nodes);
    assert_eq!(
        (step.root, step.count),
        (whole.root, whole.count),
        "the order of growth shows"
    );
    assert_eq!(
        verify(&step.root, |digest| load(&grown.nodes, digest)).map(|all| all.len() as u64),
        Ok(whole.count)
    );
    // Bytes of a stranger as a node: refused or read, never a panic.
    let _ = verify(&Digest::of(data), |_| Ok::<_, &str>(data.to_vec()));
}

#[cfg(test)]
mod tests;
