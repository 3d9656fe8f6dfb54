//! Text from elsewhere is hostile: nothing in it may steer the terminal that shows it.

use std::borrow::Cow;

/// Characters in a terminal's title or link; longer ones are not taken for such.
const LONGEST_STRING: usize = 4096;

/// The text on one line, without control characters, escape sequences and marks that reorder
/// or hide what is read. Line breaks and tabs become a space.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|character| is_break(character) || steers(character))
    {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            _ if is_break(character) => push_space(&mut result),
            _ if steers(character) => {}
            _ => result.push(character),
        }
    }
    Cow::Owned(result)
}

/// The same JSON text with every character that could steer a terminal as a `\u` escape, so
/// that nothing is lost. Such characters occur in JSON only inside strings; the line breaks
/// between values stay.
#[must_use]
pub(crate) fn escaped(json: &str) -> String {
    let mut result = String::with_capacity(json.len());
    for character in json.chars() {
        if is_harmful(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                result.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            result.push(character);
        }
    }
    result
}

/// Whether a text of several lines can be shown as it is.
pub(crate) fn is_harmless(text: &str) -> bool {
    !text.chars().any(is_harmful)
}

fn is_harmful(character: char) -> bool {
    character != '\n' && (is_break(character) || steers(character))
}

fn is_break(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Control characters, marks of writing direction, and characters without a width that hide
/// what stands between others. Joiners stay: scripts and emoji need them.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_space(result: &mut String) {
    if !result.ends_with(' ') {
        result.push(' ');
    }
}

/// After an escape character: a control sequence (`[`), a string that ends with BEL or ST
/// (`]`, `P`, `X`, `^`, `_`), or a single character. ECMA-48.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest, ahead),
        Some(' '..='~') => *rest = ahead,
        _ => {}
    }
}

/// Up to and with the final byte; what does not belong to a sequence is left.
fn skip_control_sequence(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    while let Some(character) = ahead.next() {
        match character {
            ' '..='?' => {}
            '@'..='~' => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// A string without an end is not skipped, or a stray escape would swallow all that follows;
/// the look ahead is bounded, or many of them would take quadratic time.
fn skip_string<'a>(rest: &mut std::str::Chars<'a>, mut ahead: std::str::Chars<'a>) {
    for _ in 0..LONGEST_STRING {
        let Some(character) = ahead.next() else {
            return;
        };
        match character {
            '\u{7}' | '\u{9c}' => {
                *rest = ahead;
                return;
            }
            '\u{1b}' if ahead.as_str().starts_with('\\') => {
                ahead.next();
                *rest = ahead;
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_untouched() {
        let text = "Überlauf in libwebp — “heap” 漢字 👩‍💻";
        assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn sequences_leave_nothing_behind() {
        assert_eq!(plain("a\u{1b}[31;1mred\u{1b}[0m b"), "ared b");
        assert_eq!(
            plain("a\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c"),
            "abc"
        );
        assert_eq!(plain("a\u{9b}31mb"), "ab");
        assert_eq!(plain("a\u{1b}cb"), "ab");
    }

    #[test]
    fn an_unfinished_sequence_swallows_nothing() {
        assert_eq!(plain("a\u{1b}]0;rest"), "a]0;rest");
        assert_eq!(plain("a\u{1b}[31ü"), "a31ü");
    }

    #[test]
    fn breaks_become_one_space_and_marks_go() {
        assert_eq!(plain("a\r\n\tb\u{202e}c\u{200b}d\u{0}"), "a bcd");
    }

    #[test]
    fn escaping_loses_nothing() {
        let text = "\u{9b}31m \u{202e} \u{7f} \u{e0001}";
        let json = escaped(&serde_json::to_string(text).unwrap());
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in any::<String>()) {
            let shown = plain(&text);
            prop_assert!(!shown.chars().any(|character| is_break(character) || steers(character)));
            prop_assert_eq!(plain(&shown), shown.as_ref());
        }
    }
}
