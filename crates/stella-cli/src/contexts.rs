//! The servers a person works with: `$XDG_CONFIG_HOME/stella/config.yaml`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stella_api::Code;

use crate::failure::{Failure, Place};
use crate::kind::{
    CONFIG_INVALID, CONFIG_NOT_WRITTEN, CONTEXT_NAME_INVALID, CONTEXT_NOT_FOUND, NO_CONTEXT,
};
use crate::label::label;
use crate::private_file;
use crate::problem::of_code;

const FILE: &str = "config.yaml";
const LOCK: &str = "config.yaml.lock";

/// One server and who one is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// Its address, such as `http://127.0.0.1:7070`.
    pub server: String,
    /// The tenant.
    pub tenant: String,
    /// The client that asks for tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's private key; a relative path starts at the configuration folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// All contexts by name, and the one that is used where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contexts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    contexts: BTreeMap<String, Context>,
}

impl Contexts {
    /// Reads the file; none where there is no file yet.
    ///
    /// # Errors
    /// `CONFIG_INVALID` with the place.
    pub fn load(config_dir: &Path) -> Result<Self, Failure> {
        let path = config_dir.join(FILE);
        let invalid = |reason: &str| {
            Failure::of(
                &CONFIG_INVALID,
                &[("path", &path.display().to_string()), ("reason", reason)],
            )
        };
        let text = private_file::read(&path).map_err(|error| invalid(&error.to_string()))?;
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(Self::default());
        };
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let contexts: Self =
            serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
                let failure = invalid(&error.to_string());
                match error.location() {
                    Some(place) => failure.at(Place {
                        line: place.line(),
                        column: place.column(),
                        pointer: None,
                    }),
                    None => failure,
                }
            })?;
        for name in contexts.contexts.keys().chain(&contexts.current) {
            check_name(name).map_err(|failure| invalid(&failure.message))?;
        }
        Ok(contexts)
    }

    /// Writes the file, mode 0600, whole or not at all.
    ///
    /// # Errors
    /// `CONFIG_NOT_WRITTEN`.
    pub fn save(&self, config_dir: &Path) -> Result<(), Failure> {
        let path = config_dir.join(FILE);
        let text = serde_saphyr::to_string(self).map_err(|error| not_written(&path, &error))?;
        private_file::write(&path, text.as_bytes()).map_err(|error| not_written(&path, &error))
    }

    /// Reads, changes and writes the file while no other process does.
    ///
    /// # Errors
    /// Those of [`Self::load`], [`Self::save`] and the change itself.
    pub fn update<T>(
        config_dir: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let _held =
            lock(config_dir).map_err(|error| not_written(&config_dir.join(LOCK), &error))?;
        let mut contexts = Self::load(config_dir)?;
        let before = contexts.clone();
        let result = change(&mut contexts)?;
        if contexts != before {
            contexts.save(config_dir)?;
        }
        Ok(result)
    }

    /// Adds a context or replaces the one of this name; the first becomes the current one.
    ///
    /// # Errors
    /// `CONTEXT_NAME_INVALID`.
    pub fn upsert(&mut self, name: &str, context: Context) -> Result<(), Failure> {
        check_name(name)?;
        self.contexts.insert(name.to_owned(), context);
        self.current.get_or_insert_with(|| name.to_owned());
        Ok(())
    }

    /// Makes a context the current one.
    ///
    /// # Errors
    /// `CONTEXT_NOT_FOUND`.
    pub fn make_current(&mut self, name: &str) -> Result<(), Failure> {
        self.find(name)?;
        self.current = Some(name.to_owned());
        Ok(())
    }

    /// The context of this name, else the current one.
    ///
    /// # Errors
    /// `CONTEXT_NOT_FOUND`; where none is named `NO_CONTEXT` if none of them is current, and
    /// `SERVER_UNREACHABLE` if there are none at all: nobody has started a server here yet, which
    /// is mended as one that does not answer.
    pub fn choose(&self, name: Option<&str>) -> Result<(&str, &Context), Failure> {
        let name = name.or(self.current.as_deref()).ok_or_else(|| {
            if self.contexts.is_empty() {
                of_code(Code::ServerUnreachable, label("server-unknown"))
                    .hint(label("hint-server-unreachable"))
            } else {
                Failure::of(&NO_CONTEXT, &[])
            }
        })?;
        self.find(name)
    }

    /// Whether there is a context of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.contexts.contains_key(name)
    }

    /// All of them by name, each with whether it is the current one.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Context, bool)> {
        let current = self.current.as_deref();
        self.contexts
            .iter()
            .map(move |(name, context)| (name.as_str(), context, current == Some(name)))
    }

    fn find(&self, name: &str) -> Result<(&str, &Context), Failure> {
        let found = self
            .contexts
            .get_key_value(name)
            .map(|(name, context)| (name.as_str(), context));
        found.ok_or_else(|| Failure::of(&CONTEXT_NOT_FOUND, &[("name", name)]))
    }
}

fn lock(config_dir: &Path) -> io::Result<File> {
    private_file::make_folder(config_dir)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(config_dir.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

fn not_written(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    Failure::of(
        &CONFIG_NOT_WRITTEN,
        &[
            ("path", &path.display().to_string()),
            ("reason", &reason.to_string()),
        ],
    )
}

/// A name is part of a file's name and is typed by people.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let first = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let rest = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter));
    if first && rest && name.len() <= 63 {
        Ok(())
    } else {
        Err(Failure::of(&CONTEXT_NAME_INVALID, &[("name", name)]))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
