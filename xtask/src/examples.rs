//! Doc comments hold no examples that would have to be compiled.
//!
//! cargo-nextest runs no doc tests, and to run them beside it links every crate once more.
//! So an example is a test, and a code block in a doc comment names its language.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Refuses code blocks in doc comments that rustdoc would take for Rust.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut found = Vec::new();
    for folder in ["crates", "xtask"] {
        visit(&root.join(folder), &mut found)?;
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "write these examples as tests, or name the block's language (```text):\n{}",
        { found.join("\n") }
    )
}

fn visit(path: &Path, found: &mut Vec<String>) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .with_context(|| format!("reading {}", path.display()))?;
        entries.sort();
        return entries.iter().try_for_each(|entry| visit(entry, found));
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let places = rust_blocks(&text).into_iter();
        found.extend(places.map(|line| format!("{}:{line}", path.display())));
    }
    Ok(())
}

/// The lines, from 1, at which a code block without a language, or of Rust, opens.
fn rust_blocks(text: &str) -> Vec<usize> {
    let mut open = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let comment = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        let Some(comment) = comment else {
            open = false;
            continue;
        };
        let Some(language) = comment.trim_start().strip_prefix("```") else {
            continue;
        };
        let rust = [
            "",
            "rust",
            "ignore",
            "no_run",
            "should_panic",
            "compile_fail",
        ];
        let first = language.split(',').next().unwrap_or_default().trim();
        if !open && rust.contains(&first) {
            lines.push(number + 1);
        }
        open = !open;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::rust_blocks;

    #[test]
    fn only_blocks_of_rust_are_found() {
        let text = "/// ```text\n/// a\n/// ```\nfn a() {}\n//! ```\n//! b\n//! ```\n";
        assert_eq!(rust_blocks(text), [5]);
        assert_eq!(
            rust_blocks("/// ```rust,no_run\n/// ```\n/// ```json\n/// ```"),
            [1]
        );
    }
}
