//! The answer to a batch: a line for each line of the body, in order.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Problem;

/// What became of one line of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineAnswer<T> {
    /// The line of the body, from 1; empty ones count and get no answer.
    pub line: u64,
    /// What became of it.
    #[serde(flatten)]
    pub result: LineResult<T>,
}

/// What became of a line: what a call of its own would have answered, or that there was none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineResult<T> {
    /// It was taken.
    Answer(T),
    /// It was not; the lines around it are not touched by that.
    Problem(Problem),
    /// Neither it nor any after it was read: the answer ends here.
    Ended(Problem),
}

/// By hand, since a derived schema of a generic type does not bring that of its parameter.
impl<T: ToSchema> PartialSchema for LineAnswer<T> {
    fn schema() -> RefOr<Schema> {
        let problem = || Ref::from_schema_name(Problem::name());
        let results = [
            ("answer", Ref::from_schema_name(T::name()), "it was taken"),
            (
                "problem",
                problem(),
                "it was not; no other line is touched by that",
            ),
            ("ended", problem(), "neither it nor any after it was read"),
        ];
        let of = |(name, schema, description): (&str, Ref, &str)| {
            let line = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .description(Some("the line of the body, from 1"));
            ObjectBuilder::new()
                .description(Some(description))
                .property("line", line)
                .required("line")
                .property(name, schema)
                .required(name)
        };
        let one_of = results.into_iter().map(of);
        let line = OneOfBuilder::new().description(Some("what became of one line of the body"));
        let line = one_of.fold(line, |line, one| line.item(one));
        RefOr::T(line.build().into())
    }
}

impl<T: ToSchema> ToSchema for LineAnswer<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
