//! The Merkle tree of a log that only grows (RFC 6962, section 2.1; RFC 9162 has the same): its
//! root names every entry and their order.
//!
//! A leaf is hashed as `0x00 || entry` and a node as `0x01 || left || right`, so that neither can
//! stand for the other. Of the tree only the roots of its perfect subtrees are kept, at most one
//! for each bit of its size: that is enough to add entries and to know the root.

use crate::{Digest, Hasher};

/// What is kept of a tree: the roots of its perfect subtrees, the greatest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Digest>,
}

/// The hash of an entry as a leaf.
#[must_use]
pub fn leaf(entry: &[u8]) -> Digest {
    hash(0, &[entry])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(1, &[left.as_bytes(), right.as_bytes()])
}

fn hash(kind: u8, parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[kind]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

impl Frontier {
    /// Takes up a tree of so many leaves again; none where there cannot be these subtrees.
    #[must_use]
    pub fn of(size: u64, subtrees: Vec<Digest>) -> Option<Self> {
        (subtrees.len() == size.count_ones() as usize).then_some(Self { size, subtrees })
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the greatest first.
    #[must_use]
    pub fn subtrees(&self) -> &[Digest] {
        &self.subtrees
    }

    /// Adds a leaf, by its [`leaf`] hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut subtree = leaf;
        // As adding 1 carries over every 1 at the end, the new leaf completes each such subtree.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                subtree = node(&left, &subtree);
            }
        }
        self.subtrees.push(subtree);
        self.size += 1;
    }

    /// The root: of a tree without leaves the digest of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut smallest_first = self.subtrees.iter().rev();
        match smallest_first.next() {
            None => Digest::of(b""),
            Some(last) => smallest_first.fold(*last, |right, left| node(left, &right)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition of RFC 6962, word for word.
    fn defined(entries: &[Vec<u8>]) -> Digest {
        match entries {
            [] => Digest::of(b""),
            [one] => leaf(one),
            many => {
                let split = many.len().next_power_of_two() / 2;
                let (left, right) = many.split_at(split);
                node(&defined(left), &defined(right))
            }
        }
    }

    fn grown(entries: &[Vec<u8>]) -> Frontier {
        let mut tree = Frontier::default();
        entries.iter().for_each(|entry| tree.append(leaf(entry)));
        tree
    }

    /// The vectors of the Certificate Transparency reference implementation.
    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(tree.root().hex(), empty);
        for (entry, root) in entries.iter().zip(roots) {
            tree.append(leaf(entry));
            assert_eq!(tree.root().hex(), root);
        }
    }

    #[test]
    fn what_cannot_be_a_tree_of_that_size_is_none() {
        let one = Digest::of(b"");
        assert_eq!(Frontier::of(0, vec![]), Some(Frontier::default()));
        assert_eq!(Frontier::of(3, vec![one]), None);
        assert_eq!(Frontier::of(4, vec![one, one]), None);
        assert_eq!(Frontier::of(u64::MAX, vec![one; 63]), None);
    }

    proptest! {
        #[test]
        fn growing_gives_the_root_of_the_definition(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..70), cut in 0usize..70) {
            let tree = grown(&entries);
            prop_assert_eq!(tree.size(), entries.len() as u64);
            prop_assert_eq!(tree.root(), defined(&entries));
            // Taken up again in the middle it grows into the same tree.
            let (before, after) = entries.split_at(cut.min(entries.len()));
            let half = grown(before);
            let mut again = Frontier::of(half.size(), half.subtrees().to_vec()).unwrap();
            after.iter().for_each(|entry| again.append(leaf(entry)));
            prop_assert_eq!(again, tree);
        }

        #[test]
        fn another_entry_order_or_number_is_another_root(entries in prop::collection::vec(any::<u8>(), 2..40), at in any::<prop::sample::Index>()) {
            let entries: Vec<Vec<u8>> = entries.into_iter().enumerate().map(|(n, byte)| vec![n as u8, byte]).collect();
            let root = grown(&entries).root();
            let at = at.index(entries.len() - 1);
            let mut edited = entries.clone();
            edited[at].push(0);
            let mut swapped = entries.clone();
            swapped.swap(at, at + 1);
            let mut without = entries.clone();
            without.remove(at);
            for other in [&edited, &swapped, &without, &entries[..at + 1].to_vec()] {
                prop_assert_ne!(grown(other).root(), root);
            }
        }
    }
}
