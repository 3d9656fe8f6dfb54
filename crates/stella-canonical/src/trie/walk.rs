//! Reading a set: all of it, or whether one digest is in it.

use std::collections::BTreeSet;

use super::node::{Child, Node, nibble};
use super::{FAULTS_MAX, TrieError};
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
    walk_from(root, &mut load, &mut visit, &mut Err)
}

/// Reads all digests of a set in ascending order, checked as [`walk`] does.
///
/// # Errors
/// Every node that cannot be loaded, is altered or is not well formed, in the order of the
/// digests below them; of more than [`FAULTS_MAX`] the first ones. What is below such a node is
/// not looked at.
pub fn verify<E>(
    root: &Digest,
    mut load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
) -> Result<Vec<Digest>, Vec<TrieError<E>>> {
    let (mut digests, mut faults) = (Vec::new(), Vec::new());
    let walked = walk_from(
        root,
        &mut load,
        &mut |digest| digests.push(digest),
        &mut |fault| {
            if faults.len() + 1 == FAULTS_MAX {
                return Err(fault);
            }
            faults.push(fault);
            Ok(())
        },
    );
    faults.extend(walked.err());
    if faults.is_empty() {
        Ok(digests)
    } else {
        Err(faults)
    }
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

/// Gathers the digests of all nodes of a set. A node that is gathered already is not read again,
/// nor is what is below it, so that many sets cost what they do not share.
///
/// # Errors
/// At the first node that cannot be loaded, is altered or is not well formed; what was gathered
/// then says nothing.
pub fn nodes<E>(
    root: &Digest,
    load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    gathered: &mut BTreeSet<Digest>,
) -> Result<(), TrieError<E>> {
    if !gathered.insert(*root) {
        return Ok(());
    }
    if let Node::Branch(children) = Node::load(root, load)? {
        for child in children.iter().flatten() {
            nodes(&child.node, load, gathered)?;
        }
    }
    Ok(())
}

fn walk_from<E>(
    root: &Digest,
    load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    visit: &mut impl FnMut(Digest),
    fault: &mut impl FnMut(TrieError<E>) -> Result<(), TrieError<E>>,
) -> Result<(), TrieError<E>> {
    let count = match Node::load(root, load) {
        Ok(node) => node.count(),
        Err(error) => return fault(error),
    };
    let root = Child { count, node: *root };
    walk_below(&root, &mut Vec::new(), load, visit, fault)
}

/// `fault` decides whether a node that does not hold ends the walk.
pub(super) fn walk_below<E>(
    at: &Child,
    prefix: &mut Vec<usize>,
    load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    visit: &mut impl FnMut(Digest),
    fault: &mut impl FnMut(TrieError<E>) -> Result<(), TrieError<E>>,
) -> Result<(), TrieError<E>> {
    let node = Node::load(&at.node, load).and_then(|node| {
        node.check_place(at, prefix)?;
        Ok(node)
    });
    let children = match node {
        Err(error) => return fault(error),
        Ok(Node::Leaf(digests)) => {
            digests.into_iter().for_each(visit);
            return Ok(());
        }
        Ok(Node::Branch(children)) => children,
    };
    for (digit, child) in children.iter().enumerate() {
        let Some(child) = child else { continue };
        prefix.push(digit);
        walk_below(child, prefix, load, visit, fault)?;
        prefix.pop();
    }
    Ok(())
}
