//! What servers refuse and callers need not send.

/// The longest body that any route takes, in bytes.
pub const MAX_BODY: u64 = 64 * 1024 * 1024;
