//! Agreement with the programs of an ecosystem itself, on made-up pairs, the same in every run.

use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::{Ecosystem, compare};

fn pairs(version: impl Strategy<Value = String>, count: usize) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let pair = (&version, &version);
    let mut next = || pair.new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(&mut next).take(count).collect()
}

/// What a program says of each pair, a line each: `<`, `=`, `>`, or anything else where it
/// takes one of the two for no version.
fn said(mut program: Command, pairs: &[(String, String)]) -> Vec<Option<Ordering>> {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let lines: String = pairs
        .iter()
        .map(|(left, right)| format!("{left}\t{right}\n"))
        .collect();
    let mut stdin = child.stdin.take().unwrap();
    let written = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let order = |line: &str| match line {
        "<" => Some(Ordering::Less),
        "=" => Some(Ordering::Equal),
        ">" => Some(Ordering::Greater),
        _ => None,
    };
    answers.lines().map(order).collect()
}

fn agree(ecosystem: &str, pairs: &[(String, String)], said: &[Option<Ordering>]) {
    assert_eq!(said.len(), pairs.len());
    let ecosystem = Ecosystem::from_osv(ecosystem);
    let mut compared = 0;
    for ((left, right), said) in pairs.iter().zip(said) {
        let ours = compare(&ecosystem, left, right);
        assert_eq!(
            ours.as_ref().ok(),
            said.as_ref(),
            "{left} {right}: {ours:?}"
        );
        compared += usize::from(said.is_some());
    }
    println!("{ecosystem}: {} pairs, {compared} of versions", pairs.len());
    assert!(compared > pairs.len() / 2, "{compared} of {}", pairs.len());
}

#[test]
fn dpkg_agrees() {
    let word = "[0-9]{1,2}|[a-c]|[.+~-]|~rc|\\+deb|\\.0|00";
    let version = (
        "([0-2]:)?",
        "[0-9]",
        proptest::collection::vec(word, 0..5),
        "(-[0-9a-b.+~]{1,4})?",
    );
    let version = version
        .prop_map(|(epoch, first, words, revision)| epoch + &first + &words.concat() + &revision);
    let pairs = pairs(version, 3_000);
    let mut shell = Command::new("sh");
    // It says by its exit status alone whether a relation holds, and 2 is a bad version.
    shell.arg("-c").arg(
        "tab=$(printf '\\t')
        while IFS=$tab read -r left right; do
          dpkg --compare-versions \"$left\" lt \"$right\" 2>/dev/null
          case $? in
            0) echo '<' ;;
            1) if dpkg --compare-versions \"$left\" eq \"$right\"; then echo '='; else echo '>'; fi ;;
            *) echo bad ;;
          esac
        done",
    );
    agree("Debian", &pairs, &said(shell, &pairs));
}

#[test]
fn pypi_packaging_agrees() {
    let epoch = "([01]!)?";
    let release = "[vV]?[0-2]{1,2}(\\.[0-2]){0,3}";
    let pre = "([._-]?(a|b|c|rc|alpha|beta|pre|preview|RC)[._-]?[0-2]?)?";
    let post = "(-[0-2]|[._-]?(post|rev|r)[._-]?[0-2]?)?";
    let dev = "([._-]?dev[._-]?[0-2]?)?";
    let local = "(\\+[a-bA-B0-2]{1,2}([._-][a0-2]{0,2}){0,2})?";
    let version = (epoch, release, pre, post, dev, local).prop_map(
        |(epoch, release, pre, post, dev, local)| epoch + &release + &pre + &post + &dev + &local,
    );
    let near = "[0-1]{1,2}(\\.0){0,2}(a|rc|\\.dev|\\.post|-|\\+)?[0-1]?(\\.dev0)?";
    let pairs = pairs(prop_oneof![version, near], 10_000);
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/tools/bin/python");
    assert!(python.exists(), "packaging: run ./setup");
    let mut python = Command::new(python);
    python.arg("-c").arg(
        "
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin:
    try:
        left, right = map(Version, line.rstrip('\\n').split('\\t'))
        print('<' if left < right else '=' if left == right else '>')
    except InvalidVersion:
        print('bad')
",
    );
    agree("PyPI", &pairs, &said(python, &pairs));
}
