//! The variables and folders of the person who runs the command.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use stella_context::Clock;

use crate::failure::Failure;
use crate::kind::{CLOCK_INVALID, NO_HOME};

/// The environment as it was given; nothing in the CLI reads that of the process.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of the process.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // The one place where the CLI reads it.
    pub fn system() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The variables given.
    #[must_use]
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A variable that is there and not empty: an empty one counts as absent everywhere.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables whose names are text. What of a value is none shows, so that whoever reads the
    /// value refuses it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let all = self.0.iter();
        all.filter_map(|(name, value)| Some((name.to_str()?, value.to_string_lossy())))
    }

    /// `$XDG_CONFIG_HOME/stella`.
    ///
    /// # Errors
    /// `NO_HOME` where neither that variable nor `HOME` says where it is.
    pub fn config_dir(&self) -> Result<PathBuf, Failure> {
        self.folder("XDG_CONFIG_HOME", ".config")
    }

    /// `$XDG_DATA_HOME/stella`.
    ///
    /// # Errors
    /// `NO_HOME` where neither that variable nor `HOME` says where it is.
    pub fn data_dir(&self) -> Result<PathBuf, Failure> {
        self.folder("XDG_DATA_HOME", ".local/share")
    }

    /// By the XDG base directory specification, which says to ignore relative paths.
    fn folder(&self, variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
        let absolute = |name| {
            self.get(name)
                .map(Path::new)
                .filter(|path| path.is_absolute())
        };
        let base = absolute(variable).map(Path::to_path_buf);
        let base = base.or_else(|| absolute("HOME").map(|home| home.join(below_home)));
        base.map(|base| base.join("stella"))
            .ok_or_else(|| Failure::of(&NO_HOME, &[("variable", variable)]))
    }
}

/// The time that records carry: as the option says, else as `SOURCE_DATE_EPOCH` does, else the
/// machine's. <https://reproducible-builds.org/specs/source-date-epoch/>
///
/// # Errors
/// `CLOCK_INVALID` where the variable is no number of seconds.
pub(crate) fn recorded_clock(
    option: Option<Clock>,
    environment: &Environment,
) -> Result<Clock, Failure> {
    let variable = environment.get("SOURCE_DATE_EPOCH");
    match (option, variable) {
        (Some(clock), _) => Ok(clock),
        (None, None) => Ok(Clock::System),
        (None, Some(value)) => {
            let seconds = value.to_str().and_then(|text| text.parse().ok());
            let clock = seconds.and_then(Clock::at_second);
            let invalid = || {
                let value = value.to_string_lossy();
                Failure::of(&CLOCK_INVALID, &[("value", value.as_ref())])
            };
            clock.ok_or_else(invalid)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn records_carry_the_time_that_was_asked_for() {
        let asked: Clock = "2026-01-02T03:04:05Z".parse().unwrap();
        let none = Environment::default();
        let epoch = |value| Environment::of([("SOURCE_DATE_EPOCH", value)]);
        assert_eq!(recorded_clock(None, &none).unwrap(), Clock::System);
        assert_eq!(recorded_clock(None, &epoch("1767323045")).unwrap(), asked);
        assert_eq!(recorded_clock(Some(asked), &epoch("0")).unwrap(), asked);
        for odd in ["yesterday", "1.5", "9223372036854775807"] {
            let refused = recorded_clock(None, &epoch(odd)).unwrap_err();
            assert_eq!(refused.code, "CLOCK_INVALID", "{odd}");
        }
    }

    #[test]
    fn the_variable_goes_before_home() {
        let both = Environment::of([("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")]);
        assert_eq!(both.config_dir().unwrap(), Path::new("/c/stella"));
        assert_eq!(
            both.data_dir().unwrap(),
            Path::new("/h/.local/share/stella")
        );
    }

    #[test]
    fn relative_and_empty_paths_are_ignored() {
        let relative = Environment::of([
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "c"),
            ("XDG_DATA_HOME", ""),
        ]);
        assert_eq!(
            relative.config_dir().unwrap(),
            Path::new("/h/.config/stella")
        );
        assert_eq!(
            relative.data_dir().unwrap(),
            Path::new("/h/.local/share/stella")
        );
        assert_eq!(
            Environment::default().config_dir().unwrap_err().code,
            "NO_HOME"
        );
    }
}
