//! Text broken between words, and a word only where a name may be broken.

use unicode_width::UnicodeWidthStr as _;

/// The text in lines of at most so many columns. A word that is wider is broken behind `/` and
/// before `@`; what even then is too wide stays whole: the terminal breaks it, and gives it back
/// as one when it is copied.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    if text.width() <= room {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let fits = word.width() <= room;
        let parts: Vec<&str> = if fits {
            vec![word]
        } else {
            pieces(word).collect()
        };
        for (n, part) in parts.into_iter().enumerate() {
            let gap = if n == 0 && !line.is_empty() { " " } else { "" };
            if !line.is_empty() && line.width() + gap.len() + part.width() > room {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push_str(gap);
            }
            line.push_str(part);
        }
    }
    lines.push(line);
    lines
}

/// The width below which a text does not fit, however it is wrapped.
pub(super) fn narrowest(text: &str) -> usize {
    let pieces = words(text).flat_map(pieces);
    pieces.map(str::width).max().unwrap_or(0)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let breaks = |(at, next): &(usize, char)| *next == '@' || rest[..*at].ends_with('/');
        let end = rest.char_indices().skip(1).find(breaks);
        let (piece, behind) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_where_their_parts_meet() {
        let purl = "pkg:npm/@scope/a-name@1.0.0";
        assert_eq!(wrapped(purl, 27), [purl]);
        assert_eq!(wrapped(purl, 20), ["pkg:npm/@scope/", "a-name@1.0.0"]);
        assert_eq!(
            wrapped(purl, 8),
            ["pkg:npm/", "@scope/", "a-name", "@1.0.0"]
        );
        assert_eq!(narrowest(purl), 8);
    }

    #[test]
    fn a_word_that_fits_on_a_line_of_its_own_is_not_broken() {
        assert_eq!(wrapped("by AV:N/AC:L/PR:N", 14), ["by", "AV:N/AC:L/PR:N"]);
        assert_eq!(wrapped("by AV:N/AC:L/PR:N", 10), ["by AV:N/", "AC:L/PR:N"]);
    }

    #[test]
    fn what_cannot_be_broken_stays_whole() {
        assert_eq!(wrapped("id 0123456789 x", 4), ["id", "0123456789", "x"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("     ", 4), [""]);
    }
}
