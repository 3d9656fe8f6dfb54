//! Lists of a server, page by page.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stella_api::{Code, Page};
use stella_client::Client;

use crate::failure::Failure;
use crate::label::label;
use crate::problem::of_code;

/// The most that a server gives at once.
const LARGEST: usize = 500;

/// What `--limit` takes: a list of none would say that there is none.
///
/// # Errors
/// What it takes instead.
pub(crate) fn limit(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| label("limit-invalid"))
}

/// The entries of a list, and whether there are more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) more: bool,
}

/// Reads a list up to a limit; without one, all of it.
pub(crate) async fn list<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    filter: &impl Serialize,
    limit: Option<usize>,
) -> Result<Listed<T>, Failure> {
    list_of(client, path, filter, limit, |page: Page<T>| page).await
}

/// The same of a list whose pages hold more than entries; `read` is given each.
pub(crate) async fn list_of<P: DeserializeOwned, T>(
    client: &Client,
    path: &str,
    filter: &impl Serialize,
    limit: Option<usize>,
    mut read: impl FnMut(P) -> Page<T>,
) -> Result<Listed<T>, Failure> {
    let filter = serde_urlencoded::to_string(filter)
        .map_err(|error| of_code(Code::RequestInvalid, error.to_string()))?;
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let room = limit.map_or(LARGEST, |limit| limit.saturating_sub(items.len()));
        let query = query(&filter, room.min(LARGEST), token.as_deref())?;
        let page = read(client.get(&format!("{path}?{query}")).await?);
        let empty = page.items.is_empty();
        items.extend(page.items.into_iter().take(room));
        token = page.next_page_token;
        let full = limit.is_some_and(|limit| items.len() >= limit);
        // A page that is empty and names a next one would be asked for for ever.
        if token.is_none() || full || empty {
            let more = token.is_some();
            return Ok(Listed { items, more });
        }
    }
}

fn query(filter: &str, size: usize, token: Option<&str>) -> Result<String, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Paging<'a> {
        page_size: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        page_token: Option<&'a str>,
    }
    let paging = Paging {
        page_size: size,
        page_token: token,
    };
    let paging = serde_urlencoded::to_string(paging)
        .map_err(|error| of_code(Code::PageTokenInvalid, error.to_string()))?;
    Ok(if filter.is_empty() {
        paging
    } else {
        format!("{filter}&{paging}")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::query;

    #[test]
    fn filters_and_tokens_are_encoded() {
        assert_eq!(query("", 50, None).unwrap(), "pageSize=50");
        assert_eq!(
            query("purl=a%26b", 1, Some("x+/=")).unwrap(),
            "purl=a%26b&pageSize=1&pageToken=x%2B%2F%3D"
        );
    }
}
