//! Raw keys and where each came from; later sources win.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use stella_api::Code;

use super::Problem;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceOf {
    /// The configuration file.
    File,
    /// An environment variable of this name.
    Environment(String),
    /// `--set`.
    CommandLine,
}

/// The sections that we own: a key below them that we do not know is a mistake.
const SECTIONS: &[&str] = &[
    "storage",
    "connectionstrings",
    "server",
    "security",
    "services",
];

/// Raw values by their key in lower case.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    values: BTreeMap<String, (String, String, SourceOf)>,
}

impl Raw {
    /// A value, with its source.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<(&str, &SourceOf)> {
        let (_, value, source) = self.values.get(&key.to_lowercase())?;
        Some((value, source))
    }

    /// Every key as it was written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.values().map(|(written, _, _)| written.as_str())
    }

    /// Sets a value; what was there before is overruled.
    pub fn set(&mut self, key: &str, value: &str, source: SourceOf) {
        self.values.insert(
            key.to_lowercase(),
            (key.to_owned(), value.to_owned(), source),
        );
    }

    /// Takes the values of a YAML file.
    ///
    /// # Errors
    /// It cannot be read, or is no mapping.
    pub fn take_file(&mut self, path: &Path) -> Result<(), Problem> {
        let wrong = |reason: String| {
            Problem::new(
                Code::ConfigFileInvalid,
                format!("path={}", path.display()),
                reason,
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let value: Value =
            serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match value {
            Value::Object(_) => self.flatten("", &value),
            Value::Null => {}
            _ => return Err(wrong("the file holds no mapping".to_owned())),
        }
        Ok(())
    }

    fn flatten(&mut self, at: &str, value: &Value) {
        let Value::Object(members) = value else {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            self.set(at, &text, SourceOf::File);
            return;
        };
        for (key, inner) in members {
            let key = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}:{key}")
            };
            self.flatten(&key, inner);
        }
    }

    /// Takes environment variables: `Storage__Driver`, and `STELLA_Storage__Driver`, which wins.
    pub fn take_environment<'a>(&mut self, variables: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut prefixed = Vec::new();
        for (name, value) in variables {
            let (own, bare) = match name.split_at_checked(7) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case("STELLA_") => (true, rest),
                _ => (false, name),
            };
            let key = bare.replace("__", ":");
            let section = key.split(':').next().unwrap_or_default().to_lowercase();
            if !bare.contains("__") || !SECTIONS.contains(&section.as_str()) {
                continue;
            }
            if own {
                prefixed.push((key, value, name));
            } else {
                self.set(&key, value, SourceOf::Environment(name.to_owned()));
            }
        }
        for (key, value, name) in prefixed {
            self.set(&key, value, SourceOf::Environment(name.to_owned()));
        }
    }

    /// Takes `--set KEY=VALUE`.
    ///
    /// # Errors
    /// There is no `=`.
    pub fn take_command_line(&mut self, words: &[String]) -> Result<(), Problem> {
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| {
                let what = format!("argument={word}");
                Problem::new(
                    Code::ConfigValueInvalid,
                    what,
                    "--set takes KEY=VALUE".to_owned(),
                )
            })?;
            self.set(key, value, SourceOf::CommandLine);
        }
        Ok(())
    }
}
