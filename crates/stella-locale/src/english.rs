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

pub(crate) const SOURCES: &[Source] =
    sources!["cli.ftl", "errors.ftl", "output.ftl", "reasons.ftl"];

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
}
