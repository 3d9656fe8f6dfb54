//! Building a set, and adding to one.

use std::collections::BTreeMap;

use super::node::{Child, Node, nibble};
use super::{LEAF_MAX, Trie, TrieError};
use crate::Digest;

/// Builds the set of the given digests, in whatever order and however often each comes.
pub fn build(digests: impl IntoIterator<Item = Digest>) -> Trie {
    let digests = sorted(digests.into_iter().collect());
    let mut nodes = BTreeMap::new();
    let Child { count, node: root } = build_below(&digests, 0, &mut nodes);
    Trie { root, count, nodes }
}

/// Adds digests to a set; those that are in it already change nothing.
///
/// The answer holds only nodes that the set did not have. `load` gives the bytes of a node.
///
/// # Errors
/// Where a node on the way cannot be loaded, is altered or is not well formed.
pub fn update<E>(
    root: &Digest,
    added: &[Digest],
    mut load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
) -> Result<Trie, TrieError<E>> {
    let added = sorted(added.to_vec());
    let count = Node::load(root, &mut load)?.count();
    let mut growth = Growth {
        load,
        nodes: BTreeMap::new(),
        prefix: Vec::new(),
    };
    let Child { count, node: root } = growth.add(Child { count, node: *root }, &added)?;
    Ok(Trie {
        root,
        count,
        nodes: growth.nodes,
    })
}

fn sorted(mut digests: Vec<Digest>) -> Vec<Digest> {
    digests.sort_unstable();
    digests.dedup();
    digests
}

fn put(node: &Node, nodes: &mut BTreeMap<Digest, Vec<u8>>) -> Child {
    let (digest, bytes) = node.encode();
    nodes.insert(digest, bytes);
    Child {
        count: node.count(),
        node: digest,
    }
}

fn build_below(digests: &[Digest], depth: usize, nodes: &mut BTreeMap<Digest, Vec<u8>>) -> Child {
    // Digests that differ part at digit 64 at the latest, so this ends.
    if digests.len() <= LEAF_MAX {
        return put(&Node::Leaf(digests.to_vec()), nodes);
    }
    let mut children = [None; 16];
    for part in by_digit(digests, depth) {
        children[nibble(&part[0], depth)] = Some(build_below(part, depth + 1, nodes));
    }
    put(&Node::Branch(Box::new(children)), nodes)
}

/// Sorted digests that agree up to a depth, cut where the digit at that depth changes.
pub(super) fn by_digit(digests: &[Digest], depth: usize) -> impl Iterator<Item = &[Digest]> {
    digests.chunk_by(move |a, b| nibble(a, depth) == nibble(b, depth))
}

struct Growth<L> {
    load: L,
    nodes: BTreeMap<Digest, Vec<u8>>,
    prefix: Vec<usize>,
}

impl<E, L: FnMut(&Digest) -> Result<Vec<u8>, E>> Growth<L> {
    fn add(&mut self, at: Child, added: &[Digest]) -> Result<Child, TrieError<E>> {
        let node = Node::load(&at.node, &mut self.load)?;
        node.check_place(&at, &self.prefix)?;
        let depth = self.prefix.len();
        let mut children = match node {
            Node::Leaf(mut digests) => {
                digests.extend_from_slice(added);
                let digests = sorted(digests);
                let unchanged = digests.len() as u64 == at.count;
                return Ok(if unchanged {
                    at
                } else {
                    build_below(&digests, depth, &mut self.nodes)
                });
            }
            Node::Branch(children) => *children,
        };
        let before = children;
        for part in by_digit(added, depth) {
            let digit = nibble(&part[0], depth);
            children[digit] = Some(match children[digit] {
                None => build_below(part, depth + 1, &mut self.nodes),
                Some(child) => {
                    self.prefix.push(digit);
                    let child = self.add(child, part)?;
                    self.prefix.pop();
                    child
                }
            });
        }
        Ok(if children == before {
            at
        } else {
            put(&Node::Branch(Box::new(children)), &mut self.nodes)
        })
    }
}
