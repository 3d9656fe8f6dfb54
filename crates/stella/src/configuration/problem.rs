//! What is wrong with a configuration, told so that a person can act on it.

use std::fmt;
use std::path::Path;

use stella_api::Code;
use stella_cli::{ExitCode, Failure, Setting};
use stella_locale::Labels;
use stella_signing::KeyError;
use stella_storage::StoreError;

use crate::commands::{TlsError, TlsFiles};

use super::{Key, ServiceStorage};

/// One thing that is wrong, as one line: the code, then `name=value` words, then the hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// Where it is and what is accepted; never a value that may be secret.
    pub words: Vec<(&'static str, String)>,
    /// What to do.
    pub hint: String,
}

impl Problem {
    pub(super) fn new(code: Code, hint: impl Into<String>) -> Self {
        Self {
            code,
            words: Vec::new(),
            hint: hint.into(),
        }
    }

    pub(super) fn with(mut self, word: &'static str, value: impl ToString) -> Self {
        self.words.push((word, value.to_string()));
        self
    }

    /// A key that we do not know.
    #[must_use]
    pub fn unknown_key(written: &str) -> Self {
        let labels = Labels::english();
        let section = written.split(':').next().unwrap_or_default();
        let hint = match Key::nearest(written) {
            _ if section.eq_ignore_ascii_case("Services") => labels.text("serve-all-services"),
            Some(key) => labels.format("hint-config-nearest", &[("key", key.into())]),
            None => {
                let sections = Key::sections().join(", ");
                labels.format("hint-config-sections", &[("sections", sections.into())])
            }
        };
        Self::new(Code::ConfigKeyUnknown, hint).with("key", written)
    }

    /// A master key that cannot be read, or is not that of the stored keys.
    #[must_use]
    pub fn master_key(file: &Path, reason: &KeyError) -> Self {
        let hint = match reason {
            KeyError::Sealed { .. } => "hint-config-master-key-other",
            _ => "hint-config-master-key-unreadable",
        };
        Self::of_master_key(file, hint, ("reason", reason.to_string()))
    }

    /// The same of the one before it.
    #[must_use]
    pub fn of_previous(mut self) -> Self {
        for (name, value) in &mut self.words {
            if *name == "key" {
                "Security:PreviousMasterKeyFile".clone_into(value);
            }
        }
        self
    }

    /// A master key that others than its owner can read.
    #[must_use]
    pub fn master_key_open(file: &Path) -> Self {
        let named = ("file", file.display().to_string());
        Self::of_master_key(file, "hint-config-key-file-open", named)
    }

    /// The connection of migrations, where it is of no use.
    #[must_use]
    pub fn owner(code: Code, reason: &StoreError, remedy: Option<String>) -> Self {
        Self::new(code, Self::of_store(reason, remedy)).with("key", "ConnectionStrings:Migrations")
    }

    /// A connection that these services cannot be served by.
    #[must_use]
    pub fn connection(
        code: Code,
        services: &[&ServiceStorage],
        reason: &StoreError,
        remedy: Option<String>,
    ) -> Self {
        let hint = Self::of_store(reason, remedy);
        let ids: Vec<&str> = services.iter().map(|one| one.service.id).collect();
        let mut problem = Self::new(code, hint).with("service", ids.join(","));
        if let Some(one) = services.first() {
            let words = [
                ("key", one.connection_key.clone()),
                (
                    "source",
                    one.connection_source.as_ref().map(ToString::to_string),
                ),
            ];
            let known = words.into_iter();
            let known = known.filter_map(|(word, value)| Some((word, value?)));
            problem.words.extend(known);
        }
        problem
    }

    /// What a database says names the user or the database, and no password.
    fn of_store(reason: &StoreError, remedy: Option<String>) -> String {
        let reason_text = reason.to_string();
        match (reason, remedy) {
            // It names the statement that mends it.
            (StoreError::RoleOutside { .. }, _) => reason_text,
            (StoreError::RightMissing { .. }, _) => {
                let values = [("reason", reason_text.into())];
                Labels::english().format("hint-config-right-missing", &values)
            }
            (refused, _) if refused.is_refused() => {
                let values = [("reason", reason_text.into())];
                Labels::english().format("hint-config-connection-refused", &values)
            }
            (_, Some(remedy)) => format!("{reason_text}; {remedy}"),
            (_, None) => reason_text,
        }
    }

    /// A variable that reaches connections past their connection strings.
    #[must_use]
    pub fn stray_variable(name: &str) -> Self {
        let hint = Labels::english().text("hint-config-stray-variable");
        Self::new(Code::StorageConnectionInvalid, hint).with("variable", name)
    }

    /// Records that would carry a made-up time, where anything counts.
    #[must_use]
    pub fn clock() -> Self {
        let hint = Labels::english().text("hint-config-clock");
        Self::new(Code::ConfigValueInvalid, hint).with("key", "--clock")
    }

    /// A certificate or private key that cannot be served.
    #[must_use]
    pub fn tls(files: &TlsFiles, error: &TlsError) -> Self {
        let (key, file) = match error {
            TlsError::Certificate(_) => ("Server:Tls:CertificateFile", &files.certificate),
            TlsError::Key(_) => ("Server:Tls:PrivateKeyFile", &files.key),
        };
        let values = [("reason", error.to_string().into())];
        let hint = Labels::english().format("hint-config-tls-file", &values);
        Self::new(Code::ConfigValueInvalid, hint)
            .with("key", key)
            .with("file", file.display())
    }

    /// The private key of the server's certificate, where others than its owner can read it.
    #[must_use]
    pub fn tls_key_open(file: &Path) -> Self {
        let values = [("file", file.display().to_string().into())];
        let hint = Labels::english().format("hint-config-key-file-open", &values);
        Self::new(Code::ConfigValueInvalid, hint)
            .with("key", "Server:Tls:PrivateKeyFile")
            .with("file", file.display())
    }

    fn of_master_key(file: &Path, hint: &str, (name, value): (&str, String)) -> Self {
        let hint = Labels::english().format(hint, &[(name, value.into())]);
        Self::new(Code::ConfigValueInvalid, hint)
            .with("key", "Security:MasterKeyFile")
            .with("file", file.display())
    }

    fn setting(&self) -> Setting {
        Setting {
            code: self.code.as_str(),
            words: self.words.clone(),
            hint: self.hint.clone(),
        }
    }

    /// All of them as one failure. The first gives its code, of those that another try does not
    /// mend where there are any: a supervisor would try again for ever.
    #[must_use]
    pub fn told(problems: &[Self]) -> Failure {
        let passes = |one: &&Self| ExitCode::of_code(one.code) != ExitCode::Configuration;
        let code = problems.iter().min_by_key(passes);
        let code = code.map_or(Code::ConfigValueInvalid, |one| one.code);
        let labels = Labels::english();
        let message = labels.format("config-problems", &[("count", problems.len().into())]);
        let mut failure = Failure::told(code.as_str(), ExitCode::of_code(code), message);
        failure.problems = problems.iter().map(Self::setting).collect();
        failure
    }
}

impl std::error::Error for Problem {}

/// All that was found wrong together, as an error.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setting().fmt(f)
    }
}
