//! Where the cells of a table stand.

use unicode_width::UnicodeWidthStr as _;

use super::wrap::{narrowest, wrapped};
use super::{Cell, Column, Kind, Table};
use crate::style::{Style, Tone};

/// Between two columns.
const GAP: usize = 2;
/// Before what stands under its row.
const INDENT: usize = 4;
/// What prose beside other columns keeps at least, where it has so much to say.
const READABLE: usize = 12;

/// The width of each column; none is one whose text stands under its row.
type Widths = Vec<Option<usize>>;

impl Table {
    /// The table as text without a line break at its end. Where its columns do not fit beside
    /// each other prose is wrapped, then names; then prose and what is long stand under their row;
    /// then each row is a record. A line is wider than the terminal only there, and only by one
    /// word that cannot be broken.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        let room = style.width.map_or(usize::MAX, usize::from);
        let widths = if self.titled {
            let beside = |column: &Column| !matches!(column.kind, Kind::Long | Kind::Prose);
            self.widths(room, |_| true)
                .or_else(|| self.widths(room, beside))
        } else {
            Some(self.as_wide_as_it_gets(room))
        };
        match widths {
            Some(widths) => self.rows_drawn(&widths, room, style),
            None => self.as_records(style),
        }
    }

    /// The widths with which the chosen columns fit beside each other, if they do.
    fn widths(&self, room: usize, beside: impl Fn(&Column) -> bool) -> Option<Widths> {
        let all = (0..self.columns.len()).map(|column| self.wanted(column));
        let (beside, under): (Vec<_>, Vec<_>) =
            all.partition(|wanted| beside(&self.columns[wanted.column]));
        if under.iter().any(|wanted| INDENT + wanted.least > room) {
            return None;
        }
        let gaps = GAP * beside.len().saturating_sub(1);
        let (prose, names): (Vec<_>, Vec<_>) = beside
            .into_iter()
            .partition(|wanted| self.columns[wanted.column].kind == Kind::Prose);
        let least: usize = prose.iter().map(|wanted| wanted.least).sum();
        let names = shared(&names, room.checked_sub(gaps + least)?)?;
        let taken: usize = names.iter().map(|(_, width)| width).sum();
        let prose = shared(&prose, room.checked_sub(gaps + taken)?)?;
        let mut widths = vec![None; self.columns.len()];
        for (column, width) in names.into_iter().chain(prose) {
            widths[column] = Some(width);
        }
        Some(widths)
    }

    /// For records and paragraphs: what is last takes the rest, however little that is.
    fn as_wide_as_it_gets(&self, room: usize) -> Widths {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|column| self.wanted(column).most)
            .collect();
        if let Some(last) = widths.pop() {
            let before: usize = widths.iter().map(|width| width + GAP).sum();
            widths.push(last.min(room.saturating_sub(before)));
        }
        widths.into_iter().map(Some).collect()
    }

    fn wanted(&self, column: usize) -> Wanted {
        let Column { title, kind, .. } = &self.columns[column];
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let texts: Vec<&str> = cells
            .map(|cell| cell.text.as_str())
            .chain([title.as_str()])
            .collect();
        let widest = |width: fn(&str) -> usize| texts.iter().map(|text| width(text)).max();
        let most = widest(|text| text.width()).unwrap_or(0);
        let unbroken = widest(narrowest).unwrap_or(0);
        let least = match kind {
            Kind::Whole | Kind::Long => most,
            Kind::Name => unbroken,
            Kind::Prose => unbroken.max(most.min(READABLE)),
        };
        Wanted {
            column,
            least,
            most,
        }
    }

    fn rows_drawn(&self, widths: &Widths, room: usize, style: Style) -> String {
        let titles = self.columns.iter();
        let titles = titles.map(|column| Cell::new(&column.title).tone(Tone::Heading));
        let titles = self.titled.then(|| titles.collect::<Vec<_>>());
        let rows = titles.iter().chain(&self.rows);
        let lines: Vec<String> = rows
            .flat_map(|row| self.row_drawn(row, widths, room, style))
            .collect();
        lines.join("\n")
    }

    fn row_drawn(&self, row: &[Cell], widths: &Widths, room: usize, style: Style) -> Vec<String> {
        let mut beside = Vec::new();
        let mut under = Vec::new();
        for ((column, cell), width) in self.columns.iter().zip(row).zip(widths) {
            match width {
                Some(width) => beside.push((column, cell, *width, wrapped(&cell.text, *width))),
                None if cell.text.is_empty() => {}
                None => under.push(cell),
            }
        }
        let height = beside.iter().map(|(.., lines)| lines.len()).max();
        let mut drawn = Vec::new();
        for n in 0..height.unwrap_or(0) {
            let mut line = Line::default();
            for (column, cell, width, lines) in &beside {
                let text = lines.get(n).map_or("", String::as_str);
                let free = width.saturating_sub(text.width());
                let (before, behind) = if column.right { (free, 0) } else { (0, free) };
                line.skip(before);
                line.put(text, cell.tone, style);
                line.skip(behind + GAP);
            }
            drawn.push(line.text);
        }
        for cell in under {
            for text in wrapped(&cell.text, room.saturating_sub(INDENT)) {
                let mut line = Line::default();
                line.skip(INDENT);
                line.put(&text, cell.tone, style);
                drawn.push(line.text);
            }
        }
        drawn
    }

    fn as_records(&self, style: Style) -> String {
        let titles = || self.columns.iter().map(|column| column.title.clone());
        let records = self.rows.iter().map(|row| {
            let fields = titles().zip(row.iter().cloned());
            Table::record(fields).draw(style)
        });
        records.collect::<Vec<_>>().join("\n\n")
    }
}

/// How wide a column would be, and how wide it must be.
struct Wanted {
    column: usize,
    least: usize,
    most: usize,
}

/// The room for some columns: where not all get what they would like, the widest give first.
fn shared(columns: &[Wanted], room: usize) -> Option<Vec<(usize, usize)>> {
    let with = |most: usize| {
        let widths = columns
            .iter()
            .map(move |wanted| (wanted.column, wanted.most.min(most).max(wanted.least)));
        widths.collect::<Vec<_>>()
    };
    let widest = columns.iter().map(|wanted| wanted.most).max().unwrap_or(0);
    (0..=widest)
        .rev()
        .map(with)
        .find(|widths| widths.iter().map(|(_, width)| width).sum::<usize>() <= room)
}

/// A line with its spaces, but none at its end.
#[derive(Default)]
struct Line {
    text: String,
    skipped: usize,
}

impl Line {
    fn skip(&mut self, columns: usize) {
        self.skipped += columns;
    }

    fn put(&mut self, text: &str, tone: Tone, style: Style) {
        if text.is_empty() {
            return;
        }
        let spaces = std::mem::take(&mut self.skipped);
        self.text.extend(std::iter::repeat_n(' ', spaces));
        if style.colour {
            self.text.push_str(&tone.paint(text));
        } else {
            self.text.push_str(text);
        }
    }
}
