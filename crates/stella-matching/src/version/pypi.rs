//! Versions of Python packages, PEP 440: epochs, pre-, post- and development releases, local
//! versions, and every spelling that its appendix B admits.
//!
//! Fields stand in the order in which they are compared, so that the derived order is the
//! order of the specification.

use crate::Error;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    epoch: Number,
    /// Without zeros at its end: `1.0` is `1`.
    release: Vec<Number>,
    pre: Pre,
    /// A post-release is after what has none.
    post: Option<Number>,
    dev: Dev,
    local: Vec<Segment>,
}

/// Any count of digits without leading zeros: a longer one is the greater. Dates with times
/// are version numbers on PyPI, and some are greater than 64 bits hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    digits: usize,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    /// A development release of the final release comes before every pre-release of it.
    BeforeAll,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Of(Number),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Number(Number),
}

pub(super) fn parse(version: &str) -> Result<Version, Error> {
    read(&version.trim().to_ascii_lowercase()).ok_or_else(|| Error::Version {
        version: version.to_owned(),
        order: "PyPI",
        reason: "not as PEP 440 has it".to_owned(),
    })
}

fn read(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, local.split(SEPARATORS).map(segment).collect()),
        None => (text, Some(Vec::new())),
    };
    let (epoch, mut rest) = match public.split_once('!') {
        Some((epoch, rest)) => (number(epoch)?, rest),
        None => (Number::default(), public),
    };
    let mut release = vec![leading(&mut rest)?];
    while let Some(mut next) = rest.strip_prefix('.') {
        let Some(number) = leading(&mut next) else {
            break;
        };
        release.push(number);
        rest = next;
    }
    while release.pop_if(|last| last.digits == 0).is_some() {}
    let pre = pre(&mut rest);
    let post = implicit_post(&mut rest).or_else(|| marked(&mut rest, &["post", "rev", "r"]));
    let dev = marked(&mut rest, &["dev"]);
    rest.is_empty().then_some(Version {
        epoch,
        release,
        pre: match (pre, &post, &dev) {
            (Pre::None, None, Some(_)) => Pre::BeforeAll,
            (pre, ..) => pre,
        },
        post,
        dev: dev.map_or(Dev::None, Dev::Of),
        local: local?,
    })
}

const SEPARATORS: [char; 3] = ['.', '-', '_'];

fn pre(rest: &mut &str) -> Pre {
    if let Some(number) = marked(rest, &["alpha", "a"]) {
        Pre::Alpha(number)
    } else if let Some(number) = marked(rest, &["beta", "b"]) {
        Pre::Beta(number)
    } else if let Some(number) = marked(rest, &["preview", "pre", "rc", "c"]) {
        Pre::Candidate(number)
    } else {
        Pre::None
    }
}

/// A mark with its number, 0 where none is written, separators around the mark being optional.
fn marked(rest: &mut &str, marks: &[&str]) -> Option<Number> {
    let text = rest.strip_prefix(SEPARATORS).unwrap_or(rest);
    let after = marks.iter().find_map(|mark| text.strip_prefix(mark))?;
    *rest = after.strip_prefix(SEPARATORS).unwrap_or(after);
    Some(leading(rest).unwrap_or_default())
}

/// `1.0-2` is `1.0.post2`.
fn implicit_post(rest: &mut &str) -> Option<Number> {
    let mut after = rest.strip_prefix('-')?;
    let number = leading(&mut after)?;
    *rest = after;
    Some(number)
}

fn segment(text: &str) -> Option<Segment> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Some(number(text).map_or_else(|| Segment::Text(text.to_owned()), Segment::Number))
}

/// Takes the digits at the front, if there is one.
fn leading(rest: &mut &str) -> Option<Number> {
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
    let number = number(digits)?;
    *rest = after;
    Some(number)
}

fn number(text: &str) -> Option<Number> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = text.trim_start_matches('0').to_owned();
    Some(Number {
        digits: text.len(),
        text,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ascends() {
        let ascending = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "20240102030405060708091011",
            "1!0.1",
        ];
        for pair in ascending.windows(2) {
            let (left, right) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert!(left < right, "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn reads_every_spelling() {
        for (written, normal) in [
            (" V1.0\n", "1"),
            ("1.0.0", "1"),
            ("01.1", "1.1"),
            ("0!1", "1"),
            ("1.1RC1", "1.1rc1"),
            ("1.1-alpha_1", "1.1a1"),
            ("1.1.c", "1.1rc0"),
            ("1.1preview-2", "1.1rc2"),
            ("1.0a.", "1.0a0"),
            ("1.0-5", "1.0.post5"),
            ("1.0r5", "1.0.post5"),
            ("1.0_rev", "1.0.post0"),
            ("1.0a-1", "1.0a1"),
            ("1.0a1-1", "1.0a1.post1"),
            ("1.0-DEV3", "1.0.dev3"),
            ("1.0+Ubuntu-01", "1.0+ubuntu.1"),
        ] {
            assert_eq!(parse(written).unwrap(), parse(normal).unwrap(), "{written}");
        }
    }

    #[test]
    fn refuses_what_has_no_place_in_the_order() {
        for version in [
            "",
            "v",
            "2004d",
            "1.0+",
            "1.0+a..b",
            "1!",
            "!1",
            "1..0",
            "1.0-",
            "1.0a1b1",
            "1.0 0",
            "1.0é",
            "french toast",
            "1.0.dev1.post1",
        ] {
            assert!(parse(version).is_err(), "{version:?}");
        }
    }
}
