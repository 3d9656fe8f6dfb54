//! Ids by digest, whole or by an unambiguous prefix.

use stella_api::Code;
use stella_locale::Labels;

use crate::Failure;

/// The fewest hex digits of a digest that may stand for it.
const ID_PREFIX: usize = 8;

/// The range of ids that a prefix covers, for a keyset query: `from <= id AND id < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The first id that fits.
    pub from: String,
    /// The first id beyond.
    pub to: String,
    asked: String,
}

impl IdRange {
    /// Reads a digest or a prefix of at least eight hex digits, with or without `sha256:`, that
    /// stands in the path.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(text: &str) -> Result<Self, Failure> {
        Self::read_at("path:id", text)
    }

    /// The same of another place.
    ///
    /// # Errors
    /// Anything else than a digest or such a prefix.
    pub fn read_at(place: &str, text: &str) -> Result<Self, Failure> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let digits = hex
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !digits || !(ID_PREFIX..=64).contains(&hex.len()) {
            let values = [("id", text.into()), ("digits", ID_PREFIX.into())];
            let reason = Labels::english().format("refused-id", &values);
            return Err(Failure::invalid(place, reason));
        }
        // `g` follows `f`, so every longer id sorts before the prefix with a `g`.
        let (from, to) = (format!("sha256:{hex}"), format!("sha256:{hex}g"));
        Ok(Self {
            from,
            to,
            asked: text.to_owned(),
        })
    }

    /// The one row of a query with `LIMIT 2` over the range.
    ///
    /// # Errors
    /// None fits, or more than one.
    pub fn one<T>(&self, rows: Vec<T>) -> Result<T, Failure> {
        let mut rows = rows.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => Err(Failure::not_found(&self.asked)),
            (Some(_), Some(_)) => Err(Failure::new(Code::IdAmbiguous).with("what", &self.asked)),
        }
    }
}
