//! One finding, by its id or a prefix.

use stella_api::Code;
use stella_api::findings::Finding;
use stella_client::Client;

use super::found::{Filter, PATH};
use crate::failure::Failure;
use crate::id::Id;
use crate::pages;

/// The finding that an id names. Where it names none because nothing was taken in yet, the
/// failure says so, as that of a list does.
pub(crate) async fn one(client: &Client, id: &Id) -> Result<Finding, Failure> {
    match client
        .get(&format!("{PATH}/{id}"))
        .await
        .map_err(Failure::from)
    {
        Err(failure) if failure.code == Code::NotFound.as_str() => {
            pages::list::<Finding>(client, PATH, &Filter::default(), Some(1)).await?;
            Err(failure)
        }
        found => found,
    }
}
