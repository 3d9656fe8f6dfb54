//! What handlers take out of a request.

mod authorized;
mod body;
mod parameters;

pub use authorized::{Authorized, Public};
pub(crate) use body::read;
pub use body::{Document, Json, Whole};
pub(crate) use body::{demand_media_type, ended};
pub(crate) use parameters::known_only;
pub use parameters::{Path, Query, time};
