//! Reading a set: all of it, or whether one digest is in it.

use super::TrieError;
use super::node::{Child, Node, nibble};
use crate::Digest;

/// Visits every digest of a set in ascending order, checking each node's digest, shape, count
/// and place on the way.
///
/// # Errors
/// At the first node that cannot be loaded, is altered or is not well formed; what was visited
/// before it stays visited.
pub fn walk<E>(
    root: &Digest,
    mut load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    mut visit: impl FnMut(Digest),
) -> Result<(), TrieError<E>> {
    let count = Node::load(root, &mut load)?.count();
    walk_below(
        &Child { count, node: *root },
        &mut Vec::new(),
        &mut load,
        &mut visit,
    )
}

/// Reads all digests of a set in ascending order, checked as [`walk`] does.
///
/// # Errors
/// As [`walk`].
pub fn verify<E>(
    root: &Digest,
    load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
) -> Result<Vec<Digest>, TrieError<E>> {
    let mut digests = Vec::new();
    walk(root, load, |digest| digests.push(digest))?;
    Ok(digests)
}

/// Tells whether a digest is in a set, reading only the nodes that lead to it.
///
/// # Errors
/// Where one of these nodes cannot be loaded, is altered or is not well formed.
pub fn contains<E>(
    root: &Digest,
    digest: &Digest,
    mut load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
) -> Result<bool, TrieError<E>> {
    let mut node = Node::load(root, &mut load)?;
    let mut prefix = Vec::new();
    loop {
        let children = match node {
            Node::Leaf(digests) => return Ok(digests.binary_search(digest).is_ok()),
            Node::Branch(children) => children,
        };
        let digit = nibble(digest, prefix.len());
        let Some(child) = children[digit] else {
            return Ok(false);
        };
        prefix.push(digit);
        node = Node::load(&child.node, &mut load)?;
        node.check_place(&child, &prefix)?;
    }
}

pub(super) fn walk_below<E>(
    at: &Child,
    prefix: &mut Vec<usize>,
    load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    visit: &mut impl FnMut(Digest),
) -> Result<(), TrieError<E>> {
    let node = Node::load(&at.node, load)?;
    node.check_place(at, prefix)?;
    let children = match node {
        Node::Leaf(digests) => {
            digests.into_iter().for_each(visit);
            return Ok(());
        }
        Node::Branch(children) => children,
    };
    for (digit, child) in children.iter().enumerate() {
        let Some(child) = child else { continue };
        prefix.push(digit);
        walk_below(child, prefix, load, visit)?;
        prefix.pop();
    }
    Ok(())
}
