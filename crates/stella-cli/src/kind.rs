//! The failures that the CLI itself finds and no server ever answers, and the exit code of
//! each. All others are in the registry, `stella_api::Code`.

use crate::exit::ExitCode;

/// A kind of failure that the CLI itself finds: its stable code and the exit code it leads to.
///
/// Its words are the label `error-<code in lower case with hyphens>`, and the label of the same
/// name with `-hint` where there is a next thing to try.
#[derive(Debug)]
pub struct Kind {
    /// Stable, in SCREAMING_SNAKE.
    pub code: &'static str,
    /// How the process ends.
    pub exit: ExitCode,
}

impl Kind {
    /// The key of its label.
    pub(crate) fn label(&self) -> String {
        format!("error-{}", self.code.to_lowercase().replace('_', "-"))
    }
}

macro_rules! kinds {
    ($($code:ident => $exit:ident),+ $(,)?) => {
        $(#[doc = concat!("The code `", stringify!($code), "`.")]
        pub const $code: Kind = Kind { code: stringify!($code), exit: ExitCode::$exit };)+
        #[cfg(test)]
        const ALL: &[Kind] = &[$($code),+];
    };
}

kinds! {
    AFFECTED_INCOMPLETE => InvalidInput,
    AFFECTED_OFFLINE_ONLY => InvalidInput,
    CHECKPOINT_INVALID => InvalidInput,
    CLOCK_INVALID => InvalidInput,
    CONFIG_INVALID => Configuration,
    CONFIG_NOT_WRITTEN => Configuration,
    CONTEXT_INCOMPLETE => Configuration,
    CONTEXT_NAME_INVALID => InvalidInput,
    CONTEXT_NOT_FOUND => NotFound,
    CVSS_INVALID => InvalidInput,
    EXPORT_INVALID => InvalidInput,
    INPUT_TOO_LARGE => InvalidInput,
    KEY_FILE_OPEN_TO_OTHERS => Configuration,
    KEY_FILE_UNREADABLE => Configuration,
    NO_ADVISORIES => NotFound,
    NO_CONTEXT => Configuration,
    NO_HOME => Configuration,
    NOTHING_TO_INGEST => NotFound,
    NOTHING_VERIFIED => NotFound,
    OUTPUT_NOT_WRITTEN => Unexpected,
    PATH_UNREADABLE => InvalidInput,
    READ_FAILED => Unexpected,
    UNEXPECTED => Unexpected,
    USAGE => InvalidInput,
}

#[cfg(test)]
mod tests {
    use stella_locale::Labels;

    use super::*;

    #[test]
    fn every_kind_has_its_label() {
        for kind in ALL {
            assert!(Labels::english().has(&kind.label()), "{}", kind.label());
        }
    }

    #[test]
    fn none_is_in_the_registry() {
        for kind in ALL {
            assert!(
                kind.code.parse::<stella_api::Code>().is_err(),
                "{}",
                kind.code
            );
        }
    }
}
