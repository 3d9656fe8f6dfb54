//! Tables that fit the terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, presets};

use crate::plain::plain;
use crate::style::{Style, Tone};

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

    fn drawn(&self) -> comfy_table::Cell {
        self.tone.apply(comfy_table::Cell::new(&self.text))
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    right: bool,
    whole: bool,
}

impl Column {
    /// A column whose text is wrapped where the table would not fit.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: false,
            whole: false,
        }
    }

    /// The same column, aligned to the right: for numbers.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same column, wrapped only where all others are one character wide: for what people
    /// copy.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
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
        let columns = vec![Column::new("").whole(), Column::new("")];
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
            columns: vec![Column::new("")],
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

    /// The table as text without a line break at its end.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        let mut grid = self.grid(style);
        self.keep_whole(&mut grid, style);
        let text = grid.trim_fmt();
        if style.colour {
            text
        } else {
            text.lines()
                .map(str::trim_end)
                .collect::<Vec<_>>()
                .join("\n")
        }
    }

    fn grid(&self, style: Style) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).force_no_tty();
        if style.colour {
            grid.enforce_styling();
        }
        match style.width {
            Some(width) => grid
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width),
            None => grid.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.titled {
            grid.set_header(
                self.columns
                    .iter()
                    .map(|column| Cell::new(&column.title).tone(Tone::Heading).drawn()),
            );
        }
        for row in &self.rows {
            grid.add_row(row.iter().map(Cell::drawn));
        }
        for (column, drawn) in self.columns.iter().zip(grid.column_iter_mut()) {
            drawn.set_padding((0, GAP));
            if column.right {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid
    }

    /// Only while the other columns keep room to be read; on a narrower terminal all wrap.
    fn keep_whole(&self, grid: &mut Grid, style: Style) {
        let Some(width) = style.width else { return };
        let widths = grid.column_max_content_widths();
        let needed: usize = self
            .columns
            .iter()
            .zip(&widths)
            .map(|(column, content)| {
                let content = usize::from(*content);
                usize::from(GAP)
                    + if column.whole {
                        content
                    } else {
                        content.min(NARROWEST)
                    }
            })
            .sum();
        if needed > usize::from(width) {
            return;
        }
        for (column, drawn) in self.columns.iter().zip(grid.column_iter_mut()) {
            if column.whole {
                drawn.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
}

/// Between two columns.
const GAP: u16 = 2;
/// What a wrapped column keeps at least.
const NARROWEST: usize = 12;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn findings() -> Table {
        let mut table = Table::new([
            Column::new("BAND"),
            Column::new("SCORE").right(),
            Column::new("VULNERABILITY").whole(),
            Column::new("COMPONENT"),
            Column::new("TITLE"),
        ]);
        table.row([
            Cell::band("Critical"),
            Cell::new("98"),
            Cell::new("CVE-2023-4863"),
            Cell::new("libwebp-sys 0.9.2"),
            Cell::new("heap buffer overflow\nin libwebp when it reads a \u{1b}[2Jcrafted picture"),
        ]);
        table.row([
            Cell::band("Unknown"),
            Cell::absent(),
            Cell::new("GHSA-xxxx-yyyy-zzzz"),
            Cell::new("old 1.0.0"),
            Cell::absent(),
        ]);
        table
    }

    #[test]
    fn wide_terminal() {
        insta::assert_snapshot!(findings().draw(Style {
            width: Some(120),
            colour: false
        }));
    }

    #[test]
    fn narrow_terminal() {
        insta::assert_snapshot!(findings().draw(Style {
            width: Some(72),
            colour: false
        }));
    }

    #[test]
    fn very_narrow_terminal() {
        insta::assert_snapshot!(findings().draw(Style {
            width: Some(40),
            colour: false
        }));
    }

    #[test]
    fn no_terminal() {
        insta::assert_snapshot!(findings().draw(Style::default()));
    }

    #[test]
    fn colours_mean_something() {
        let text = findings().draw(Style {
            width: None,
            colour: true,
        });
        insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
    }

    #[test]
    fn record_and_paragraphs() {
        let record = Table::record([
            ("id".to_owned(), Cell::new("a1")),
            ("severity".to_owned(), Cell::band("High")),
        ]);
        assert_eq!(
            record.draw(Style::default()),
            "id        a1\nseverity  High"
        );
        let text = Table::paragraphs([Cell::new("one two three"), Cell::new("four")]);
        assert_eq!(
            text.draw(Style {
                width: Some(10),
                colour: false
            }),
            "one two\nthree\nfour"
        );
    }

    proptest! {
        #[test]
        fn never_wider_than_the_terminal(
            cells in proptest::collection::vec(proptest::collection::vec("[a-z0-9/:.漢 -]{0,60}", 4), 1..5),
            width in 24_u16..140,
        ) {
            let mut table = Table::new([
                Column::new("A").whole(), Column::new("B").right(), Column::new("C").whole(), Column::new("D"),
            ]);
            for row in cells {
                table.row(row.iter().map(Cell::new));
            }
            for line in table.draw(Style { width: Some(width), colour: false }).lines() {
                let columns: usize = line.chars().map(|letter| if letter == '漢' { 2 } else { 1 }).sum();
                prop_assert!(columns <= usize::from(width), "{columns} > {width}: {line}");
            }
        }
    }
}
