//! Colours that mean something, and can be off: the words beside them always say the same.

use std::borrow::Cow;

/// How output is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Columns to fit into; without it nothing is wrapped.
    pub width: Option<u16>,
    /// Whether colours and bold are used.
    pub colour: bool,
}

/// What a piece of text means, where that has a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing beyond its words.
    #[default]
    Normal,
    /// A heading.
    Heading,
    /// Beside the point: ids, ages, what is absent.
    Faint,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// A band or severity.
    Critical,
    /// A band or severity.
    High,
    /// A band or severity.
    Medium,
    /// A band or severity.
    Low,
    /// A band.
    Info,
    /// A band: not scored, or not known. Never green.
    Unknown,
}

impl Tone {
    /// The tone of a band or severity by its word, in any case.
    #[must_use]
    pub fn of_band(word: &str) -> Self {
        let bands = [
            Self::Critical,
            Self::High,
            Self::Medium,
            Self::Low,
            Self::Info,
        ];
        bands
            .into_iter()
            .find(|band| format!("{band:?}").eq_ignore_ascii_case(word))
            .unwrap_or(Self::Unknown)
    }

    /// The text as a terminal is told to show it. ECMA-48, 8.3.117; bright colours.
    pub(crate) fn paint(self, text: &str) -> Cow<'_, str> {
        let how = match self {
            Self::Normal => return text.into(),
            Self::Heading => "1",
            Self::Faint | Self::Unknown => "90",
            Self::Good => "92",
            Self::Bad | Self::High => "91",
            Self::Critical => "1;91",
            Self::Medium => "93",
            Self::Low => "94",
            Self::Info => "96",
        };
        format!("\u{1b}[{how}m{text}\u{1b}[0m").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_known_by_their_word() {
        assert_eq!(Tone::of_band("critical"), Tone::Critical);
        assert_eq!(Tone::of_band("Info"), Tone::Info);
        assert_eq!(Tone::of_band("heading"), Tone::Unknown);
    }
}
