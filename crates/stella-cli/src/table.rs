//! Tables that fit the terminal without cutting a word.

mod layout;
mod wrap;

use crate::plain::plain;
use crate::style::Tone;

/// A piece of text with its meaning; what steers a terminal is taken out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A piece of text, from wherever it came.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: plain(text.as_ref()).into_owned(),
            tone: Tone::Normal,
        }
    }

    /// The same text with a meaning.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// A band or severity in its colour.
    #[must_use]
    pub fn band(word: impl AsRef<str>) -> Self {
        let tone = Tone::of_band(word.as_ref());
        Self::new(word).tone(tone)
    }

    /// What is not there: a dash, so that it is not taken for an empty text.
    #[must_use]
    pub fn absent() -> Self {
        Self::new("-").tone(Tone::Faint)
    }

    /// The text, or a dash where there is none.
    #[must_use]
    pub fn maybe(text: Option<impl AsRef<str>>) -> Self {
        text.map_or_else(Self::absent, Self::new)
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    right: bool,
    kind: Kind,
}

/// What may become of a column's text where the table would not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It stays on one line.
    Whole,
    /// It stays on one line, which may be one under its row.
    Long,
    /// It is wrapped where wrapping prose does not make room.
    Name,
    /// It is wrapped first, and stands under its row where even that is too wide.
    Prose,
}

impl Column {
    /// A column of names: wrapped where wrapping prose does not make room.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: false,
            kind: Kind::Name,
        }
    }

    /// The same column, aligned to the right: for numbers.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same column, never wrapped: for what people copy or compare.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.kind = Kind::Whole;
        self
    }

    /// The same column, never wrapped either, but under its row where it would not fit: for whole
    /// digests and the like.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.kind = Kind::Long;
        self
    }

    /// The same column, of prose: the first to be wrapped, and under its row where it would not
    /// fit.
    #[must_use]
    pub fn prose(mut self) -> Self {
        self.kind = Kind::Prose;
        self
    }
}

/// Rows under named columns.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    titled: bool,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            titled: true,
            rows: Vec::new(),
        }
    }

    /// Names and their values, one a line, without titles.
    #[must_use]
    pub fn record(fields: impl IntoIterator<Item = (String, Cell)>) -> Self {
        let rows = fields
            .into_iter()
            .map(|(name, value)| vec![Cell::new(name).tone(Tone::Faint), value]);
        let columns = vec![Column::new("").whole(), Column::new("").prose()];
        Self {
            columns,
            titled: false,
            rows: rows.collect(),
        }
    }

    /// Paragraphs, wrapped at words.
    #[must_use]
    pub fn paragraphs(lines: impl IntoIterator<Item = Cell>) -> Self {
        let rows = lines.into_iter().map(|line| vec![line]).collect();
        Self {
            columns: vec![Column::new("").prose()],
            titled: false,
            rows,
        }
    }

    /// Adds a row; cells in the order of the columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests;
