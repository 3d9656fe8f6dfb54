//! How the process ends.

use std::process;

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
