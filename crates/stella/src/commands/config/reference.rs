//! `stella config reference`: every key and every code that stops a start, from what is in the
//! program.

use serde::Serialize;
use stella_api::Code;
use stella_cli::{Answer, Failure};
use stella_locale::Labels;

use crate::configuration::{KEYS, Key};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    keys: Vec<KeyReference>,
    codes: Vec<CodeReference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyReference {
    key: &'static str,
    accepts: String,
    default: Option<&'static str>,
    about: String,
    secret: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeReference {
    code: &'static str,
    exit: u8,
    means: String,
}

/// Codes that a start can end with begin so.
const AREAS: [&str; 4] = ["STORAGE_", "CONFIG_", "LISTEN_", "OBJECTSTORE_"];

pub(super) fn run() -> Result<Answer, Failure> {
    let labels = Labels::english();
    let key = |key: &Key| KeyReference {
        key: key.name,
        accepts: key.accepts.text(),
        default: key.default,
        about: key.about(),
        secret: key.secret,
    };
    let code = |code: &Code| CodeReference {
        code: code.as_str(),
        exit: code.exit(),
        means: labels.text(&code.label_key()),
    };
    let stops = |code: &&Code| AREAS.iter().any(|area| code.as_str().starts_with(area));
    let reference = Reference {
        keys: KEYS.iter().map(key).collect(),
        codes: Code::ALL.iter().filter(stops).map(code).collect(),
    };
    let answer = Answer::new(&reference)?.text();
    Ok(page(&reference, labels)
        .into_iter()
        .fold(answer, Answer::line))
}

/// The page, in Markdown.
fn page(reference: &Reference, labels: &Labels) -> Vec<String> {
    let mut lines = vec![format!("# {}", labels.text("reference-title"))];
    let paragraphs = [
        "reference-generated",
        "reference-sources",
        "reference-environment",
    ];
    for label in paragraphs {
        lines.extend([labels.text(label), String::new()]);
    }
    lines.push(format!("## {}", labels.text("reference-keys")));
    lines.extend(head(labels, ["key", "takes", "default", "about"]));
    for one in &reference.keys {
        let accepts = one.accepts.as_str();
        let accepts = match one.secret {
            true => labels.format("reference-secret", &[("accepts", accepts.into())]),
            false => accepts.to_owned(),
        };
        let default = one.default.map(|text| format!("`{text}`"));
        lines.push(row(&[
            &format!("`{}`", one.key),
            &accepts,
            &default.unwrap_or_default(),
            &one.about,
        ]));
    }
    lines.extend([
        String::new(),
        format!("## {}", labels.text("reference-codes")),
        labels.text("reference-codes-about"),
        String::new(),
    ]);
    lines.extend(head(labels, ["code", "exit", "means"]));
    for one in &reference.codes {
        lines.push(row(&[
            &format!("`{}`", one.code),
            &one.exit.to_string(),
            &one.means,
        ]));
    }
    lines
}

fn head<const N: usize>(labels: &Labels, columns: [&str; N]) -> [String; 2] {
    let names = columns.map(|name| labels.text(&format!("reference-column-{name}")));
    [row(&names.each_ref().map(String::as_str)), row(&["---"; N])]
}

fn row(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stella_cli::Format;
    use stella_cli::style::Style;

    #[test]
    fn the_page_in_the_documentation_is_what_the_program_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let written = std::fs::read_to_string(path).unwrap();
        let said = super::run().unwrap();
        let said = said.render(Format::Table, Style::default()).unwrap();
        let remedy = "cargo run -p stella -- config reference --out docs/configuration.md";
        assert!(written == said, "the page is stale: {remedy}");
    }
}
