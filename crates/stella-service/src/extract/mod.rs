//! What handlers take out of a request.

mod authorized;
mod body;
mod parameters;

pub use authorized::{Authorized, Public};
pub(crate) use body::read;
pub use body::{Document, Json};
pub use parameters::{Path, Query};
