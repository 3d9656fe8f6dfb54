//! Labels in the places where clap wants text.

use stella_locale::Labels;

/// The label of this key.
pub(crate) fn label(key: &str) -> String {
    Labels::english().text(key)
}

/// The examples under a command's help, indented below their heading.
pub(crate) fn example(key: &str) -> String {
    let lines: Vec<String> = label(key).lines().map(|line| format!("  {line}")).collect();
    format!("{}\n{}", label("help-examples"), lines.join("\n"))
}
