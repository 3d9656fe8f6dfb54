//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries, in the order that the endpoint documents.
    pub items: Vec<T>,
    /// What to send as `pageToken` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// By hand, since a derived schema of a generic type does not bring that of its parameter.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let token = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("what to send as `pageToken`; absent on the last page"));
        let page = ObjectBuilder::new()
            .description(Some("one page of a list"))
            .property("items", items)
            .property("nextPageToken", token)
            .required("items");
        RefOr::T(page.build().into())
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
