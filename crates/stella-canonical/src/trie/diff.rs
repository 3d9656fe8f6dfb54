//! What two sets do not share.

use super::TrieError;
use super::node::{Child, Node};
use super::walk::walk_below;
use crate::Digest;

/// The digests that only one of two sets has, each list in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the first set only.
    pub removed: Vec<Digest>,
    /// In the second set only.
    pub added: Vec<Digest>,
}

/// Compares two sets, reading only nodes that they do not share.
///
/// # Errors
/// Where one of these nodes cannot be loaded, is altered or is not well formed.
pub fn diff<E>(
    before: &Digest,
    after: &Digest,
    mut load: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
) -> Result<Difference, TrieError<E>> {
    let mut root = |node: &Digest| {
        Ok(Child {
            count: Node::load(node, &mut load)?.count(),
            node: *node,
        })
    };
    let (before, after) = (root(before)?, root(after)?);
    let mut difference = Difference::default();
    compare(
        Some(before),
        Some(after),
        &mut Vec::new(),
        &mut load,
        &mut difference,
    )?;
    Ok(difference)
}

fn compare<E>(
    before: Option<Child>,
    after: Option<Child>,
    prefix: &mut Vec<usize>,
    load: &mut impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    difference: &mut Difference,
) -> Result<(), TrieError<E>> {
    if before == after {
        return Ok(());
    }
    if let (Some(old), Some(new)) = (&before, &after) {
        let (old_node, new_node) = (Node::load(&old.node, load)?, Node::load(&new.node, load)?);
        old_node.check_place(old, prefix)?;
        new_node.check_place(new, prefix)?;
        if let (Node::Branch(old), Node::Branch(new)) = (old_node, new_node) {
            for digit in 0..16 {
                prefix.push(digit);
                compare(old[digit], new[digit], prefix, load, difference)?;
                prefix.pop();
            }
            return Ok(());
        }
    }
    // At least one side is small or absent, so nearly all of the other is the difference.
    let mut all = |side: Option<Child>| {
        let mut digests = Vec::new();
        side.map_or(Ok(()), |child| {
            walk_below(
                &child,
                prefix,
                load,
                &mut |digest| digests.push(digest),
                &mut Err,
            )
        })?;
        Ok(digests)
    };
    let (old, new) = (all(before)?, all(after)?);
    difference.removed.extend(
        old.iter()
            .filter(|digest| new.binary_search(digest).is_err()),
    );
    difference.added.extend(
        new.iter()
            .filter(|digest| old.binary_search(digest).is_err()),
    );
    Ok(())
}
