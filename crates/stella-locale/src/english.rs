//! The files of `locales/en`.

use crate::labels::Source;

macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        &[$(Source {
            file: $file,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../locales/en/", $file)),
        }),+]
    };
}

pub(crate) const SOURCES: &[Source] = sources![
    "cli.ftl",
    "errors.ftl",
    "output.ftl",
    "reasons.ftl",
    "refusals.ftl",
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales/en");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".ftl"))
            .collect();
        let listed: BTreeSet<String> = super::SOURCES
            .iter()
            .map(|source| source.file.to_owned())
            .collect();
        assert_eq!(listed, there);
    }

    /// Keys that code makes of a code or a column, and so has not as a literal.
    const MADE: &[&str] = &[
        "column-",
        "difference-",
        "error-",
        "reason-",
        "reference-column-",
        "skipped-",
        "subject-",
        "why-",
    ];
    /// Literals that begin so are keys: many of them are rarely met when tests run.
    const KEYS: &[&str] = &["about-", "accepts-", "hint-", "refused-"];

    fn begins(text: &str, with: &[&str]) -> bool {
        with.iter().any(|start| text.starts_with(start))
    }

    fn keys() -> BTreeSet<&'static str> {
        let texts = super::SOURCES.iter().map(|source| source.text);
        let lines = texts.flat_map(str::lines);
        lines
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
            .collect()
    }

    /// The words in quotes of every source file that could be keys.
    fn words(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                words(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let of_a_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                let parts = text.split('"');
                into.extend(
                    parts
                        .filter(|part| part.chars().all(of_a_key))
                        .map(str::to_owned),
                );
            }
        }
    }

    #[test]
    fn every_label_is_used_and_what_is_named_as_one_is_there() {
        let mut said = BTreeSet::new();
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for entry in std::fs::read_dir(crates).unwrap() {
            words(&entry.unwrap().path().join("src"), &mut said);
        }
        let keys = keys();
        let unused = keys
            .iter()
            .filter(|key| !said.contains(**key) && !begins(key, MADE));
        assert_eq!(unused.collect::<Vec<_>>(), [] as [&&str; 0], "unused");
        let missing = said
            .iter()
            .filter(|word| begins(word, KEYS) && !KEYS.contains(&word.as_str()))
            .filter(|word| !keys.contains(word.as_str()));
        assert_eq!(missing.collect::<Vec<_>>(), [] as [&String; 0], "missing");
    }
}
