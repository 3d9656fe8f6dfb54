//! Reads a vector strictly: one pass, no allocation unless it is refused.

use super::error::{CvssError, CvssErrorCode};
use super::metrics::{Group, Metric};
use super::{Values, Vector, Version};

const PREFIX: &str = "CVSS:";

pub(super) fn vector(text: &str) -> Result<Vector, CvssError> {
    let (version, start, end) = head(text)?;
    let metrics = version.metrics();
    let mut values: Values = [0; 32];
    let mut seen = 0u32;
    let mut next = 0usize;
    let mut at = start;
    loop {
        let rest = &text.as_bytes()[at..end];
        if let Some((place, value, length)) = expected(metrics, next, seen, rest) {
            values[place] = value;
            seen |= 1 << place;
            next = place + 1;
            if length == rest.len() {
                break;
            }
            at += length + 1;
            continue;
        }
        let stop = at
            + rest
                .iter()
                .position(|&byte| byte == b'/')
                .unwrap_or(rest.len());
        let component = Component {
            text: &text[at..stop],
            at,
            last: stop == end,
        };
        let (name, value) = component.split()?;
        let place = component.metric(metrics, next, name)?;
        if seen & (1 << place) != 0 {
            return Err(CvssError::new(CvssErrorCode::RepeatedMetric, at, name));
        }
        if place < next && version == Version::V4_0 {
            return Err(CvssError::new(CvssErrorCode::Order, at, name));
        }
        values[place] = component.value(&metrics[place], value)?;
        seen |= 1 << place;
        next = place + 1;
        if component.last {
            break;
        }
        at = stop + 1;
    }
    let missing = metrics
        .iter()
        .enumerate()
        .find(|(i, m)| m.group == Group::Base && seen & (1 << i) == 0);
    match missing {
        Some((_, metric)) => Err(CvssError::new(
            CvssErrorCode::MissingMetric,
            end,
            metric.name,
        )),
        None => Ok(Vector { version, values }),
    }
}

/// Reads a metric that comes in order and is right, as nearly every one does: its place, the place
/// of its value, and its length. What this leaves, the strict way reads or refuses.
fn expected(metrics: &[Metric], next: usize, seen: u32, rest: &[u8]) -> Option<(usize, u8, usize)> {
    let first = rest.first()?;
    for (place, metric) in metrics.iter().enumerate().skip(next) {
        let name = metric.name.as_bytes();
        if name.first() != Some(first)
            || rest.get(name.len()) != Some(&b':')
            || !rest.starts_with(name)
        {
            continue;
        }
        let value = &rest[name.len() + 1..];
        let known = metric.values.iter().position(|known| {
            matches!(value.get(known.len()), None | Some(b'/'))
                && value.starts_with(known.as_bytes())
        })?;
        let length = name.len() + 1 + metric.values[known].len();
        // No metric has more than six values.
        return (seen & (1 << place) == 0).then_some((place, known as u8, length));
    }
    None
}

/// The version, and the range of bytes that hold components.
fn head(text: &str) -> Result<(Version, usize, usize), CvssError> {
    let refuse = |code, offset| Err(CvssError::new(code, offset, ""));
    if text.is_empty() {
        return refuse(CvssErrorCode::Syntax, 0);
    }
    if let Some(rest) = text.strip_prefix(PREFIX) {
        let version = match rest.get(..3) {
            Some("3.1") => Version::V3_1,
            Some("4.0") => Version::V4_0,
            Some("3.0") => Version::V3_0,
            _ => return refuse(CvssErrorCode::Version, PREFIX.len()),
        };
        let start = PREFIX.len() + 3;
        return match text.as_bytes().get(start) {
            Some(b'/') if text.len() == start + 1 => refuse(CvssErrorCode::TrailingSlash, start),
            Some(b'/') => Ok((version, start + 1, text.len())),
            Some(_) => refuse(CvssErrorCode::Version, start),
            None => refuse(CvssErrorCode::Syntax, start),
        };
    }
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(with))
    };
    if begins(PREFIX) {
        refuse(CvssErrorCode::Case, 0)
    } else if begins("CVSS") {
        refuse(CvssErrorCode::Version, 0)
    } else {
        plain(text)
    }
}

/// A v2 vector stands alone or in one pair of parentheses.
fn plain(text: &str) -> Result<(Version, usize, usize), CvssError> {
    match (text.starts_with('('), text.ends_with(')')) {
        (false, false) => Ok((Version::V2_0, 0, text.len())),
        (true, true) if text.len() > 2 => Ok((Version::V2_0, 1, text.len() - 1)),
        (true, _) => Err(CvssError::new(CvssErrorCode::Syntax, 0, "")),
        (false, true) => Err(CvssError::new(CvssErrorCode::Syntax, text.len() - 1, "")),
    }
}

struct Component<'a> {
    text: &'a str,
    at: usize,
    last: bool,
}

impl<'a> Component<'a> {
    fn split(&self) -> Result<(&'a str, &'a str), CvssError> {
        if self.text.is_empty() {
            let (code, at) = match self.last {
                true => (CvssErrorCode::TrailingSlash, self.at.saturating_sub(1)),
                false => (CvssErrorCode::EmptyComponent, self.at),
            };
            return Err(CvssError::new(code, at, ""));
        }
        match self.text.split_once(':') {
            Some((name, value))
                if !name.is_empty() && !value.is_empty() && !value.contains(':') =>
            {
                Ok((name, value))
            }
            _ => Err(CvssError::new(CvssErrorCode::Syntax, self.at, self.text)),
        }
    }

    /// Looks from where the last metric stood: vectors come in order nearly always.
    fn metric(&self, metrics: &[Metric], next: usize, name: &str) -> Result<usize, CvssError> {
        let (before, after) = metrics.split_at(next);
        let named = |metric: &Metric| metric.name == name;
        if let Some(place) = after.iter().position(named) {
            return Ok(next + place);
        }
        if let Some(place) = before.iter().position(named) {
            return Ok(place);
        }
        let folded = metrics
            .iter()
            .any(|metric| metric.name.eq_ignore_ascii_case(name));
        let code = if folded {
            CvssErrorCode::Case
        } else {
            CvssErrorCode::UnknownMetric
        };
        Err(CvssError::new(code, self.at, name))
    }

    fn value(&self, metric: &Metric, value: &str) -> Result<u8, CvssError> {
        if let Some(place) = metric.values.iter().position(|known| *known == value) {
            return Ok(place as u8); // No metric has more than six values.
        }
        let folded = metric
            .values
            .iter()
            .any(|known| known.eq_ignore_ascii_case(value));
        let code = if folded {
            CvssErrorCode::Case
        } else {
            CvssErrorCode::BadValue
        };
        Err(CvssError::new(
            code,
            self.at + metric.name.len() + 1,
            metric.name,
        ))
    }
}
