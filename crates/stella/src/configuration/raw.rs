//! Raw keys and where each came from; later sources win.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stella_api::Code;
use stella_locale::Labels;

use super::{Key, Problem};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceOf {
    /// This configuration file.
    File(PathBuf),
    /// An environment variable of this name.
    Environment(String),
    /// `--set`.
    CommandLine,
}

impl SourceOf {
    /// Whether what both say of one key stands in the same place, where none comes later.
    fn is_beside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Environment(one), Self::Environment(other)) => one.eq_ignore_ascii_case(other),
            // Who repeats an argument corrects the one before it.
            _ => false,
        }
    }
}

impl fmt::Display for SourceOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::CommandLine => f.write_str("--set"),
        }
    }
}

/// One source's word on a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// The key as it was written there.
    pub written: String,
    /// The value as it was written there.
    pub value: String,
    /// Where.
    pub source: SourceOf,
}

impl Said {
    /// The value, of a key that takes a file or folder.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.value.trim())
    }
}

/// A value may be a secret.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.written, self.source)
    }
}

/// What every source says of every key, by the key in lower case; the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    said: BTreeMap<String, Vec<Said>>,
}

impl Raw {
    /// What counts of a key; a blank value counts as none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Said> {
        self.story(key)
            .last()
            .filter(|said| !said.value.trim().is_empty())
    }

    /// What every source says of a key, the one that counts last.
    #[must_use]
    pub fn story(&self, key: &str) -> &[Said] {
        self.said
            .get(&key.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// What counts of every key that somebody set.
    pub fn all(&self) -> impl Iterator<Item = &Said> {
        self.said.values().filter_map(|said| said.last())
    }

    /// What one file, or the environment, says of a key twice and not alike: neither counts more.
    pub fn clashes(&self) -> impl Iterator<Item = (&Said, &Said)> {
        let pairs = self.said.values().flat_map(|story| story.windows(2));
        pairs.filter_map(|pair| match pair {
            [one, other] if one.value != other.value && one.source.is_beside(&other.source) => {
                Some((one, other))
            }
            _ => None,
        })
    }

    /// Sets a value; what was there before is overruled.
    pub fn set(&mut self, key: &str, value: &str, source: SourceOf) {
        self.said.entry(key.to_lowercase()).or_default().push(Said {
            written: key.to_owned(),
            value: value.to_owned(),
            source,
        });
    }

    /// Takes the values of a YAML file.
    ///
    /// # Errors
    /// It cannot be read, or is no mapping.
    pub fn take_file(&mut self, path: &Path) -> Result<(), Problem> {
        let wrong = |reason: String| {
            Problem::new(Code::ConfigFileInvalid, reason).with("path", path.display())
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let value: Value = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| wrong(error.to_string()))?;
        match value {
            Value::Object(_) => self.flatten("", &value, path),
            Value::Null => {}
            _ => return Err(wrong(Labels::english().text("hint-config-mapping"))),
        }
        Ok(())
    }

    fn flatten(&mut self, at: &str, value: &Value, path: &Path) {
        let Value::Object(members) = value else {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            self.set(at, &text, SourceOf::File(path.to_path_buf()));
            return;
        };
        for (key, inner) in members {
            let key = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}:{key}")
            };
            self.flatten(&key, inner, path);
        }
    }

    /// Takes environment variables: `Storage__Driver`, and `STELLA_Storage__Driver`, which wins.
    pub fn take_environment<'a, V: AsRef<str>>(
        &mut self,
        variables: impl Iterator<Item = (&'a str, V)>,
    ) {
        let mut prefixed = Vec::new();
        for (name, value) in variables {
            let (own, bare) = match name.split_at_checked(7) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case("STELLA_") => (true, rest),
                _ => (false, name),
            };
            let key = bare.replace("__", ":");
            let section = key.split(':').next().unwrap_or_default();
            if !bare.contains("__") || !Key::owns(section) {
                continue;
            }
            if own {
                prefixed.push((key, value, name));
            } else {
                self.set(&key, value.as_ref(), SourceOf::Environment(name.to_owned()));
            }
        }
        for (key, value, name) in prefixed {
            self.set(&key, value.as_ref(), SourceOf::Environment(name.to_owned()));
        }
    }

    /// Takes `--set KEY=VALUE`.
    ///
    /// # Errors
    /// There is no `=` after a key.
    pub fn take_command_line(&mut self, words: &[String]) -> Result<(), Problem> {
        for word in words {
            let pair = word.split_once('=').filter(|(key, _)| is_key(key));
            let (key, value) = pair.ok_or_else(|| {
                let hint = Labels::english().text("hint-config-set");
                Problem::new(Code::ConfigValueInvalid, hint).with("argument", beginning(word))
            })?;
            self.set(key, value, SourceOf::CommandLine);
        }
        Ok(())
    }
}

/// Whether it is written as keys are: a password that slipped in front of a `=` is none.
fn is_key(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
    text.chars().all(is_part)
}

/// What may be told of an argument that is no `KEY=VALUE`: the key of ours that it begins with. All
/// else may be a secret.
fn beginning(word: &str) -> String {
    let begins = |key: &&Key| {
        let head = word.get(..key.name.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(key.name))
    };
    let key = super::KEYS.iter().find(begins).map_or("", |key| key.name);
    format!("{key}…")
}
