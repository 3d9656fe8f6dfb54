//! How much a document may stand for. Where parts name others by id, a few bytes can say again
//! what is long, and what is read would outgrow what was sent.

use stella_api::MAX_BODY;

use crate::error::{FormatError, Reason};

/// The bytes that what a document only names may still come to.
pub(crate) struct Room(u64);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_BODY)
    }
}

impl Room {
    /// Takes some of it, for what stands at a place.
    pub(crate) fn take(&mut self, bytes: usize, pointer: &str) -> Result<(), FormatError> {
        let left = self.0.checked_sub(bytes as u64);
        self.0 = left.ok_or_else(|| {
            let message = format!("what is named here stands for more than {MAX_BODY} bytes");
            FormatError::new(Reason::Size, pointer, message)
        })?;
        Ok(())
    }
}
