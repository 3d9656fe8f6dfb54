//! How the process ends.

use std::process;

use stella_api::Code;

/// The exit codes of `stella`; scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done.
    Ok = 0,
    /// A fault of the program or of the machine.
    Unexpected = 1,
    /// Wrong use of the command, or input that is not valid.
    InvalidInput = 2,
    /// Not signed in, or not allowed.
    NotAllowed = 3,
    /// What was named does not exist, or a replay cannot be made.
    NotFound = 4,
    /// Sealed or offline mode forbids it.
    Sealed = 5,
    /// A signature, digest or stored byte is not what it should be.
    VerificationFailed = 6,
    /// A version would go backwards.
    Backwards = 7,
    /// Data is older than its budget allows.
    Stale = 8,
    /// The answer is no: a difference, or a gate that stays shut. Never an error.
    No = 9,
    /// It may work later: a server that is not there, busy or limiting.
    TryAgain = 10,
    /// The configuration is wrong.
    Configuration = 78,
    /// Stopped by the person who started it.
    Interrupted = 130,
}

impl ExitCode {
    const ALL: [Self; 13] = [
        Self::Ok,
        Self::Unexpected,
        Self::InvalidInput,
        Self::NotAllowed,
        Self::NotFound,
        Self::Sealed,
        Self::VerificationFailed,
        Self::Backwards,
        Self::Stale,
        Self::No,
        Self::TryAgain,
        Self::Configuration,
        Self::Interrupted,
    ];

    /// What a code of the registry leads to.
    #[must_use]
    pub fn of_code(code: Code) -> Self {
        let named = Self::ALL
            .into_iter()
            .find(|exit| u8::from(*exit) == code.exit());
        named.unwrap_or(Self::Unexpected)
    }
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code as Self
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(u8::from(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_registry_has_its_exit_code() {
        for code in Code::ALL {
            assert_eq!(u8::from(ExitCode::of_code(*code)), code.exit(), "{code}");
        }
    }
}
