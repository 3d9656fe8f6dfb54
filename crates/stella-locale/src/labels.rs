use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::english;

/// A value put into a label: text as it is, or a number, which also chooses the plural form.
pub type Value<'a> = fluent_bundle::FluentValue<'a>;

/// A Fluent file that is part of the binary.
pub(crate) struct Source {
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
}

/// The labels of one language, in Fluent's syntax (<https://projectfluent.org>).
///
/// Can be shared between threads. A key that does not exist is a fault of the program: it
/// fails a debug build and shows as the key itself in a release build.
pub struct Labels {
    bundle: FluentBundle<FluentResource>,
    faults: Vec<String>,
}

impl Labels {
    /// The English labels, which every other language falls back to; read once a process.
    #[must_use]
    pub fn english() -> &'static Self {
        static ENGLISH: OnceLock<Labels> = OnceLock::new();
        ENGLISH.get_or_init(|| Self::read("en", english::SOURCES))
    }

    fn read(tag: &str, sources: &[Source]) -> Self {
        let mut faults = Vec::new();
        let language: LanguageIdentifier = tag.parse().unwrap_or_else(|error| {
            faults.push(format!("{tag}: {error}"));
            LanguageIdentifier::default()
        });
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Isolating marks are invisible characters that would end up in what people copy.
        bundle.set_use_isolating(false);
        for source in sources {
            let resource =
                FluentResource::try_new(source.text.to_owned()).unwrap_or_else(|(rest, errors)| {
                    faults.extend(
                        errors
                            .iter()
                            .map(|error| format!("{}: {error}", source.file)),
                    );
                    rest
                });
            if let Err(errors) = bundle.add_resource(resource) {
                faults.extend(
                    errors
                        .iter()
                        .map(|error| format!("{}: {error}", source.file)),
                );
            }
        }
        Self { bundle, faults }
    }

    /// What is wrong with the files themselves: syntax errors and keys that occur twice.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The label of this key, for labels without placeholders.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.format(key, &[])
    }

    /// The label of this key with its placeholders filled.
    #[must_use]
    pub fn format(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        let (text, errors) = self
            .render(key, values)
            .unwrap_or_else(|| (key.to_owned(), Vec::new()));
        debug_assert!(self.has(key), "no label {key}");
        debug_assert!(errors.is_empty(), "label {key}: {errors:?}");
        text
    }

    /// The label of a key that is made at run time and need not exist, as that of an error code.
    #[must_use]
    pub fn find(&self, key: &str, values: &[(&str, Value<'_>)]) -> Option<String> {
        self.render(key, values).map(|(text, _)| text)
    }

    /// Whether the key exists and has a text.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundle
            .get_message(key)
            .is_some_and(|message| message.value().is_some())
    }

    fn render(
        &self,
        key: &str,
        values: &[(&str, Value<'_>)],
    ) -> Option<(String, Vec<FluentError>)> {
        let message = self.bundle.get_message(key)?;
        let pattern = message.value()?;
        let arguments: FluentArgs<'_> = values
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned();
        Some((text, errors))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn small() -> Labels {
        let text = "hello = Hello, { $name }\ncount = { $n ->\n    [one] one finding\n   *[other] { $n } findings\n}\n";
        Labels::read(
            "en",
            &[Source {
                file: "small.ftl",
                text,
            }],
        )
    }

    #[test]
    fn english_files_are_sound() {
        assert_eq!(Labels::english().faults(), [] as [String; 0]);
    }

    #[test]
    fn placeholders_are_filled_without_isolating_marks() {
        assert_eq!(
            small().format("hello", &[("name", Value::from("Ada"))]),
            "Hello, Ada"
        );
    }

    #[test]
    fn numbers_choose_the_plural() {
        assert_eq!(
            small().format("count", &[("n", Value::from(1))]),
            "one finding"
        );
        assert_eq!(
            small().format("count", &[("n", Value::from(1200))]),
            "1200 findings"
        );
    }

    #[test]
    fn a_missing_key_is_none_when_asked_for() {
        assert_eq!(small().find("absent", &[]), None);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "no label absent"))]
    fn a_missing_key_is_visible() {
        assert_eq!(small().text("absent"), "absent");
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "label hello"))]
    fn a_missing_value_is_visible() {
        assert_eq!(small().text("hello"), "Hello, {$name}");
    }

    #[test]
    fn broken_files_are_told() {
        let labels = Labels::read(
            "en",
            &[Source {
                file: "bad.ftl",
                text: "a = x\na = y\nb\n",
            }],
        );
        assert_eq!(labels.faults().len(), 2, "{:?}", labels.faults());
        assert_eq!(labels.text("a"), "x");
    }

    #[test]
    fn labels_are_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(Labels::english());
    }
}
