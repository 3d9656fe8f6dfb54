//! The Shared Storage Driver Contract: one [`Db`] a service on PostgreSQL or SQLite, and the
//! object store. A store writes each statement once; [`on!`] expands it for both engines.

mod db;
mod driver;
mod error;
mod migrate;
mod object;
mod reach;
mod time;
mod unbroken;

pub use db::{DataFolder, Db, Tx};
pub use driver::{Connection, Driver, ObjectDriver};
pub use error::StoreError;
pub use migrate::Migrations;
pub use object::{Bucket, Listed, ObjectError, ObjectStore, Opened, S3, Stored};
pub use time::DbTime;

#[doc(hidden)]
pub use sqlx;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
