//! Labels, for clap and for what is printed.

use stella_locale::{Labels, Value};

/// The label of this key.
pub(crate) fn label(key: &str) -> String {
    Labels::english().text(key)
}

/// The label of this key with its placeholders filled.
pub(crate) fn filled(key: &str, values: &[(&str, Value<'_>)]) -> String {
    Labels::english().format(key, values)
}

/// The examples under a command's help, indented below their heading.
pub(crate) fn example(key: &str) -> String {
    let lines: Vec<String> = label(key).lines().map(|line| format!("  {line}")).collect();
    format!("{}\n{}", label("help-examples"), lines.join("\n"))
}
