//! What servers refuse and callers need not send.

/// The longest body that any route takes, in bytes, where a server is not told a lower limit; of a
/// batch, the longest document of a line. What is longer is no document anywhere: it also ends what
/// gzip may unpack to, and what the command line sends.
pub const MAX_BODY: u64 = 64 * 1024 * 1024;

/// The longest line of a batch, in bytes: the longest document in base64, and its envelope.
pub const MAX_LINE: u64 = MAX_BODY / 3 * 4 + 64 * 1024;

/// So many lines of a batch are taken at once, at the most.
pub const CHUNK_LINES: usize = 500;

/// With so many bytes of lines no further one is waited for.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;
