//! Versions of Debian packages as `dpkg` compares them, deb-version(7):
//! `[epoch:]upstream[-revision]`.

use std::cmp::Ordering;

use crate::Error;

#[derive(Debug, Clone)]
pub struct Version {
    epoch: u32,
    upstream: String,
    revision: String,
}

pub(super) fn parse(version: &str) -> Result<Version, Error> {
    read(version.trim()).map_err(|reason| Error::Version {
        version: version.to_owned(),
        order: "Debian",
        reason: reason.to_owned(),
    })
}

/// `dpkg` warns of a version that does not begin with a digit and compares it all the same;
/// there are such packages.
fn read(text: &str) -> Result<Version, &'static str> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (self::epoch(epoch).ok_or("its epoch is no number")?, rest),
        None => (0, text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return Err("its revision is empty"),
        Some((upstream, revision)) => (upstream, revision),
        None => (rest, ""),
    };
    let known = |extra: &'static [u8]| {
        move |byte: u8| byte.is_ascii_alphanumeric() || extra.contains(&byte)
    };
    if upstream.is_empty() {
        Err("it has no upstream version")
    } else if !upstream.bytes().all(known(b".+-~:")) || !revision.bytes().all(known(b".+~")) {
        Err("it has a character that versions do not have")
    } else {
        Ok(Version {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

/// As great as `dpkg` has it, and without a sign.
fn epoch(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let epoch = digits.then(|| text.parse().ok())??;
    i32::try_from(epoch).is_ok().then_some(epoch)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare(&self.upstream, &other.upstream))
            .then_with(|| compare(&self.revision, &other.revision))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// What is no digit and then what is, in turns, until both are at their ends.
fn compare(mut left: &str, mut right: &str) -> Ordering {
    while !(left.is_empty() && right.is_empty()) {
        let words = word(&mut left).cmp(word(&mut right));
        let order = words.then_with(|| number(&mut left).cmp(&number(&mut right)));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes what is no digit. Letters are before all else but the end, and `~` is before that.
fn word<'a>(text: &mut &'a str) -> impl Iterator<Item = i32> + use<'a> {
    let end = text.find(|c: char| c.is_ascii_digit());
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let weight = |byte: u8| match byte {
        b'~' => -1,
        letter if letter.is_ascii_alphabetic() => i32::from(letter),
        other => i32::from(other) + 256,
    };
    word.bytes().map(weight).chain([0])
}

/// Takes digits, as many as there are: a longer number is the greater.
fn number<'a>(text: &mut &'a str) -> (usize, &'a str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ascends() {
        let ascending = [
            "1.0~~",
            "1.0~~a",
            "1.0~rc1-1",
            "1.0",
            "1.0-0+b1",
            "1.0-1~deb12u1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.0.1",
            "1.9",
            "1.10",
            "99999999999999999999999999",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            let (left, right) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert!(left < right, "{} < {}", pair[0], pair[1]);
        }
        for (left, right) in [("0:1.0", "1.0-0"), ("1.00", "1.0"), ("1-2-00", "1-2-0")] {
            assert_eq!(parse(left).unwrap(), parse(right).unwrap(), "{left}");
        }
    }

    #[test]
    fn refuses_what_has_no_place_in_the_order() {
        for version in [
            "",
            "1:",
            ":1",
            "a:1",
            "+1:1",
            "2147483648:1",
            "1-",
            "-1",
            "1 2",
            "1_2",
            "1-2:3",
            "1é",
        ] {
            assert!(parse(version).is_err(), "{version:?}");
        }
        assert!(parse("debian-1").is_ok() && parse("1:2:3-1").is_ok());
    }
}
