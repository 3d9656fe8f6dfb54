use proptest::prelude::*;

use super::*;
use crate::style::Style;

fn wide(columns: u16) -> Style {
    Style {
        width: Some(columns),
        colour: false,
    }
}

fn findings() -> Table {
    let mut table = Table::new([
        Column::new("BAND").whole(),
        Column::new("SCORE").right().whole(),
        Column::new("VULNERABILITY").whole(),
        Column::new("COMPONENT"),
        Column::new("TITLE").prose(),
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
    insta::assert_snapshot!(findings().draw(wide(120)));
}

#[test]
fn narrow_terminal() {
    insta::assert_snapshot!(findings().draw(wide(72)));
}

#[test]
fn very_narrow_terminal() {
    insta::assert_snapshot!(findings().draw(wide(40)));
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
    assert_eq!(text.draw(wide(10)), "one two\nthree\nfour");
}

#[test]
fn the_widest_gives_first_and_prose_before_names() {
    let mut table = Table::new([
        Column::new("DOCUMENT"),
        Column::new("ID").whole(),
        Column::new("WHY").prose(),
    ]);
    let name = Cell::new("pkg:npm/@scope/a-name@1.0.0");
    table.row([
        name,
        Cell::new("0123456789ab"),
        Cell::new("one two three four"),
    ]);
    let at = |width| format!("{width} columns\n{}", table.draw(wide(width)));
    insta::assert_snapshot!([61, 60, 48, 34, 20].map(at).join("\n\n"));
}

/// Where a word that cannot be broken stands at the earliest: titles are a letter wide.
const BEHIND_THE_NAME: usize = "A  ".len();

fn columns_of(text: &str) -> usize {
    text.chars()
        .map(|letter| if letter == '漢' { 2 } else { 1 })
        .sum()
}

proptest! {
    #[test]
    fn never_wider_than_the_terminal_but_by_one_word(
        cells in proptest::collection::vec(proptest::collection::vec("[a-z0-9/@:.漢 -]{0,60}", 4), 1..5),
        width in 24_u16..140,
    ) {
        let mut table = Table::new([
            Column::new("A").whole(), Column::new("B").right(), Column::new("C").prose(), Column::new("D"),
        ]);
        for row in &cells {
            table.row(row.iter().map(Cell::new));
        }
        let drawn = table.draw(wide(width));
        for line in drawn.lines().filter(|line| columns_of(line) > usize::from(width)) {
            let word = &line[BEHIND_THE_NAME..];
            prop_assert!(!word.trim_end_matches('/').contains([' ', '/']), "{line}");
            prop_assert!(!word.trim_start_matches('@').contains('@'), "{line}");
        }
        // Nothing but spaces is lost on the way, and a word is cut only where a name may be.
        for word in cells.iter().flatten().flat_map(|text| text.split([' ', '/', '@'])) {
            prop_assert!(drawn.contains(word), "{word} is not in\n{drawn}");
        }
    }

    #[test]
    fn what_is_copied_stays_on_one_line(
        ids in proptest::collection::vec("[a-z0-9/@ -]{1,30}", 1..5),
        names in proptest::collection::vec("[a-z/@ ]{0,60}", 1..5),
        width in 40_u16..140,
    ) {
        let mut table = Table::new([Column::new("NAME"), Column::new("ID").whole(), Column::new("WHY").prose()]);
        for (id, name) in ids.iter().zip(&names) {
            table.row([name, id, name].map(Cell::new));
        }
        let drawn = table.draw(wide(width));
        for (id, _) in ids.iter().zip(&names) {
            prop_assert!(drawn.contains(id.trim_end()), "{id} is not in\n{drawn}");
        }
    }
}
