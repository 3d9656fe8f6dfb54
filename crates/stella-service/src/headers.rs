//! Headers that may stand once, and what a body's headers may say.

use axum::http::{HeaderMap, HeaderValue, header};
use stella_locale::Labels;

use crate::Failure;

/// The only header of a name, where there is one. Of two, a proxy may judge by the first and a
/// server by the last: neither is believed.
///
/// # Errors
/// There are several; the text says so.
pub fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => {
            Err(Labels::english().format("refused-header-twice", &[("name", name.into())]))
        }
    }
}

/// The same for whoever answers with a problem: the header is its place.
pub(crate) fn sole<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a HeaderValue>, Failure> {
    single(headers, name).map_err(|reason| Failure::invalid(format!("header:{name}"), reason))
}

/// The encoding of a body, where it is not sent as it is: none is undone here.
#[must_use]
pub fn encoding(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut all = values.flat_map(|value| value.to_str().unwrap_or("?").split(','));
    all.find(|one| !["", "identity"].contains(&one.trim().to_ascii_lowercase().as_str()))
        .map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sent_as_it_is_has_no_encoding() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            encoding(&headers).map(str::to_owned)
        };
        assert_eq!(
            (of(&[]), of(&["identity"]), of(&["", " Identity, "])),
            (None, None, None)
        );
        assert_eq!(of(&["identity", "identity, gzip"]).unwrap(), "gzip");
        assert_eq!(of(&["BR"]).unwrap(), "BR");
    }
}
