//! Keyset paging: page 10,000 costs what page 1 costs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stella_api::{Code, Page};
use stella_locale::Labels;

use crate::Failure;

const DEFAULT_SIZE: u32 = 50;
const MAX_SIZE: u32 = 500;

/// A page that is asked for: how many entries, after which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging<K> {
    /// How many entries at the most.
    pub size: u32,
    /// The key of the last entry of the page before.
    pub after: Option<K>,
}

impl<K: Serialize + DeserializeOwned> Paging<K> {
    /// Reads the parameters of a list; `list` keeps the tokens of different lists apart.
    ///
    /// # Errors
    /// A size out of bounds, or a token that this list did not give.
    pub fn read(list: &str, size: Option<&str>, token: Option<&str>) -> Result<Self, Failure> {
        let size = page_size("query:pageSize", size)?;
        let after = token.map(|token| decode(list, token)).transpose()?;
        Ok(Self { size, after })
    }

    /// The limit for a query: one more than the page, to know whether another follows.
    #[must_use]
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Makes the page of what a query with [`Paging::limit`] gave.
    #[must_use]
    pub fn page<T>(&self, list: &str, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let size = self.size as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more);
        let next_page_token = last.map(|row| encode(list, &key(row)));
        Page {
            items: rows,
            next_page_token,
        }
    }
}

/// How many entries a part of a list has at the most, as the parameter at this place says.
///
/// # Errors
/// It is no number, or out of bounds.
pub fn page_size(place: &str, size: Option<&str>) -> Result<u32, Failure> {
    let Some(text) = size else {
        return Ok(DEFAULT_SIZE);
    };
    let read = text.parse().ok();
    let fits = read.filter(|size| (1..=MAX_SIZE).contains(size));
    fits.ok_or_else(|| {
        let values = [("most", MAX_SIZE.into()), ("size", text.into())];
        let reason = Labels::english().format("refused-page-size", &values);
        Failure::invalid(place, reason)
    })
}

fn encode<K: Serialize>(list: &str, key: &K) -> String {
    // Keys are tuples of strings and numbers, which always have a JSON form.
    let text = serde_json::to_vec(&(list, key)).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(text)
}

fn decode<K: DeserializeOwned>(list: &str, token: &str) -> Result<K, Failure> {
    let read = || {
        let text = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (named, key): (String, K) = serde_json::from_slice(&text).ok()?;
        (named == list).then_some(key)
    };
    read().ok_or_else(|| {
        let code = Code::PageTokenInvalid;
        let detail = Labels::english().text(&format!("{}-detail", code.label_key()));
        Failure::new(code).at(code, "query:pageToken", detail)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Paging;

    #[test]
    fn pages_cover_a_list_once_and_tokens_serve_their_own_list() {
        let all: Vec<u32> = (0..7).collect();
        let mut seen = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let paging = Paging::<u32>::read("a", Some("3"), token.as_deref()).unwrap();
            let rows = all
                .iter()
                .copied()
                .filter(|n| paging.after.is_none_or(|last| *n > last));
            let limit = usize::try_from(paging.limit()).unwrap();
            let page = paging.page("a", rows.take(limit).collect(), |n| *n);
            seen.extend(page.items);
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
            assert!(Paging::<u32>::read("b", Some("3"), token.as_deref()).is_err());
        }
        assert_eq!(seen, all);
        assert!(Paging::<u32>::read("a", Some("0"), None).is_err());
        assert!(Paging::<u32>::read("a", Some("501"), None).is_err());
        assert!(Paging::<u32>::read("a", Some("many"), None).is_err());
        assert!(Paging::<u32>::read("a", None, Some("nonsense")).is_err());
    }
}
