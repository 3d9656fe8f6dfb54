#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

type Nodes = BTreeMap<Digest, Vec<u8>>;

fn numbered(range: std::ops::Range<u32>) -> Vec<Digest> {
    range
        .map(|number| Digest::of(&number.to_be_bytes()))
        .collect()
}

fn load(nodes: &Nodes) -> impl Fn(&Digest) -> Result<Vec<u8>, String> {
    |digest| {
        nodes
            .get(digest)
            .cloned()
            .ok_or_else(|| format!("no node {digest}"))
    }
}

fn sort(mut digests: Vec<Digest>) -> Vec<Digest> {
    digests.sort();
    digests
}

#[test]
fn the_empty_set_and_a_small_one_are_leaves() {
    let empty = build([]);
    assert_eq!(empty.nodes[&empty.root], br#"{"digests":[]}"#);
    assert_eq!(verify(&empty.root, load(&empty.nodes)), Ok(vec![]));
    let one = build([Digest::of(b"")]);
    assert_eq!(
        one.nodes[&one.root],
        format!("{{\"digests\":[\"{}\"]}}", Digest::of(b"")).into_bytes()
    );
    let full = build(numbered(0..LEAF_MAX as u32));
    assert_eq!((full.nodes.len(), full.count), (1, 256));
    let over = build(numbered(0..LEAF_MAX as u32 + 1));
    assert_eq!((over.nodes.len(), over.count), (17, 257));
    assert!(over.nodes[&over.root].starts_with(br#"{"children":[{"count":"#));
}

#[test]
fn the_root_of_known_sets_never_changes() {
    // Worked out by another program; a change of these breaks every snapshot that was ever taken.
    assert_eq!(
        build([]).root.to_string(),
        "sha256:239c99e54305b0f4666582341e6465cae6d7b41dd367fd042583b4e4ba20d511"
    );
    assert_eq!(
        build(numbered(0..1000)).root.to_string(),
        "sha256:bb5a90a2d3fff981eb64f574b48024e9d77c58caadb2ffb99ca0480b3002f420"
    );
}

#[test]
fn reads_back_all_it_was_given() {
    let digests = numbered(0..10_000);
    let trie = build(digests.iter().rev().copied());
    assert_eq!(
        verify(&trie.root, load(&trie.nodes)).unwrap(),
        sort(digests.clone())
    );
    assert!(
        digests
            .iter()
            .all(|digest| contains(&trie.root, digest, load(&trie.nodes)).unwrap())
    );
    assert!(
        numbered(10_000..10_100).iter().all(|digest| !contains(
            &trie.root,
            digest,
            load(&trie.nodes)
        )
        .unwrap())
    );
}

#[test]
fn an_update_costs_the_path_to_what_is_new() {
    let trie = build(numbered(0..20_000));
    let loads = Cell::new(0);
    let counted = |digest: &Digest| {
        loads.set(loads.get() + 1);
        load(&trie.nodes)(digest)
    };
    let grown = update(&trie.root, &numbered(20_000..20_010), counted).unwrap();
    assert_eq!(grown.count, 20_010);
    // Three levels of branches at most: root, 16, 256, leaves.
    assert!(
        grown.nodes.len() <= 40 && loads.get() <= 41,
        "{} {}",
        grown.nodes.len(),
        loads.get()
    );
    assert_eq!(grown.root, build(numbered(0..20_010)).root);
    let same = update(&trie.root, &numbered(17..40), load(&trie.nodes)).unwrap();
    assert_eq!(
        (same.root, same.count, same.nodes.len()),
        (trie.root, trie.count, 0)
    );
    assert_eq!(
        update(&trie.root, &[], load(&trie.nodes)).unwrap().root,
        trie.root
    );
}

#[test]
fn a_flipped_byte_or_a_missing_node_is_found() {
    let trie = build(numbered(0..600));
    for node in trie.nodes.keys() {
        let mut nodes = trie.nodes.clone();
        nodes.get_mut(node).unwrap()[20] ^= 1;
        assert!(
            matches!(&verify(&trie.root, load(&nodes)).unwrap_err()[..], [TrieError::Altered { node: at, .. }] if at == node)
        );
        nodes.remove(node);
        assert!(
            matches!(&verify(&trie.root, load(&nodes)).unwrap_err()[..], [TrieError::Load { node: at, .. }] if at == node)
        );
    }
}

#[test]
fn every_bad_node_is_told_in_order_up_to_a_bound() {
    let trie = build(numbered(0..20_000));
    let mut nodes = trie.nodes.clone();
    let leaves: Vec<Digest> = nodes
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(br#"{"digests""#))
        .map(|(node, _)| *node)
        .collect();
    assert!(leaves.len() > FAULTS_MAX);
    // What digits lead to a leaf is known from any of its digests.
    let first = |node: &Digest| trie.nodes[node][12..83].to_vec();
    let mut two = [leaves[3], leaves[40]];
    two.sort_by_key(first);
    nodes.get_mut(&two[0]).unwrap()[20] ^= 1;
    nodes.remove(&two[1]);
    let faults = verify(&trie.root, load(&nodes)).unwrap_err();
    assert!(
        matches!(&faults[..], [TrieError::Altered { node: a, .. }, TrieError::Load { node: b, .. }]
            if [*a, *b] == two[..]),
        "{faults:?}"
    );
    nodes.retain(|node, _| !leaves.contains(node));
    assert_eq!(
        verify(&trie.root, load(&nodes)).unwrap_err().len(),
        FAULTS_MAX
    );
}

/// A root made by hand of correct digests but wrong content.
fn malformed(root: &str, others: &[&Trie]) -> String {
    let mut nodes: Nodes = others.iter().flat_map(|trie| trie.nodes.clone()).collect();
    let digest = Digest::of(root.as_bytes());
    nodes.insert(digest, root.as_bytes().to_vec());
    match verify(&digest, load(&nodes)).unwrap_err().remove(0) {
        TrieError::Malformed { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn a_node_of_right_digest_and_wrong_shape_is_refused() {
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let (low, high) = (a.min(b), a.max(b));
    assert_eq!(
        malformed(&format!(r#"{{"digests":["{high}","{low}"]}}"#), &[]),
        "digests out of order"
    );
    assert_eq!(
        malformed(&format!(r#"{{"digests":["{low}","{low}"]}}"#), &[]),
        "digests out of order"
    );
    assert_eq!(
        malformed(r#"{"digests": []}"#, &[]),
        "not in canonical form"
    );
    assert!(malformed(r#"{"digests":[],"extra":1}"#, &[]).contains("expected"));
    assert!(malformed("[]", &[]).contains("invalid type"));
    let list = sort(numbered(0..257))
        .iter()
        .map(|digest| format!("\"{digest}\""))
        .collect::<Vec<_>>()
        .join(",");
    assert_eq!(
        malformed(&format!(r#"{{"digests":[{list}]}}"#), &[]),
        "a leaf of too many digests"
    );

    let branch = |child: String| format!(r#"{{"children":[{child}{}]}}"#, ",null".repeat(15));
    let many = build(numbered(0..600));
    let child = |count: u64| format!(r#"{{"count":{count},"node":"{}"}}"#, many.root);
    assert_eq!(
        malformed(&branch(child(100)), &[&many]),
        "a branch of too few digests"
    );
    assert_eq!(
        malformed(&branch(child(601)), &[&many]),
        "the branch above counts otherwise"
    );
    assert_eq!(
        malformed(&branch(child(600)), &[&many]),
        "a digest of another branch"
    );
    let padded = format!(
        r#"{{"children":[{},{}{}]}}"#,
        child(0),
        child(600),
        ",null".repeat(14)
    );
    assert_eq!(malformed(&padded, &[&many]), "an empty child");
    assert!(malformed(r#"{"children":[null]}"#, &[]).contains("16"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_order_and_partition_gives_one_root(
        numbers in prop::collection::vec(0..5_000_u32, 0..1500),
        cuts in prop::collection::vec(1..400_usize, 1..8),
    ) {
        let digests: Vec<Digest> = numbers.iter().map(|number| Digest::of(&number.to_be_bytes())).collect();
        let whole = build(digests.iter().copied());
        let mut grown = build([]);
        let (mut rest, mut cuts) = (&digests[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (part, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            let step = update(&grown.root, part, load(&grown.nodes)).unwrap();
            prop_assert!(step.nodes.keys().all(|node| !grown.nodes.contains_key(node)));
            grown.nodes.extend(step.nodes);
            (grown.root, grown.count, rest) = (step.root, step.count, later);
        }
        prop_assert_eq!((grown.root, grown.count), (whole.root, whole.count));
        prop_assert!(whole.nodes.iter().all(|(node, bytes)| grown.nodes.get(node) == Some(bytes)));
        let mut expected = sort(digests);
        expected.dedup();
        prop_assert_eq!(verify(&grown.root, load(&grown.nodes)).unwrap(), expected);
    }

    #[test]
    fn a_difference_is_what_the_lists_differ_in(
        left in prop::collection::btree_set(0..900_u32, 0..700),
        right in prop::collection::btree_set(0..900_u32, 0..700),
    ) {
        let digest = |number: &u32| Digest::of(&number.to_be_bytes());
        let (before, after) = (build(left.iter().map(digest)), build(right.iter().map(digest)));
        let mut nodes = before.nodes.clone();
        nodes.extend(after.nodes.clone());
        let found = diff(&before.root, &after.root, load(&nodes)).unwrap();
        prop_assert_eq!(found.removed, sort(left.difference(&right).map(digest).collect()));
        prop_assert_eq!(found.added, sort(right.difference(&left).map(digest).collect()));
    }

    #[test]
    fn arbitrary_bytes_break_no_law(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        fuzz(&data);
    }
}

#[test]
fn its_corpus_breaks_no_law() {
    stella_testdata::replay("trie", fuzz);
}

#[test]
fn the_nodes_of_sets_are_gathered_once_each() {
    let (old, new) = (build(numbered(0..3000)), build(numbered(0..3001)));
    let mut all = old.nodes.clone();
    all.extend(new.nodes.clone());
    let (loaded, mut gathered) = (Cell::new(0), std::collections::BTreeSet::new());
    let mut counted = |digest: &Digest| {
        loaded.set(loaded.get() + 1);
        load(&all)(digest)
    };
    for set in [&old, &new, &old] {
        nodes(&set.root, &mut counted, &mut gathered).unwrap();
    }
    assert!(gathered.iter().eq(all.keys()));
    assert_eq!(loaded.get(), all.len());
    // What is gone below an unknown node is told.
    let (lost, mut gathered) = (
        *all.keys().next().unwrap(),
        std::collections::BTreeSet::new(),
    );
    all.remove(&lost);
    let told = [&old, &new].map(|set| nodes(&set.root, &mut load(&all), &mut gathered));
    assert!(told.iter().any(Result::is_err), "{told:?}");
}
